#include "loadgen/random.h"

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
 * OOPSLA 2014): neighbouring inputs give unrelated seeds. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

int random_stream_init(struct random_stream *stream, uint64_t seed, enum random_purpose purpose,
                       uint64_t index, uint64_t streams)
{
    stream->rng = gsl_rng_alloc(gsl_rng_taus2);
    if (!stream->rng)
        return -1;
    gsl_rng_set(stream->rng, (unsigned long)(mix(mix(seed) + mix((uint64_t)purpose) + index)));
    stream->sequence = index;
    stream->stride = streams;
    return 0;
}

void random_stream_free(struct random_stream *stream)
{
    if (stream->rng)
        gsl_rng_free(stream->rng);
    stream->rng = NULL;
}
