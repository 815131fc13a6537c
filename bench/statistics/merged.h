/* The distributions of several blocks as one.
 *
 * A percentile of a model is that of all its requests, whichever block they
 * belong to. Percentiles of single blocks are never averaged: the mean of two
 * p99 is the p99 of nothing. Which blocks count, and how often, is given with
 * each question, so that resampling them costs no merging. Knows nothing of
 * JSON, metrics or models. */
#ifndef BENCH_MERGED_H
#define BENCH_MERGED_H

#include "bench/statistics/halves.h"
#include "common/histogram.h"

#include <stddef.h>
#include <stdint.h>

struct merged;

/* Of `count` blocks, from 1 to ESTIMATE_MOST; the histograms are not needed any more after it. To
 * be freed; NULL without memory. */
struct merged *merged_of(struct histogram *const blocks[], size_t count);
void merged_free(struct merged *);

size_t merged_blocks(const struct merged *);

/* The value that the fraction `quantile` of all requests do not exceed, as
 * histogram_quantile_ns has it, in microseconds; block i counts `weights[i]` times. NaN: those
 * blocks hold nothing. */
double merged_quantile_us(const struct merged *, const unsigned *weights, double quantile);

/* How many values all blocks hold together. */
uint64_t merged_count(const struct merged *);

/* The percentile's logarithm, of all blocks and of halves of them. 0 or -1. */
int merged_halve(const struct merged *, double quantile, struct halved *);

#endif
