/* Deadlines in a libev loop: more precise than the loop's own timers (see common/deadlines.h). */
#ifndef SERVERS_TIMERS_H
#define SERVERS_TIMERS_H

#include "common/deadlines.h"

#include <ev.h>

struct timers {
    struct deadlines deadlines; /* to be set and cancelled at any time */
    ev_io alarm;
    ev_prepare before_wait;
    void (*rung)(void *data, struct deadline *); /* each that has come; it is no longer set */
    void *data;
};

/* 0, or -1 with errno. */
int timers_start(struct timers *, struct ev_loop *, void (*rung)(void *, struct deadline *),
                 void *data);
void timers_stop(struct timers *, struct ev_loop *);

#endif
