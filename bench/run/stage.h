/* What servers find on the disk while they are measured: files to serve, and a temporary folder for
 * targets and backends. All of it is removed after the run. */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include "bench/base/files.h"
#include "bench/plan/plan.h"

/* Makes DIR/root with the files that the workloads ask for, and DIR/timeline. 0 or -1. */
int stage_make(const struct plan *, const char *folder, struct error *);

/* Makes the temporary folder where the plan's targets or backends need one; "" otherwise. It is
 * not in the run's folder, since a server that root starts gives its workers another user, who may
 * not reach that, and since a socket's path must be short. 0 or -1. */
int stage_make_scratch(const struct plan *, struct path *scratch, struct error *);

/* Removes both; `scratch` may be "". Says on standard error what could not be removed. */
void stage_remove(const char *folder, const char *scratch);

#endif
