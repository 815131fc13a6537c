/* A server's child processes: forked, listed, reaped, and ended with their parent.
 *
 * The parent alone keeps account of them, so whatever a child stood for (a client, a worker) is
 * given back when it has ended, however it ended. Knows nothing of clients or models. */
#ifndef SERVERS_PROCESSES_H
#define SERVERS_PROCESSES_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct processes {
    const char *name; /* for messages: "server-fork" */
    pid_t *pids;      /* of the children that have not been reaped */
    size_t count, room;
    sigset_t unblocked; /* the signals that may interrupt processes_wait, and it alone */
};

/* From here to processes_end, what ends a wait (a child's end, a stop) is held back while the
 * parent does not wait, and so cannot come a moment too early. `name` must live as long. */
void processes_init(struct processes *, const char *name);

/* fork(2): 0 in the child, in the parent its pid, or -1 with errno. A child that is done calls
 * _exit. It dies with its parent, and a stop means to it what stop_in_child says. */
pid_t processes_fork(struct processes *);

/* Waits until `listen_fd` has a client (-1: no matter), a child ended, a stop was requested, or
 * the deadline has come. Children that ended are reaped; one that failed is named on standard
 * error. true: there is a client. */
bool processes_wait(struct processes *, int listen_fd, uint64_t deadline_ns);

/* Tells all children to stop, as a stop does: see processes_join. */
void processes_stop(struct processes *);

/* After processes_stop: waits until all have ended. The stop's grace bounds it. */
void processes_join(struct processes *);

#endif
