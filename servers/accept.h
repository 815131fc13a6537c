/* Accepting one client: the one system call, and what its failures mean, alike in every model. */
#ifndef SERVERS_ACCEPT_H
#define SERVERS_ACCEPT_H

#include "common/clock.h"
#include "servers/model.h"

enum {
    ACCEPT_NOBODY = -1, /* nobody is there, or was; or the server stops */
    ACCEPT_SHORT = -2,  /* short of descriptors or memory: try again after ACCEPT_PAUSE_NS */
};
#define ACCEPT_PAUSE_NS (50 * NS_PER_MS)

/* A client's descriptor, with `flags` as in accept4(2), or one of the above. The first time that
 * the server runs short, it says so on standard error. */
int accept_one(struct server *, int flags);

#endif
