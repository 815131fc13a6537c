#include "servers/serve.h"

#include "common/clock.h"
#include "servers/accept.h"
#include "servers/backend/link.h"
#include "servers/stop.h"
#include "servers/time_limit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- waiting, the blocking way ---------------------------------------------------------------- */

static void sleep_until(uint64_t at_ns)
{
    struct timespec at = timespec_of_ns(at_ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* More than one interest at a time: ask which comes first. */
static bool act_on_either(struct channel *ch, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    struct pollfd either = {.fd = ch->fd, .events = POLLIN | POLLOUT};
    struct timespec left = timespec_of_ns(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    struct receive_room room;
    if (ppoll(&either, 1, deadline_ns == NEVER_NS ? NULL : &left, NULL) <= 0)
        return false;
    bool moved = false;
    if (either.revents & POLLOUT)
        moved = channel_send(ch);
    if (either.revents & ~POLLOUT)
        moved |= channel_receive(ch, &room);
    return moved;
}

static bool block(struct flow *flow, struct channel *ch, struct interest want)
{
    struct blocking_flow *f = (struct blocking_flow *)flow;
    bool readable = want.set & INTEREST_READABLE, writable = want.set & INTEREST_WRITABLE;
    struct receive_room room;
    if (readable && writable)
        return act_on_either(ch, want.deadline_ns);
    if (readable) {
        limit_blocking(ch->fd, SO_RCVTIMEO, &f->receive_limit_ns, want.deadline_ns);
        return channel_receive(ch, &room);
    }
    if (writable) {
        limit_blocking(ch->fd, SO_SNDTIMEO, &f->send_limit_ns, want.deadline_ns);
        return channel_send(ch);
    }
    sleep_until(want.deadline_ns);
    return false;
}

static void converse(struct flow *flow, struct channel *ch, uint64_t deadline_ns)
{
    (void)flow;
    struct backend_link *link = link_of_thread(ch->server->redis);
    if (link)
        link_converse(link, connection_query(ch->connection), deadline_ns);
    connection_answered(ch->connection);
}

struct blocking_flow blocking_flow(void)
{
    return (struct blocking_flow){.flow = {block, converse}};
}

/* --- serving ---------------------------------------------------------------------------------- */

struct interest serve(struct channel *ch, struct flow *flow, unsigned until)
{
    for (;;) {
        struct interest want = channel_interest(ch);
        if (want.set & INTEREST_CLOSE || want.set == until)
            return want;
        if (want.set & INTEREST_LOCK)
            channel_locked(ch);
        else if (want.set & INTEREST_BACKEND)
            flow->ask(flow, ch, want.deadline_ns);
        else if (!flow->act(flow, ch, want))
            connection_expired(ch->connection, clock_now_ns());
    }
}

void client_gone(struct server *server)
{
    place_give(server);
    atomic_fetch_sub(&server->clients, 1);
}

void serve_client(struct server *server, int fd)
{
    struct channel ch;
    if (channel_open(&ch, server, fd)) {
        struct blocking_flow f = blocking_flow();
        serve(&ch, &f.flow, INTEREST_CLOSE);
        channel_close(&ch);
    }
    client_gone(server);
}

/* --- clients ---------------------------------------------------------------------------------- */

void pause_accepting(void)
{
    sleep_until(clock_now_ns() + ACCEPT_PAUSE_NS);
}

int accept_client(struct server *server)
{
    if (!place_await(server))
        return -1;
    /* Before it is there: whoever waits for all clients may look at any time. */
    atomic_fetch_add(&server->clients, 1);
    while (!stop_requested) {
        int fd = accept_one(server, server->listen_fd, 0);
        if (fd >= 0)
            return fd;
        if (fd == ACCEPT_SHORT) /* the client waits in the backlog meanwhile */
            pause_accepting();
    }
    client_gone(server);
    return -1;
}

/* --- threads ---------------------------------------------------------------------------------- */

int start_thread(const struct server *server, pthread_t *thread, void *(*run)(void *),
                 void *argument)
{
    pthread_attr_t attributes;
    pthread_t detached;
    pthread_attr_init(&attributes);
    if (!thread)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = 0;
    if (server->stack_bytes)
        error = pthread_attr_setstacksize(&attributes, server->stack_bytes);
    if (error == 0)
        error = pthread_create(thread ? thread : &detached, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return error;
}

int start_workers(const struct server *server, void *(*run)(void *), void *argument)
{
    for (unsigned i = 0; i < server->workers; i++) {
        int error = start_thread(server, NULL, run, argument);
        if (error) {
            fprintf(stderr, "%s: cannot start worker %u of %u: %s\n", server->name, i + 1,
                    server->workers, strerror(error));
            return -1;
        }
    }
    return 0;
}

void wait_for_clients(struct server *server)
{
    while (atomic_load(&server->clients))
        sleep_until(clock_now_ns() + 5 * NS_PER_MS);
}
