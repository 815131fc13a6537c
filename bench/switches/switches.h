/* `bench switches`: what a context switch costs here, in a folder of its own.
 *
 * Runs the program `switches` several times, each time in another order, and
 * has the tables and plots made of it. Measures nothing itself. */
#ifndef BENCH_SWITCHES_H
#define BENCH_SWITCHES_H

#include "bench/base/error.h"
#include "bench/base/files.h"
#include "bench/plan/places.h"

#include <stdbool.h>

struct switches_request {
    const char *out; /* NULL: results/TIME-switches */
    unsigned trials; /* 0: as many as usual */
    unsigned long seed;
    bool quick; /* ten seconds: fewer rings, shorter measurements */
};

/* Prints the tables; `folder` is where they are then. 0 or -1. */
int switches_measure(const struct switches_request *, const struct places *, struct path *folder,
                     struct error *);

#endif
