/* What it costs to record one response time: nanoseconds per sample, on standard output.
 *
 * Values as a run has them, log-normally distributed and drawn beforehand, go
 * into a histogram one after the other; the same loop without the recording is
 * taken off. The compiler must not keep counts in registers from one sample to
 * the next, because between two responses of a run it cannot either. Used by
 * `make compare-peers` only; knows nothing of servers or of the network. */
#include "common/clock.h"
#include "common/histogram.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    VALUES = 1 << 14, /* 128 KiB: their own cache misses would drown what is looked for */
    PASSES = 20,      /* over the values, in each turn: some milliseconds */
    TURNS = 101,      /* of each loop, alternating */
};

static const double MEDIAN_NS = 200e3, SIGMA = 1; /* 99 % lie between 15 µs and 2.6 ms */

static bool draw(uint64_t values_ns[VALUES])
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_taus2);
    if (!random)
        return false;
    for (int i = 0; i < VALUES; i++)
        values_ns[i] = (uint64_t)gsl_ran_lognormal(random, log(MEDIAN_NS), SIGMA);
    gsl_rng_free(random);
    return true;
}

/* One turn: nanoseconds per value. `recording` is known where this is inlined. */
static inline double turn_ns(struct histogram *h, const uint64_t *values_ns, bool recording)
{
    uint64_t began_ns = clock_now_ns();
    for (int pass = 0; pass < PASSES; pass++) {
        for (int i = 0; i < VALUES; i++) {
            uint64_t value_ns = values_ns[i];
            if (recording)
                histogram_record(h, value_ns);
            __asm__ volatile("" : : "r"(value_ns), "r"(h) : "memory");
        }
    }
    return (double)(clock_now_ns() - began_ns) / ((double)PASSES * VALUES);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *numbers)
{
    qsort(numbers, TURNS, sizeof *numbers, ascending);
    return numbers[TURNS / 2];
}

int main(void)
{
    uint64_t values_ns[VALUES];
    struct histogram *h = histogram_new();
    if (!h || !draw(values_ns)) {
        fputs("record_cost: memory is short\n", stderr);
        histogram_free(h);
        return 1;
    }
    double with_ns[TURNS], without_ns[TURNS];
    turn_ns(h, values_ns, true); /* the pages that the values fall into are there from now on */
    for (int i = 0; i < TURNS; i++) {
        without_ns[i] = turn_ns(h, values_ns, false);
        with_ns[i] = turn_ns(h, values_ns, true);
    }
    printf("%.3f\n", median(with_ns) - median(without_ns));
    histogram_free(h);
    return 0;
}
