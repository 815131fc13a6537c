/* bench: asks every workload's question to every model, and keeps the answers.
 *
 * The command line. What the commands do stands in the rooms run, report, validate and switches. */
#include "bench/base/stop.h"
#include "bench/report/answer.h"
#include "bench/report/compare.h"
#include "bench/report/plot.h"
#include "bench/report/summary.h"
#include "bench/run/progress.h"
#include "bench/run/run.h"
#include "bench/switches/switches.h"
#include "bench/validate/validate.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 64 };

const char *argp_program_version = "bench (Switchpoint) " SWITCHPOINT_VERSION;

enum option_key {
    KEY_PROFILE = 0x100,
    KEY_MODELS,
    KEY_TARGETS,
    KEY_WORKLOADS,
    KEY_TRIALS,
    KEY_SEED,
    KEY_OUT,
    KEY_RESUME,
    KEY_TIME,
    KEY_MARGIN,
    KEY_NO_FIGURES,
    KEY_BIN,
    KEY_WORKLOAD_DIR,
    KEY_TARGET_DIR,
    KEY_SERVER_CPUS,
    KEY_LOADGEN_CPUS,
    KEY_CHECKS,
    KEY_SHORT,
    KEY_TSV,
    KEY_QUICK,
};

static const struct argp_option options[] = {
    {"time", KEY_TIME, "T", 0, "For everything, as 90s, 10m, 2h (default: by profile)", 1},
    {"profile", KEY_PROFILE, "NAME", 0, "quick, standard or full (default: standard)", 1},
    {"models", KEY_MODELS, "A,B", 0, "Only these models (default: all there are)", 1},
    {"targets", KEY_TARGETS, "A,B", 0, "These foreign servers, too (default: none)", 1},
    {"workloads", KEY_WORKLOADS, "X,Y", 0, "These workloads, core or all (default: core)", 1},
    {"trials", KEY_TRIALS, "N", 0, "Just N blocks of each point, and no first look", 1},
    {"seed", KEY_SEED, "N", 0, "Of the order and of the requests (default: 1)", 1},
    {"out", KEY_OUT, "DIR", 0, "The run's folder (default: results/TIME-PROFILE)", 1},
    {"resume", KEY_RESUME, "DIR", 0, "Go on with the run in DIR, for --time", 1},
    {"margin", KEY_MARGIN, "PERCENT", 0, "Differences that nobody cares about (default: 5)", 1},
    {"no-figures", KEY_NO_FIGURES, NULL, 0, "run: tables alone, no gnuplot", 1},
    {"bin", KEY_BIN, "DIR", 0, "Folder of loadgen and the servers (default: bench's own)", 2},
    {"workload-dir", KEY_WORKLOAD_DIR, "DIR", 0, "Folder of the workloads", 2},
    {"target-dir", KEY_TARGET_DIR, "DIR", 0, "Folder of the targets", 2},
    {"server-cpus", KEY_SERVER_CPUS, "LIST", 0, "Pin servers (default: the first CPU)", 2},
    {"loadgen-cpus", KEY_LOADGEN_CPUS, "LIST", 0, "Pin the generator (default: the second)", 2},
    {"checks", KEY_CHECKS, "A,B", 0, "validate: only these checks (default: all)", 3},
    {"short", KEY_SHORT, NULL, 0, "validate: five minutes, for a machine that is shared", 3},
    {"tsv", KEY_TSV, NULL, 0, "compare: a table for programs", 3},
    {"quick", KEY_QUICK, NULL, 0, "switches: ten seconds instead of a minute", 3},
    {0},
};

enum { NAMES_LIMIT = 3 };

struct command_line {
    struct run_request request;
    const char *command, *programs, *workload_folder, *target_folder;
    const char *names[NAMES_LIMIT]; /* what follows the command */
    size_t name_count;
    bool tsv, quick, no_figures;
    struct validate_request validation;
    bool for_new_run; /* an option was given that a resumed run takes from its plan */
};

/* A whole number from 1; on anything else the program ends with a usage error. */
static unsigned long whole_number(const char *option, const char *text, unsigned long most,
                                  struct argp_state *state)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || number < 1 || number > most)
        argp_error(state, "%s: \"%s\" is not a whole number from 1 to %lu", option, text, most);
    return number;
}

/* A time such as 90s, 10m or 2h, in seconds; on anything else a usage error. */
static double time_span_s(const char *text, struct argp_state *state)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"", 1}};
    char *end;
    double number = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (end != text && strcmp(end, units[i].suffix) == 0 && number * units[i].seconds >= 1 &&
            number * units[i].seconds <= 1e7)
            return number * units[i].seconds;
    argp_error(state, "--time: \"%s\" is no time of a second or more, such as 90s, 10m or 2h",
               text);
    return 0;
}

