/* Counters of a process tree by perf_event_open(2), inherited by all threads and processes that
 * come from those which are followed: the processor's own counters, or the kernel's.
 *
 * A processor has few counters. When more are wanted than it has, the kernel lets them take turns,
 * and tells for how long each was on; an estimate for all of the time follows from that. Every
 * inherited counter costs time when a thread is created, switched to and ended (docs/probes.md).
 * Knows nothing of /proc and of the measured window. */
#ifndef LOADGEN_PROBE_EVENTS_H
#define LOADGEN_PROBE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { EVENT_KINDS_MAX = 4 };

/* attr.type and attr.config. */
struct event_kind {
    uint32_t type;
    uint64_t config;
    bool joins; /* is on and off together with the kind before it: their ratio is exact */
};

/* What one descriptor has come to: the count, and for how long it could and did count. */
struct event_reading {
    uint64_t count, enabled_ns, running_ns;
};

struct events {
    struct event_kind kinds[EVENT_KINDS_MAX];
    size_t kind_count;
    int *fds; /* for each followed thread, one for each kind */
    struct event_reading *begin;
    size_t thread_count, thread_capacity;
};

/* Nothing is counted yet. `kinds`: at most EVENT_KINDS_MAX. */
void events_init(struct events *, const struct event_kind *kinds, size_t count);
void events_free(struct events *);

/* Follows this thread, and all threads and processes that it makes from now on. 0, or -1 with errno
 * and nothing changed; ESRCH: it has ended. */
int events_follow(struct events *, pid_t tid);

/* From here on events_estimate counts. 0, or -1 with errno. */
int events_begin(struct events *);

/* How often each kind has occurred since events_begin; -1 for a kind that was never on while it
 * could have counted. 0, or -1 with errno. */
int events_estimate(const struct events *, int64_t counts[EVENT_KINDS_MAX]);

/* The count between two readings, scaled to all of the time in between; -1: it was never on. */
double event_scaled(const struct event_reading *begin, const struct event_reading *end);

#endif
