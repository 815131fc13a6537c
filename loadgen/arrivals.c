#include "loadgen/arrivals.h"

#include <gsl/gsl_randist.h>

int arrivals_init(struct arrivals *a, enum arrival_law law, double rate_rps, uint64_t seed,
                  unsigned index, unsigned threads)
{
    double gap_ns = 1e9 / rate_rps;
    double first_ns = law == ARRIVALS_CONSTANT ? gap_ns * index : 0;
    *a = (struct arrivals){
        .law = law, .mean_gap_ns = gap_ns * threads, .first_ns = first_ns, .next_ns = first_ns};
    if (random_stream_init(&a->random, seed, RANDOM_ARRIVALS, index, threads) < 0)
        return -1;
    if (law == ARRIVALS_POISSON)
        arrivals_advance(a);
    return 0;
}

void arrivals_free(struct arrivals *a)
{
    random_stream_free(&a->random);
}

void arrivals_advance(struct arrivals *a)
{
    if (a->law == ARRIVALS_CONSTANT)
        a->next_ns = a->first_ns + (double)++a->count * a->mean_gap_ns;
    else
        a->next_ns += gsl_ran_exponential(a->random.rng, a->mean_gap_ns);
}