static double margin_of(const char *text, struct argp_state *state)
{
    char *end;
    double percent = strtod(text, &end);
    if (end == text || *end != '\0' || !(percent > 0 && percent <= 50))
        argp_error(state, "--margin: \"%s\" is not a number of percent above 0, up to 50", text);
    return percent / 100;
}

/* The commands, and what has to follow each. */
static const struct command {
    const char *name;
    size_t least, most;
    const char *missing;
} commands[] = {
    {"run", 0, 0, NULL},
    {"list", 0, 0, NULL},
    {"summary", 1, 1, "the run's folder is missing, for example results/latest"},
    {"plot", 1, 1, "the run's folder is missing, for example results/latest"},
    {"validate", 0, 0, NULL},
    {"compare", 2, 3, "two models (and a run's folder) or two runs' folders are wanted"},
    {"switches", 0, 0, NULL},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };
#define COMMAND_NAMES "run, list, summary DIR, plot DIR, compare A B [DIR], validate or switches"

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void take_argument(struct command_line *c, const char *text, struct argp_state *state)
{
    const struct command *command = c->command ? command_find(c->command) : NULL;
    if (!c->command)
        c->command = text;
    else if (command && c->name_count < command->most)
        c->names[c->name_count++] = text;
    else if (command)
        argp_error(state, "unexpected argument \"%s\"", text);
}

