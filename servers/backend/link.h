/* A socket to Redis, and the conversation on it.
 *
 * It connects when it is first asked, and again after a failure, though not at
 * once: in between every query fails immediately, so that a dead backend costs
 * its clients nothing but the answer that it is dead. How long an asker waits
 * is the asker's affair (redis_query_give_up).
 *
 * In a loop the socket does not block, and the queries of many clients are under
 * way on it. Whoever owns the loop does this before each wait:
 *
 *     link_flush                     what was asked in this turn goes out in one piece
 *     wait for link_events on fd     link->opened tells one socket from the next
 *     link_ready                     when they have come
 *
 * A thread has one of its own, which blocks: link_of_thread, link_converse. */
#ifndef SERVERS_BACKEND_LINK_H
#define SERVERS_BACKEND_LINK_H

#include "common/address.h"
#include "servers/backend/redis.h"

struct backend_link {
    const struct address *address; /* NULL: there is no backend */
    struct redis redis;
    int fd;          /* -1: closed */
    unsigned opened; /* how often */
    bool blocks;
    bool is_connecting;
    uint64_t retry_ns;         /* it is not opened again before this */
    uint64_t receive_limit_ns; /* as last set on a socket that blocks; 0: none */
};

/* `address` must outlive it. */
void link_init(struct backend_link *, const struct address *address);
void link_close(struct backend_link *);

/* Puts the query under way: its `done` will be called, though never from here. false: it fails. */
bool link_ask(struct backend_link *, struct redis_query *);

/* Sends what can be sent. */
void link_flush(struct backend_link *);

/* What the socket is to be waited for: POLLIN, POLLOUT, both. */
short link_events(const struct backend_link *);

/* The socket is ready for any of these, or has failed. */
void link_ready(struct backend_link *);

/* The calling thread's own, which lives as long as the thread. NULL: no memory. A process that
 * forks must not have asked for it before: parent and child would share a socket. */
struct backend_link *link_of_thread(const struct address *address);

/* Asks, and blocks until the query is done or the deadline has come. It need not have been
 * answered then. */
void link_converse(struct backend_link *, struct redis_query *, uint64_t deadline_ns);

#endif
