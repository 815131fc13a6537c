/* The distributions of several trials as one.
 *
 * A percentile of a model is that of all its requests, whichever trial they
 * belong to. Percentiles of single trials are never averaged: the mean of two
 * p99 is the p99 of nothing. Which trials count, and how often, is given with
 * each question, so that resampling them costs no merging. Knows nothing of
 * JSON, metrics or models. */
#ifndef BENCH_MERGED_H
#define BENCH_MERGED_H

#include "bench/statistics/statistics.h"
#include "common/histogram.h"

#include <stddef.h>

struct merged;

/* Of `count` trials, from 1 to ESTIMATE_MOST; the histograms are not needed any more after it. To
 * be freed; NULL without memory. */
struct merged *merged_of(struct histogram *const trials[], size_t count);
void merged_free(struct merged *);

size_t merged_trials(const struct merged *);

/* The value that the fraction `quantile` of all requests do not exceed, as
 * histogram_quantile_ns has it, in microseconds; trial i counts `weights[i]` times. NaN: those
 * trials hold nothing. */
double merged_quantile_us(const struct merged *, const unsigned *weights, double quantile);

/* The percentile with its interval over trials, in microseconds. */
struct estimate merged_estimate(const struct merged *, double quantile);

/* The percentile's logarithm, of all trials (two or more) and of halves of them. 0 or -1. */
int merged_halve(const struct merged *, double quantile, struct halved *);

#endif
