/* How much memory a task of a kind takes: several numbers of waiting tasks, and the slope. */
#ifndef SWITCHES_FOOTPRINT_H
#define SWITCHES_FOOTPRINT_H

#include "switches/memory.h"
#include "switches/ring.h"

/* Bytes per task, and for each part that is NaN the reason. */
struct footprint {
    unsigned most; /* tasks at once */
    double bytes[MEMORY_PARTS];
    struct reason reasons[MEMORY_PARTS];
};

/* Of a ring's tasks, none to `wish.tasks` at once. 0, or -1 with a reason. */
int footprint_of_tasks(const struct ring_kind *, const struct ring_wish *, struct footprint *,
                       struct reason *);

/* Of records of `bytes` bytes, none to `most` at once. */
int footprint_of_records(size_t bytes, unsigned most, struct footprint *, struct reason *);

#endif
