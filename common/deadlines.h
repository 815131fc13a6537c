/* Many deadlines, one timerfd: precise timers for an event loop.
 *
 * libev hands epoll_wait its timeout in whole milliseconds, which would make
 * an event loop's waits up to 1 ms longer than a thread's nanosleep. A timerfd
 * has the kernel's high-resolution clock behind it. One descriptor armed for
 * the earliest of all deadlines costs one system call per turn of the loop,
 * however many deadlines there are.
 *
 * The deadlines stand in a 4-ary heap (shallower than a binary one, and its
 * children share a cache line: LaMarca & Ladner, "The influence of caches on
 * the performance of heaps", 1996). Knows nothing of loops or connections. */
#ifndef COMMON_DEADLINES_H
#define COMMON_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One timer. Embed it in what it belongs to; zero-initialised means "not set". */
struct deadline {
    uint64_t at_ns;
    size_t place; /* in the heap, from 1; 0: not set */
};

struct deadlines {
    struct deadline **heap;
    size_t count, capacity;
    uint64_t armed_ns; /* what the timerfd is set to; NEVER_NS: disarmed */
    int fd;            /* becomes readable when the earliest deadline has come */
};

/* 0, or -1 with errno. */
int deadlines_init(struct deadlines *);
void deadlines_free(struct deadlines *);

/* Sets or moves `d` to the monotonic time `at_ns`. 0, or -1 with ENOMEM (then `d` is not set). */
int deadlines_set(struct deadlines *, struct deadline *d, uint64_t at_ns);
void deadlines_cancel(struct deadlines *, struct deadline *d);

static inline bool deadline_is_set(const struct deadline *d)
{
    return d->place != 0;
}

/* The earliest deadline, or NEVER_NS. */
uint64_t deadlines_earliest_ns(const struct deadlines *);

/* Takes out and returns one deadline that has come by `now_ns`, or NULL. */
struct deadline *deadlines_pop(struct deadlines *, uint64_t now_ns);

/* Makes `fd` become readable at the earliest deadline. Call before the loop
 * blocks. Setting a timerfd also clears an expiry that was not read, so the
 * descriptor never needs a read(2). */
void deadlines_arm(struct deadlines *);

#endif
