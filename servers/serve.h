/* Straight-line serving: what the models share that give each connection a flow of control.
 *
 * One client is served from its first byte to its last by code that simply
 * blocks. Which thread runs it, and how many there are, is the model's affair. */
#ifndef SERVERS_SERVE_H
#define SERVERS_SERVE_H

#include "servers/model.h"

/* Waits for a client, and for a free place first when their number is limited.
 * Its descriptor, or -1 when the server is to stop. */
int accept_client(struct server *);

/* Serves the client until its connection is closed, and gives its place back. */
void serve_client(struct server *, int fd);

/* A detached thread with the server's stack size. 0 or an errno. */
int start_thread(const struct server *, void *(*run)(void *), void *argument);

/* Waits a moment, when there is too little of something to take another client. */
void pause_accepting(void);

/* After the last accept: waits until every client accepted has been served. A stop bounds it. */
void wait_for_clients(struct server *);

#endif
