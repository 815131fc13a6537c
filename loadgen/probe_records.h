/* A record for every context switch of a process tree, where the kernel's
 * ledger (probe_ledger.h) is not permitted: PERF_RECORD_SWITCH, whose "preempted"
 * flag tells involuntary switches from voluntary ones (perf_event_open(2)).
 *
 * An unprivileged user may have them up to kernel.perf_event_paranoid 2, since
 * they tell nothing of the kernel. They cost the server some 0.4 µs a switch
 * and 3 to 4 µs a thread. Knows nothing of /proc and of the measured window. */
#ifndef LOADGEN_PROBE_RECORDS_H
#define LOADGEN_PROBE_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ring; /* one for each CPU */

struct records {
    struct ring *rings;
    size_t cpus;
    int *events; /* descriptors: one for each thread and CPU */
    size_t event_count, event_capacity;
    /* Since they were opened, as far as drained. */
    uint64_t voluntary, involuntary, lost;
};

/* 0, or -1 with errno and nothing left behind. */
int records_open(struct records *);
void records_close(struct records *);

/* Follows this thread and all threads and processes that come from it. 0, or
 * -1 with errno; ESRCH: it has ended. */
int records_follow(struct records *, pid_t tid);

/* Counts what the rings hold and empties them. At least every 50 ms: a ring
 * holds 64 Ki records, and what finds no room is counted in `lost`. */
void records_drain(struct records *);

#endif
