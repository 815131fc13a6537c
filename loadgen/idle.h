/* Idle connections: opened before the load and left alone until its end. They
 * cost the server memory, and that is what they are for. */
#ifndef LOADGEN_IDLE_H
#define LOADGEN_IDLE_H

#include "common/address.h"

#include <stdbool.h>
#include <stdint.h>

struct idle_clients {
    unsigned wanted, established;
    int *fds;
};

/* Opens `count` of them, in batches, until all are established, `patience_ns` has passed, or *stop
 * is set. Fewer than wanted is for the report to say. 0, or -1 when memory is short. */
int idle_open(struct idle_clients *, const struct address *to, unsigned count, uint64_t patience_ns,
              const volatile bool *stop);

/* How many the server has not closed since. */
unsigned idle_still_open(const struct idle_clients *);

void idle_close(struct idle_clients *);

#endif
