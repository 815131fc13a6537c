/* The capacity of a model: the threshold of all windows of all searches (common/threshold.h).
 *
 * Windows of the first look count, too: they are as long as the others. */
#ifndef BENCH_CAPACITY_H
#define BENCH_CAPACITY_H

#include "bench/journal/results.h"
#include "bench/statistics/estimate.h"
#include "bench/statistics/halves.h"

#include <stddef.h>

/* The blocks (0: the first look) that have windows, ascending; `blocks` has room for ESTIMATE_MOST.
 */
size_t capacity_blocks(const struct results *, struct group, unsigned *blocks);

/* Requests per second. Its interval takes in both, what the windows say of the threshold and how it
 * scatters from block to block. A lower bound where no window failed for the server's own sake.
 * `halved` is the same as capacity_halve gives; it has no halves where there are none. */
struct estimate capacity_estimate(const struct results *, struct group, struct halved *halved);

/* The logarithm of the capacity of these blocks, and of halves of them. 0, or -1: there is none. */
int capacity_halve(const struct results *, struct group, const unsigned *blocks, size_t count,
                   struct halved *);

/* A window as figures show it. */
struct capacity_window {
    double rate_rps, p99_us; /* NaN: nothing was answered */
    int held;                /* 1, 0, or -1: it says nothing */
};

/* Calls `take` for each window. */
void capacity_windows(const struct results *, struct group,
                      void (*take)(void *, const struct capacity_window *), void *argument);

#endif
