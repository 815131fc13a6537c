/* How each model stands in a column: one figure of all models at one point of one workload.
 *
 * No correction for the number of comparisons of a run: each verdict on a model has an error rate
 * of its own, and that is 5 %, whichever the number of models in the column.
 *
 * BEST: it is shown to be better than every other. Each comparison is made at 5 %, one-sided, and
 * all must agree: an intersection-union test, which needs no correction (R. L. Berger,
 * Multiparameter Hypothesis Testing and Acceptance Sampling, 1982).
 *
 * EQUIVALENT: it is shown not to be worse than any other by more than the margin; likewise.
 *
 * WORSE: some other is shown to be better, with this model as the control that all others are
 * compared with, at 5 % for all of them together, by Bonferroni (J. C. Hsu, Simultaneous Confidence
 * Intervals for all Distances from the "Best", 1981; D. G. Edwards and J. C. Hsu, Multiple
 * Comparisons with the Best Treatment, 1983).
 *
 * NOT_SHOWN: none of these yet.
 *
 * A model that is starved or was hardly measured is left out, and the others are compared. */
#ifndef BENCH_STANDING_H
#define BENCH_STANDING_H

#include "bench/statistics/contest.h"

#include <stddef.h>

enum standing {
    STANDING_NONE, /* it does not take part, or is alone */
    STANDING_BEST,
    STANDING_EQUIVALENT,
    STANDING_WORSE,
    STANDING_NOT_SHOWN
};

struct place {
    enum standing standing;
    double ratio, low, high; /* its figure to the best one of the column, with the 95 % interval;
                                NaN: unknown; the best one's own are 1 */
    unsigned blocks_more; /* of NOT_SHOWN: so many more blocks would decide, were they like these;
                             above BLOCKS_MORE_MOST: more than that */
    char reason[160];     /* of NONE; otherwise "" */
};

/* Fills in a place for each of the plan's models. 0, or -1 without memory. */
int standings_of(const struct results *, size_t workload, size_t point, const struct headline *,
                 double margin, struct place *places);

#endif
