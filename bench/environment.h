/* The machine a run was measured on, for environment.json.
 *
 * A figure without its machine cannot be judged or repeated. Whatever cannot be
 * found out is null. Knows nothing of workloads and models. */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The first CPU that this process may run on for the server, the second for the load
 * generator, as texts for --cpus; false (and two empty texts): there is only one. */
bool environment_cpus(char *server, char *loadgen, size_t size);

/* A new object; `programs` is the folder whose checkout, if it is in one, gives the commit. */
json_t *environment_describe(const char *programs);

#endif
