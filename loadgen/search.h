/* The search for the highest rate that is sustained.
 *
 * Doubling until a rate is not sustained (or halving until one is), then
 * bisection on a logarithmic scale until the two are close, then confirmation
 * of the lower one for longer. Near its limit a server sustains a rate at one
 * time and not at another, and the machine has its moments: a rate that is
 * nearly sustained, or at which the generator was late, has a second try, and one that is not confirmed gives way to
 * a lower one. Knows nothing of servers: what a step is, its caller knows. */
#ifndef LOADGEN_SEARCH_H
#define LOADGEN_SEARCH_H

#include <stdbool.h>

enum search_phase { SEARCH_BRACKET, SEARCH_BISECT, SEARCH_CONFIRM };

enum search_answer {
    STEP_SUSTAINED,
    STEP_NEARLY, /* not sustained, but not far from it */
    STEP_FAILED,
    STEP_GENERATOR, /* not sustained, and the generator was at its own limit */
    STEP_STOPPED    /* the user does not want to go on */
};

enum search_limit {
    LIMITED_BY_SLO,
    LIMITED_BY_GENERATOR, /* the rate is a lower bound */
    LIMITED_BY_CEILING,   /* the same: the search went no further */
    NOTHING_SUSTAINED,
    SEARCH_STOPPED
};

struct search {
    double start_rps, least_rps, ceiling_rps;
    double precision; /* the bisection ends when the rates differ by less, relative to the lower */
    enum search_answer (*step)(void *argument, enum search_phase, double rate_rps);
    void *argument;
};

struct search_result {
    double rate_rps; /* 0: nothing was sustained, or not confirmed before the stop */
    enum search_limit limit;
};

struct search_result search_capacity(const struct search *);

#endif