static void check(const struct command_line *c, struct argp_state *state)
{
    const struct command *command = c->command ? command_find(c->command) : NULL;
    if (!c->command)
        argp_error(state, "a command is missing: " COMMAND_NAMES);
    else if (!command)
        argp_error(state, "unknown command \"%s\": " COMMAND_NAMES, c->command);
    else if (c->name_count < command->least)
        argp_error(state, "%s: %s", command->name, command->missing);
    else if (c->tsv && strcmp(command->name, "compare") != 0)
        argp_error(state, "--tsv belongs to compare");
    else if (c->quick && strcmp(command->name, "switches") != 0)
        argp_error(state, "--quick belongs to switches");
    else if ((c->validation.checks || c->validation.brief) &&
             strcmp(command->name, "validate") != 0)
        argp_error(state, "--checks and --short belong to validate");
    if (c->request.resume && (c->for_new_run || c->request.out))
        argp_error(state,
                   "--resume takes everything but --time from the run's plan: leave out --out, "
                   "--profile, --models, --targets, --workloads, --trials, --seed and the CPUs");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct command_line *c = state->input;
    struct run_request *r = &c->request;
    switch (key) {
    case KEY_PROFILE:
        r->choice.profile = profile_find(value);
        if (!r->choice.profile)
            argp_error(state, "--profile: \"%s\" is none of quick, standard, full", value);
        break;
    case KEY_MODELS: r->choice.models = value; break;
    case KEY_TARGETS: r->choice.targets = value; break;
    case KEY_WORKLOADS: r->choice.workloads = value; break;
    case KEY_TRIALS:
        r->choice.trials = (unsigned)whole_number("--trials", value, 1000, state);
        break;
    case KEY_SEED: r->choice.seed = whole_number("--seed", value, 4000000000, state); break;
    case KEY_TIME: r->time_s = time_span_s(value, state); return 0;
    case KEY_MARGIN: r->choice.margin = margin_of(value, state); return 0;
    case KEY_NO_FIGURES: c->no_figures = true; return 0;
    case KEY_OUT: r->out = value; return 0;
    case KEY_RESUME: r->resume = value; return 0;
    case KEY_BIN: c->programs = value; return 0;
    case KEY_WORKLOAD_DIR: c->workload_folder = value; return 0;
    case KEY_TARGET_DIR: c->target_folder = value; return 0;
    case KEY_SERVER_CPUS: r->server_cpus = value; break;
    case KEY_LOADGEN_CPUS: r->loadgen_cpus = value; break;
    case KEY_CHECKS: c->validation.checks = value; return 0;
    case KEY_SHORT: c->validation.brief = true; return 0;
    case KEY_TSV: c->tsv = true; return 0;
    case KEY_QUICK: c->quick = true; return 0;
    case ARGP_KEY_ARG: take_argument(c, value, state); return 0;
    case ARGP_KEY_END: check(c, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
    c->for_new_run = true;
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "run\nlist\nsummary DIR\nplot DIR\ncompare A B [DIR]\nvalidate\nswitches",
    .doc =
        "Compares server concurrency models under the workloads in workloads/.\v"
        "run measures, and writes a table of the results; list shows models, workloads and how "
        "long each profile takes; summary and plot work on the folder of a run, such as "
        "results/latest; compare says in which figures model B is shown to be better or worse "
        "than model A of the run in DIR (default: results/latest), or run B than run A; "
        "validate holds the instrument against known truths and theory; switches measures what a "
        "context switch costs here.",
};

static int complain(const struct error *error)
{
    fprintf(stderr, "bench: %s\n", error->text);
    return EXIT_FAILURE;
}

/* --- run -------------------------------------------------------------------------------------- */

static int print_and_free(char *text)
{
    if (!text)
        return -1;
    fputs(text, stdout);
    free(text);
    return 0;
}

struct reporter {
    const struct places *places;
    bool no_figures;
};

/* Figures need gnuplot: without it the tables are still there. */
static int report(void *argument, const struct results *r, const char *folder, bool last,
                  struct error *error)
{
    const struct reporter *reporter = argument;
    const char *scripts = reporter->places->plot_scripts.text;
    struct error of_plots;
    if (summary_write(r, folder, error) != 0)
        return -1;
    if (!reporter->no_figures && plot_all(r, folder, scripts, last, &of_plots) != 0)
        fprintf(stderr, "bench: warning: %s\n", of_plots.text);
    if (last && print_and_free(answer_text(r)) != 0)
        return error_set(error, "no memory for the answer");
    return 0;
}

static int command_run(const struct command_line *c, const struct places *places)
{
    struct path folder = {""};
    struct error error = {"interrupted before anything was measured"};
    struct reporter reporter = {places, c->no_figures};
    enum run_result result = run_measure(&c->request, places, report, &reporter, &folder, &error);
    if (result == RUN_FAILED || result == RUN_REFUSED)
        complain(&error);
    if (result == RUN_REFUSED)
        return EXIT_USAGE;
    if (!*folder.text) {
        if (result == RUN_INTERRUPTED)
            complain(&error);
        return EXIT_FAILURE;
    }
    if (access(path_of("%s/summary.md", folder.text).text, R_OK) == 0)
        printf("results: %s (summary.md, summary.tsv, plots/, runs.jsonl)\n", folder.text);
    printf("to go on: bench run --resume %s --time 10m\n", folder.text);
    return result == RUN_COMPLETE ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- list ------------------------------------------------------------------------------------- */

static void list_profile(const struct plan *plan, const struct profile *profile)
{
    struct plan at = *plan;
    double preview_s;
    at.profile = profile;
    double least_s = run_least_s(&at, &preview_s);
    printf("  %-10s %-22s %s (first picture %s; all intervals %s)\n", profile->name,
           profile->time_s > 0 ? span_of(profile->time_s).text : "until it is precise",
           profile->purpose, span_of(preview_s).text, span_of(least_s).text);
}

/* With what is missing where one cannot run here. */
static int list_targets(const struct places *places, struct error *error)
{
    struct target *targets;
    struct path program;
    struct error missing;
    size_t count;
    if (places_targets(places, &targets, &count, error) != 0)
        return -1;
    puts("\nTargets (with --targets)");
    for (size_t i = 0; i < count; i++) {
        bool here = target_is_installed(&targets[i], program.text, sizeof program.text, &missing);
        printf("  %-16s %s%s%s\n", targets[i].name, targets[i].title,
               here ? "" : " - not here: ", here ? "" : missing.text);
    }
    free(targets);
    return 0;
}

static void list_workloads(const struct plan *plan)
{
    puts("\nWorkloads (* core: measured when --workloads does not say which)");
    for (size_t i = 0; i < plan->workload_count; i++) {
        const struct workload *w = &plan->workloads[i];
        printf("%c %-16s %s\n  %-16s   %s\n", w->core ? '*' : ' ', w->name, w->title, "",
               w->question);
    }
}

static bool has_core(const struct plan *p)
{
    for (size_t i = 0; i < p->workload_count; i++)
        if (p->workloads[i].core)
            return true;
    return false;
}

static int command_list(const struct command_line *c, const struct places *places)
{
    struct plan plan;
    struct error error;
    struct choice choice = c->request.choice;
    if (!choice.workloads)
        choice.workloads = "all";
    enum choice_result chosen = choose(&choice, places, &plan, &error);
    if (chosen != CHOICE_MADE) {
        complain(&error);
        return chosen == CHOICE_REFUSED ? EXIT_USAGE : EXIT_FAILURE;
    }
    puts("Models");
    for (size_t i = 0; i < plan.model_count; i++)
        printf("  %s\n", plan.models[i]);
    int result = list_targets(places, &error);
    if (result == 0)
        list_workloads(&plan);
    if (!c->request.choice.workloads && has_core(&plan))
        choice.workloads = "core";
    plan_free(&plan);
    if (result != 0 || choose(&choice, places, &plan, &error) != CHOICE_MADE)
        return complain(&error);
    printf("\nProfiles, with the workloads %s\n", choice.workloads);
    for (size_t i = 0; i < profile_count; i++)
        list_profile(&plan, &profiles[i]);
    plan_free(&plan);
    return EXIT_SUCCESS;
}

/* --- summary and plot ------------------------------------------------------------------------- */

/* Reads a run's folder, with the margin that the user wants instead of its own. */
static int read_run(struct results *r, const struct command_line *c, struct error *error)
{
    if (results_read(r, c->names[0], error) != 0)
        return -1;
    if (c->request.choice.margin > 0)
        r->plan.margin = c->request.choice.margin;
    return 0;
}

static int command_summary(const struct command_line *c)
{
    struct results results;
    struct error error;
    if (read_run(&results, c, &error) != 0)
        return complain(&error);
    int result = summary_write(&results, c->names[0], &error);
    if (result == 0 && print_and_free(summary_text(&results)) != 0)
        result = error_set(&error, "no memory for the summary");
    results_free(&results);
    return result == 0 ? EXIT_SUCCESS : complain(&error);
}

static int command_plot(const struct command_line *c, const struct places *places)
{
    struct results results;
    struct error error;
    if (read_run(&results, c, &error) != 0)
        return complain(&error);
    int result = plot_all(&results, c->names[0], places->plot_scripts.text, true, &error);
    results_free(&results);
    if (result != 0)
        return complain(&error);
    printf("plots: %s/plots (.svg, .png, .pdf, and the data of each as .tsv)\n", c->names[0]);
    return EXIT_SUCCESS;
}

/* --- validate --------------------------------------------------------------------------------- */

static int command_validate(const struct command_line *c, const struct places *places)
{
    struct validate_request request = c->validation;
    struct path folder = {""};
    struct error error;
    request.out = c->request.out;
    request.server_cpus = c->request.server_cpus;
    request.loadgen_cpus = c->request.loadgen_cpus;
    enum validate_result result = validate(&request, places, &folder, &error);
    if (result == VALIDATE_BROKEN || result == VALIDATE_REFUSED)
        complain(&error);
    if (result == VALIDATE_REFUSED)
        return EXIT_USAGE;
    if (*folder.text)
        printf("validation: %s (validation.md, validation.tsv, plots/validation.*)\n", folder.text);
    return result == VALIDATE_PASSED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- switches --------------------------------------------------------------------------------- */

static int command_switches(const struct command_line *c, const struct places *places)
{
    const struct switches_request request = {.out = c->request.out,
                                             .trials = c->request.choice.trials,
                                             .seed = c->request.choice.seed,
                                             .quick = c->quick};
    struct path folder = {""};
    struct error error;
    if (switches_measure(&request, places, &folder, &error) != 0)
        return complain(&error);
    printf("switches: %s (switches.md, switches.tsv, switches.jsonl, plots/switches.*)\n",
           folder.text);
    return EXIT_SUCCESS;
}

/* --- compare ---------------------------------------------------------------------------------- */

static int command_compare(const struct command_line *c)
{
    struct error error;
    const struct compare_request request = {
        .a = c->names[0],
        .b = c->names[1],
        .folder = c->names[2],
        .tsv = c->tsv,
        .margin = c->request.choice.margin > 0 ? c->request.choice.margin : MARGIN_DEFAULT};
    enum compare_result result = compare_write(stdout, &request, &error);
    if (result == COMPARE_DONE)
        return EXIT_SUCCESS;
    complain(&error);
    return result == COMPARE_REFUSED ? EXIT_USAGE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct command_line c = {
        .request = {.choice = {.profile = profile_find("standard"), .seed = 1}}};
    struct places places;
    struct error error;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &c);
    if (places_find(&places, c.programs, c.workload_folder, c.target_folder, &error) != 0) {
        complain(&error);
        return EXIT_USAGE;
    }
    stop_on_signals();
    if (strcmp(c.command, "run") == 0)
        return command_run(&c, &places);
    if (strcmp(c.command, "list") == 0)
        return command_list(&c, &places);
    if (strcmp(c.command, "summary") == 0)
        return command_summary(&c);
    if (strcmp(c.command, "validate") == 0)
        return command_validate(&c, &places);
    if (strcmp(c.command, "compare") == 0)
        return command_compare(&c);
    if (strcmp(c.command, "switches") == 0)
        return command_switches(&c, &places);
    return command_plot(&c, &places);
}
