/* How much a figure of several blocks would change with other blocks, and whether two figures
 * differ.
 *
 * The standard error comes from leaving out half of the blocks, in all ways or many: the delete-d
 * jackknife with d = n/2 (J. Shao and C. F. J. Wu, A General Theory for Jackknife Variance
 * Estimation, Annals of Statistics 17(3), 1989). For a mean it gives just what Student's t takes;
 * for medians and percentiles it holds where leaving out one at a time fails: of six blocks of
 * which two have a stall, the p99.9 stays where it is whichever one is left out. Comparisons take
 * it with Student's t.
 *
 * Everything is in logarithms, since differences between servers are ratios. Knows nothing of JSON,
 * metrics or models. */
#ifndef BENCH_HALVES_H
#define BENCH_HALVES_H

#include "bench/statistics/estimate.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    HALVES_MOST = 252,     /* all there are up to 10 blocks; above, so many are drawn */
    SHIFT_BLOCKS_LEAST = 3 /* with two blocks, equal values and large t come about too easily */
};

/* The logarithm of a figure of those blocks whose weight is 1; the others have 0. */
typedef double blocks_statistic(const void *data, const unsigned *weights, size_t blocks);

/* A figure of all blocks and of halves of them. */
struct halved {
    size_t blocks;
    double all;
    double halves[HALVES_MOST]; /* ever the same subsets of so many blocks */
    size_t count;
};

/* Of so many blocks, at most ESTIMATE_MOST. What is drawn is drawn with a fixed seed. 0, or -1: a
 * half has no logarithm (its figure is 0), or there is no memory. */
int halve(blocks_statistic *, const void *data, size_t blocks, struct halved *);

/* The figure itself with its 95 % interval, by Student's t. Of two blocks, the interval is from one
 * block's figure to the other's, which holds the truth in half of all cases. */
struct estimate halved_estimate(const struct halved *);

/* B to A, and how sure it is. */
struct shift {
    double ratio; /* of the two figures */
    double log_ratio,
        error;      /* the middle of what is likely, and its standard error; NaN: unknown */
    double freedom; /* degrees of freedom of the error */
    size_t blocks;  /* of the side with fewer */
};

/* Of two figures that blocks have together. `paired`: block i of A and of B are the same. */
struct shift shift_of(const struct halved *a, const struct halved *b, bool paired);

/* Of values that blocks have one by one, each above 0, at the same place for A and B: the middle of
 * the ratios within blocks, so that a drift of the machine falls out. The middle is the median of
 * the means of all pairs of them (J. L. Hodges and E. L. Lehmann, Estimates of Location Based on
 * Rank Tests, 1963): for six blocks it is nearly as precise as their mean, where the median alone
 * would need nine, and hardly moved by an odd one. */
struct shift shift_paired(const double *a, const double *b, size_t blocks);

/* The same where the sides have no blocks in common, with Welch's degrees of freedom. */
struct shift shift_unpaired(const double *a, size_t blocks_a, const double *b, size_t blocks_b);

/* A to B. */
struct shift shift_reversed(struct shift);

/* The 95 % interval of the ratio, which holds the ratio itself in any case: the middle of ratios is
 * not quite the ratio of middles. NaN: unknown. */
void shift_interval(struct shift, double *low, double *high);

/* The shift as it would be with so many more blocks, if they are like those that there are. */
struct shift shift_later(struct shift, unsigned more);

/* How far beyond `log_ratio` the truth lies with a probability of `level` at most: Student's t
 * times the standard error. Infinite with fewer than SHIFT_BLOCKS_LEAST blocks.
 *
 * The standard error counts as 0.1 % at least. Values that are alike to the last digit (memory, to
 * the page) do not say that a further start of the server would give the same: a cell of a
 * histogram and a page have a size, and all blocks have that in common. So three equal values give
 * no p of 0. */
double shift_reach(struct shift, double level);

#endif
