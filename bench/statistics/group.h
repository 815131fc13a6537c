/* What is said of one model at one point of one workload: its figures over blocks, and what a bare
 * figure would hide.
 *
 * Most figures are the median of the blocks' values. A percentile is that of all requests of all
 * blocks together. What was worked out is kept with the results until a further measurement of the
 * group is added. */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H

#include "bench/journal/results.h"
#include "bench/statistics/estimate.h"
#include "bench/statistics/halves.h"
#include "bench/statistics/metric.h"
#include "common/histogram.h"

#include <stdbool.h>
#include <stddef.h>

/* A percentile above the median is given only where 100 values lie beyond it. It is a lower bound
 * where it lies among censored values: requests that were not answered when the window closed, and
 * are counted with their age. A throughput or capacity is one where the generator was the limit. */
struct estimate group_estimate(const struct results *, struct group, const struct metric *);

/* --- for comparisons -------------------------------------------------------------------------- */

/* The blocks, ascending, in which the metric has a value, and (may be NULL) these values; there is
 * room for ESTIMATE_MOST. */
size_t group_values(const struct results *, struct group, const struct metric *, unsigned *blocks,
                    double *values);

/* Whether blocks have a figure of this metric together only. */
bool is_together(const struct metric *);

/* Such a figure of these blocks. 0, or -1: it has no logarithm. */
int group_halve(const struct results *, struct group, const struct metric *, const unsigned *blocks,
                size_t count, struct halved *);

/* --- what a figure does not say --------------------------------------------------------------- */

/* In the order of how bad it is: from REMARK_STARVED on, response times say nothing about those who
 * were not served. */
enum remark_kind {
    REMARK_NONE,
    REMARK_OVERLOADED,   /* open loop: fewer than 97 % of the requests were answered */
    REMARK_STARVED,      /* some connections got no answer at all */
    REMARK_NO_ANSWER,    /* none did */
    REMARK_FAILED,       /* there was no result */
    REMARK_NOT_MEASURED, /* not yet */
    REMARK_NOT_SERVED,   /* and never: the target does not answer such requests */
};

struct remark {
    enum remark_kind kind;
    char text[96]; /* "served 1 of 64"; "": nothing to say */
};
struct remark group_remark(const struct results *, struct group);

/* Was the generator at its limit in half of the blocks or more, or the throughput within 10 % of
 * the generator's ceiling on that machine, while the server had CPU time left? */
bool group_generator_bound(const struct results *, struct group);

/* Whether the second half of the window differs from the first, over all blocks: their mean ratio
 * is beyond chance (Student's t, p < 0.01, four blocks or more) and beyond 10 %. An overload is
 * never unsteady (its queue grows: it has a name of its own), nor is a workload with a timeline,
 * which changes its load on purpose. */
struct unsteady {
    const char *what; /* "throughput", "median response time"; NULL: it was steady */
    double ratio;     /* of the second half to the first */
};
struct unsteady group_unsteady(const struct results *, struct group);

/* How many of the measurements that its figures rest on are valid; how many were disturbed. */
size_t group_valid(const struct results *, struct group);
size_t group_disturbed(const struct results *, struct group);

/* --- distributions ---------------------------------------------------------------------------- */

/* The response times of all blocks together, to be freed; NULL: there are none. */
struct histogram *group_histogram(const struct results *, struct group);

/* The measurement that stands for all where only one can be shown: the one in the middle by its
 * 99th percentile. NULL: there is none. */
const struct measurement *group_typical(const struct results *, struct group);

#endif
