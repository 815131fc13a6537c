/* What is said about something that was measured in several trials, and about two such things.
 *
 * The one place that decides it: the summary, the plots and the comparisons
 * show an estimate with its interval, or a verdict, and do not care how it came
 * about. Whatever is random in it has a fixed seed: the same measurements
 * always give the same figures. Knows nothing of JSON, metrics or models. */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

enum { ESTIMATE_MOST = 1000 }; /* values that an estimate can rest on; further ones are ignored */

/* A median or percentile with its 95 % interval. */
struct estimate {
    double median, low, high;
    size_t count; /* trials it rests on; 0: the other members mean nothing; 1: no interval is
                     known, and low and high are the median */
};

/* Median of `count` values with its bootstrap interval, in the values' unit. Values that are not
 * finite are left out. Sorts `values` in place. */
struct estimate estimate_of(double *values, size_t count);

/* What a resample says: value or trial i was drawn `weights[i]` times. */
typedef double resample_statistic(const void *data, const unsigned *weights, size_t count);

/* The statistic of all `count` trials, each taken once, with its interval by the bootstrap
 * percentile method (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13):
 * 2,000 times as many trials as there are are drawn from them with replacement, and the interval
 * leaves out 2.5 % of what comes of it on either side. GSL's generator mt19937, seed 1. */
struct estimate estimate_bootstrap(resample_statistic *, const void *data, size_t count);

enum { HALVES_MOST = 1000 };

/* The logarithm of a figure that only several trials have together: a percentile of merged
 * distributions. How it scatters is learnt from leaving out trials, half of them at a time: the
 * delete-d jackknife, d = n/2 (J. Shao and C. F. J. Wu, A General Theory for Jackknife Variance
 * Estimation, 1989). For a mean it gives just what Student's t takes. For percentiles it holds
 * where leaving out one at a time fails: of six trials of which two have a stall, the p99.9 stays
 * where it is whichever one is left out. */
struct halved {
    size_t trials;
    double all;                 /* of every trial */
    double halves[HALVES_MOST]; /* of ever the same subsets of so many trials */
    size_t count;               /* all subsets there are up to 12 trials, 1,000 drawn above */
};

/* Of a statistic's logarithm; `count` trials, 2 or more. 0, or -1: it is not above 0, or there is
 * no memory. */
int halve(resample_statistic *, const void *data, size_t count, struct halved *);

/* B against A. */
struct comparison {
    double ratio;     /* of B to A; NaN: no values */
    double low, high; /* its 95 % interval, not corrected for other comparisons; NaN: unknown */
    double p;         /* two-sided, not corrected; NaN: too few values to tell */
};

/* From log(B/A) of each block: Student's t. A block holds a measurement of each, one soon after
 * the other, so that a drift of the machine falls out. Values that do not scatter at all (memory
 * can be alike to the page) have no t: where they are 0, p is 1; elsewhere it is 0 from three
 * values on, and unknown with two, which agree too easily.
 *
 * `rounding` is the standard error that all values of a side have in common because they are
 * rounded (0: exact). It is added to what their scatter says: rounded alike, they may not scatter
 * and yet be off by as much. */
struct comparison compare_paired(const double *log_ratios, size_t count, double rounding);

/* From the logarithms of A and of B, which have no blocks in common: Welch's t. */
struct comparison compare_unpaired(const double *log_a, size_t count_a, const double *log_b,
                                   size_t count_b, double rounding);

/* The same of figures that trials have together only: t, where the standard error comes from the
 * halves, with as many degrees of freedom as trials leave. `paired`: trial i of A and of B are a
 * block. */
struct comparison compare_halved(const struct halved *a, const struct halved *b, bool paired,
                                 double rounding);

/* Makes of the p-values of a family of comparisons those that hold for the family: a difference
 * is shown where one is below the level, and with the probability of the level none is shown that
 * is not there (S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979). NaN is
 * no member of the family. 0, or -1 without memory. */
int holm_correct(double *p, size_t count);

static const double SIGNIFICANCE = 0.05;

/* How many of `comparisons` say "different" (p < SIGNIFICANCE, each on its own) when there is
 * nothing to be seen: `a` and `b` are the same server under two names, measured in `blocks`.
 *
 * Under that hypothesis the two names in a block are exchangeable, so each comparison decides by a
 * coin, block by block, which of the two measurements is called A: the sign of the log ratio. The
 * blocks themselves are taken as they are. Drawing them with replacement would put the same block
 * into a sample more than once; such a sample scatters less than one of as many independent
 * blocks, t would count degrees of freedom that are not there, and the rate found would be that
 * of the drawing rather than that of the comparison. All values must be above 0. */
size_t compare_resampled(const double *a, const double *b, size_t blocks, size_t comparisons,
                         unsigned long seed);

/* Slope of the least-squares line through `count` points, in y's unit per x's
 * unit. NaN where no line is determined: fewer than two different x. */
double least_squares_slope(const double *x, const double *y, size_t count);

#endif
