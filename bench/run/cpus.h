/* Which CPUs the server and the load generator get. Knows nothing of workloads. */
#ifndef BENCH_CPUS_H
#define BENCH_CPUS_H

#include "bench/base/error.h"

#include <stddef.h>

/* The CPUs of the server and of the load generator, as texts for --cpus in places of `size`
 * bytes: what the user wants or, where that is NULL, the first that this process may run on and
 * the second. With only one, nothing is pinned, and a warning says so. 0, or -1: too long. */
int cpus_choose(const char *server_wanted, const char *loadgen_wanted, char *server, char *loadgen,
                size_t size, struct error *);

/* Every CPU that this process may use, as "0,2,1", in the order in which a server gets them that is
 * to have several: those of `server` first, those of `loadgen` last. */
void cpus_order(const char *server, const char *loadgen, char *text, size_t size);

#endif
