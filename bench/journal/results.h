/* What a run's folder holds, put back together: for each cell of the plan its
 * result, and metrics over trials. Percentiles over trials are those of the
 * trials' distributions merged.
 *
 * The table of metrics is the one list of what is taken from loadgen's result
 * object, and under which name and unit. Knows nothing of tables and plots. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "bench/base/error.h"
#include "bench/plan/plan.h"
#include "bench/statistics/statistics.h"
#include "common/histogram.h"

#include <jansson.h>
#include <stdbool.h>
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
    json_t *runs;                /* every whole line of runs.jsonl */
    json_t *environment;         /* environment.json; NULL: it cannot be read */
    const json_t **of_cell;      /* by place in the plan: the attempt that counts, or NULL */
    struct results_cache *cache; /* what was worked out before: results.c's own */
};

/* One model at one point of one workload: all its trials. */
struct group {
    size_t model, workload, point;
};

/* 0 with results to free, or -1. */
int results_read(struct results *, const char *folder, struct error *);
void results_free(struct results *);

/* Takes up a further line of runs.jsonl. */
void results_take(struct results *, json_t *line);

/* How many trials of the group have a result, and how many of those are valid. */
size_t results_trials(const struct results *, struct group, size_t *valid);

/* Over the trials that have a value. A percentile is that of their distributions merged, or, where
 * a trial has no histogram (runs of version 0.1), the median of the trials' percentiles. */
struct estimate results_estimate(const struct results *, struct group, const struct metric *);

/* Does every trial of the run that has response times have their histogram? */
bool results_have_histograms(const struct results *);

/* Adds the response times of all trials of the group to the histogram. 0, or -1 with nothing
 * added: there are none, or one of the trials has no histogram. */
int results_merge_responses(const struct results *, struct group, struct histogram *into);

/* Their percentile spectrum in HdrHistogram's text format, to be freed; NULL: the same, or there
 * is no memory. */
char *results_spectrum(const struct results *, struct group);

/* The trials (from 1, ascending) in which the metric has a value; `trials` has room for
 * ESTIMATE_MOST. */
size_t results_trials_with(const struct results *, struct group, const struct metric *,
                           unsigned *trials);

/* The logarithm of the metric for each of `count` such trials. 0, or -1: there is none, for a value
 * is not above 0. */
int results_logs(const struct results *, struct group, const struct metric *,
                 const unsigned *trials, size_t count, double *logs);

/* The logarithm of a percentile that `count` (2 or more) such trials have together. 0, or -1: the
 * metric is no percentile, or a trial has no histogram. */
int results_halve(const struct results *, struct group, const struct metric *,
                  const unsigned *trials, size_t count, struct halved *);

/* The standard error of such logarithms by rounding alone: percentiles are known to a cell. */
double results_rounding(const struct metric *);

/* What a workload is about: the throughput of a closed loop, the median response time of an open
 * one. Its interval decides how many trials are enough. */
const struct metric *results_main_metric(const struct workload *);

/* Is a point of a workload known well enough before this trial of it (from 1)? So it is when the
 * least number of trials is done and for every model the interval of the main metric, of the
 * trials before, reaches less than 2 % of its middle to either side. */
bool results_precise(const struct results *, size_t workload, size_t point, unsigned trial);

/* How many cells of the plan were not measured because their point was precise before, and at how
 * many points that was so. */
size_t results_needless(const struct results *, size_t *points);

/* The result of a trial (from 1), or NULL. */
const json_t *results_run(const struct results *, struct group, unsigned trial);

/* The trial (from 1) that stands for all where only one can be shown: the one in the middle by
 * its 99th percentile. 0: there is none. */
unsigned results_typical_trial(const struct results *, struct group);

/* Was the generator at its limit in half of the trials or more, or the throughput within 10 % of
 * the generator's ceiling on that machine, while the server had CPU time left? Then the
 * throughput is a lower bound of what the server can do. */
bool results_generator_bound(const struct results *, struct group);

/* Is the group's figure of this metric a lower bound? A throughput or a capacity is when the
 * generator was the limit. */
bool results_is_lower_bound(const struct results *, struct group, const char *metric);

/* In words, what a bare figure would hide: "no answer", "served 1 of 64". "" where there is
 * nothing to say. */
struct remark {
    char text[96];
};
struct remark results_remark(const struct results *, struct group);

#endif
