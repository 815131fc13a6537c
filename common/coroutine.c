/* The life of a coroutine, and what sanitizers have to be told of it: they keep
 * books on stacks, and would take a switch for a wild jump. */
#include "common/coroutine.h"

#include "common/coroutine_switch.h"

#include <stdint.h>

#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef UNDER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* --- sanitizers: nothing without them --------------------------------------------------------- */

static void watch_thread(struct coroutine *c)
{
#ifdef UNDER_TSAN
    c->fiber = __tsan_get_current_fiber();
#endif
    (void)c;
}

static void watch_start(struct coroutine *c, const void *stack, size_t bytes)
{
#ifdef UNDER_ASAN
    c->stack_low = stack;
    c->stack_bytes = bytes;
    /* Frames of a coroutine that was dropped are still marked. */
    __asan_unpoison_memory_region(stack, bytes);
#endif
#ifdef UNDER_TSAN
    c->fiber = __tsan_create_fiber(0);
#endif
    (void)c;
    (void)stack;
    (void)bytes;
}

static void watch_leaving(struct coroutine *self, struct coroutine *next)
{
#if defined UNDER_ASAN || defined UNDER_TSAN
    next->came_from = self;
#endif
#ifdef UNDER_ASAN
    __sanitizer_start_switch_fiber(self->finished ? NULL : &self->fake_stack, next->stack_low,
                                   next->stack_bytes);
#endif
#ifdef UNDER_TSAN
    __tsan_switch_to_fiber(next->fiber, 0);
#endif
    (void)self;
    (void)next;
}

/* A thread's own stack becomes known when it is first left. */
static void watch_arriving(struct coroutine *self)
{
#ifdef UNDER_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, &self->came_from->stack_low,
                                    &self->came_from->stack_bytes);
#endif
#ifdef UNDER_TSAN
    if (self->came_from->finished)
        __tsan_destroy_fiber(self->came_from->fiber);
#endif
    (void)self;
}

/* --- coroutines ------------------------------------------------------------------------------- */

void coroutine_switch(struct coroutine *self, struct coroutine *next)
{
    watch_leaving(self, next);
    coroutine_swap(self, next);
    watch_arriving(self);
}

static void run(struct coroutine *self)
{
    watch_arriving(self);
    self->function(self, self->argument);
    self->finished = true;
    coroutine_switch(self, self->resumer);
}

void coroutine_of_thread(struct coroutine *c)
{
    *c = (struct coroutine){0};
    watch_thread(c);
}

/* Stacks end at page boundaries, so the parts of them that are in use would all compete for the
 * few places that a cache has for addresses with the same last 12 bits (12 in an L1 cache of 48
 * KiB): each begins somewhat lower than its neighbour. The more, the more pages would be touched.
 */
static size_t colour_bytes(const char *top)
{
    enum { COLOURS = 16, LINE_BYTES = 64, PAGE_BYTES = 4096 };
    return (uintptr_t)top / PAGE_BYTES % COLOURS * LINE_BYTES;
}

void coroutine_start(struct coroutine *c, void *stack, size_t bytes, coroutine_function *function,
                     void *argument)
{
    *c = (struct coroutine){.function = function, .argument = argument};
    watch_start(c, stack, bytes);
    coroutine_prepare(c, stack, bytes - colour_bytes((char *)stack + bytes), run);
}
