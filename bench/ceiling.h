/* The generator's own ceiling: how many requests a second it could send and book
 * on this machine, if no server were slow.
 *
 * A server can be slower than the generator, so the ceiling is not what was
 * reached but throughput / utilisation of the busiest generator thread: by what
 * factor it could go on until its CPU is full. */
#ifndef BENCH_CEILING_H
#define BENCH_CEILING_H

#include <jansson.h>

/* From a result object: requests per second; NaN: it has not the figures. */
double ceiling_of_run(const json_t *run);

#endif
