/* What the summary says of measurements that were disturbed, or whose load was not steady.
 *
 * A figure that rests on such measurements is shown, and the reader is told: once for each kind of
 * remark and workload, and only where it concerns most blocks of a group. */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#include "bench/journal/results.h"

#include <stdio.h>

/* A paragraph on the whole run; nothing where nothing was disturbed. */
void marks_write_overview(FILE *, const struct results *);

/* The models and points of one workload that rest on such measurements, a line for each kind; or
 * nothing. */
void marks_write_list(FILE *, const struct results *, size_t workload);

#endif
