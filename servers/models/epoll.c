/* Event loop: one thread waits for all clients at once (libev, epoll).
 *
 * No call on a client's socket blocks. A client that must wait is put aside and
 * the loop turns to the next one that is ready. Switch points: the return to
 * the loop, and nothing else; between two of them nothing interrupts the code,
 * and nobody else is served. */
#include "common/clock.h"
#include "common/deadlines.h"
#include "servers/channel.h"
#include "servers/stop.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How many clients are accepted before those already here get their turn. */
enum { ACCEPT_BATCH = 64 };

/* How soon accepting is tried again when descriptors or memory have run out. */
#define PAUSE_NS (50 * NS_PER_MS)

struct loop {
    struct ev_loop *ev;
    struct server *server;
    ev_io listening, alarm;
    ev_prepare before_wait;
    struct deadlines deadlines;
    struct deadline resume; /* accepting, after a pause */
    unsigned clients;
    bool said_why;
};

struct client {
    ev_io io;
    struct deadline deadline;
    struct channel channel;
    struct loop *loop;
    unsigned wanted; /* the set of interests it waits for */
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

static void resume_accepting(struct loop *loop)
{
    deadlines_cancel(&loop->deadlines, &loop->resume);
    ev_io_start(loop->ev, &loop->listening);
}

static void client_close(struct client *c)
{
    struct loop *loop = c->loop;
    ev_io_stop(loop->ev, &c->io);
    deadlines_cancel(&loop->deadlines, &c->deadline);
    channel_close(&c->channel);
    free(c);
    loop->clients--;
    if (stop_requested) {
        if (loop->clients == 0)
            ev_break(loop->ev, EVBREAK_ALL);
    } else if (!ev_is_active(&loop->listening)) {
        resume_accepting(loop); /* there is a place, or a descriptor, again */
    }
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
    struct deadlines *deadlines = &c->loop->deadlines;
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
        deadlines_set(deadlines, &c->deadline, want.deadline_ns) < 0)
        client_close(c);
}

static void on_client(struct ev_loop *ev, ev_io *io, int events)
{
    struct client *c = container_of(io, struct client, io);
    if ((events & EV_READ) && (c->wanted & INTEREST_READABLE))
        channel_receive(&c->channel);
    else if (!(c->wanted & INTEREST_WRITABLE))
        ev_io_stop(ev, io);
    client_advance(c);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void on_alarm(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev, (void)events;
    struct loop *loop = io->data;
    uint64_t now_ns = clock_now_ns();
    struct deadline *d;
    while ((d = deadlines_pop(&loop->deadlines, now_ns))) {
        if (d == &loop->resume) {
            resume_accepting(loop);
            continue;
        }
        struct client *c = container_of(d, struct client, deadline);
        connection_expired(c->channel.connection, now_ns);
        client_advance(c);
    }
}

static void on_before_wait(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    (void)ev, (void)events;
    struct loop *loop = prepare->data;
    deadlines_arm(&loop->deadlines);
}

/* --- accepting -------------------------------------------------------------------------------- */

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
    loop->clients++;
    channel_receive(&c->channel); /* most clients send at once: look before waiting */
    client_advance(c);
}

static void pause_accepting(struct loop *loop, int error)
{
    if (!loop->said_why)
        fprintf(stderr, "%s: accepting pauses: %s\n", loop->server->name, strerror(error));
    loop->said_why = true;
    ev_io_stop(loop->ev, &loop->listening);
    deadlines_set(&loop->deadlines, &loop->resume, clock_now_ns() + PAUSE_NS);
}

static void on_listening(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    struct loop *loop = io->data;
    unsigned most = loop->server->max_connections;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (most && loop->clients >= most) {
            ev_io_stop(ev, io); /* until client_close */
            return;
        }
        int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            loop->said_why = false;
            client_open(loop, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(loop, errno);
            return;
        } else if (stop_requested) {
            ev_io_stop(ev, io);
            if (loop->clients == 0)
                ev_break(ev, EVBREAK_ALL);
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* anything else is one client's misfortune (accept(2)) */
    }
}

static int run(struct server *server)
{
    struct loop loop = {.server = server};
    loop.ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
    if (!loop.ev || deadlines_init(&loop.deadlines) < 0) {
        fprintf(stderr, "%s: no epoll loop: %s\n", server->name, strerror(errno));
        return -1;
    }
    fcntl(server->listen_fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&loop.listening, on_listening, server->listen_fd, EV_READ);
    ev_io_init(&loop.alarm, on_alarm, loop.deadlines.fd, EV_READ);
    ev_prepare_init(&loop.before_wait, on_before_wait);
    loop.listening.data = loop.alarm.data = loop.before_wait.data = &loop;
    ev_io_start(loop.ev, &loop.listening);
    ev_io_start(loop.ev, &loop.alarm);
    ev_prepare_start(loop.ev, &loop.before_wait);

    server_ready(server);
    ev_run(loop.ev, 0);

    deadlines_free(&loop.deadlines);
    ev_loop_destroy(loop.ev);
    return 0;
}

const struct model model = {.name = "epoll", .run = run};
