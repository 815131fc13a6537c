/* A figure with its interval.
 *
 * The median of a few values, with an interval between two of them that needs no assumption about
 * how they are distributed. Knows nothing of JSON, metrics or models. */
#ifndef BENCH_ESTIMATE_H
#define BENCH_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>

enum { ESTIMATE_MOST = 1000 }; /* values that an estimate can rest on; further ones are ignored */

struct estimate {
    double median, low, high;
    size_t count;      /* blocks that it rests on; 0: there is none, and `why` may say why; 1: no
                          interval is known, and low and high are the median */
    double confidence; /* with which the interval holds the true figure; 0: there is none */
    bool at_least;     /* a lower bound: to be printed with ≥ */
    const char *why;   /* NULL: there is nothing to say */
};

/* The median of `count` values. Its interval ends at the k-th lowest and the k-th highest value,
 * where k is as large as 95 % allow: the median lies outside only if k - 1 values or fewer are on
 * one side of it, and how many are is binomial with 1/2 (the sign test; H. A. David and H. N.
 * Nagaraja, Order Statistics, 2003, section 7.1). With fewer than six values no such pair has
 * 95 %: then the interval is their range, and `confidence` says how much it has, 1 - 2^(1-n).
 * Values that are not finite are left out. Sorts `values` in place. */
struct estimate estimate_of(double *values, size_t count);

/* The median of `count` values; NaN: there are none. Sorts them in place. */
double median_of(double *values, size_t count);

/* Slope of the least-squares line through `count` points, in y's unit per x's
 * unit. NaN where no line is determined: fewer than two different x. */
double least_squares_slope(const double *x, const double *y, size_t count);

#endif
