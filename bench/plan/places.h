/* Where bench finds the other programs, the workloads and the plot scripts.
 *
 * Programs stand beside bench itself. Data files (workloads, targets, plot scripts) stand below the
 * current folder, in the source tree above build/bin, or in PREFIX/share/switchpoint beside
 * PREFIX/bin: the first that is there. The models are whatever server-NAME programs there are; no
 * list of them exists. */
#ifndef BENCH_PLACES_H
#define BENCH_PLACES_H

#include "bench/base/error.h"
#include "bench/base/files.h"
#include "bench/plan/target.h"
#include "bench/plan/workload.h"

#include <stddef.h>

struct places {
    struct path programs, workloads, targets, plot_scripts;
};

/* `programs`, `workloads` and `targets` are the user's choice or NULL. 0, or -1: a folder is not
 * there. */
int places_find(struct places *, const char *programs, const char *workloads, const char *targets,
                struct error *);

/* Names of the models whose servers are there, in the order in which tables show them, to be
 * freed by the caller. -1: there is none. */
int places_models(const struct places *, char (**models)[NAME_SIZE], size_t *count, struct error *);

/* Every workload, in the order in which tables show them; to be freed by the caller. -1: one of
 * them is wrong, or there is none. */
int places_workloads(const struct places *, struct workload **, size_t *count, struct error *);

/* Every target, by name; to be freed by the caller. -1: one of them is wrong. No folder is no
 * target. */
int places_targets(const struct places *, struct target **, size_t *count, struct error *);

#endif
