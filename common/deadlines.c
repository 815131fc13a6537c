#include "common/deadlines.h"

#include "common/clock.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { ARITY = 4 };

int deadlines_init(struct deadlines *ds)
{
    *ds = (struct deadlines){.armed_ns = NEVER_NS};
    ds->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return ds->fd < 0 ? -1 : 0;
}

void deadlines_free(struct deadlines *ds)
{
    close(ds->fd);
    free(ds->heap);
}

/* Places count from 1 outside (0 is "not set") and from 0 in the heap's arithmetic. */
static void put(struct deadlines *ds, size_t i, struct deadline *d)
{
    ds->heap[i] = d;
    d->place = i + 1;
}

static void sift_up(struct deadlines *ds, size_t i, struct deadline *d)
{
    while (i > 0) {
        size_t parent = (i - 1) / ARITY;
        if (ds->heap[parent]->at_ns <= d->at_ns)
            break;
        put(ds, i, ds->heap[parent]);
        i = parent;
    }
    put(ds, i, d);
}

static void sift_down(struct deadlines *ds, size_t i, struct deadline *d)
{
    for (;;) {
        size_t first = i * ARITY + 1, least = first;
        if (first >= ds->count)
            break;
        for (size_t child = first + 1; child < first + ARITY && child < ds->count; child++)
            if (ds->heap[child]->at_ns < ds->heap[least]->at_ns)
                least = child;
        if (d->at_ns <= ds->heap[least]->at_ns)
            break;
        put(ds, i, ds->heap[least]);
        i = least;
    }
    put(ds, i, d);
}

static int grow(struct deadlines *ds)
{
    size_t capacity = ds->capacity ? ds->capacity * 2 : 64;
    struct deadline **heap = realloc(ds->heap, capacity * sizeof *heap);
    if (!heap)
        return -1;
    ds->heap = heap;
    ds->capacity = capacity;
    return 0;
}

int deadlines_set(struct deadlines *ds, struct deadline *d, uint64_t at_ns)
{
    if (deadline_is_set(d)) {
        uint64_t before_ns = d->at_ns;
        d->at_ns = at_ns;
        if (at_ns < before_ns)
            sift_up(ds, d->place - 1, d);
        else
            sift_down(ds, d->place - 1, d);
        return 0;
    }
    if (ds->count == ds->capacity && grow(ds) < 0)
        return -1;
    d->at_ns = at_ns;
    sift_up(ds, ds->count++, d);
    return 0;
}

void deadlines_cancel(struct deadlines *ds, struct deadline *d)
{
    if (!deadline_is_set(d))
        return;
    size_t i = d->place - 1;
    struct deadline *last = ds->heap[--ds->count];
    d->place = 0;
    if (last == d)
        return;
    if (last->at_ns < d->at_ns)
        sift_up(ds, i, last);
    else
        sift_down(ds, i, last);
}

uint64_t deadlines_earliest_ns(const struct deadlines *ds)
{
    return ds->count ? ds->heap[0]->at_ns : NEVER_NS;
}

struct deadline *deadlines_pop(struct deadlines *ds, uint64_t now_ns)
{
    if (ds->count == 0 || ds->heap[0]->at_ns > now_ns)
        return NULL;
    struct deadline *d = ds->heap[0];
    deadlines_cancel(ds, d);
    return d;
}

void deadlines_arm(struct deadlines *ds)
{
    uint64_t earliest_ns = deadlines_earliest_ns(ds);
    /* An alarm that has rung must be set again even if the time is the same: that clears it. */
    bool rung = ds->armed_ns != NEVER_NS && ds->armed_ns <= clock_now_ns();
    if (earliest_ns == ds->armed_ns && !rung)
        return;
    struct itimerspec spec = {0};
    if (earliest_ns != NEVER_NS) /* an all-zero time would disarm */
        spec.it_value = timespec_of_ns(earliest_ns ? earliest_ns : 1);
    timerfd_settime(ds->fd, TFD_TIMER_ABSTIME, &spec, NULL);
    ds->armed_ns = earliest_ns;
}
