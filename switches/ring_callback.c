/* Rings of event-loop callbacks: each hands the token to the next through libev. Without I/O it
 * feeds an event into the loop's queue, without asking the kernel; with I/O the loop asks epoll. */
#include "switches/pipes.h"
#include "switches/ring.h"

#include <ev.h>
#include <stdlib.h>
#include <sys/resource.h>

struct callback_ring;

struct task {
    ev_io readable;
    ev_watcher fed;
    struct callback_ring *ring;
    char *set;
    int next_out;
    struct task *next;
};

struct callback_ring {
    struct ring ring;
    struct relay relay;
    struct ev_loop *loop;
    struct task *tasks;
    struct pipe *pipes;
    uint64_t turns;
};

static void on_fed(struct ev_loop *loop, ev_watcher *w, int events)
{
    struct task *t = w->data;
    (void)events;
    if (relay_turn(&t->ring->relay, t->set))
        ev_break(loop, EVBREAK_ALL);
    else
        ev_feed_event(loop, &t->next->fed, EV_CUSTOM);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    struct task *t = w->data;
    (void)events;
    pipe_receive(w->fd);
    if (relay_turn(&t->ring->relay, t->set))
        ev_break(loop, EVBREAK_ALL);
    else
        pipe_send(t->next_out);
}

static void callback_run(struct ring *ring, const struct order *o)
{
    struct callback_ring *r = (struct callback_ring *)ring;
    if (o->io)
        pipe_send(r->pipes[0].out);
    else
        ev_feed_event(r->loop, &r->tasks[0].fed, EV_CUSTOM);
    ev_run(r->loop, 0);
    r->turns += r->relay.turns;
}

static struct census callback_count(struct ring *ring, const struct order *o)
{
    struct census census = census_of(RUSAGE_SELF);
    (void)o;
    census.turns = ((struct callback_ring *)ring)->turns;
    return census;
}

static void callback_free(struct ring *ring)
{
    struct callback_ring *r = (struct callback_ring *)ring;
    if (r->loop)
        ev_loop_destroy(r->loop);
    pipes_close(r->pipes, ring->wish.tasks);
    free(r->tasks);
    ring_release(ring);
}

static void seat(struct callback_ring *r, unsigned i)
{
    struct task *t = &r->tasks[i];
    t->ring = r;
    t->set = working_set(&r->ring, i);
    t->next = &r->tasks[(i + 1) % r->ring.wish.tasks];
    ev_init(&t->fed, on_fed);
    t->fed.data = t;
    if (!r->pipes)
        return;
    t->next_out = r->pipes[(i + 1) % r->ring.wish.tasks].out;
    ev_io_init(&t->readable, on_readable, r->pipes[i].in, EV_READ);
    t->readable.data = t;
    ev_io_start(r->loop, &t->readable);
}

static struct ring *build(const struct ring_wish *w, struct reason *reason)
{
    struct callback_ring *r = ring_allocate(&ring_of_callbacks, w, sizeof *r, reason);
    if (!r)
        return NULL;
    r->ring.relay = &r->relay;
    r->loop = ev_loop_new(EVBACKEND_EPOLL);
    r->tasks = calloc(w->tasks, sizeof *r->tasks);
    if (!r->loop || !r->tasks) {
        reason_set(reason, "no memory, or no epoll, for %u tasks", w->tasks);
        callback_free(&r->ring);
        return NULL;
    }
    if (w->pipes)
        r->pipes = pipes_open(w->tasks, &r->ring.no_io);
    for (unsigned i = 0; i < w->tasks; i++)
        seat(r, i);
    return &r->ring;
}

const struct ring_kind ring_of_callbacks = {.name = "callback",
                                            .build = build,
                                            .run = callback_run,
                                            .count = callback_count,
                                            .free = callback_free};
