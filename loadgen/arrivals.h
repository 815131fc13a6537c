/* When the requests of an open loop begin: a schedule that no answer can slow down. */
#ifndef LOADGEN_ARRIVALS_H
#define LOADGEN_ARRIVALS_H

#include "loadgen/random.h"

#include <stdint.h>

enum arrival_law { ARRIVALS_POISSON, ARRIVALS_CONSTANT };

struct arrivals {
    enum arrival_law law;
    double mean_gap_ns;
    double first_ns, next_ns; /* since the start */
    uint64_t count;           /* constant: multiplied, not added up, and rounding with it */
    struct random_stream random;
};

/* The share of thread `index` of `threads` in `rate_rps` arrivals a second. Poisson: each thread
 * has an independent process of rate_rps / threads, and processes add up (Kingman, "Poisson
 * Processes", 1993, section 2.2). Constant: the threads take turns. 0, or -1 without memory. */
int arrivals_init(struct arrivals *, enum arrival_law, double rate_rps, uint64_t seed,
                  unsigned index, unsigned threads);
void arrivals_free(struct arrivals *);

/* The next arrival, in nanoseconds since the start, and the one after it with arrivals_advance. */
static inline uint64_t arrivals_next_ns(const struct arrivals *a)
{
    return (uint64_t)a->next_ns;
}
void arrivals_advance(struct arrivals *);

#endif
