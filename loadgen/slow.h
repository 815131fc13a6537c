/* Slow clients: beside the measured connections, some that send their request a
 * byte at a time and read 1 KiB/s, as over a bad line or with bad intent. They
 * are counted apart, and are in no distribution. */
#ifndef LOADGEN_SLOW_H
#define LOADGEN_SLOW_H

#include "common/deadlines.h"
#include "loadgen/dial.h"
#include "loadgen/options.h"
#include "loadgen/requests.h"

#include <stdbool.h>
#include <stdint.h>

/* One byte of a request is sent, or the share of 1 KiB/s is read, at each step. */
#define SLOW_STEP_NS (100 * 1000000ull)
enum { SLOW_READ_BYTES = 102 };

struct slow_clients;

/* `count` of them, on the thread's loop and deadlines. NULL when memory is short. */
struct slow_clients *slow_clients_new(struct deadlines *, struct dialler *, const struct options *,
                                      const struct mix *, unsigned count, unsigned index);
void slow_clients_free(struct slow_clients *);

/* Their first steps are spread over one step's time. */
void slow_clients_start(struct slow_clients *, uint64_t now_ns);

/* Takes a step if the deadline is one of theirs. */
bool slow_clients_expired(struct slow_clients *, struct deadline *, uint64_t now_ns);

/* Count from now on, or no longer. */
void slow_clients_measure(struct slow_clients *, bool on);
void slow_clients_count(const struct slow_clients *, uint64_t *completed, uint64_t *errors);

#endif
