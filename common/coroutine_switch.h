/* The switch itself: one piece of assembly for each kind of processor, and swapcontext for the
 * rest. Between coroutine.c and coroutine_switch.c only. */
#ifndef COMMON_COROUTINE_SWITCH_H
#define COMMON_COROUTINE_SWITCH_H

#include "common/coroutine.h"

/* Prepares `c` so that the first switch to it calls `enter(c)` on its stack. `enter` must not
 * return. */
void coroutine_prepare(struct coroutine *c, char *stack, size_t bytes,
                       void (*enter)(struct coroutine *));

/* Saves the caller's registers in `from`, takes those of `to`, and returns there. */
void coroutine_swap(struct coroutine *from, struct coroutine *to);

#endif
