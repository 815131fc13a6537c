/* The generator's own ceiling: how many requests a second it could send and book on
 * this machine, if no server were slow.
 *
 * A server can be slower than the generator, so the ceiling is not what was
 * reached but throughput / utilisation of the busiest generator thread: by what
 * factor it could go on until its CPU is full. It differs for kept connections
 * and for new ones, and is measured for both before a run. Knows nothing of
 * workloads and trials. */
#ifndef BENCH_CEILING_H
#define BENCH_CEILING_H

#include "bench/run/cell.h"

#include <jansson.h>
#include <stdbool.h>

/* From a result object: requests per second; NaN: it has not the figures. */
double ceiling_of_run(const json_t *run);

/* Measures against the order's server, whose workload and label do not matter: with one thread,
 * and with one for each of the generator's CPUs. A new array of {close, threads,
 * requests_per_second, utilisation}; NULL: interrupted. */
json_t *ceilings_measure(const struct cell_order *);

#endif
