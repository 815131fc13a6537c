/* Rings of coroutines, all on one thread. Without I/O each switches to the next directly; with
 * I/O each waits for its pipe, which means: back to the scheduler, who asks epoll. */
#include "common/coroutine.h"
#include "common/coroutine_stacks.h"
#include "switches/pipes.h"
#include "switches/ring.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

struct coroutine_ring;

struct task {
    struct coroutine c;
    struct coroutine_ring *ring;
    char *set;
    int in, next_out;
    struct task *next;
};

struct coroutine_ring {
    struct ring ring;
    struct relay relay;
    struct census census;
    struct coroutine scheduler;
    struct coroutine_stacks stacks;
    struct task *tasks;
    struct pipe *pipes;
    int epoll;
    bool io, leaving;
};

/* Every pass is a turn: it begins when somebody has switched here. */
static void live(struct coroutine *self, void *argument)
{
    struct task *t = argument;
    struct coroutine_ring *r = t->ring;
    while (!r->leaving) {
        if (r->io)
            pipe_receive(t->in);
        bool last = relay_turn(&r->relay, t->set);
        if (r->io && !last)
            pipe_send(t->next_out);
        coroutine_switch(self, r->io || last ? &r->scheduler : &t->next->c);
    }
}

static void schedule(struct coroutine_ring *r)
{
    struct epoll_event ready[64];
    pipe_send(r->pipes[0].out);
    while (r->relay.turns <= r->relay.hops) {
        int count = epoll_wait(r->epoll, ready, sizeof ready / sizeof *ready, -1);
        for (int i = 0; i < count; i++)
            coroutine_switch(&r->scheduler, ready[i].data.ptr);
    }
}

static void coroutine_run(struct ring *ring, const struct order *o)
{
    struct coroutine_ring *r = (struct coroutine_ring *)ring;
    r->io = o->io;
    if (o->io)
        schedule(r);
    else
        coroutine_switch(&r->scheduler, &r->tasks[0].c);
    r->census.turns += r->relay.turns;
}

static struct census coroutine_count(struct ring *ring, const struct order *o)
{
    struct coroutine_ring *r = (struct coroutine_ring *)ring;
    struct census census = census_of(RUSAGE_SELF);
    (void)o;
    census.turns = r->census.turns;
    return census;
}

static void send_home(struct coroutine_ring *r)
{
    r->leaving = true;
    for (unsigned i = 0; i < r->ring.wish.tasks && r->tasks[i].ring; i++)
        coroutine_resume(&r->scheduler, &r->tasks[i].c);
}

static void coroutine_free(struct ring *ring)
{
    struct coroutine_ring *r = (struct coroutine_ring *)ring;
    send_home(r);
    pipes_close(r->pipes, ring->wish.tasks);
    if (r->epoll >= 0)
        close(r->epoll);
    coroutine_stacks_free(&r->stacks);
    free(r->tasks);
    ring_release(ring);
}

static void watch(struct coroutine_ring *r)
{
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->pipes = pipes_open(r->ring.wish.tasks, &r->ring.no_io);
    for (unsigned i = 0; r->pipes && i < r->ring.wish.tasks; i++) {
        struct task *t = &r->tasks[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &t->c};
        t->in = r->pipes[i].in;
        t->next_out = r->pipes[(i + 1) % r->ring.wish.tasks].out;
        if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, t->in, &event) != 0)
            err(1, "cannot watch a pipe");
    }
}

static int start(struct coroutine_ring *r, unsigned i, struct reason *reason)
{
    struct task *t = &r->tasks[i];
    void *stack = coroutine_stacks_take(&r->stacks);
    if (!stack)
        return reason_set(reason, "stack %u of %u: %s", i + 1, r->ring.wish.tasks, strerror(errno));
    *t = (struct task){.ring = r,
                       .set = working_set(&r->ring, i),
                       .next = &r->tasks[(i + 1) % r->ring.wish.tasks]};
    coroutine_start(&t->c, stack, r->stacks.bytes, live, t);
    return 0;
}

static struct ring *build(const struct ring_wish *w, struct reason *reason)
{
    struct coroutine_ring *r = ring_allocate(&ring_of_coroutines, w, sizeof *r, reason);
    if (!r)
        return NULL;
    r->ring.relay = &r->relay;
    r->epoll = -1;
    r->tasks = calloc(w->tasks, sizeof *r->tasks);
    if (!r->tasks) {
        reason_set(reason, "no memory for %u tasks", w->tasks);
        ring_release(&r->ring);
        return NULL;
    }
    coroutine_of_thread(&r->scheduler);
    coroutine_stacks_init(&r->stacks, w->stack_bytes, 0);
    for (unsigned i = 0; i < w->tasks; i++)
        if (start(r, i, reason) != 0) {
            coroutine_free(&r->ring);
            return NULL;
        }
    if (w->pipes)
        watch(r);
    return &r->ring;
}

const struct ring_kind ring_of_coroutines = {.name = "coroutine",
                                             .build = build,
                                             .run = coroutine_run,
                                             .count = coroutine_count,
                                             .free = coroutine_free};
