#include "servers/event_loop.h"

#include "common/clock.h"
#include "servers/channel.h"

#include <stdlib.h>
#include <unistd.h>

struct client {
    struct waiter waiter; /* first: who is woken is its client */
    struct channel channel;
};

static void client_close(struct client *c)
{
    waiter_gone(&c->waiter);
    channel_close(&c->channel);
    free(c);
}

/* Does all that can be done now, then waits for what is wanted next: this is where
 * a blocking model blocks. */
static void client_advance(struct client *c)
{
    struct interest want;
    for (;;) {
        want = channel_interest(&c->channel);
        if (want.set & INTEREST_LOCK)
            channel_locked(&c->channel); /* held for a computation, never while waiting */
        else if (want.set & INTEREST_BACKEND)
            waiter_ask(&c->waiter, c->channel.connection);
        else if (!(want.set & INTEREST_WRITABLE) || !channel_send(&c->channel))
            break;
    }
    if (want.set & INTEREST_CLOSE || waiter_wait(&c->waiter, want) < 0)
        client_close(c);
}

static void client_wake(struct waiter *waiter, unsigned met)
{
    struct client *c = (struct client *)waiter;
    if (met & INTEREST_READABLE)
        channel_receive(&c->channel, &c->waiter.loop->room);
    if (met & INTEREST_BACKEND)
        connection_answered(c->channel.connection);
    if (!met)
        connection_expired(c->channel.connection, clock_now_ns());
    client_advance(c);
}

static bool client_open(struct loop *loop, int fd)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return false;
    }
    if (!channel_open(&c->channel, loop->server, fd)) {
        free(c);
        return false;
    }
    waiter_start(&c->waiter, loop, fd);
    channel_receive(&c->channel,
                    &c->waiter.loop->room); /* most clients send at once: look before waiting */
    client_advance(c);
    return true;
}

int event_loop_start(struct loop *loop, struct server *server, int listen_fd, unsigned backend)
{
    int result = loop_start(loop, server, listen_fd, backend);
    loop->open = client_open;
    loop->wake = client_wake;
    return result;
}
