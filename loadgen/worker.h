/* One generator thread: a libev loop, its connections, its schedule and its tally.
 *
 * Closed loop: each connection sends when it has been answered (and has thought).
 * Open loop: arrivals come from the schedule, and take a connection that is free,
 * the most recently used first; while all are busy they queue, and their time
 * runs. Response time counts from the *intended* begin, service time from the
 * actual send. Knows nothing of the server's process and of reports. */
#ifndef LOADGEN_WORKER_H
#define LOADGEN_WORKER_H

#include "common/address.h"
#include "loadgen/options.h"
#include "loadgen/requests.h"
#include "loadgen/tally.h"
#include "loadgen/timeline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* When things happen, in monotonic time; the same for all threads of a run. */
struct run_times {
    uint64_t start_ns, window_begin_ns, window_middle_ns, window_end_ns;
    uint64_t end_ns; /* when the load ends; later than the window when something follows it */
};

struct worker;

/* Number `index` of `options->threads`. Everything is allocated now, nothing is opened.
 * NULL when memory is short. All arguments must outlive the worker. */
struct worker *worker_new(const struct options *options, const struct mix *mix,
                          const struct address *target, unsigned index);
void worker_free(struct worker *);

/* Starts its thread. 0 or an errno. */
int worker_start(struct worker *, const struct run_times *);

/* May be called from any thread: ends the window (and the load) now. */
void worker_interrupt(struct worker *);

/* The thread has measured, but its connections stay open, silent, until they are released: the
 * server's memory is to be read as it was under load. */
void worker_wait_measured(struct worker *);
void worker_release_and_join(struct worker *);

/* For a progress line, at any time: requests completed so far, warm-up included. */
uint64_t worker_progress(const struct worker *);

/* At any time: requests begun and not ended, those in the queue included, as of the moment in
 * which the thread last had nothing to do. */
uint64_t worker_outstanding(const struct worker *);

/* After worker_wait_measured. */
const struct tally *worker_tally(const struct worker *);
struct timeline *worker_timeline(const struct worker *); /* NULL when none was asked for */
uint64_t worker_cpu_ns(const struct worker *);           /* the thread's CPU time in the window */
uint64_t worker_window_ns(const struct worker *);        /* shorter than planned after a stop */

#endif
