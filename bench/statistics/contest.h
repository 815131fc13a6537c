/* One model against another, or against itself in another run: what may be said of it.
 *
 * Decides which figures can be compared at all, and how: within a run block by block (a block holds
 * both, one soon after the other), between runs without. The arithmetic stands in halves.c. Knows
 * nothing of tables. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include "bench/statistics/group.h"

#include <stdbool.h>
#include <stddef.h>

/* A metric of which more, or less, is better. */
struct headline {
    const char *metric;
    bool more_is_better;
    double least;      /* smaller figures count as this: nobody cares how small they are */
    const char *title; /* with the unit in which tables for people show it */
    double scale;      /* to that unit */
};

extern const struct headline headlines[];
extern const size_t headline_count;

/* Of a search for the capacity that is the only one, and elsewhere there is none. */
bool headline_is_of(const struct headline *, const struct workload *);

/* NULL: of this metric neither more nor less is better. */
const struct headline *headline_find(const char *metric);

/* One of the two, with the name under which reasons call it. */
struct side {
    const struct results *results;
    struct group group;
    const char *name;
};

/* In words: "better", "worse", "equivalent", "not shown yet", "not comparable". */
enum verdict { NOT_COMPARABLE, NOT_SHOWN, EQUIVALENT, BETTER, WORSE };

enum { BLOCKS_MORE_MOST = 100 }; /* one more: "more than 100" */

/* B against A. A difference within the margin (0.05: 5 %) is of no interest:
 *
 *   EQUIVALENT  it is shown to be within the margin: two one-sided tests at 5 % each, which is a
 *               90 % interval of the ratio within [1/(1 + margin), 1 + margin] (D. J. Schuirmann,
 *               A Comparison of the Two One-Sided Tests Procedure and the Power Approach, 1987)
 *   BETTER, WORSE  otherwise, where the 95 % interval of the ratio leaves out 1
 *   NOT_SHOWN   neither: there are too few blocks
 */
struct contest {
    struct side a, b;
    const struct headline *headline;
    struct estimate of_a, of_b; /* as in summary.tsv */
    double ratio;               /* of these, B to A, in the blocks that both have; NaN: none */
    double low, high;           /* its 95 % interval; NaN: unknown */
    enum verdict verdict;
    unsigned blocks_more; /* of NOT_SHOWN: so many more would decide, were they like these */
    char reason[192];     /* of NOT_COMPARABLE; otherwise "" */
};

/* Paired by block where both sides are of the same results. */
struct contest contest_of(const struct side *a, const struct side *b, const struct headline *,
                          double margin);

/* --- parts of it, for comparisons of many ----------------------------------------------------- */

/* Why this side cannot take part, into `reason`; false: it can. */
bool side_refused(const struct side *, const struct headline *, char *reason, size_t size);

/* B to A in this figure. */
struct shift contest_shift(const struct side *a, const struct side *b, const struct headline *);

/* Whether it can be shown that the first is better: a lower bound may be far more. */
bool can_be_better(const struct headline *, struct estimate first, struct estimate second);

#endif
