/* Straight-line serving: what the models share that give each connection a flow of control.
 *
 * One client is served from its first byte to its last by code that reads as
 * if it had nothing else to do. A flow of control is whatever runs it: a thread
 * or process, which blocks in the kernel, or a coroutine, which steps aside.
 * They differ in one function: how to wait. Which flow there is, and how many,
 * is the model's affair. */
#ifndef SERVERS_SERVE_H
#define SERVERS_SERVE_H

#include "servers/channel.h"
#include "servers/model.h"

struct flow {
    /* Waits until one of the interests (READABLE, WRITABLE or none) is met or the deadline has
     * come, and acts on it. false: nothing moved, the deadline may have come. */
    bool (*act)(struct flow *, struct channel *, struct interest);
    /* Has the backend asked by the deadline, and the connection told when it is answered; if not
     * at once, `act` waits for that. */
    void (*ask)(struct flow *, struct channel *, uint64_t deadline_ns);
};

/* Serves until the connection is to be closed, or wants `until` and nothing else (INTEREST_CLOSE:
 * only the former). What it wants then. */
struct interest serve(struct channel *, struct flow *, unsigned until);

/* A flow that blocks in the kernel: the socket is a blocking one, and waits no longer than the time
 * limit it was given. */
struct blocking_flow {
    struct flow flow;
    uint64_t receive_limit_ns, send_limit_ns; /* as last set on the socket; 0: none */
};
struct blocking_flow blocking_flow(void);

/* Waits for a client, and for a free place first when their number is limited.
 * Its descriptor, or -1 when the server is to stop. Several threads may do so. */
int accept_client(struct server *);

/* Serves the client, blocking, until its connection is closed, and gives its place back. */
void serve_client(struct server *, int fd);

/* A thread with the server's stack size, to be joined by `thread`, or detached if that is NULL. 0
 * or an errno. */
int start_thread(const struct server *, pthread_t *thread, void *(*run)(void *), void *argument);

/* Starts as many as there are workers. -1: one could not be started, which is said. */
int start_workers(const struct server *, void *(*run)(void *), void *argument);

/* Waits a moment, when there is too little of something to take another client. */
void pause_accepting(void);

/* The client is no longer here: its place is free. */
void client_gone(struct server *);

/* At a stop: waits until nobody accepts, and every client accepted has been served. The stop bounds
 * it. */
void wait_for_clients(struct server *);

#endif
