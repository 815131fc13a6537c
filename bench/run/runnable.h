/* Which of the chosen servers can run on this machine: asked before anything is measured.
 *
 * A server binary says so itself: where the kernel forbids what it needs it
 * prints one line and exits with 69 (EX_UNAVAILABLE). A target can be missing,
 * or not start. Each is started once, and what cannot run leaves the plan with
 * a sentence that says why. */
#ifndef BENCH_RUNNABLE_H
#define BENCH_RUNNABLE_H

#include "bench/plan/places.h"
#include "bench/plan/plan.h"

/* Takes the models out of the plan whose servers cannot run here, and warns of each. 0, or -1:
 * interrupted, or none is left. */
int runnable_models(struct plan *, const struct places *, struct error *);

/* The same for the targets: each is put up once, in `scratch`. What a target does not answer is
 * said, too. 0, or -1: interrupted. */
int runnable_targets(struct plan *, const struct places *, const char *scratch, struct error *);

#endif
