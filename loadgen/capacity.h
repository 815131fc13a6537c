/* The highest rate that a server sustains under a service level.
 *
 * Says whether a window held, which rate is to be tried next, and what all windows together say:
 * the threshold of common/threshold.h. Knows nothing of how a window is measured: that is a
 * function of the caller's. */
#ifndef LOADGEN_CAPACITY_H
#define LOADGEN_CAPACITY_H

#include "common/threshold.h"
#include "loadgen/slo.h"
#include "loadgen/tally.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum capacity_verdict {
    CAPACITY_UNDECIDED, /* the window says nothing, and is skipped */
    CAPACITY_HELD,
    CAPACITY_FAILED,
};

/* Why the capacity is not higher. */
enum capacity_limit {
    CAPACITY_LIMIT_UNKNOWN, /* the windows do not say */
    CAPACITY_LIMIT_SLO,
    CAPACITY_LIMIT_GENERATOR,
    CAPACITY_LIMIT_NOTHING, /* no rate was sustained */
};

struct capacity_window {
    /* what is to be tried */
    unsigned number; /* from 0; no two windows may have the same arrivals */
    double rate_rps;
    double window_s; /* planned */

    /* how that went; NAN: nothing to say */
    uint64_t seed;
    double duration_s;
    uint64_t intended, completed, errors;
    double throughput_rps, p50_us, p99_us;
    double cpu_us_per_request; /* of the server */
    double steal_share;        /* of the CPUs' time */
    bool cut_short;            /* it could no longer hold, and was ended */
    bool generator_bound;      /* it failed, and the generator may be why */
    enum capacity_verdict verdict;
    char reason[160]; /* why it did not hold, or says nothing; "" */
};

struct capacity_plan {
    const struct slo *slos; /* all of which are to hold; must outlive the result */
    size_t slo_count;
    unsigned windows;         /* how many */
    double window_s;          /* the length of each, where the rate is high enough */
    double first_rps;         /* the first one's rate */
    double low_rps, high_rps; /* the capacity probably lies between these; 0: not known */
    double draw;              /* in [0, 1): where windows are placed, from the seed */
};

struct capacity {
    struct capacity_plan plan;
    double rate_rps;          /* 0: no rate was sustained */
    double low_rps, high_rps; /* NAN: not known */
    bool lower_bound;         /* the true capacity may well be higher */
    enum capacity_limit limit;
    double bound_rps;           /* what the server's CPU time allows; NAN: not known */
    double peak_throughput_rps; /* of all windows; 0: none says */
    bool answered;              /* anything, in any window */
    struct capacity_window *windows;
    size_t window_count;
};

/* Measures a window, and says in it how that went. false: the search is to end; the window counts
 * only if it has a verdict or a reason. */
typedef bool (*capacity_measure)(void *argument, struct capacity_window *);

/* 0, or -1 when memory is short. */
int capacity_search(struct capacity *, const struct capacity_plan *, capacity_measure,
                    void *argument);
void capacity_free(struct capacity *);

/* Sets `bound_rps`: so many CPUs, divided by the CPU time of a request in the windows that held
 * nearest to the capacity (Denning, Buzen: "The operational analysis of queueing network models",
 * ACM Computing Surveys 10(3), 1978). It needs no overload, and knows no other limit than CPUs. */
void capacity_bind(struct capacity *, int server_cpus);

/* The lowest rate that windows of that length can judge. */
double capacity_lowest_rps(const struct capacity_plan *);

/* What a window's load left behind. */
struct capacity_evidence {
    const struct tally *tally;
    double window_s;
    double server_cpu_s, steal_share; /* NAN: not known */
    bool cut_short;
    bool generator_saturated;
};

/* Fills in how the window went. */
void capacity_judge(struct capacity_window *, const struct slo *, size_t slo_count,
                    const struct capacity_evidence *);

#endif
