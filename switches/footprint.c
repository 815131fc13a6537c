#include "switches/footprint.h"

#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* None first, so that what freed memory the allocators keep is theirs before the next step. */
enum { STEPS = 5 };

struct steps {
    double tasks[STEPS], bytes[MEMORY_PARTS][STEPS];
};

static void note(struct steps *s, size_t step, unsigned tasks, struct memory m)
{
    s->tasks[step] = tasks;
    for (size_t part = 0; part < MEMORY_PARTS; part++)
        s->bytes[part][step] = m.bytes[part];
}

static void fit(const struct steps *s, struct footprint *f)
{
    double base, slope, unused[4];
    for (size_t part = 0; part < MEMORY_PARTS; part++) {
        gsl_fit_linear(s->tasks, 1, s->bytes[part], 1, STEPS, &base, &slope, &unused[0], &unused[1],
                       &unused[2], &unused[3]);
        f->bytes[part] = slope;
        if (isnan(slope))
            reason_set(&f->reasons[part], "%s cannot be read", memory_sources[part].source);
    }
}

static unsigned tasks_at(size_t step, unsigned most)
{
    return (unsigned)(most * step / (STEPS - 1));
}

static struct memory memory_of_ring(const struct ring *r, pid_t *ids)
{
    unsigned children = r->kind->child ? r->wish.tasks : 0;
    for (unsigned i = 0; i < children; i++)
        ids[i] = r->kind->child(r, i);
    return memory_now(ids, children);
}

static int measure_ring(const struct ring_kind *kind, const struct ring_wish *wish, pid_t *ids,
                        struct memory *m, struct reason *reason)
{
    struct ring *r = ring_build(kind, wish, reason);
    if (!r)
        return -1;
    ring_lap(r);
    *m = memory_of_ring(r, ids);
    ring_free(r);
    return 0;
}

int footprint_of_tasks(const struct ring_kind *kind, const struct ring_wish *wish,
                       struct footprint *f, struct reason *reason)
{
    struct steps steps;
    struct memory m = memory_now(NULL, 0);
    pid_t *ids = calloc(wish->tasks, sizeof *ids);
    int result = 0;
    if (!ids)
        return reason_set(reason, "no memory for %u tasks", wish->tasks);
    note(&steps, 0, 0, m);
    for (size_t step = 1; step < STEPS && result == 0; step++) {
        struct ring_wish some = *wish;
        some.tasks = tasks_at(step, wish->tasks);
        result = measure_ring(kind, &some, ids, &m, reason);
        note(&steps, step, some.tasks, m);
    }
    free(ids);
    *f = (struct footprint){.most = wish->tasks};
    if (result == 0)
        fit(&steps, f);
    return result;
}

int footprint_of_records(size_t bytes, unsigned most, struct footprint *f, struct reason *reason)
{
    struct steps steps;
    void **records = calloc(most, sizeof *records);
    if (!records)
        return reason_set(reason, "no memory for %u records", most);
    for (unsigned i = 0; i < most; i++)
        records[i] = NULL; /* its pages are there before the first step */
    note(&steps, 0, 0, memory_now(NULL, 0));
    unsigned count = 0;
    for (size_t step = 1; step < STEPS; step++) {
        for (; count < tasks_at(step, most); count++)
            if ((records[count] = malloc(bytes)))
                memset(records[count], 1, bytes);
        note(&steps, step, count, memory_now(NULL, 0));
    }
    for (unsigned i = 0; i < most; i++)
        free(records[i]);
    free(records);
    *f = (struct footprint){.most = most};
    fit(&steps, f);
    return 0;
}
