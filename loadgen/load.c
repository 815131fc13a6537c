#include "loadgen/load.h"

#include "common/clock.h"

#include <err.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How often somebody looks at what goes on. */
#define LOOK_GAP_NS (50 * NS_PER_MS)

/* The time between "all threads started" and the first request. */
#define START_DELAY_NS (2 * NS_PER_MS)

void load_start(struct load *l, const struct options *o, const struct mix *mix,
                const struct address *target, uint64_t extra_ns, const volatile bool *stop)
{
    *l = (struct load){.options = o, .stop = stop, .utilisation = NAN};
    l->workers = calloc(o->threads, sizeof *l->workers);
    if (!l->workers)
        err(1, "%u threads", o->threads);
    for (unsigned i = 0; i < o->threads; i++)
        if (!(l->workers[i] = worker_new(o, mix, target, i)))
            errx(1, "not enough memory for %u connections", o->connections);
    struct run_times *t = &l->times;
    t->start_ns = clock_now_ns() + START_DELAY_NS;
    t->window_begin_ns = t->start_ns + o->warmup_ns;
    t->window_middle_ns = t->window_begin_ns + o->duration_ns / 2;
    t->window_end_ns = t->window_begin_ns + o->duration_ns;
    t->end_ns = t->window_end_ns + extra_ns;
    for (unsigned i = 0; i < o->threads; i++) {
        int error = worker_start(l->workers[i], t);
        if (error)
            errx(1, "cannot start generator thread %u: %s", i + 1, strerror(error));
    }
}

static void sleep_until(const struct load *l, uint64_t at_ns)
{
    struct timespec at = timespec_of_ns(at_ns);
    while (!*l->stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

bool load_wait_until(const struct load *l, uint64_t until_ns, bool (*look)(void *), void *argument)
{
    uint64_t now_ns;
    while (!*l->stop && (now_ns = clock_now_ns()) < until_ns) {
        uint64_t next_ns = now_ns + LOOK_GAP_NS;
        if (next_ns < until_ns && !look(argument))
            return false;
        sleep_until(l, next_ns < until_ns ? next_ns : until_ns);
    }
    return true;
}

uint64_t load_completed(const struct load *l)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < l->options->threads; i++)
        sum += worker_progress(l->workers[i]);
    return sum;
}

uint64_t load_outstanding(const struct load *l)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < l->options->threads; i++)
        sum += worker_outstanding(l->workers[i]);
    return sum;
}

void load_cut_short(struct load *l)
{
    for (unsigned i = 0; i < l->options->threads; i++)
        worker_interrupt(l->workers[i]);
}

void load_gather(struct load *l)
{
    uint64_t busiest_ns = 0;
    if (tally_init(&l->tally) < 0)
        errx(1, "not enough memory for the result");
    for (unsigned i = 0; i < l->options->threads; i++) {
        worker_wait_measured(l->workers[i]);
        tally_merge(&l->tally, worker_tally(l->workers[i]));
        uint64_t cpu_ns = worker_cpu_ns(l->workers[i]);
        busiest_ns = cpu_ns > busiest_ns ? cpu_ns : busiest_ns;
    }
    uint64_t window_ns = worker_window_ns(l->workers[0]);
    l->window_s = (double)window_ns / 1e9;
    l->utilisation = window_ns ? (double)busiest_ns / (double)window_ns : NAN;
}

void load_end(struct load *l)
{
    for (unsigned i = 0; i < l->options->threads; i++)
        worker_release_and_join(l->workers[i]);
}

int load_write_timeline(const struct load *l, FILE *file)
{
    struct timeline **all = calloc(l->options->threads, sizeof(struct timeline *));
    for (unsigned i = 0; all && i < l->options->threads; i++)
        all[i] = worker_timeline(l->workers[i]);
    int result =
        all ? timeline_write(all, l->options->threads, worker_window_ns(l->workers[0]), file) : -1;
    free(all);
    return result;
}

void load_free(struct load *l)
{
    for (unsigned i = 0; l->workers && i < l->options->threads; i++)
        worker_free(l->workers[i]);
    free(l->workers);
    tally_free(&l->tally);
    *l = (struct load){.workers = NULL};
}
