/* How long a blocking socket blocks. */
#ifndef SERVERS_TIME_LIMIT_H
#define SERVERS_TIME_LIMIT_H

#include <stdint.h>

/* Lets recv or send (`option`: SO_RCVTIMEO, SO_SNDTIMEO) block no longer than to the deadline.
 * `limit_ns` is what was last set on this socket, 0 at first.
 *
 * Setting it is a system call, and the usual wait (for the next request) always has nearly
 * the same one: a limit that is off by up to a sixteenth is left as it is. Waking too early
 * is harmless, and then it is set anew. */
void limit_blocking(int fd, int option, uint64_t *limit_ns, uint64_t deadline_ns);

#endif
