#include "servers/event_loop.h"

#include "servers/accept.h"
#include "servers/channel.h"
#include "servers/stop.h"
#include "servers/timers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct event_loop {
    struct ev_loop *ev;
    struct server *server;
    int listen_fd;
    ev_io listening;
    struct timers timers;
    struct deadline resume; /* accepting, after a pause */
    unsigned clients;
};

struct client {
    struct deadline deadline; /* first: what rings is its client */
    struct event_loop *loop;
    struct channel channel;
    ev_io io;
    unsigned wanted; /* the set of interests it waits for */
};

static void client_close(struct client *c)
{
    struct event_loop *loop = c->loop;
    ev_io_stop(loop->ev, &c->io);
    deadlines_cancel(&loop->timers.deadlines, &c->deadline);
    channel_close(&c->channel);
    free(c);
    loop->clients--;
    place_give(loop->server);
    ev_io_start(loop->ev, &loop->listening); /* there is a place, or a descriptor, again */
}

static void watch(struct client *c, int events)
{
    if (ev_is_active(&c->io) && c->io.events == events)
        return;
    ev_io_stop(c->loop->ev, &c->io);
    ev_io_modify(&c->io, events);
    ev_io_start(c->loop->ev, &c->io);
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
        else if (!(want.set & INTEREST_WRITABLE) || !channel_send(&c->channel))
            break;
    }
    if (want.set & INTEREST_CLOSE) {
        client_close(c);
        return;
    }
    c->wanted = want.set;
    int events = (want.set & INTEREST_READABLE ? EV_READ : 0) |
                 (want.set & INTEREST_WRITABLE ? EV_WRITE : 0);
    /* To stop watching costs a system call, and most clients send nothing while they are not
     * listened to: those that do are stopped when it happens. */
    if (events)
        watch(c, events);
    /* A deadline that has moved away is left to come early, which is harmless, rather than
     * moved with every request. */
    bool early = deadline_is_set(&c->deadline) && c->deadline.at_ns <= want.deadline_ns;
    if (!early && want.deadline_ns != NEVER_NS &&
        deadlines_set(&c->loop->timers.deadlines, &c->deadline, want.deadline_ns) < 0)
        client_close(c);
}

static void on_client(struct ev_loop *ev, ev_io *io, int events)
{
    struct client *c = io->data;
    if ((events & EV_READ) && (c->wanted & INTEREST_READABLE))
        channel_receive(&c->channel);
    else if (!(c->wanted & INTEREST_WRITABLE))
        ev_io_stop(ev, io);
    client_advance(c);
}

static void on_deadline(void *data, struct deadline *rung)
{
    struct event_loop *loop = data;
    if (rung == &loop->resume) {
        ev_io_start(loop->ev, &loop->listening);
        return;
    }
    struct client *c = (struct client *)rung;
    connection_expired(c->channel.connection, clock_now_ns());
    client_advance(c);
}

static bool client_open(struct event_loop *loop, int fd)
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
    c->loop = loop;
    ev_io_init(&c->io, on_client, fd, EV_READ);
    c->io.data = c;
    loop->clients++;
    channel_receive(&c->channel); /* most clients send at once: look before waiting */
    client_advance(c);
    return true;
}

/* Takes one client, if one is there and there is a place for it. false: accepting pauses. */
static bool take_client(struct event_loop *loop, bool *was_last)
{
    if (!place_try(loop->server))
        return false;
    int fd = accept_one(loop->server, loop->listen_fd, SOCK_NONBLOCK);
    if (fd < 0 || !client_open(loop, fd))
        place_give(loop->server);
    *was_last = fd < 0;
    return fd != ACCEPT_SHORT;
}

static void on_listening(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    struct event_loop *loop = io->data;
    bool may_accept = true, was_last = false;
    for (int i = 0; i < ACCEPT_BATCH && may_accept && !was_last; i++)
        may_accept = take_client(loop, &was_last);
    if (!may_accept) /* until a client closes; one of another loop gives no sign */
        deadlines_set(&loop->timers.deadlines, &loop->resume, clock_now_ns() + ACCEPT_PAUSE_NS);
    if (!may_accept || stop_requested)
        ev_io_stop(ev, io);
    if (stop_requested && loop->clients == 0)
        ev_break(ev, EVBREAK_ALL);
}

struct event_loop *event_loop_new(struct server *server, int listen_fd, unsigned backend)
{
    struct event_loop *loop = calloc(1, sizeof *loop);
    if (loop)
        *loop = (struct event_loop){.server = server, .listen_fd = listen_fd};
    if (!loop || !(loop->ev = ev_loop_new(backend | EVFLAG_NOENV | EVFLAG_NOSIGMASK)) ||
        timers_start(&loop->timers, loop->ev, on_deadline, loop) < 0) {
        fprintf(stderr, "%s: no event loop: %s\n", server->name, strerror(errno));
        if (loop && loop->ev)
            ev_loop_destroy(loop->ev);
        free(loop);
        return NULL;
    }
    fcntl(listen_fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&loop->listening, on_listening, listen_fd, EV_READ);
    loop->listening.data = loop;
    ev_io_start(loop->ev, &loop->listening);
    return loop;
}

void event_loop_run(struct event_loop *loop)
{
    ev_run(loop->ev, 0);
}

void event_loop_free(struct event_loop *loop)
{
    timers_stop(&loop->timers, loop->ev);
    ev_loop_destroy(loop->ev);
    free(loop);
}
