/* Accepting one client: its place, the one system call, and what failures mean, alike in every
 * model. */
#ifndef SERVERS_ACCEPT_H
#define SERVERS_ACCEPT_H

#include "common/clock.h"
#include "servers/model.h"

enum {
    ACCEPT_NOBODY = -1, /* nobody is there, or was; or the server stops */
    ACCEPT_SHORT = -2,  /* short of descriptors or memory: try again after ACCEPT_PAUSE_NS */
};
/* How many clients a loop accepts before those already here get their turn. */
enum { ACCEPT_BATCH = 64 };
#define ACCEPT_PAUSE_NS (50 * NS_PER_MS)

/* A client's descriptor, with `flags` as in accept4(2), or one of the above. The first time that
 * the server runs short, it says so on standard error. */
int accept_one(struct server *, int listen_fd, int flags);
/* Which of the above it means that accepting failed with this errno. */
int accept_failed(struct server *, int error);

/* The place that a client takes where their number is limited. Try returns at once; await waits
 * until there is one, and returns false when the server is to stop. Where there is no limit, there
 * always is a place. */
bool place_try(struct server *);
bool place_await(struct server *);
void place_give(struct server *);

#endif
