/* No ring at all: one task that does what all tasks of a ring do, in the same order, and never
 * switches. What a ring takes beyond that is due to switching. */
#include "switches/pipes.h"
#include "switches/ring.h"

#include <sys/resource.h>

struct one {
    struct ring ring;
    struct relay relay;
    struct pipe *pipe;
    uint64_t turns;
};

static void one_run(struct ring *ring, const struct order *o)
{
    struct one *r = (struct one *)ring;
    for (unsigned task = 0; !relay_turn(&r->relay, working_set(ring, task));
         task = task + 1 < ring->wish.tasks ? task + 1 : 0)
        if (o->io) {
            pipe_send(r->pipe->out);
            pipe_receive(r->pipe->in);
        }
    r->turns += r->relay.turns;
}

static struct census one_count(struct ring *ring, const struct order *o)
{
    struct census census = census_of(RUSAGE_SELF);
    (void)o;
    census.turns = ((struct one *)ring)->turns;
    return census;
}

static void one_free(struct ring *ring)
{
    pipes_close(((struct one *)ring)->pipe, 1);
    ring_release(ring);
}

static struct ring *build(const struct ring_wish *w, struct reason *reason)
{
    struct one *r = ring_allocate(&ring_of_one, w, sizeof *r, reason);
    if (!r)
        return NULL;
    r->ring.relay = &r->relay;
    if (w->pipes)
        r->pipe = pipes_open(1, &r->ring.no_io);
    return &r->ring;
}

const struct ring_kind ring_of_one = {
    .name = "one", .build = build, .run = one_run, .count = one_count, .free = one_free};
