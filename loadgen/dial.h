/* Opening connections, many of them and quickly, without running out of ports.
 *
 * A connection is known by four numbers, and three of them are the same for all
 * connections from one address to one server: some 28,000 ports are all there
 * is (ip(7), ip_local_port_range). On loopback there are 2^24 addresses to
 * connect from, so after every few hundred connections another one is used. */
#ifndef LOADGEN_DIAL_H
#define LOADGEN_DIAL_H

#include "common/address.h"

#include <stdint.h>

struct dialler {
    struct address to;
    uint32_t dialled;
    uint32_t first_source; /* so that threads begin at different addresses */
};

void dialler_init(struct dialler *, const struct address *to, unsigned index);

/* Begins a non-blocking connect. `receive_bytes` limits the receive buffer (0: as the system
 * likes). The descriptor, or -1 with errno. */
int dial(struct dialler *, int receive_bytes);

#endif
