/* A block: one point of a workload, measured once with every model, and each result kept before the
 * next measurement begins. */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include "bench/base/error.h"
#include "bench/journal/journal.h"
#include "bench/journal/results.h"
#include "bench/plan/places.h"
#include "bench/run/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What all blocks of a run have in common. */
struct blocks {
    const struct places *places;
    struct results *results; /* and in it the plan */
    const char *folder, *scratch;
    struct journal *journal;
    struct backend *backend;
    uint64_t end_ns; /* of the run, for the progress line; 0: nobody knows */
};

enum block_result { BLOCK_WHOLE, BLOCK_INTERRUPTED, BLOCK_FAILED };

/* Whether every model that serves the point was measured in that block (0: the first look). */
bool block_is_whole(const struct blocks *, size_t workload, size_t point, unsigned block);

/* Measures what of the block is not measured yet; `took_s` receives the seconds. What was measured
 * is kept, also where the block did not become whole. */
enum block_result block_measure(struct blocks *, size_t workload, size_t point, unsigned block,
                                double *took_s, struct error *);

#endif
