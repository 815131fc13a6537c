#include "bench/switches/switches.h"

#include "bench/base/child.h"
#include "bench/report/draw.h"
#include "bench/run/environment.h"
#include "bench/run/folder.h"
#include "bench/run/progress.h"
#include "bench/switches/switch_report.h"
#include "bench/switches/switch_rows.h"
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A trial's time on a quiet machine, for the time left; and a bound, for one that is not. */
static const double TRIAL_S = 14, QUICK_TRIAL_S = 3, LIMIT_S = 1800;
enum {
    TRIALS = 6, /* the fewest of which a median has an interval of 95 % (bench/statistics/) */
    QUICK_TRIALS = 3
};

struct measuring {
    const struct switches_request *request;
    struct path program, folder;
    struct switch_rows rows;
    FILE *log; /* switches.jsonl */
    size_t kept;
};

/* The lines that a trial has added. */
static int keep(struct measuring *m, struct error *error)
{
    for (; m->kept < json_array_size(m->rows.lines); m->kept++) {
        json_dumpf(json_array_get(m->rows.lines, m->kept), m->log,
                   JSON_COMPACT | JSON_REAL_PRECISION(9));
        fputc('\n', m->log);
    }
    return fflush(m->log) == 0 ? 0 : error_set(error, "cannot write switches.jsonl: %m");
}

static int take(struct measuring *m, const struct outcome *o, struct error *error)
{
    if (o->interrupted)
        return error_set(error, "interrupted");
    if (o->timed_out)
        return error_set(error, "switches was not done within %g s", LIMIT_S);
    if (o->exit_code != 0)
        return error_set(error, "switches failed: %s", o->messages);
    return switch_rows_add(&m->rows, o->output, error) == 0 ? keep(m, error) : -1;
}

static int measure_trial(struct measuring *m, unsigned trial, struct error *error)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%lu", m->request->seed + trial);
    const char *const argv[] = {m->program.text,
                                "--json",
                                "-",
                                "--seed",
                                seed,
                                m->request->quick ? "--rings" : NULL,
                                "2,10,100",
                                "--working-sets",
                                "0,32K",
                                "--target-ms",
                                "10",
                                "--memory-tasks",
                                "200",
                                NULL};
    const struct child_order order = {.argv = argv, .limit_s = LIMIT_S};
    struct outcome outcome;
    if (child_run(&order, &outcome, error) != 0)
        return -1;
    int result = take(m, &outcome, error);
    outcome_free(&outcome);
    return result;
}

static int measure_trials(struct measuring *m, struct error *error)
{
    bool quick = m->request->quick;
    unsigned usual = quick ? QUICK_TRIALS : TRIALS;
    unsigned trials = m->request->trials ? m->request->trials : usual;
    double trial_s = quick ? QUICK_TRIAL_S : TRIAL_S;
    int result = trials <= SWITCH_TRIALS_MOST
                     ? 0
                     : error_set(error, "--trials %u: at most %d", trials, SWITCH_TRIALS_MOST);
    for (unsigned trial = 0; trial < trials && result == 0; trial++) {
        char what[32];
        uint64_t begin_ns = clock_now_ns();
        snprintf(what, sizeof what, "switches, trial %u", trial + 1);
        progress_show(what, trial_s * (trials - trial));
        result = measure_trial(m, trial, error);
        trial_s = (double)(clock_now_ns() - begin_ns) / (double)NS_PER_S;
        if (result == 0)
            progress_block(what, trial_s, trial_s * (trials - trial - 1));
    }
    progress_end();
    return result;
}

static int prepare(struct measuring *m, const struct places *places, struct error *error)
{
    m->program = path_of("%s/switches", places->programs.text);
    if (!is_program(m->program.text))
        return error_set(error, "no program %s: run make, or give --bin DIR", m->program.text);
    if (folder_choose(m->request->out, "switches", &m->folder, error) != 0 ||
        folder_ensure(path_of("%s/plots", m->folder.text).text, error) != 0)
        return -1;
    m->log = fopen(path_of("%s/switches.jsonl", m->folder.text).text, "we");
    if (!m->log)
        return error_set(error, "cannot write switches.jsonl: %m");
    json_t *environment = environment_describe(places->programs.text);
    int result = folder_write_json(m->folder.text, "environment.json", environment, error);
    json_decref(environment);
    return result;
}

static int plot(const struct measuring *m, const struct places *places, struct error *error)
{
    struct path plots, scripts;
    if (!realpath(path_of("%s/plots", m->folder.text).text, plots.text) ||
        !realpath(places->plot_scripts.text, scripts.text))
        return error_set(error, "cannot draw the plots: no folder scripts/plot here or beside "
                                "bench");
    struct path stem = path_of("%s/switches", plots.text);
    const struct drawing page = {.script = "switches.gp",
                                 .data = stem,
                                 .stem = stem,
                                 .title = "What a context switch costs here",
                                 .variants = "all"};
    return draw(&page, 1, scripts.text, error);
}

static int show(const struct switch_rows *rows, struct error *error)
{
    char *text = switch_report_text(rows);
    if (!text)
        return error_set(error, "no memory for the tables");
    fputs(text, stdout);
    fflush(stdout);
    free(text);
    return 0;
}

int switches_measure(const struct switches_request *request, const struct places *places,
                     struct path *folder, struct error *error)
{
    struct measuring m = {.request = request};
    int result = prepare(&m, places, error);
    if (result == 0)
        result = measure_trials(&m, error);
    if (result == 0)
        result = switch_rows_finish(&m.rows, error);
    if (result == 0)
        result = switch_report_write(&m.rows, m.folder.text, error);
    if (result == 0)
        result = show(&m.rows, error);
    if (result == 0)
        result = plot(&m, places, error);
    *folder = m.folder;
    if (m.log)
        fclose(m.log);
    switch_rows_free(&m.rows);
    return result;
}
