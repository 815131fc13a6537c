/* A run: from a choice to a folder of results, which is complete at any time.
 *
 * The first pass, a preview, measures every model at every point with short windows; then blocks
 * follow while there is time, those first that are expected to tell most. Each result is on the
 * disk before the next measurement begins. The report is made anew after the first pass, whenever
 * the time has doubled since, and at the end, however that comes. Knows nothing of tables and
 * figures: whoever calls gives the function that makes them. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "bench/base/error.h"
#include "bench/journal/results.h"
#include "bench/plan/choice.h"

#include <stdbool.h>

struct run_request {
    struct choice choice;
    double time_s;      /* for everything, set-up and report included; 0: as the profile says */
    const char *out;    /* the run's folder; NULL: results/TIME-PROFILE */
    const char *resume; /* the folder of a run that goes on; NULL: a new run */
    const char *server_cpus, *loadgen_cpus; /* NULL: the first two CPUs there are */
};

enum run_result {
    RUN_COMPLETE,
    RUN_INTERRUPTED,
    RUN_FAILED,
    RUN_REFUSED /* the request names a model, target or workload that is not there */
};

/* Makes tables and figures of the results; `last`: all of them. 0 or -1. */
typedef int run_report(void *argument, const struct results *, const char *folder, bool last,
                       struct error *);

/* Measures. `folder` receives the run's folder (also when interrupted or failed, if there is one
 * by then). */
enum run_result run_measure(const struct run_request *, const struct places *, run_report *,
                            void *argument, struct path *folder, struct error *);

/* Seconds that a run of the plan takes whose figures all have intervals: the first pass and
 * BLOCKS_LEAST blocks of each point. `preview_s` receives the first pass alone. */
double run_least_s(const struct plan *, double *preview_s);

#endif
