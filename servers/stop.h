/* Stopping: SIGTERM or SIGINT ends accepting, and lets what is in flight finish.
 *
 * Every model waits in a different system call, and all of them must notice.
 * The signal handler therefore speaks to the sockets: it shuts every listening
 * socket down, so that accept fails in whatever way it is waited for, and the
 * receiving side of every connection, so that what waits for a next request
 * sees its end. shutdown(2) is async-signal-safe, and unlike EINTR it cannot
 * come a moment too early. A signal handler has no argument to find the
 * sockets by: hence the one table of descriptors here. */
#ifndef SERVERS_STOP_H
#define SERVERS_STOP_H

#include <stdatomic.h>

/* After that long, what is still in flight is abandoned. */
enum { STOP_GRACE_S = 5 };

/* Read by every thread, written by the signal handler: lock-free, so both may. */
extern atomic_int stop_requested;

/* SIGTERM and SIGINT stop this server from now on; a second one ends it at once. */
void stop_install(void);

/* In a process just forked, with both signals blocked. It watches nothing yet, and a second signal
 * means no more than the first: its parent sends one, and so may whoever stops the whole process
 * group (a terminal's ^C does). */
void stop_in_child(void);

/* While watched, a listening socket is shut down by a stop, and a connection's receiving side is
 * (also by a stop that came before). */
void stop_watch_listening(int fd);
void stop_watch(int fd);
void stop_unwatch(int fd);

#endif
