/* Reactor with a pool: a loop watches connections, workers take requests.
 *
 * The main thread waits for all clients at once. One who has sent something is
 * handed to a worker, which reads, works, waits and answers in a straight line,
 * and hands the client back when it has nothing more to do (half-sync/half-async:
 * Schmidt and Cranor, 1995). An idle client costs no thread, and a call that
 * blocks stalls one worker. Switch points: the return to the loop, the queue,
 * and wherever the kernel decides. */
#include "common/deadlines.h"
#include "servers/accept.h"
#include "servers/serve.h"
#include "servers/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct client {
    struct deadline deadline; /* first: what rings is its client */
    struct channel channel;
    struct blocking_flow flow;
    struct interest want;
    struct client *next; /* in the queue */
    bool is_taken;       /* queued, or with a worker: the loop leaves it alone */
    bool is_known;       /* to epoll */
    bool has_expired;
};

struct reactor {
    struct server *server;
    int epoll_fd;
    pthread_mutex_t mutex; /* of all below, and of every client's place in them */
    pthread_cond_t filled;
    struct client *head, **tail;
    struct deadlines deadlines;
    struct deadline resume; /* accepting, after a pause */
    bool has_paused;
};

/* EPOLLONESHOT: a descriptor speaks once, and is then silent until it is watched again. */
static int watch(const struct reactor *r, int operation, int fd, uint32_t events, void *whose)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.ptr = whose};
    return epoll_ctl(r->epoll_fd, operation, fd, &event);
}

static void watch_listening(struct reactor *r)
{
    watch(r, EPOLL_CTL_MOD, r->server->listen_fd, EPOLLIN, r->server);
}

/* --- workers ---------------------------------------------------------------------------------- */

static struct client *take(struct reactor *r)
{
    pthread_mutex_lock(&r->mutex);
    while (!r->head)
        pthread_cond_wait(&r->filled, &r->mutex);
    struct client *c = r->head;
    if (!(r->head = c->next))
        r->tail = &r->head;
    pthread_mutex_unlock(&r->mutex);
    return c;
}

static void client_close(struct reactor *r, struct client *c)
{
    pthread_mutex_lock(&r->mutex);
    deadlines_cancel(&r->deadlines, &c->deadline);
    channel_close(&c->channel);
    client_gone(r->server);
    if (r->has_paused || stop_requested) /* there is a place again; or nobody to wait for */
        watch_listening(r);
    pthread_mutex_unlock(&r->mutex);
    free(c);
}

/* The client may be with another worker before this returns. */
static bool hand_back(struct reactor *r, struct client *c)
{
    pthread_mutex_lock(&r->mutex);
    /* A deadline that moved away is left to come early, which is harmless. */
    bool early = deadline_is_set(&c->deadline) && c->deadline.at_ns <= c->want.deadline_ns;
    bool is_set = early || deadlines_set(&r->deadlines, &c->deadline, c->want.deadline_ns) == 0;
    deadlines_arm(&r->deadlines);
    int operation = c->is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    bool is_back = is_set && watch(r, operation, c->channel.fd, EPOLLIN, c) == 0;
    c->is_taken = !is_back;
    c->is_known = true;
    pthread_mutex_unlock(&r->mutex);
    return is_back;
}

static void serve_request(struct reactor *r, struct client *c)
{
    struct flow *flow = &c->flow.flow;
    if (c->has_expired || !flow->act(flow, &c->channel, c->want))
        connection_expired(c->channel.connection, clock_now_ns());
    c->has_expired = false;
    c->want = serve(&c->channel, flow, INTEREST_READABLE);
    if (c->want.set & INTEREST_CLOSE || !hand_back(r, c))
        client_close(r, c);
}

