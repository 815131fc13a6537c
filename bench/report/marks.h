/* What the summary says of measurements that were disturbed, or whose load was not steady.
 *
 * A figure that rests on such a measurement is shown, and the reader is told. */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#include "bench/journal/results.h"

#include <stdio.h>

/* A paragraph on the whole run; nothing where nothing was disturbed or unsteady. */
void marks_write_overview(FILE *, const struct results *);

/* A list of the models and points of one workload that rest on such measurements, or nothing. */
void marks_write_list(FILE *, const struct results *, size_t workload);

#endif
