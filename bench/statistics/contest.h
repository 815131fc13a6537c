/* One model against another, or against itself in another run: what may be said of it.
 *
 * Decides which figures can be compared at all, and how: within a run block by
 * block (a trial holds both, one soon after the other), between runs without;
 * percentiles those of all trials together, other figures trial by trial.
 * The arithmetic stands in statistics.c. Knows nothing of tables. */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include "bench/journal/results.h"
#include "bench/statistics/statistics.h"

#include <stdbool.h>
#include <stddef.h>

/* A metric of which more, or less, is better. */
struct headline {
    const char *metric;
    bool more_is_better;
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

enum verdict { NOT_COMPARABLE, NO_DIFFERENCE_SHOWN, BETTER, WORSE };

/* B against A. */
struct contest {
    struct side a, b;
    const struct headline *headline;
    double median_a, median_b; /* as in summary.tsv; NaN: not measured */
    struct comparison found;   /* its p is the family's once that is decided */
    enum verdict verdict;      /* of B, once the family is decided */
    char reason[192];          /* why it is not comparable; otherwise "" */
};

/* Compares; paired by block where both sides are of the same results. */
struct contest contest_of(const struct side *a, const struct side *b, const struct headline *);

/* Corrects a family for its size and gives its verdicts. 0, or -1 without memory. */
int contests_decide(struct contest *, size_t count);

/* How many of them are comparable: the size of the family. */
size_t contests_comparable(const struct contest *, size_t count);

#endif
