/* One measurement: what is ordered, and the JSON that comes of it (the command line: command.h).
 *
 * Starts loadgen, which starts the server. Knows nothing of plans, order and the journal. */
#ifndef BENCH_CELL_H
#define BENCH_CELL_H

#include "bench/base/child.h"
#include "bench/plan/target.h"
#include "bench/plan/workload.h"
#include "bench/run/backend.h"

#include <jansson.h>

struct cell_order {
    const char *programs;                       /* folder of loadgen and the servers */
    const char *folder;                         /* the run's: loadgen works in it */
    const char *model;                          /* whose server; NULL: the specimen, or a target */
    const struct target *target;                /* NULL: none */
    const char *target_folder;                  /* where it can have a folder of its own */
    const char *specimen;                       /* further options of the specimen; may be NULL */
    const char *loadgen_options;                /* further options of loadgen; may be NULL */
    const struct backend *backend;              /* has what the workload needs; may be NULL */
    const struct workload *workload;            /* as it stands at the point, windows included */
    const char *inputs;                         /* the folder of its mix, seen from `folder` */
    double capacity_low_rps, capacity_high_rps; /* where a search may begin; 0: not known */
    const char *label;                          /* for its timeline's name; NULL: none is wanted */
    const char *server_cpus, *loadgen_cpus;     /* "": not pinned */
    double compute_rate;                        /* iterations per us */
    unsigned long seed;
};

/* The result object, a new reference, with loadgen's `workload` under `settings`; where loadgen
 * gave none, an object with `error`, `valid` false, what it said, and the command. NULL:
 * interrupted, nothing to keep. */
json_t *cell_measure(const struct cell_order *);

#endif
