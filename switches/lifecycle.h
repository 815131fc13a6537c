/* What it costs to create and destroy one task, one after the other.
 *
 * Each is created, does nothing, and is gone before the next one comes, so that
 * whatever its kind reuses (a thread's stack, a coroutine's, a block of memory)
 * is warm. Knows nothing of rings. */
#ifndef SWITCHES_LIFECYCLE_H
#define SWITCHES_LIFECYCLE_H

#include "switches/ring.h"

struct lifecycle_wish {
    size_t stack_bytes, connection_bytes;
    uint64_t target_ns;
};

struct lifecycle {
    uint64_t count;
    double create_ns; /* until the call that creates has returned; the task may have run by then;
                       * NaN: sooner than the clock can be read */
    double whole_ns;  /* until it is gone */
};

struct lifecycle_kind {
    const char *name;
    /* Ready to create tasks: what `create` and `destroy` need, NULL with a reason. */
    void *(*open)(const struct lifecycle_wish *, struct reason *);
    int (*create)(void *, struct reason *);
    void (*destroy)(void *); /* after it has run */
    void (*close)(void *);
};

extern const struct lifecycle_kind lifecycle_kinds[];
extern const size_t lifecycle_kind_count;

/* 0, or -1 with a reason. */
int lifecycle_measure(const struct lifecycle_kind *, const struct lifecycle_wish *,
                      struct lifecycle *, struct reason *);

#endif
