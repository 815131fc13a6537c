/* The one list of what is taken from loadgen's result object, and under which name and unit. */
#ifndef BENCH_METRIC_H
#define BENCH_METRIC_H

#include <jansson.h>
#include <stddef.h>

struct metric {
    const char *name, *unit;
    const char *path; /* in the result object; where an object stands there, the sum of its numbers;
                         where a list does, whether it holds anything */
    const char *per;  /* divided by the number at this path; NULL: not divided */
    double scale;     /* then multiplied by this */
};

extern const struct metric metrics[];
extern const size_t metric_count;

/* The metric of that name, which must exist. */
const struct metric *metric_find(const char *name);

/* A metric that several blocks have together only: it comes from their merged histograms. */
struct percentile {
    const char *metric;
    const char *distribution; /* in the result object; its `histogram` and `censored` are used */
    double quantile;
};

/* NULL: the metric is no percentile. */
const struct percentile *metric_percentile(const struct metric *);

/* One run's value in the metric's unit; NaN: it was not measured. */
double metric_value(const struct metric *, const json_t *run);

#endif
