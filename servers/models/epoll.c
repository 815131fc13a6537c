/* Event loop: one thread waits for all clients at once (libev, epoll).
 *
 * No call on a client's socket blocks. A client that must wait is put aside and
 * the loop turns to the next one that is ready. Switch points: the return to
 * the loop, and nothing else; between two of them nothing interrupts the code,
 * and nobody else is served. */
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

/* How many clients are accepted before those already here get their turn. */
enum { ACCEPT_BATCH = 64 };

struct loop {
    struct ev_loop *ev;
    struct server *server;
    ev_io listening;
    struct timers timers;
    struct deadline resume; /* accepting, after a pause */
    unsigned clients;
};

struct client {
    struct deadline deadline; /* first: what rings is its client */
    struct loop *loop;
    struct channel channel;
    ev_io io;
    unsigned wanted; /* the set of interests it waits for */
};

static void client_close(struct client *c)
{
    struct loop *loop = c->loop;
    ev_io_stop(loop->ev, &c->io);
    deadlines_cancel(&loop->timers.deadlines, &c->deadline);
    channel_close(&c->channel);
    free(c);
    loop->clients--;
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
            channel_locked(&c->channel); /* the loop is its only holder */
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
    struct loop *loop = data;
    if (rung == &loop->resume) {
        ev_io_start(loop->ev, &loop->listening);
        return;
    }
    struct client *c = (struct client *)rung;
    connection_expired(c->channel.connection, clock_now_ns());
    client_advance(c);
}

static void client_open(struct loop *loop, int fd)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    if (!channel_open(&c->channel, loop->server, fd)) {
        free(c);
        return;
    }
    c->loop = loop;
    ev_io_init(&c->io, on_client, fd, EV_READ);
    c->io.data = c;
    loop->clients++;
    channel_receive(&c->channel); /* most clients send at once: look before waiting */
    client_advance(c);
}

static void on_listening(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    struct loop *loop = io->data;
    unsigned most = loop->server->max_connections;
    int fd = 0;
    for (int i = 0; i < ACCEPT_BATCH && fd >= 0 && !(most && loop->clients >= most); i++)
        if ((fd = accept_one(loop->server, SOCK_NONBLOCK)) >= 0)
            client_open(loop, fd);
    if (fd == ACCEPT_SHORT)
        deadlines_set(&loop->timers.deadlines, &loop->resume, clock_now_ns() + ACCEPT_PAUSE_NS);
    if (fd == ACCEPT_SHORT || (most && loop->clients >= most) || stop_requested)
        ev_io_stop(ev, io); /* until a client closes */
    if (stop_requested && loop->clients == 0)
        ev_break(ev, EVBREAK_ALL);
}

static int run(struct server *server)
{
    struct loop loop = {.server = server};
    loop.ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
    if (!loop.ev || timers_start(&loop.timers, loop.ev, on_deadline, &loop) < 0) {
        fprintf(stderr, "%s: no epoll loop: %s\n", server->name, strerror(errno));
        return -1;
    }
    fcntl(server->listen_fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&loop.listening, on_listening, server->listen_fd, EV_READ);
    loop.listening.data = &loop;
    ev_io_start(loop.ev, &loop.listening);

    server_ready(server);
    ev_run(loop.ev, 0);

    timers_stop(&loop.timers, loop.ev);
    ev_loop_destroy(loop.ev);
    return 0;
}

const struct model model = {.name = "epoll", .run = run};
