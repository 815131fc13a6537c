/* What a run's folder holds, put back together: the measurements of each group, by block.
 *
 * A *group* is one model at one point of one workload. Its figures rest on its blocks; where it has
 * none yet, on its preview, the short first look. Reading starts no process. Knows nothing of what
 * the measurements say. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "bench/base/error.h"
#include "bench/plan/plan.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct measurement {
    unsigned block; /* from 1; 0: the preview */
    json_t *line;   /* of runs.jsonl */
};

/* Ascending by block, each block once. */
struct measurements {
    struct measurement *at;
    size_t count, room;
};

/* What somebody has worked out from a group's measurements and keeps here. It is freed when a
 * further measurement makes it stale. */
struct memo {
    void *data;
    void (*free)(void *);
};

struct results {
    struct plan plan;
    json_t *environment;  /* environment.json; NULL: it cannot be read */
    struct entry *groups; /* by plan_group_index: results.c's own */
};

/* 0 with results to free, or -1. */
int results_read(struct results *, const char *folder, struct error *);

/* Results of a plan of which nothing is measured yet; they take the plan over. 0 with results to
 * free, or -1 without memory (the plan is freed). */
int results_begin(struct results *, struct plan *, struct error *);

void results_free(struct results *);

/* Takes up a line; it has a reference of its own to it. If that block has been measured before, the
 * later line counts, unless it alone holds no result. 0, or -1 without memory. */
int results_add(struct results *, struct group, unsigned block, json_t *line);

/* What the figures of a group rest on: its blocks, or its preview, or nothing. */
const struct measurements *results_of(const struct results *, struct group);

/* The preview alone; it can hold something beside the blocks. */
const struct measurements *results_preview_of(const struct results *, struct group);

/* The line of a block, or (block 0) of the preview; NULL: there is none. */
const json_t *results_run(const struct results *, struct group, unsigned block);

/* Do its figures rest on nothing but the preview? */
bool results_is_preview(const struct results *, struct group);

/* How many lines there are, previews included. */
size_t results_count(const struct results *);

/* What the generator alone could do on that machine with connections of that kind and so many
 * threads, in requests per second; NaN: it was not measured. */
double results_ceiling_rps(const struct results *, bool close, unsigned threads);

struct memo *results_memo(const struct results *, struct group);

#endif
