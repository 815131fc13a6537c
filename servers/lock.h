/* The server-wide lock of /work?lock_us=: one for all threads and all processes of a server.
 *
 * It lies in memory that forked processes share with their parent. A process that dies while it
 * holds the lock leaves it to the next one: nothing that the lock protects can be half done. */
#ifndef SERVERS_LOCK_H
#define SERVERS_LOCK_H

#include <pthread.h>

/* For the life of the server. NULL with errno when there is no memory. */
pthread_mutex_t *lock_new(void);

void lock_take(pthread_mutex_t *);
void lock_release(pthread_mutex_t *);

#endif
