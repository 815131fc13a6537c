/* Event-driven serving: what the models share that put all their clients into a loop.
 *
 * No call on a client's socket blocks. A client that must wait is put aside and
 * the loop turns to the next one that is ready. Switch points: the return to
 * the loop, and nothing else; between two of them nothing interrupts the code,
 * and nobody else of this loop is served. How many loops there are, who runs
 * them, and by which interface of the kernel they wait is the model's affair. */
#ifndef SERVERS_EVENT_LOOP_H
#define SERVERS_EVENT_LOOP_H

#include "servers/model.h"

struct event_loop;

/* A loop that takes clients from `listen_fd` and waits by libev's `backend` (EVBACKEND_EPOLL, …).
 * NULL, having said on standard error what failed. */
struct event_loop *event_loop_new(struct server *, int listen_fd, unsigned backend);
void event_loop_free(struct event_loop *);

/* Serves until stop_requested, and the clients that are left. */
void event_loop_run(struct event_loop *);

#endif
