/* The machine a run was measured on, for environment.json.
 *
 * A figure without its machine cannot be judged or repeated. Whatever cannot be
 * found out is null. Knows nothing of workloads and models. */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include "bench/base/error.h"

#include <jansson.h>
#include <stddef.h>

/* The CPUs of the server and of the load generator, as texts for --cpus in places of `size`
 * bytes: what the user wants or, where that is NULL, the first that this process may run on and
 * the second. With only one, nothing is pinned, and a warning says so. 0, or -1: too long. */
int environment_choose_cpus(const char *server_wanted, const char *loadgen_wanted, char *server,
                            char *loadgen, size_t size, struct error *);

/* Every CPU that this process may use, as "0,2,1", in the order in which a server gets them that is
 * to have several: those of `server` first, those of `loadgen` last. */
void environment_order_cpus(const char *server, const char *loadgen, char *text, size_t size);

/* A new object; `programs` is the folder whose checkout, if it is in one, gives the commit. */
json_t *environment_describe(const char *programs);

#endif
