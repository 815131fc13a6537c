/* Capacity under a service level: the highest rate of an open loop that a server sustains.
 *
 * What a step of the search is, how it is judged, and what is kept of it.
 * search.h decides which rate comes next. */
#ifndef LOADGEN_CAPACITY_H
#define LOADGEN_CAPACITY_H

#include "loadgen/search.h"
#include "loadgen/slo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

struct capacity_step {
    enum search_phase phase;
    double rate_rps, window_s;
    uint64_t intended, completed, errors;
    double p50_us, p99_us;        /* NAN: nothing was answered */
    double observed[SLOS_MOST];   /* of each objective, in its unit */
    double generator_utilisation; /* NAN: not known */
    bool sustained, generator_bound, cut_short;
    char reason[160]; /* why it was not sustained; "" if it was */
};

struct capacity {
    double rate_rps; /* 0: nothing was sustained */
    enum search_limit limit;
    double peak_throughput_rps; /* the most that was answered correctly in any step */
    struct capacity_step *steps;
    size_t step_count, step_capacity;
};

/* Searches, by the options of the session. The last measurement of the session is then the one
 * that confirmed the capacity, if there is one. The result stands in `run` of the session. */
void capacity_find(struct session *, struct capacity *);
void capacity_free(struct capacity *);

#endif
