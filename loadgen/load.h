/* One load on a server that runs: generator threads, their schedule, and what they counted.
 *
 * A run has one, a search for the capacity many, one after the other. Knows
 * nothing of the server's process and of reports. */
#ifndef LOADGEN_LOAD_H
#define LOADGEN_LOAD_H

#include "loadgen/worker.h"

#include <stdbool.h>

struct load {
    const struct options *options;
    const volatile bool *stop; /* set by a signal: everything ends now */
    struct worker **workers;
    struct run_times times;

    /* Known when it is gathered. */
    struct tally tally;
    double window_s;
    double utilisation; /* of a CPU, by the busiest thread; NAN: no window */
};

/* Starts the threads; the first request begins 2 ms later. `extra_ns` of load follow the window.
 * Exits with a message where memory or threads are short. What the arguments point to must
 * outlive the load. */
void load_start(struct load *, const struct options *, const struct mix *, const struct address *,
                uint64_t extra_ns, const volatile bool *stop);

/* Waits for a certain time, or for `stop`; calls `look` every 50 ms meanwhile, as long as it
 * returns true. False: `look` did not want to go on. */
bool load_wait_until(const struct load *, uint64_t until_ns, bool (*look)(void *), void *argument);

/* Requests completed so far, warm-up included; and those that have begun and not ended. */
uint64_t load_completed(const struct load *);
uint64_t load_outstanding(const struct load *);

/* Ends the window now. */
void load_cut_short(struct load *);

/* Waits until all threads have measured, and adds up. Connections stay open. */
void load_gather(struct load *);

/* Closes the connections and ends the threads, whose figures stay. */
void load_end(struct load *);

/* Writes the course of it as TSV. 0, or -1 when memory is short. */
int load_write_timeline(const struct load *, FILE *);

void load_free(struct load *);

#endif
