/* Rings: N tasks of one kind, each of which waits for the token and hands it to the next.
 *
 * A ring is built once and then measured under several orders, because building
 * one of ten thousand processes takes longer than measuring it. Knows nothing
 * of which rings and orders there shall be, or how they are reported. */
#ifndef SWITCHES_RING_H
#define SWITCHES_RING_H

#include "switches/relay.h"

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Why something was not possible, for a person. */
struct reason {
    char text[160];
};

/* Formats it and returns -1. */
int reason_set(struct reason *, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct ring_wish {
    unsigned tasks;
    size_t working_bytes; /* the largest working set that will be asked for */
    size_t stack_bytes;   /* of a thread or coroutine */
    bool pipes;           /* orders with I/O will come */
    int cpus[2];          /* the second is -1 where there is only one */
};

struct order {
    bool io;     /* the token is a byte in a pipe between neighbours */
    bool across; /* tasks take turns on two CPUs */
    size_t working_bytes;
};

/* What was found, or why nothing was. */
struct passage {
    uint64_t hops;
    double ns_per_hop;
    double voluntary_per_turn, involuntary_per_turn; /* context switches that the kernel counted */
};

/* The kernel's counts, summed over the tasks of a ring, and the turns they took until then. */
struct census {
    uint64_t turns, voluntary, involuntary;
};

struct ring;

struct ring_kind {
    const char *name;
    bool by_kernel; /* the kernel switches: tasks may be on different CPUs */
    /* A new ring, or NULL with a reason. */
    struct ring *(*build)(const struct ring_wish *, struct reason *);
    /* Lets the token make `relay.hops` hops under the order, from the first task on. */
    void (*run)(struct ring *, const struct order *);
    /* Counts the switches. May send the token round once, under the same order. */
    struct census (*count)(struct ring *, const struct order *);
    void (*free)(struct ring *);
    /* The process that a task is; NULL where tasks live in this one. */
    pid_t (*child)(const struct ring *, unsigned task);
};

/* The head of every kind's own struct. */
struct ring {
    const struct ring_kind *kind;
    struct ring_wish wish;
    struct relay *relay;
    char *working_sets;  /* wish.working_bytes for each task, not touched before an order asks */
    struct reason no_io; /* why orders with I/O are impossible; empty: they are not */
};

extern const struct ring_kind ring_of_processes, ring_of_threads, ring_of_coroutines,
    ring_of_callbacks, ring_of_one;

/* A ring of this kind, or NULL with a reason. */
struct ring *ring_build(const struct ring_kind *, const struct ring_wish *, struct reason *);
void ring_free(struct ring *);

/* Measures hops for about `target_ns`, whole laps, at least one; a shorter run before warms up.
 * 0, or -1 with a reason. */
int ring_measure(struct ring *, const struct order *, uint64_t target_ns, struct passage *,
                 struct reason *);

/* One turn of each task, so that all there is to a waiting task is there. */
void ring_lap(struct ring *);

/* Whole laps of `tasks` hops that take about `target_ns`; at least one. */
uint64_t whole_laps(unsigned tasks, double ns_per_hop, uint64_t target_ns);

/* --- for the kinds ---------------------------------------------------------------------------- */

/* The first part of every kind's build: working sets, and `size` bytes of zeros for its struct.
 * NULL with a reason. */
void *ring_allocate(const struct ring_kind *, const struct ring_wish *, size_t size,
                    struct reason *);
void ring_release(struct ring *);

static inline char *working_set(const struct ring *r, unsigned task)
{
    return r->working_sets + task * r->wish.working_bytes;
}

/* What getrusage says of `who`. */
struct census census_of(int who);

#endif
