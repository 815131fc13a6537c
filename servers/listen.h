/* Listening: the server's address, bound once or, where each loop has a queue of clients of its
 * own, several times. Knows nothing of accepting. */
#ifndef SERVERS_LISTEN_H
#define SERVERS_LISTEN_H

#include <stdbool.h>

/* A socket that listens on ADDR:PORT; with `shared`, listen_beside may add others (socket(7),
 * SO_REUSEPORT). Exits with 1 and a message where that is not possible. */
int listen_on(const char *where, unsigned backlog, bool shared);

/* Another socket on the address of one that is shared: the kernel divides new clients among them by
 * a hash of their addresses. -1 with errno. */
int listen_beside(int listen_fd, unsigned backlog);

#endif