static void *work(void *reactor)
{
    for (;;)
        serve_request(reactor, take(reactor));
    return NULL;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* With the mutex held. */
static void put(struct reactor *r, struct client *c)
{
    c->is_taken = true;
    c->next = NULL;
    *r->tail = c;
    r->tail = &c->next;
    pthread_cond_signal(&r->filled);
}

static void client_open(struct reactor *r, int fd)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c || !channel_open(&c->channel, r->server, fd)) {
        if (!c)
            close(fd);
        free(c);
        client_gone(r->server);
        return;
    }
    c->flow = blocking_flow();
    c->want = channel_interest(&c->channel);
    if (!hand_back(r, c))
        client_close(r, c);
}

static void accept_clients(struct reactor *r)
{
    int fd = 0;
    bool has_place = true;
    for (int i = 0; i < ACCEPT_BATCH && fd >= 0 && (has_place = place_try(r->server)); i++) {
        fd = accept_one(r->server, r->server->listen_fd, 0);
        atomic_fetch_add(&r->server->clients, 1);
        if (fd >= 0)
            client_open(r, fd);
        else
            client_gone(r->server);
    }
    pthread_mutex_lock(&r->mutex);
    r->has_paused = !has_place || fd == ACCEPT_SHORT;
    if (!r->has_paused && !stop_requested)
        watch_listening(r);
    else if (r->has_paused)
        deadlines_set(&r->deadlines, &r->resume, clock_now_ns() + ACCEPT_PAUSE_NS);
    deadlines_arm(&r->deadlines);
    pthread_mutex_unlock(&r->mutex);
}

/* A client whose time is over goes to a worker, too. What epoll_wait returned before is dealt with,
 * and it must not return this client again: an end or an error would be reported even if nothing
 * were asked for (epoll_ctl(2)), so epoll forgets it. */
static void ring(struct reactor *r)
{
    struct deadline *rung;
    pthread_mutex_lock(&r->mutex);
    while ((rung = deadlines_pop(&r->deadlines, clock_now_ns()))) {
        struct client *c = (struct client *)rung;
        if (rung == &r->resume)
            watch_listening(r);
        else if (!c->is_taken) {
            epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, c->channel.fd, NULL);
            c->is_known = false;
            c->has_expired = true;
            put(r, c);
        }
    }
    deadlines_arm(&r->deadlines);
    pthread_mutex_unlock(&r->mutex);
}

static void react(struct reactor *r)
{
    enum { BATCH = 64 };
    struct epoll_event events[BATCH];
    int count = epoll_wait(r->epoll_fd, events, BATCH, -1);
    bool has_rung = false, has_clients = false;
    pthread_mutex_lock(&r->mutex);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &r->deadlines)
            has_rung = true;
        else if (events[i].data.ptr == r->server)
            has_clients = true;
        else
            put(r, events[i].data.ptr);
    }
    pthread_mutex_unlock(&r->mutex);
    if (has_clients)
        accept_clients(r);
    if (has_rung)
        ring(r);
}

static int run(struct server *server)
{
    /* Static: a worker may still look at it while the process exits. */
    static struct reactor r = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                               .filled = PTHREAD_COND_INITIALIZER};
    r.server = server;
    r.tail = &r.head;
    r.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event alarm = {.events = EPOLLIN, .data.ptr = &r.deadlines};
    if (r.epoll_fd < 0 || deadlines_init(&r.deadlines) < 0 ||
        epoll_ctl(r.epoll_fd, EPOLL_CTL_ADD, r.deadlines.fd, &alarm) < 0 ||
        watch(&r, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN, server) < 0) {
        fprintf(stderr, "%s: no epoll: %s\n", server->name, strerror(errno));
        return 1;
    }
    fcntl(server->listen_fd, F_SETFL, O_NONBLOCK);
    if (start_workers(server, work, &r) < 0)
        return 1;
    server_ready(server);
    while (!stop_requested || atomic_load(&server->clients))
        react(&r);
    return 0;
}

const struct model model = {.name = "reactor-pool", .workers = 16, .run = run};
