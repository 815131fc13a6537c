#include "switches/ring.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

int reason_set(struct reason *reason, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(reason->text, sizeof reason->text, format, values);
    va_end(values);
    return -1;
}

/* Address space alone; every process of a ring gets pages of its own. No huge pages: one would
 * hold the sets of several threads, but only one process's. */
static char *map_working_sets(const struct ring_wish *w)
{
    size_t bytes = w->tasks * w->working_bytes;
    char *sets = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sets == MAP_FAILED)
        return NULL;
    madvise(sets, bytes, MADV_NOHUGEPAGE);
    return sets;
}

void *ring_allocate(const struct ring_kind *kind, const struct ring_wish *wish, size_t size,
                    struct reason *reason)
{
    struct ring *r = calloc(1, size);
    char *sets = wish->working_bytes ? map_working_sets(wish) : NULL;
    if (!r || (wish->working_bytes && !sets)) {
        free(r);
        reason_set(reason, "memory for %u tasks: %s", wish->tasks, strerror(errno));
        return NULL;
    }
    r->kind = kind;
    r->wish = *wish;
    r->working_sets = sets;
    return r;
}

void ring_release(struct ring *r)
{
    if (r->working_sets)
        munmap(r->working_sets, r->wish.tasks * r->wish.working_bytes);
    free(r);
}

struct ring *ring_build(const struct ring_kind *kind, const struct ring_wish *wish,
                        struct reason *reason)
{
    return kind->build(wish, reason);
}

void ring_free(struct ring *r)
{
    r->kind->free(r);
}

struct census census_of(int who)
{
    struct rusage usage = {0};
    getrusage(who, &usage);
    return (struct census){.voluntary = (uint64_t)usage.ru_nvcsw,
                           .involuntary = (uint64_t)usage.ru_nivcsw};
}

/* --- measuring -------------------------------------------------------------------------------- */

uint64_t whole_laps(unsigned tasks, double ns_per_hop, uint64_t target_ns)
{
    double laps = (double)target_ns / (ns_per_hop * tasks);
    return tasks * (laps < 1 ? 1 : (uint64_t)laps);
}

static double run(struct ring *r, const struct order *o, uint64_t hops)
{
    r->relay->hops = hops;
    r->relay->turns = 0;
    r->relay->working_bytes = o->working_bytes;
    r->kind->run(r, o);
    return (double)(r->relay->end_ns - r->relay->begin_ns) / (double)hops;
}

void ring_lap(struct ring *r)
{
    static const struct order plain = {0};
    run(r, &plain, r->wish.tasks);
}

int ring_measure(struct ring *r, const struct order *o, uint64_t target_ns, struct passage *passage,
                 struct reason *reason)
{
    enum { WARMING_HOPS = 256 };
    unsigned tasks = r->wish.tasks;
    if (o->across && r->wish.cpus[1] < 0)
        return reason_set(reason, "this process may use one CPU only");
    if (o->io && *r->no_io.text)
        return reason_set(reason, "%s", r->no_io.text);
    double ns_per_hop = run(r, o, tasks); /* pages are touched for the first time */
    if (tasks < WARMING_HOPS)
        ns_per_hop = run(r, o, whole_laps(tasks, 1, WARMING_HOPS));
    struct census before = r->kind->count(r, o);
    passage->hops = whole_laps(tasks, ns_per_hop, target_ns);
    passage->ns_per_hop = run(r, o, passage->hops);
    struct census after = r->kind->count(r, o);
    double turns = (double)(after.turns - before.turns);
    passage->voluntary_per_turn = (double)(after.voluntary - before.voluntary) / turns;
    passage->involuntary_per_turn = (double)(after.involuntary - before.involuntary) / turns;
    return 0;
}
