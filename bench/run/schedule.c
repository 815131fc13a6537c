#include "bench/run/schedule.h"

#include <math.h>

static bool is_wanted(const struct prospect *p, double left_s, unsigned least, unsigned most)
{
    bool is_enough = p->blocks >= least && p->precise;
    return !is_enough && p->blocks < most && p->block_s <= left_s;
}

/* By how much a further block is expected to narrow the intervals, per second. */
static double gain_of(const struct prospect *p)
{
    double blocks = (double)p->blocks;
    double half_width = isnan(p->half_width) ? 1 : p->half_width;
    return half_width * (1 - sqrt(blocks / (blocks + 1))) / p->block_s;
}

static bool is_before(const struct prospect *a, const struct prospect *b, unsigned least)
{
    if (a->blocks < least || b->blocks < least)
        return a->blocks < b->blocks;
    return gain_of(a) > gain_of(b);
}

size_t schedule_next(const struct prospect *p, size_t count, double left_s, unsigned least,
                     unsigned most)
{
    size_t next = count;
    for (size_t i = 0; i < count; i++)
        if (is_wanted(&p[i], left_s, least, most) &&
            (next == count || is_before(&p[i], &p[next], least)))
            next = i;
    return next;
}
