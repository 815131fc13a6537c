#include "servers/serve.h"

#include "common/clock.h"
#include "servers/accept.h"
#include "servers/channel.h"
#include "servers/stop.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* --- waiting, the blocking way ---------------------------------------------------------------- */

static void sleep_until(uint64_t at_ns)
{
    struct timespec at = timespec_of_ns(at_ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* Blocks in recv or send no longer than to the deadline, by the socket's own time limit.
 *
 * Setting it is a system call, and the usual wait (for the next request) always has nearly
 * the same one: a limit that is off by up to a sixteenth is left as it is. Waking too early
 * is harmless, and then it is set anew. */
static void limit_blocking(int fd, int option, uint64_t *limit_ns, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1;
    if (deadline_ns == NEVER_NS)
        left_ns = 0; /* the socket's own word for no limit */
    uint64_t off_ns = *limit_ns > left_ns ? *limit_ns - left_ns : left_ns - *limit_ns;
    if (*limit_ns && off_ns <= left_ns / 16)
        return;
    uint64_t up_us = left_ns / NS_PER_US + (left_ns ? 1 : 0);
    struct timeval limit = {(time_t)(up_us / 1000000), (suseconds_t)(up_us % 1000000)};
    setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit);
    *limit_ns = left_ns;
}

/* More than one interest at a time: ask which comes first. */
static bool act_on_either(struct channel *ch, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    struct pollfd either = {.fd = ch->fd, .events = POLLIN | POLLOUT};
    struct timespec left = timespec_of_ns(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    if (ppoll(&either, 1, deadline_ns == NEVER_NS ? NULL : &left, NULL) <= 0)
        return false;
    bool moved = false;
    if (either.revents & POLLOUT)
        moved = channel_send(ch);
    if (either.revents & ~POLLOUT)
        moved |= channel_receive(ch);
    return moved;
}

struct limits {
    uint64_t receive_ns, send_ns; /* as last set on the socket; 0: none */
};

/* Waits for one of the interests, and acts on it. false: the deadline may have come. */
static bool act(struct channel *ch, struct interest want, struct limits *limits)
{
    bool readable = want.set & INTEREST_READABLE, writable = want.set & INTEREST_WRITABLE;
    if (readable && writable)
        return act_on_either(ch, want.deadline_ns);
    if (readable) {
        limit_blocking(ch->fd, SO_RCVTIMEO, &limits->receive_ns, want.deadline_ns);
        return channel_receive(ch);
    }
    if (writable) {
        limit_blocking(ch->fd, SO_SNDTIMEO, &limits->send_ns, want.deadline_ns);
        return channel_send(ch);
    }
    sleep_until(want.deadline_ns);
    return false;
}

static void serve(struct channel *ch)
{
    struct limits limits = {0};
    for (;;) {
        struct interest want = channel_interest(ch);
        if (want.set & INTEREST_CLOSE)
            return;
        if (want.set & INTEREST_LOCK)
            channel_locked(ch);
        else if (!act(ch, want, &limits))
            connection_expired(ch->connection, clock_now_ns());
    }
}

void serve_client(struct server *server, int fd)
{
    struct channel ch;
    if (channel_open(&ch, server, fd)) {
        serve(&ch);
        channel_close(&ch);
    }
    if (server->free_places)
        sem_post(server->free_places);
    atomic_fetch_sub(&server->clients, 1);
}

/* --- clients ---------------------------------------------------------------------------------- */

static bool take_place(struct server *server)
{
    if (!server->free_places)
        return true;
    while (!stop_requested) {
        struct timespec until; /* sem_timedwait knows the wall clock only */
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)ACCEPT_PAUSE_NS;
        until.tv_sec += until.tv_nsec / (long)NS_PER_S;
        until.tv_nsec %= (long)NS_PER_S;
        if (sem_timedwait(server->free_places, &until) == 0)
            return true;
    }
    return false;
}

void pause_accepting(void)
{
    sleep_until(clock_now_ns() + ACCEPT_PAUSE_NS);
}

int accept_client(struct server *server)
{
    if (!take_place(server))
        return -1;
    while (!stop_requested) {
        int fd = accept_one(server, 0);
        if (fd >= 0) {
            atomic_fetch_add(&server->clients, 1);
            return fd;
        }
        if (fd == ACCEPT_SHORT) /* the client waits in the backlog meanwhile */
            pause_accepting();
    }
    return -1;
}

/* --- threads ---------------------------------------------------------------------------------- */

int start_thread(const struct server *server, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = 0;
    if (server->stack_bytes)
        error = pthread_attr_setstacksize(&attributes, server->stack_bytes);
    pthread_t thread;
    if (error == 0)
        error = pthread_create(&thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return error;
}

void wait_for_clients(struct server *server)
{
    while (atomic_load(&server->clients))
        sleep_until(clock_now_ns() + 5 * NS_PER_MS);
}
