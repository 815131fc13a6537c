/* What `switches` found, as a table: a row for each figure, with its value in each trial.
 *
 * Knows the lines that switches writes and what can be computed from them; nothing of how a table
 * looks, or of what others have published. */
#ifndef BENCH_SWITCH_ROWS_H
#define BENCH_SWITCH_ROWS_H

#include "bench/base/error.h"
#include "bench/statistics/estimate.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { SWITCH_TRIALS_MOST = 100 };

/* What was measured. */
struct switch_key {
    const char *kind;     /* "process", "thread", "coroutine", "callback"; "one": no ring, but a
                             task that never switches */
    const char *cpu, *io; /* "same" or "across", "none" or "pipe"; "-" where there is no ring */
    unsigned tasks;
    size_t working_bytes;
};

struct switch_rows;
typedef double switch_figure(const struct switch_rows *, const struct switch_key *, size_t trial);

/* A figure, as switches.tsv names it; switch_rows.c says what each is. */
struct switch_metric {
    const char *part, *name, *unit;
    const char *members[3]; /* of a line, to be added up; none: it is computed from other rows */
    switch_figure *figure;
    bool of_one, of_sets; /* where computed: for the one task; for working sets only */
};

struct switch_row {
    const struct switch_metric *metric;
    struct switch_key key;
    const char *reason;                /* why a trial gave no figure; NULL: each did */
    double values[SWITCH_TRIALS_MOST]; /* a trial's; NaN: not measured */
};

struct switch_rows {
    json_t *lines; /* all trials' */
    struct switch_row *at;
    size_t count, capacity, trials;
};

/* Adds a trial's lines, a JSON object each, which are given the trial's number. 0, or -1: one of
 * them is no such thing, or there is no memory. */
int switch_rows_add(struct switch_rows *, const char *lines, struct error *);

/* After the last trial: computes what follows from several rows, and puts all in order. 0 or -1. */
int switch_rows_finish(struct switch_rows *, struct error *);
void switch_rows_free(struct switch_rows *);

/* The next row of that metric after `row`, or with NULL the first; NULL: there is none. */
const struct switch_row *switch_rows_next(const struct switch_rows *, const char *metric,
                                          const struct switch_row *row);

/* NULL: it was not asked for. */
const struct switch_row *switch_rows_find(const struct switch_rows *, const char *metric,
                                          const struct switch_key *);

/* Over all trials, and with `over` the ratio to that, trial by trial. A row may be NULL. */
struct estimate switch_estimate(const struct switch_rows *, const struct switch_row *);
struct estimate switch_ratio(const struct switch_rows *, const struct switch_row *,
                             const struct switch_row *over);

#endif
