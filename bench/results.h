/* What a run's folder holds, put back together: for each cell of the plan its
 * result, and metrics over trials.
 *
 * The table of metrics is the one list of what is taken from loadgen's result
 * object, and under which name and unit. Knows nothing of tables and plots. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "bench/error.h"
#include "bench/plan.h"
#include "bench/statistics.h"

#include <jansson.h>
#include <stddef.h>

struct metric {
    const char *name, *unit;
    const char
        *path; /* in the result object; where an object stands there, the sum of its numbers; where
                  a list does, whether it holds anything; with ! before it, a boolean's opposite */
    const char *per; /* divided by the number at this path; NULL: not divided */
    double scale;    /* then multiplied by this */
};

extern const struct metric metrics[];
extern const size_t metric_count;

/* The metric of that name, which must exist. */
const struct metric *metric_find(const char *name);

/* One run's value in the metric's unit; NaN: it was not measured. */
double metric_value(const struct metric *, const json_t *run);

struct results {
    struct plan plan;
    json_t *runs;           /* every whole line of runs.jsonl */
    const json_t **of_cell; /* by place in the plan: the attempt that counts, or NULL */
};

/* One model at one point of one workload: all its trials. */
struct group {
    size_t model, workload, point;
};

/* 0 with results to free, or -1. */
int results_read(struct results *, const char *folder, struct error *);
void results_free(struct results *);

/* How many trials of the group have a result, and how many of those are valid. */
size_t results_trials(const struct results *, struct group, size_t *valid);

/* Over the trials that have a value. */
struct estimate results_estimate(const struct results *, struct group, const struct metric *);

/* The result of a trial (from 1), or NULL. */
const json_t *results_run(const struct results *, struct group, unsigned trial);

/* The trial (from 1) that stands for all where only one can be shown: the one in the middle by
 * its 99th percentile. 0: there is none. */
unsigned results_typical_trial(const struct results *, struct group);

/* Was the generator at its limit in half of the trials or more? Then the throughput is a lower
 * bound of what the server can do. */
bool results_generator_bound(const struct results *, struct group);

/* In words, what a bare figure would hide: "no answer", "served 1 of 64". "" where there is
 * nothing to say. */
struct remark {
    char text[96];
};
struct remark results_remark(const struct results *, struct group);

#endif
