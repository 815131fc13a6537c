/* A connection and its socket: the system calls that every model makes alike.
 *
 * One call here is one attempt: on a non-blocking socket it returns at once, on
 * a blocking one it waits as long as the socket's own time limits let it. When
 * to call which is the model's decision, and the only one it has. */
#ifndef SERVERS_CHANNEL_H
#define SERVERS_CHANNEL_H

#include "servers/model.h"

struct channel {
    struct server *server;
    struct connection *connection;
    int fd;
    int file_fd; /* what is being sent from; -1: none */
};

/* Takes over an accepted descriptor. On failure (no memory) it is closed, and false returned. */
bool channel_open(struct channel *, struct server *, int fd);
void channel_close(struct channel *);

/* connection_interest, with what needs no waiting (opening a file, shutting the sending
 * side down) already done: only READABLE, WRITABLE, LOCK, BACKEND, CLOSE and a deadline are left.
 */
struct interest channel_interest(struct channel *);

/* Where bytes are received. The connection is done with them before channel_receive returns, so
 * that all connections of a thread can share it; of one on the stack, only the pages that the
 * kernel writes to are ever touched. */
struct receive_room {
    char bytes[16 * 1024];
};

/* One recv(2) or one send. false: nothing moved, because the socket was not ready (or, if it
 * blocks, because its time limit passed). Errors and the client's end are reported to the
 * connection, and count as progress. */
bool channel_receive(struct channel *, struct receive_room *);
bool channel_send(struct channel *);

/* The work under the server-wide lock. Waits for the mutex if another thread or process holds it.
 */
void channel_locked(struct channel *);

#endif
