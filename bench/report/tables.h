/* The tables of a workload, for people, in Markdown. */
#ifndef BENCH_TABLES_H
#define BENCH_TABLES_H

#include "bench/journal/results.h"

#include <stdio.h>

/* One table of several columns or, where a workload has several points, a table of each metric;
 * and below them in words what a bare figure would hide. */
void tables_write(FILE *, const struct results *, size_t workload);

#endif
