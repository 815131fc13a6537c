/* Pipes between neighbours, for rings whose tasks share one table of descriptors. */
#ifndef SWITCHES_PIPES_H
#define SWITCHES_PIPES_H

#include "switches/ring.h"

struct pipe {
    int in, out; /* to read from, to write to */
};

/* A byte that nobody looks at. Ends the program when that fails, for nothing is right then. */
void pipe_send(int out);
void pipe_receive(int in);

/* `count` pipes, task i's own at [i]; NULL with a reason. */
struct pipe *pipes_open(unsigned count, struct reason *);
void pipes_close(struct pipe *, unsigned count);

#endif
