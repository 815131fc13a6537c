/* The highest rate that a server sustains under a service level, and the search for it.
 *
 * Says what a sustained step is, and which rate is to be tried next. Knows nothing of how a step
 * is run: that is a function of the caller's. */
#ifndef LOADGEN_CAPACITY_H
#define LOADGEN_CAPACITY_H

#include "loadgen/slo.h"
#include "loadgen/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capacity_phase {
    CAPACITY_BRACKET, /* doubling, or halving, until one rate is sustained and one is not */
    CAPACITY_BISECT,  /* between the two */
    CAPACITY_CONFIRM, /* the highest that was sustained, for longer */
};

enum capacity_verdict {
    CAPACITY_UNDECIDED, /* the step did not come to its end, and the search ends with it */
    CAPACITY_SUSTAINED,
    CAPACITY_NOT_SUSTAINED,
    CAPACITY_GENERATOR_BOUND, /* it did not hold, and the generator may be why */
};

/* Why the rates above the capacity were not sustained. */
enum capacity_limit {
    CAPACITY_LIMIT_UNKNOWN, /* the search was ended before it knew */
    CAPACITY_LIMIT_SLO,
    CAPACITY_LIMIT_GENERATOR,
    CAPACITY_LIMIT_CEILING, /* a higher rate is never tried */
    CAPACITY_LIMIT_NOTHING, /* no rate was sustained */
};

struct capacity_step {
    /* what is to be tried */
    enum capacity_phase phase;
    unsigned number; /* from 0; no two steps may have the same arrivals */
    double rate_rps;

    /* how that went */
    uint64_t seed;
    double duration_s; /* of its window */
    uint64_t intended, completed, errors;
    double throughput_rps, p50_us, p99_us; /* NAN: nothing to say */
    double observed[SLO_MOST];             /* as slo_observe has it */
    bool cut_short;                        /* it could no longer hold, and was ended */
    enum capacity_verdict verdict;
    char reason[160]; /* why it was not sustained; "" */
};

struct capacity_plan {
    const struct slo *slos; /* all of which are to hold; must outlive the result */
    size_t slo_count;
    double start_rps;
    double lowest_rps, ceiling_rps; /* no search beyond */
    double precision;               /* the search ends when the bracket is relatively that narrow */
};

struct capacity {
    struct capacity_plan plan;
    double rate_rps; /* 0: no rate was sustained */
    enum capacity_limit limit;
    double peak_throughput_rps; /* of all steps; 0: nothing was answered */
    struct capacity_step *steps;
    size_t step_count;
};

/* Runs a step, and says in it how that went. false: it was not begun, and the search is to end. */
typedef bool (*capacity_run)(void *argument, struct capacity_step *);

/* Returns also when a step was the last one, by not being begun or undecided; then the rate is the
 * highest that was sustained until then. 0, or -1 when memory is short. */
int capacity_search(struct capacity *, const struct capacity_plan *, capacity_run, void *argument);
void capacity_free(struct capacity *);

/* Is the true capacity perhaps higher? */
bool capacity_is_lower_bound(const struct capacity *);

/* What a step's load left behind. */
struct capacity_evidence {
    const struct tally *tally;
    double window_s;
    bool cut_short;
    bool generator_saturated;
};

/* Fills in how the step went. */
void capacity_judge(struct capacity_step *, const struct slo *, size_t slo_count,
                    const struct capacity_evidence *);

#endif
