/* Streams of random numbers, all from one seed.
 *
 * Each connection (closed loop) and each thread (open loop) draws from a stream
 * of its own, so that what it sends does not depend on how fast the server
 * answers another. The generator is GSL's taus2 (L'Ecuyer's Tausworthe
 * generator, period 2^88). */
#ifndef LOADGEN_RANDOM_H
#define LOADGEN_RANDOM_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

struct random_stream {
    gsl_rng *rng;
    uint64_t sequence, stride; /* what {seq} gives next, and how far apart */
};

enum random_purpose {
    RANDOM_REQUESTS = 1,
    RANDOM_ARRIVALS = 2,
    RANDOM_THINKING = 3,
    RANDOM_PLACEMENT = 4, /* of a search's windows */
};

/* The stream number `index` of `streams` for that purpose. 0, or -1 when memory is short. */
int random_stream_init(struct random_stream *, uint64_t seed, enum random_purpose, uint64_t index,
                       uint64_t streams);
void random_stream_free(struct random_stream *);

#endif
