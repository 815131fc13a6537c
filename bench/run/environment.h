/* The machine a run was measured on, for environment.json.
 *
 * A figure without its machine cannot be judged or repeated. Whatever cannot be
 * found out is null. Knows nothing of workloads and models. */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include <jansson.h>

/* A new object; `programs` is the folder whose checkout, if it is in one, gives the commit. */
json_t *environment_describe(const char *programs);

#endif
