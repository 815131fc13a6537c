/* The kernel's memory for the TCP sockets on one local port, whoever owns them.
 * Uses the sock_diag netlink interface, which needs no privilege, and
 * /proc/slabinfo, which does. Knows nothing of processes. */
#ifndef LOADGEN_PROBE_SOCKETS_H
#define LOADGEN_PROBE_SOCKETS_H

#include <stdint.h>

struct socket_memory {
    int64_t count; /* connections and the listening socket; not those in TIME-WAIT */
    int64_t bytes; /* data in both directions, and memory reserved for more */
};

/* 0, or -1 with errno. */
int sockets_read(uint16_t port, struct socket_memory *);

/* Of one open TCP connection: the socket, and the inode, directory entry and
 * file that make it a descriptor. -1: /proc/slabinfo cannot be read (it is for
 * root), or its caches bear other names. */
int64_t sockets_struct_bytes(void);

#endif
