/* What `switches` found in several trials, looked up by what was measured.
 *
 * Knows the lines that switches writes and what can be computed from them;
 * nothing of tables, or of what others have published. */
#ifndef BENCH_SWITCH_ROWS_H
#define BENCH_SWITCH_ROWS_H

#include "bench/base/error.h"
#include "bench/statistics/estimate.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { SWITCH_TRIALS_MOST = 100 };

struct switch_rows {
    json_t *trials; /* an array of arrays of objects */
};

/* Adds a trial's lines, a JSON object each. 0, or -1: one of them is no such thing. */
int switch_rows_add(struct switch_rows *, const char *lines, struct error *);
void switch_rows_free(struct switch_rows *);

/* One measurement. The constants "process", "thread", "coroutine", "callback" and "one" (no ring,
 * but a task that never switches). */
struct switch_cell {
    const char *kind, *cpu, *io; /* cpu: "same" or "across"; io: "none" or "pipe" */
    unsigned tasks;
    size_t working_bytes;
};

/* Functions of one trial; NaN: not measured. */
typedef double switch_figure(const struct switch_rows *, size_t trial, const struct switch_cell *);

switch_figure switch_hop_ns;        /* from one task to the next */
switch_figure switch_count;         /* context switches that the kernel counted in a hop */
switch_figure switch_ns;            /* one switch: a hop's share, where the kernel counted more */
switch_figure switch_beyond_one_ns; /* a hop less what one task takes that never switches */
switch_figure switch_indirect_ns;   /* that, less the same without working sets */
switch_figure switch_crowding_ns;   /* of one task: all working sets in turn, less one set */

struct estimate switch_estimate(const struct switch_rows *, switch_figure *,
                                const struct switch_cell *);

/* A member of the line of a `part` ("lifecycle", "memory") and kind; sums members where several
 * are named, separated by "+". */
struct estimate switch_estimate_of(const struct switch_rows *, const char *part, const char *kind,
                                   const char *members);

/* a's figure to b's, trial by trial. */
struct estimate switch_ratio(const struct switch_rows *, switch_figure *,
                             const struct switch_cell *a, const struct switch_cell *b);

/* Why a ring gave no figure; NULL: it did, or was not asked for. */
const char *switch_reason(const struct switch_rows *, const struct switch_cell *);

/* Whether the ring was asked for at all. */
bool switch_was_asked(const struct switch_rows *, const struct switch_cell *);

#endif
