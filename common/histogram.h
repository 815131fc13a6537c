/* A histogram of durations with a bounded relative error, from nanoseconds to hours.
 *
 * The bucket scheme is HdrHistogram's (Gil Tene, "HdrHistogram: A High Dynamic
 * Range Histogram", hdrhistogram.org): buckets double in width, each divided
 * into 1,024 linear sub-buckets, so that a value is known to 1 part in 1,024
 * wherever it lies: 3 significant digits. Recording is a shift and an increment.
 *
 * One per thread and quantity; merge when the threads are done. */
#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    HISTOGRAM_SUB_BITS = 10,
    HISTOGRAM_MOST_BITS =
        42, /* 2^42 ns: 73 minutes; longer values count as that, but max is exact */
    HISTOGRAM_CELLS = (HISTOGRAM_MOST_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS,
};

struct histogram {
    uint64_t count;
    uint64_t sum_ns, min_ns, max_ns; /* exact; min_ns is UINT64_MAX when empty */
    uint64_t cells[HISTOGRAM_CELLS];
};

/* NULL when memory is short. */
struct histogram *histogram_new(void);
void histogram_free(struct histogram *);

/* Which cell a value belongs to, and the values between which a cell lies: [low, low + width). */
static inline unsigned histogram_cell(uint64_t ns)
{
    const uint64_t most_ns = (UINT64_C(1) << HISTOGRAM_MOST_BITS) - 1;
    if (ns > most_ns)
        ns = most_ns;
    /* The `| 1 <<` makes all values below 2^11 share shift 0: there, a cell is one nanosecond. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(ns | (UINT64_C(1) << HISTOGRAM_SUB_BITS));
    unsigned shift = bits - (HISTOGRAM_SUB_BITS + 1);
    return (shift << HISTOGRAM_SUB_BITS) + (unsigned)(ns >> shift);
}
uint64_t histogram_cell_low_ns(unsigned cell);
uint64_t histogram_cell_width_ns(unsigned cell);

static inline void histogram_record(struct histogram *h, uint64_t ns)
{
    h->count++;
    h->sum_ns += ns;
    h->min_ns = ns < h->min_ns ? ns : h->min_ns;
    h->max_ns = ns > h->max_ns ? ns : h->max_ns;
    h->cells[histogram_cell(ns)]++;
}

/* Records `count` values of which only the cell is known: they count as its middle. */
void histogram_record_cell(struct histogram *, unsigned cell, uint64_t count);

/* Adds what `from` holds to `into`. */
void histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_clear(struct histogram *);

/* The value that the fraction `quantile` (0 to 1) of all values do not exceed, to 1 part in
 * 2,048: the middle of its cell, and never outside [min, max]. 0 when empty. Rank as in
 * HdrHistogram: ceil(quantile * count), at least 1. */
uint64_t histogram_quantile_ns(const struct histogram *, double quantile);

/* The mean is exact, the standard deviation (population) taken from the cells. 0 when empty. */
double histogram_mean_ns(const struct histogram *);
double histogram_stddev_ns(const struct histogram *);

/* Writes the percentile spectrum in HdrHistogram's text format (".hgrm"), values in
 * microseconds, five steps for each halving of the distance to 100 %. */
void histogram_write_hgrm(const struct histogram *, FILE *);

#endif
