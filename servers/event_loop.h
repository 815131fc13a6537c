/* Event-driven serving: what the models share that serve all their clients from a loop.
 *
 * No call on a client's socket blocks. A client that must wait is put aside and
 * the loop turns to the next one that is ready. Switch points: the return to
 * the loop, and nothing else; between two of them nothing interrupts the code,
 * and nobody else of this loop is served. How many loops there are, and who
 * runs them, is the model's affair. */
#ifndef SERVERS_EVENT_LOOP_H
#define SERVERS_EVENT_LOOP_H

#include "servers/loop.h"

/* As loop_start, for a loop that serves its clients; loop_run runs it. */
int event_loop_start(struct loop *, struct server *, int listen_fd, unsigned backend);

#endif
