/* The search for the capacity, put to a session: each window is a load on its server. */
#ifndef LOADGEN_FIND_H
#define LOADGEN_FIND_H

struct session;

/* Searches by the options of the session. What is found stands in its `capacity`, and its run has
 * the figures of the last window. */
void find_capacity(struct session *);

#endif
