/* bench: asks every workload's question to every model, and keeps the answers.
 *
 * The command line. What the commands do stands in run.c, summary.c, compare.c and plot.c. */
#include "bench/base/stop.h"
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
    KEY_NO_REPEAT,
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
    {"profile", KEY_PROFILE, "NAME", 0, "quick, standard or full (default: standard)", 1},
    {"models", KEY_MODELS, "A,B", 0, "Only these models (default: all there are)", 1},
    {"targets", KEY_TARGETS, "A,B", 0, "These foreign servers, too (default: none)", 1},
    {"workloads", KEY_WORKLOADS, "X,Y", 0, "Only these workloads (default: all there are)", 1},
    {"trials", KEY_TRIALS, "N", 0, "Measure everything N times (default: by profile)", 1},
    {"seed", KEY_SEED, "N", 0, "Of the order and of the requests (default: 1)", 1},
    {"out", KEY_OUT, "DIR", 0, "The run's folder (default: results/TIME-PROFILE)", 1},
    {"resume", KEY_RESUME, "DIR", 0, "Finish the run in DIR: measure what is missing", 1},
    {"no-repeat", KEY_NO_REPEAT, NULL, 0, "Do not repeat a measurement that was disturbed", 1},
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
    bool tsv, quick;
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
                   "--resume takes everything else from the run's plan: leave out --out, "
                   "--profile, --models, --targets, --workloads, --trials, --seed and the CPUs");
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct command_line *c = state->input;
    struct run_request *r = &c->request;
    switch (key) {
    case KEY_PROFILE:
        r->profile = profile_find(value);
        if (!r->profile)
            argp_error(state, "--profile: \"%s\" is none of quick, standard, full", value);
        break;
    case KEY_MODELS: r->models = value; break;
    case KEY_TARGETS: r->targets = value; break;
    case KEY_WORKLOADS: r->workloads = value; break;
    case KEY_TRIALS: r->trials = (unsigned)whole_number("--trials", value, 1000, state); break;
    case KEY_SEED: r->seed = whole_number("--seed", value, 4000000000, state); break;
    case KEY_OUT: r->out = value; return 0;
    case KEY_RESUME: r->resume = value; return 0;
    case KEY_NO_REPEAT: r->no_repeat = true; return 0;
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

static int summarize(const char *folder, char *(*text)(const struct results *), struct error *error)
{
    struct results results;
    if (results_read(&results, folder, error) != 0)
        return -1;
    int result = summary_write(&results, folder, error);
    if (result == 0 && print_and_free(text(&results)) != 0)
        result = error_set(error, "no memory for the summary");
    results_free(&results);
    return result;
}

static int command_run(const struct command_line *c, const struct places *places)
{
    struct path folder = {""};
    struct error error = {"interrupted before anything was measured"};
    enum run_result result = run_measure(&c->request, places, &folder, &error);
    if (result == RUN_FAILED || result == RUN_REFUSED)
        complain(&error);
    if (result == RUN_REFUSED)
        return EXIT_USAGE;
    if (result != RUN_COMPLETE && *folder.text)
        fprintf(stderr, "bench: what is measured is kept; to do the rest: bench run --resume %s\n",
                folder.text);
    else if (result == RUN_INTERRUPTED)
        complain(&error);
    if (result != RUN_COMPLETE)
        return EXIT_FAILURE;
    if (summarize(folder.text, summary_table, &error) != 0)
        return complain(&error);
    printf("results: %s (summary.md, summary.tsv, runs.jsonl)\n", folder.text);
    return EXIT_SUCCESS;
}

/* --- list ------------------------------------------------------------------------------------- */

static int list_profile(const struct command_line *c, const struct places *places,
                        const struct profile *profile, struct error *error)
{
    struct run_request request = c->request;
    struct plan plan;
    request.profile = profile;
    if (run_choose(&request, places, &plan, error) != RUN_COMPLETE)
        return -1;
    run_fit_cores(&plan, false);
    int result = plan_expand(&plan, error);
    if (result == 0) {
        double least_s;
        size_t least = plan_least(&plan, &least_s);
        char count[64], time[3 * sizeof(struct span)];
        if (least < plan.cell_count) {
            snprintf(count, sizeof count, "%zu to %zu", least, plan.cell_count);
            snprintf(time, sizeof time, "%s to %s", span_of(least_s).text,
                     span_of(plan_seconds(&plan, 0)).text);
        } else {
            snprintf(count, sizeof count, "%zu", least);
            snprintf(time, sizeof time, "about %s", span_of(least_s).text);
        }
        printf("  %-10s %12s measurements, %-25s %s\n", profile->name, count, time,
               profile->purpose);
    }
    plan_free(&plan);
    return result;
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

static int command_list(const struct command_line *c, const struct places *places)
{
    struct plan plan;
    struct error error;
    enum run_result chosen = run_choose(&c->request, places, &plan, &error);
    if (chosen != RUN_COMPLETE) {
        complain(&error);
        return chosen == RUN_REFUSED ? EXIT_USAGE : EXIT_FAILURE;
    }
    puts("Models");
    for (size_t i = 0; i < plan.model_count; i++)
        printf("  %s\n", plan.models[i]);
    if (list_targets(places, &error) != 0) {
        plan_free(&plan);
        return complain(&error);
    }
    puts("\nWorkloads");
    for (size_t i = 0; i < plan.workload_count; i++)
        printf("  %-16s %s\n  %-16s   %s\n", plan.workloads[i].name, plan.workloads[i].title, "",
               plan.workloads[i].question);
    plan_free(&plan);
    puts("\nProfiles");
    for (size_t i = 0; i < profile_count; i++)
        if (list_profile(c, places, &profiles[i], &error) != 0)
            return complain(&error);
    return EXIT_SUCCESS;
}

/* --- summary and plot ------------------------------------------------------------------------- */

static int command_summary(const struct command_line *c)
{
    struct error error;
    return summarize(c->names[0], summary_text, &error) == 0 ? EXIT_SUCCESS : complain(&error);
}

static int command_plot(const struct command_line *c, const struct places *places)
{
    struct results results;
    struct error error;
    if (results_read(&results, c->names[0], &error) != 0)
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
                                             .trials = c->request.trials,
                                             .seed = c->request.seed,
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
        .a = c->names[0], .b = c->names[1], .folder = c->names[2], .tsv = c->tsv};
    enum compare_result result = compare_write(stdout, &request, &error);
    if (result == COMPARE_DONE)
        return EXIT_SUCCESS;
    complain(&error);
    return result == COMPARE_REFUSED ? EXIT_USAGE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct command_line c = {.request = {.profile = profile_find("standard"), .seed = 1}};
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
