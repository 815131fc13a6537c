/* A loop that waits for many clients at once: what libev is asked to do for event-driven models.
 *
 * It accepts, and it wakes whoever's socket is ready, whose deadline has come or
 * whose query is answered by the backend: one connection to that serves them all.
 * What to do then it does not know: that is the business of callbacks
 * (event_loop.c) or of coroutines (models/coroutine.c). */
#ifndef SERVERS_LOOP_H
#define SERVERS_LOOP_H

#include "servers/backend/link.h"
#include "servers/channel.h"
#include "servers/timers.h"

#include <ev.h>

struct waiter;

struct loop {
    struct server *server;
    struct ev_loop *ev;
    struct timers timers;
    int listen_fd;
    ev_io listening;
    struct deadline resume; /* accepting, after a pause */
    unsigned clients;
    struct backend_link link;
    unsigned link_watched; /* which of its sockets, by link.opened */
    ev_io backend;
    ev_prepare before_wait;
    struct receive_room room; /* of all clients: they receive one after the other */
    /* Takes an accepted client over, whose socket does not block. false, the socket closed: there
     * is no memory for it. When it leaves, waiter_gone is to be called. */
    bool (*open)(struct loop *, int fd);
    /* The interests that are met (BACKEND: the query is done); 0: the deadline has come. The waiter
     * may be gone afterwards. */
    void (*wake)(struct waiter *, unsigned met);
};

/* One client's waiting. Embed it in what it belongs to. */
struct waiter {
    struct deadline deadline; /* first: what rings is its waiter */
    struct loop *loop;
    ev_io io;
    unsigned wanted; /* the set of interests it waits for */
};

/* A loop that takes clients from `listen_fd` and waits by libev's `backend` (EVBACKEND_EPOLL, …).
 * `open` and `wake` are set by the caller. 0, or -1 having said on standard error what failed. */
int loop_start(struct loop *, struct server *, int listen_fd, unsigned backend);

/* Serves until stop_requested, and the clients that are left; then lets everything go. */
void loop_run(struct loop *);

void waiter_start(struct waiter *, struct loop *, int fd);
/* Waits for the interests (READABLE, WRITABLE) and the deadline. -1: no memory. */
int waiter_wait(struct waiter *, struct interest);
/* Asks the backend what the connection wants to know. Its waiter is woken when that is done; if it
 * cannot be asked, the connection is told at once. */
void waiter_ask(struct waiter *, struct connection *);
/* Its client is to be closed: its place is free. */
void waiter_gone(struct waiter *);

#endif
