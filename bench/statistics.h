/* What is said about a metric that was measured in several trials.
 *
 * The one place that decides it: the summary and the plots show a median and
 * an interval and do not care how the interval came about. Knows nothing of
 * JSON, metrics or models. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stddef.h>

struct estimate {
    double median, low, high;
    size_t count; /* values it rests on; 0: the other members mean nothing */
};

/* Median, smallest and largest of `count` values, in the values' unit. Values
 * that are not finite are left out. Sorts `values` in place. */
struct estimate estimate_of(double *values, size_t count);

/* Slope of the least-squares line through `count` points, in y's unit per x's
 * unit. NaN where no line is determined: fewer than two different x. */
double least_squares_slope(const double *x, const double *y, size_t count);

#endif
