#include "loadgen/find.h"

#include "common/clock.h"
#include "loadgen/capacity_report.h"
#include "loadgen/probe_sockets.h"
#include "loadgen/session.h"

#include <err.h>
#include <time.h>

/* How long a server may take to give up the connections of a step. */
#define DRAIN_MOST_NS (5 * NS_PER_S)
/* The look at the sockets walks the kernel's whole table of connections: less and less often. */
#define DRAIN_LOOK_GAP_NS (1 * NS_PER_MS)
#define DRAIN_LOOK_GAP_MOST_NS (100 * NS_PER_MS)

/* A search goes no lower than to a rate at which a step has so many requests, and no higher than
 * this: beyond, it is not a server's capacity that is measured. */
enum { STEP_LEAST_REQUESTS = 10 };
static const double CEILING_RPS = 1e7;

/* A quantile is worth something when that many requests lie beyond it. */
enum { QUANTILE_LEAST_BEYOND = 10 };

struct finder {
    struct session *session;
    char doing[64];
    int64_t sockets_before; /* on the server's port, before the first load */
    bool warned;
};

static int64_t sockets_of_server(const struct session *s)
{
    struct socket_memory sockets;
    return sockets_read(s->port, &sockets) < 0 ? 0 : sockets.count;
}

/* The connections of the load before are closed, but the server may not have noticed, and still
 * work for them. When it is done with one, its socket is gone. */
static void await_drained(struct finder *f)
{
    struct session *s = f->session;
    uint64_t until_ns = clock_now_ns() + DRAIN_MOST_NS, gap_ns = DRAIN_LOOK_GAP_NS;
    while (!*s->stop && sockets_of_server(s) > f->sockets_before) {
        if (clock_now_ns() > until_ns) {
            if (!f->warned)
                run_warn(&s->run,
                         "the server kept connections open for %g s after they were closed",
                         (double)DRAIN_MOST_NS / 1e9);
            f->warned = true;
            f->sockets_before = sockets_of_server(s); /* so it will the next time */
            return;
        }
        struct timespec gap = timespec_of_ns(gap_ns);
        nanosleep(&gap, NULL);
        gap_ns = gap_ns < DRAIN_LOOK_GAP_MOST_NS / 2 ? 2 * gap_ns : DRAIN_LOOK_GAP_MOST_NS;
    }
}

/* Every step has arrivals of its own, and says by which seed they can be had again. */
static struct options options_of(const struct session *s, const struct capacity_step *step)
{
    struct options o = s->options;
    bool confirms = step->phase == CAPACITY_CONFIRM;
    o.rate_rps = step->rate_rps;
    o.seed = (o.seed + step->number) & INT64_MAX;
    o.duration_ns = confirms ? o.duration_ns : o.step_ns;
    o.syscalls &= confirms;
    return o;
}

static bool run_step(void *argument, struct capacity_step *step)
{
    struct finder *f = argument;
    struct session *s = f->session;
    if (step->number > 0)
        await_drained(f);
    if (*s->stop)
        return false; /* and the load before, if there is one, is the last */
    struct options o = options_of(s, step);
    double span_s = (double)(o.warmup_ns + o.duration_ns) / 1e9;
    snprintf(f->doing, sizeof f->doing, "%s at %.6g/s", capacity_phase_name(step->phase),
             step->rate_rps);
    s->doing = f->doing;
    session_measure(s, &o, slo_most_outstanding(o.slos, o.slo_count, o.rate_rps, span_s));
    session_close_load(s);
    const struct capacity_evidence evidence = {
        .tally = s->run.tally,
        .window_s = s->run.window_s,
        .cut_short = s->cut_short,
        .generator_saturated = run_is_saturated(&s->run),
    };
    step->seed = o.seed;
    capacity_judge(step, o.slos, o.slo_count, &evidence);
    bool died = s->has_target && !target_alive(&s->target);
    if (*s->stop || died) {
        step->verdict = CAPACITY_UNDECIDED;
        snprintf(step->reason, sizeof step->reason, died ? "the server ended" : "interrupted");
    }
    return true;
}

/* Quantiles of few requests are a matter of luck. */
static void judge(struct session *s)
{
    const struct options *o = &s->options;
    const struct histogram *response = s->run.tally->response;
    if (s->cut_short) {
        run_warn(&s->run, "the last window was cut short, as no service level could be kept any "
                          "more: its figures are not those of a whole one");
        s->run.failed = true;
    }
    for (size_t i = 0; i < o->slo_count; i++) {
        const struct slo *slo = &o->slos[i];
        double beyond = (1 - slo->quantile) * (double)response->count;
        if (slo->kind == SLO_QUANTILE && slo->quantile < 1 && beyond < QUANTILE_LEAST_BEYOND)
            run_warn(&s->run,
                     "%s was held against %llu requests, of which %.3g may be above it: measure "
                     "for longer (--duration, --step)",
                     slo->text, (unsigned long long)response->count, beyond);
    }
    if (s->capacity.limit == CAPACITY_LIMIT_GENERATOR)
        run_warn(&s->run, "the generator was the limit of the search: the capacity is a lower "
                          "bound; more --threads or CPUs may help");
}

void find_capacity(struct session *s)
{
    const struct options *o = &s->options;
    const struct capacity_plan plan = {
        .slos = o->slos,
        .slo_count = o->slo_count,
        .start_rps = o->rate_rps,
        .lowest_rps = STEP_LEAST_REQUESTS / ((double)o->step_ns / 1e9),
        .ceiling_rps = CEILING_RPS,
        .precision = o->precision,
    };
    struct finder finder = {.session = s, .sockets_before = sockets_of_server(s)};
    if (capacity_search(&s->capacity, &plan, run_step, &finder) < 0)
        errx(1, "not enough memory for the search");
    s->doing = NULL;
    s->run.capacity = &s->capacity;
    s->run.interrupted = *s->stop;
    if (s->has_load)
        judge(s);
}
