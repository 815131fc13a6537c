#include "servers/loop.h"

#include "common/clock.h"
#include "servers/accept.h"
#include "servers/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* --- one client's waiting --------------------------------------------------------------------- */

static unsigned interests_of(int events)
{
    return (events & EV_READ ? INTEREST_READABLE : 0u) |
           (events & EV_WRITE ? INTEREST_WRITABLE : 0u);
}

static int events_of(unsigned interests)
{
    return (interests & INTEREST_READABLE ? EV_READ : 0) |
           (interests & INTEREST_WRITABLE ? EV_WRITE : 0);
}

static void on_ready(struct ev_loop *ev, ev_io *io, int events)
{
    struct waiter *w = io->data;
    unsigned met = interests_of(events) & w->wanted;
    if (met)
        w->loop->wake(w, met);
    else
        ev_io_stop(ev, io);
}

void waiter_start(struct waiter *w, struct loop *loop, int fd)
{
    *w = (struct waiter){.loop = loop};
    ev_io_init(&w->io, on_ready, fd, EV_READ);
    w->io.data = w;
}

static void watch(struct waiter *w, int events)
{
    if (ev_is_active(&w->io) && (w->io.events & (EV_READ | EV_WRITE)) == events)
        return;
    ev_io_stop(w->loop->ev, &w->io);
    ev_io_modify(&w->io, events);
    ev_io_start(w->loop->ev, &w->io);
}

int waiter_wait(struct waiter *w, struct interest want)
{
    w->wanted = want.set;
    int events = events_of(want.set);
    /* To stop watching costs a system call, and most clients send nothing while they are not
     * listened to: those that do are stopped when it happens. */
    if (events)
        watch(w, events);
    /* A deadline that has moved away is left to come early, which is harmless, rather than
     * moved with every request. */
    bool early = deadline_is_set(&w->deadline) && w->deadline.at_ns <= want.deadline_ns;
    if (early || want.deadline_ns == NEVER_NS)
        return 0;
    return deadlines_set(&w->loop->timers.deadlines, &w->deadline, want.deadline_ns);
}

static void on_query_done(struct redis_query *query)
{
    struct waiter *w = query->asker;
    w->loop->wake(w, INTEREST_BACKEND);
}

void waiter_ask(struct waiter *w, struct connection *connection)
{
    struct redis_query *query = connection_query(connection);
    query->asker = w;
    query->done = on_query_done;
    if (!link_ask(&w->loop->link, query))
        connection_answered(connection);
}

void waiter_gone(struct waiter *w)
{
    struct loop *loop = w->loop;
    ev_io_stop(loop->ev, &w->io);
    deadlines_cancel(&loop->timers.deadlines, &w->deadline);
    loop->clients--;
    place_give(loop->server);
    ev_io_start(loop->ev, &loop->listening); /* there is a place, or a descriptor, again */
}

/* --- the backend ------------------------------------------------------------------------------ */

static void on_backend_ready(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev, (void)events;
    struct loop *loop = io->data;
    if (loop->link_watched == loop->link.opened)
        link_ready(&loop->link);
}

/* What this turn's clients asked goes out together, and the answers are watched for. */
static void on_before_wait(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    (void)events;
    struct loop *loop = prepare->data;
    struct backend_link *link = &loop->link;
    link_flush(link);
    if (link->fd < 0) {
        ev_io_stop(ev, &loop->backend);
        return;
    }
    short wanted = link_events(link);
    int watched = (wanted & POLLIN ? EV_READ : 0) | (wanted & POLLOUT ? EV_WRITE : 0);
    bool is_same = loop->link_watched == link->opened && ev_is_active(&loop->backend);
    if (is_same && (loop->backend.events & (EV_READ | EV_WRITE)) == watched)
        return;
    ev_io_stop(ev, &loop->backend);
    ev_io_set(&loop->backend, link->fd, watched);
    ev_io_start(ev, &loop->backend);
    loop->link_watched = link->opened;
}

static void backend_start(struct loop *loop)
{
    link_init(&loop->link, loop->server->redis);
    ev_init(&loop->backend, on_backend_ready);
    ev_prepare_init(&loop->before_wait, on_before_wait);
    loop->backend.data = loop->before_wait.data = loop;
    if (loop->link.address) /* without one, a turn of the loop costs what it did */
        ev_prepare_start(loop->ev, &loop->before_wait);
}

static void backend_stop(struct loop *loop)
{
    ev_io_stop(loop->ev, &loop->backend);
    ev_prepare_stop(loop->ev, &loop->before_wait);
    link_close(&loop->link);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void on_deadline(void *data, struct deadline *rung)
{
    struct loop *loop = data;
    if (rung == &loop->resume)
        ev_io_start(loop->ev, &loop->listening);
    else
        loop->wake((struct waiter *)rung, 0);
}

/* Takes one client, if one is there and there is a place for it. false: accepting pauses. */
static bool take_client(struct loop *loop, bool *was_last)
{
    if (!place_try(loop->server))
        return false;
    int fd = accept_one(loop->server, loop->listen_fd, SOCK_NONBLOCK);
    loop->clients++; /* it may be gone before `open` returns */
    if (fd < 0 || !loop->open(loop, fd)) {
        loop->clients--;
        place_give(loop->server);
    }
    *was_last = fd < 0;
    return fd != ACCEPT_SHORT;
}

static void on_listening(struct ev_loop *ev, ev_io *io, int events)
{
    (void)events;
    struct loop *loop = io->data;
    bool may_accept = true, was_last = false;
    for (int i = 0; i < ACCEPT_BATCH && may_accept && !was_last; i++)
        may_accept = take_client(loop, &was_last);
    if (!may_accept) /* until a client leaves; one of another loop gives no sign */
        deadlines_set(&loop->timers.deadlines, &loop->resume, clock_now_ns() + ACCEPT_PAUSE_NS);
    if (!may_accept || stop_requested)
        ev_io_stop(ev, io);
    if (stop_requested && loop->clients == 0)
        ev_break(ev, EVBREAK_ALL);
}

int loop_start(struct loop *loop, struct server *server, int listen_fd, unsigned backend)
{
    *loop = (struct loop){.server = server, .listen_fd = listen_fd};
    loop->ev = ev_loop_new(backend | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
    if (!loop->ev || timers_start(&loop->timers, loop->ev, on_deadline, loop) < 0) {
        fprintf(stderr, "%s: no event loop: %s\n", server->name, strerror(errno));
        if (loop->ev)
            ev_loop_destroy(loop->ev);
        return -1;
    }
    backend_start(loop);
    fcntl(listen_fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&loop->listening, on_listening, listen_fd, EV_READ);
    loop->listening.data = loop;
    ev_io_start(loop->ev, &loop->listening);
    return 0;
}

void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
    backend_stop(loop);
    timers_stop(&loop->timers, loop->ev);
    ev_loop_destroy(loop->ev);
}
