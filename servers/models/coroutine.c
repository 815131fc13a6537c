/* Coroutines: a user-space thread for each connection, switched where it would wait.
 *
 * The code that serves is the straight line of the blocking models; only the
 * waiting differs. Where a thread would block, a coroutine notes what it waits
 * for and switches to the loop, which resumes it when that has come: cooperative
 * multitasking, as in Go, lwan or Capriccio. Switch points: `step_aside`, and
 * nothing else. A coroutine that computes holds up all others. */
#include "common/coroutine.h"
#include "common/coroutine_stacks.h"
#include "servers/loop.h"
#include "servers/serve.h"

#include <stdlib.h>
#include <unistd.h>

/* Serving touches 10 KiB of it, a library behind the handler may want more. Address space only. */
enum { STACK_BYTES = 64 * 1024 };

/* Idle stacks that keep their memory for the next client. */
enum { WARM_STACKS = 256 };

struct scheduler {
    struct loop loop; /* first: who accepts is the scheduler */
    struct coroutine self;
    struct coroutine_stacks stacks;
};

struct client {
    struct waiter waiter; /* first: who is woken is its client */
    struct flow flow;
    struct coroutine coroutine;
    struct channel channel;
    void *stack;
    unsigned met; /* interests, when it is resumed */
    bool has_looked;
};

static struct scheduler *scheduler_of(const struct client *c)
{
    return (struct scheduler *)c->waiter.loop;
}

static struct client *client_of(struct flow *flow)
{
    return (struct client *)((char *)flow - offsetof(struct client, flow));
}

/* The one place where a coroutine is switched away from. The interests that are then met; 0: the
 * deadline has come. */
static unsigned step_aside(struct client *c, struct interest want)
{
    if (waiter_wait(&c->waiter, want) < 0)
        connection_aborted(c->channel.connection);
    else
        coroutine_yield(&c->coroutine);
    return c->met;
}

static bool act(struct flow *flow, struct channel *ch, struct interest want)
{
    struct client *c = client_of(flow);
    if (want.set & INTEREST_WRITABLE && channel_send(ch))
        return true;
    /* Most clients send at once: look before waiting. Later, they think first. */
    bool look = want.set & INTEREST_READABLE && !c->has_looked;
    c->has_looked = true;
    if (look && channel_receive(ch, &c->waiter.loop->room))
        return true;
    unsigned met = step_aside(c, want);
    if (met & INTEREST_BACKEND) {
        connection_answered(ch->connection);
        return true;
    }
    bool moved = met & INTEREST_WRITABLE && channel_send(ch);
    return (met & INTEREST_READABLE && channel_receive(ch, &c->waiter.loop->room)) || moved;
}

/* `act` steps aside until it is answered. */
static void ask(struct flow *flow, struct channel *ch, uint64_t deadline_ns)
{
    (void)deadline_ns; /* the connection's own, which it waits with */
    waiter_ask(&client_of(flow)->waiter, ch->connection);
}

static void serve_to_its_end(struct coroutine *self, void *argument)
{
    (void)self;
    struct client *c = argument;
    serve(&c->channel, &c->flow, INTEREST_CLOSE);
}

static void client_resume(struct client *c)
{
    struct scheduler *s = scheduler_of(c);
    coroutine_resume(&s->self, &c->coroutine);
    if (!c->coroutine.finished)
        return;
    waiter_gone(&c->waiter);
    channel_close(&c->channel);
    coroutine_stacks_give(&s->stacks, c->stack);
    free(c);
}

static void client_wake(struct waiter *waiter, unsigned met)
{
    struct client *c = (struct client *)waiter;
    c->met = met;
    client_resume(c);
}

static bool client_open(struct loop *loop, int fd)
{
    struct scheduler *s = (struct scheduler *)loop;
    struct client *c = calloc(1, sizeof *c);
    void *stack = c ? coroutine_stacks_take(&s->stacks) : NULL;
    if (!stack)
        close(fd);
    if (!stack || !channel_open(&c->channel, loop->server, fd)) {
        if (stack)
            coroutine_stacks_give(&s->stacks, stack);
        free(c);
        return false;
    }
    c->stack = stack;
    c->flow = (struct flow){act, ask};
    waiter_start(&c->waiter, loop, fd);
    coroutine_start(&c->coroutine, stack, s->stacks.bytes, serve_to_its_end, c);
    client_resume(c);
    return true;
}

static int run(struct server *server)
{
    struct scheduler s;
    if (loop_start(&s.loop, server, server->listen_fd, EVBACKEND_EPOLL) < 0)
        return 1;
    s.loop.open = client_open;
    s.loop.wake = client_wake;
    coroutine_of_thread(&s.self);
    coroutine_stacks_init(&s.stacks, server->stack_bytes ? server->stack_bytes : STACK_BYTES,
                          WARM_STACKS);
    server_ready(server);
    loop_run(&s.loop);
    coroutine_stacks_free(&s.stacks);
    return 0;
}

const struct model model = {.name = "coroutine", .run = run};
