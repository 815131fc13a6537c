/* The course of a run: a row per interval, of what was completed within it. */
#ifndef LOADGEN_TIMELINE_H
#define LOADGEN_TIMELINE_H

#include "common/histogram.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct timeline;

/* For `duration_ns` in intervals of `interval_ns`. NULL when memory is short. */
struct timeline *timeline_new(uint64_t duration_ns, uint64_t interval_ns);
void timeline_free(struct timeline *);

/* A completed request or an error, `at_ns` after the window's begin. Times must not decrease. */
void timeline_completed(struct timeline *, uint64_t at_ns, uint64_t response_ns);
void timeline_error(struct timeline *, uint64_t at_ns);

/* Merges the timelines of all threads and writes them as TSV, as far as was measured. An interval
 * in which nothing was completed has "nan" for its percentiles. 0, or -1 when memory is short. */
int timeline_write(struct timeline *const *, size_t count, uint64_t measured_ns, FILE *);

#endif
