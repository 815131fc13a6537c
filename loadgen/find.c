#include "loadgen/find.h"

#include "common/clock.h"
#include "loadgen/probe.h"
#include "loadgen/probe_sockets.h"
#include "loadgen/random.h"
#include "loadgen/session.h"

#include <err.h>
#include <math.h>
#include <time.h>

/* How long a server may take to give up the connections of a window. */
#define DRAIN_MOST_NS (5 * NS_PER_S)
/* The look at the sockets walks the kernel's whole table of connections: less and less often. */
#define DRAIN_LOOK_GAP_NS (1 * NS_PER_MS)
#define DRAIN_LOOK_GAP_MOST_NS (100 * NS_PER_MS)

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

/* Every window has arrivals of its own, and says by which seed they can be had again. System calls
 * are counted behind the last one. */
static struct options options_of(const struct session *s, const struct capacity_window *w)
{
    struct options o = s->options;
    o.rate_rps = w->rate_rps;
    o.seed = (o.seed + w->number) & INT64_MAX;
    o.duration_ns = (uint64_t)(w->window_s * 1e9);
    o.syscalls &= w->number + 1 == o.steps;
    return o;
}

static bool measure(void *argument, struct capacity_window *w)
{
    struct finder *f = argument;
    struct session *s = f->session;
    if (w->number > 0)
        await_drained(f);
    if (*s->stop)
        return false;
    struct options o = options_of(s, w);
    double span_s = (double)(o.warmup_ns + o.duration_ns) / 1e9;
    snprintf(f->doing, sizeof f->doing, "window %u of %u, %.6g/s", w->number + 1, o.steps,
             w->rate_rps);
    s->doing = f->doing;
    session_measure(s, &o, slo_most_outstanding(o.slos, o.slo_count, o.rate_rps, span_s));
    session_close_load(s);
    const struct probe_result *server = s->run.server;
    const struct capacity_evidence evidence = {
        .tally = s->run.tally,
        .window_s = s->run.window_s,
        .server_cpu_s = server && server->cpu_ns >= 0 ? (double)server->cpu_ns / 1e9 : NAN,
        .steal_share = s->machine.steal_share,
        .cut_short = s->cut_short,
        .generator_saturated = run_is_saturated(&s->run),
    };
    w->seed = o.seed;
    capacity_judge(w, o.slos, o.slo_count, &evidence);
    bool died = s->has_target && !target_alive(&s->target);
    if (!*s->stop && !died)
        return true;
    w->verdict = CAPACITY_UNDECIDED;
    w->generator_bound = false;
    snprintf(w->reason, sizeof w->reason, died ? "the server ended" : "interrupted");
    return false;
}

static double first_draw(uint64_t seed)
{
    struct random_stream stream;
    if (random_stream_init(&stream, seed, RANDOM_PLACEMENT, 0, 1) != 0)
        errx(1, "not enough memory for the search");
    double draw = gsl_rng_uniform(stream.rng);
    random_stream_free(&stream);
    return draw;
}

static void warn_of(struct run *run, const struct capacity *c)
{
    double lowest_rps = capacity_lowest_rps(&c->plan);
    if (c->limit == CAPACITY_LIMIT_GENERATOR)
        run_warn(run, "the generator was the limit of the search: the capacity is a lower bound; "
                      "more --threads or CPUs may help");
    else if (c->limit == CAPACITY_LIMIT_UNKNOWN && !run->interrupted && c->window_count > 0)
        run_warn(run, "the windows do not say how high the capacity is: more --steps, or another "
                      "--rate to begin with, may help");
    else if (c->limit == CAPACITY_LIMIT_NOTHING)
        run_warn(run,
                 "rates below %.3g/s were not tried, since a window of them has too few requests: "
                 "a longer --step can judge them",
                 lowest_rps);
}

void find_capacity(struct session *s)
{
    const struct options *o = &s->options;
    const struct capacity_plan plan = {
        .slos = o->slos,
        .slo_count = o->slo_count,
        .windows = o->steps,
        .window_s = (double)o->step_ns / 1e9,
        .first_rps = o->rate_rps,
        .low_rps = o->between_low_rps,
        .high_rps = o->between_high_rps,
        .draw = first_draw(o->seed),
    };
    struct finder finder = {.session = s, .sockets_before = sockets_of_server(s)};
    if (capacity_search(&s->capacity, &plan, measure, &finder) < 0)
        errx(1, "not enough memory for the search");
    capacity_bind(&s->capacity, s->run.server_cpus);
    s->doing = NULL;
    s->run.capacity = &s->capacity;
    s->run.interrupted = *s->stop;
    warn_of(&s->run, &s->capacity);
}
