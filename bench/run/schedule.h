/* Which block is measured next.
 *
 * Arithmetic alone: knows nothing of processes, folders and the clock. */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

/* What is known of a point. */
struct prospect {
    unsigned blocks;   /* measured with every model */
    double block_s;    /* seconds that a further block is expected to take */
    double half_width; /* of the intervals of its main figure, relative, mean over models; NaN:
                          there are none yet */
    bool precise;      /* every one of them is narrow enough */
};

/* The place of the point that comes next; `count`: none is needed, or none fits into `left_s`.
 *
 * Every point gets one block before any gets two, and so on until each has `least`: fewer give a
 * median no exact interval. Then it is the point whose intervals are expected to shrink most for
 * each second that a block of it takes: they shrink with the square root of the number of blocks.
 * No point gets more than `most`. */
size_t schedule_next(const struct prospect *, size_t count, double left_s, unsigned least,
                     unsigned most);

#endif
