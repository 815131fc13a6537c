/* A run: from a plan to a folder of results, or the rest of one that was interrupted.
 *
 * Makes the folder with what is needed to understand and repeat it, works
 * through the plan's cells in their order, leaves out those of points that are
 * known precisely enough, and keeps each result before the next cell
 * begins. A cell that was disturbed is measured again at once.
 * Knows nothing of metrics and plots. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "bench/base/error.h"
#include "bench/plan/places.h"
#include "bench/plan/plan.h"

#include <stdbool.h>

struct run_request {
    const struct profile *profile;
    const char *models, *workloads; /* separated by commas; NULL: all */
    const char *targets;            /* the same; NULL: none */
    unsigned trials;                /* 0: as the profile and the workloads say */
    unsigned long seed;
    const char *out;    /* the run's folder; NULL: results/TIME-PROFILE */
    const char *resume; /* an interrupted run's folder; NULL: a new run */
    bool no_repeat;     /* a disturbed measurement is marked and not made again */
    const char *server_cpus, *loadgen_cpus; /* NULL: the first two CPUs there are */
};

enum run_result {
    RUN_COMPLETE,
    RUN_INTERRUPTED,
    RUN_FAILED,
    RUN_REFUSED /* the request names a model, target or workload that is not there */
};

/* The plan that the request asks for, without its cells and its compute rate: to be freed when
 * RUN_COMPLETE; otherwise RUN_FAILED or RUN_REFUSED. */
enum run_result run_choose(const struct run_request *, const struct places *, struct plan *,
                           struct error *);

/* Finds out which CPUs a server can have, and takes out of the plan what wants more. It is said,
 * and kept for the report, if `say`. */
void run_fit_cores(struct plan *, bool say);

/* Measures. `folder` receives the run's folder (also when interrupted or failed, if there is one
 * by then). */
enum run_result run_measure(const struct run_request *, const struct places *, struct path *folder,
                            struct error *);

#endif
