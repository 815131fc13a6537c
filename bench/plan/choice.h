/* What a person asks for on the command line, made into a plan.
 *
 * Knows which models, workloads and targets there are; starts nothing: whether they can run here is
 * found out later (run/runnable.h). */
#ifndef BENCH_CHOICE_H
#define BENCH_CHOICE_H

#include "bench/plan/places.h"
#include "bench/plan/plan.h"

struct choice {
    const struct profile *profile;
    const char *models;    /* separated by commas; NULL: all */
    const char *workloads; /* the same; "core", "all"; NULL: core */
    const char *targets;   /* the same; "all"; NULL: none */
    unsigned trials;       /* 0: as many as time allows */
    unsigned long seed;
    double margin; /* differences up to this share are of no interest; 0: the default */
};

enum choice_result { CHOICE_MADE, CHOICE_FAILED, CHOICE_REFUSED /* a name that is not there */ };

/* The plan, to be freed when the choice is made; its CPUs and compute rate are still to come. */
enum choice_result choose(const struct choice *, const struct places *, struct plan *,
                          struct error *);

/* Takes out of the plan what wants more CPUs than its `cpus` has; says so, and keeps it for the
 * report. */
void choose_by_cores(struct plan *);

#endif
