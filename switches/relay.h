/* A token's way round a ring: who has it does what a task does, and hands it on.
 *
 * The same book-keeping for every kind of task, so that they differ in nothing
 * but how they switch. Only who has the token may touch it. */
#ifndef SWITCHES_RELAY_H
#define SWITCHES_RELAY_H

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the tasks are to do, and when they did it. */
struct relay {
    size_t working_bytes; /* touched by each task when it has the token */
    uint64_t hops;        /* to be made */
    uint64_t turns;       /* taken: one more than hops made */
    uint64_t begin_ns, end_ns;
};

/* Reads and writes a word in each cache line, in order. */
static inline void touch(char *set, size_t bytes)
{
    enum { LINE_BYTES = 64 };
    for (size_t i = 0; i < bytes; i += LINE_BYTES)
        ++*(volatile uint64_t *)(void *)(set + i);
}

/* A turn of the task whose working set this is. True: it was the last one, and the token stays.
 * The first turn's touch is before the time begins, the last one's within: as many touches as
 * hops are measured. */
static inline bool relay_turn(struct relay *r, char *set)
{
    touch(set, r->working_bytes);
    if (r->turns == 0)
        r->begin_ns = clock_now_ns();
    if (r->turns++ < r->hops)
        return false;
    r->end_ns = clock_now_ns();
    return true;
}

#endif
