#include "loadgen/capacity.h"

#include "common/clock.h"
#include "loadgen/session.h"

#include <err.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A step needs some arrivals to say anything. */
static const double ARRIVALS_LEAST = 20;
static const double CEILING_RPS = 1e7;

/* A step whose backlog is this share of all its arrivals cannot end well any more. */
static const double HOPELESS_SHARE = 0.25;
enum { HOPELESS_LEAST = 50 };

/* Not sustained, but nearly: a bad moment of the machine can double a tail. */
static const double NEARLY = 2;

/* If the generator itself was late by this share of what the tightest objective allows, it is not
 * the server that was measured. */
static const double LATE_SHARE = 0.25;

/* Goodput may stay behind the offered load by this, and by what chance does to a count. */
static const double BEHIND_SHARE = 0.01;

/* A quantile that a step has not seen exceeded a few times is chance: with slow servers a step
 * lasts longer, within reason. */
static const double EXCEEDED_LEAST = 4;
static const double LONGER_MOST = 5;

/* How long a server may take to recover from one step before the next one begins all the same. */
#define DRAIN_MOST_NS (10 * NS_PER_S)
#define DRAIN_LOOK_NS (50 * NS_PER_MS)

struct finder {
    struct session *session;
    struct capacity *capacity;
    double tightest_us;
};

static bool goes_on(const struct session *s)
{
    const struct options *o = &s->applied;
    uint64_t now_ns = clock_now_ns(), start_ns = s->load.times.start_ns;
    double elapsed_s = now_ns > start_ns ? (double)(now_ns - start_ns) / 1e9 : 0;
    double whole_s = (double)(o->warmup_ns + o->duration_ns) / 1e9;
    double backlog = o->rate_rps * elapsed_s - (double)load_completed(&s->load);
    return backlog <= HOPELESS_LEAST || backlog <= HOPELESS_SHARE * o->rate_rps * whole_s;
}

/* Waits until one request at a time is answered in time again: a step must not inherit what the
 * one before has left in the server's queues. */
static void drain(const struct finder *f)
{
    struct session *s = f->session;
    struct options o = s->options;
    double limit_ns = 2e3 * f->tightest_us;
    o.open_loop = false;
    o.connections = o.threads = o.pipeline = 1;
    o.warmup_ns = 0;
    o.duration_ns = limit_ns > (double)DRAIN_LOOK_NS ? (uint64_t)limit_ns : DRAIN_LOOK_NS;
    o.syscalls = false;
    o.timeline = NULL;
    uint64_t end_ns = clock_now_ns() + DRAIN_MOST_NS;
    bool drained = false;
    while (!drained && !*s->stop && clock_now_ns() < end_ns) {
        session_measure(s, &o, NULL);
        session_close_load(s);
        const struct tally *t = &s->load.tally;
        drained = t->completed > 0 &&
                  (double)histogram_quantile_ns(t->response, 0.5) <= 1e3 * f->tightest_us;
    }
}

static struct capacity_step *new_step(struct capacity *c)
{
    if (c->step_count == c->step_capacity) {
        c->step_capacity = c->step_capacity ? 2 * c->step_capacity : 32;
        c->steps = realloc(c->steps, c->step_capacity * sizeof *c->steps);
        if (!c->steps)
            err(1, "the search path");
    }
    struct capacity_step *step = &c->steps[c->step_count++];
    *step = (struct capacity_step){.p50_us = NAN, .p99_us = NAN};
    return step;
}

static bool keeps_up(const struct tally *t)
{
    double intended = (double)t->intended;
    return (double)t->completed >= intended * (1 - BEHIND_SHARE) - 3 * sqrt(intended);
}

static void find_reason(const struct finder *f, struct capacity_step *step, bool *far)
{
    const struct session *s = f->session;
    const struct tally *t = &s->load.tally;
    *far = step->cut_short;
    if (step->cut_short)
        strcpy(step->reason, "the backlog only grew");
    for (size_t i = 0; i < s->options.slo_count; i++) {
        const struct slo *slo = &s->options.slos[i];
        step->observed[i] = slo_observed(slo, t);
        if (slo_met(slo, t))
            continue;
        *far |= !(step->observed[i] < NEARLY * slo->limit);
        if (!*step->reason)
            snprintf(step->reason, sizeof step->reason, "not %s", slo->text);
    }
    if (!*step->reason && !keeps_up(t)) {
        *far = true;
        strcpy(step->reason, "the goodput stays behind the offered load");
    }
}

static enum search_answer judge(const struct finder *f, struct capacity_step *step)
{
    const struct session *s = f->session;
    const struct tally *t = &s->load.tally;
    bool far;
    step->cut_short = s->cut_short;
    step->window_s = s->load.window_s;
    step->intended = t->intended;
    step->completed = t->completed;
    step->errors = tally_errors(t);
    step->generator_utilisation = s->load.utilisation;
    if (t->response->count) {
        step->p50_us = (double)histogram_quantile_ns(t->response, 0.5) / 1e3;
        step->p99_us = (double)histogram_quantile_ns(t->response, 0.99) / 1e3;
    }
    find_reason(f, step, &far);
    step->sustained = !*step->reason;
    if (step->sustained)
        return STEP_SUSTAINED;
    double late_us = (double)histogram_quantile_ns(t->send_lag, 0.99) / 1e3;
    step->generator_bound = run_is_saturated(&s->run) || late_us > LATE_SHARE * f->tightest_us;
    if (step->generator_bound)
        return STEP_GENERATOR;
    return far ? STEP_FAILED : STEP_NEARLY;
}

static uint64_t step_ns(const struct options *o, double rate_rps)
{
    double longest_ns = 0;
    for (size_t i = 0; i < o->slo_count; i++) {
        bool is_tail = o->slos[i].quantity == SLO_QUANTILE && o->slos[i].quantile < 1;
        double beyond = is_tail ? 1 - o->slos[i].quantile : 1;
        longest_ns = fmax(longest_ns, EXCEEDED_LEAST / beyond / rate_rps * 1e9);
    }
    double step_ns = (double)o->step_ns;
    return (uint64_t)fmax(step_ns, fmin(longest_ns, LONGER_MOST * step_ns));
}

static enum search_answer take_step(void *argument, enum search_phase phase, double rate_rps)
{
    static const char *const doing[] = {"bracketing", "bisecting", "confirming"};
    struct finder *f = argument;
    struct session *s = f->session;
    struct capacity *c = f->capacity;
    bool final = phase == SEARCH_CONFIRM;
    char text[64];
    if (c->step_count > 0)
        drain(f);
    if (*s->stop)
        return STEP_STOPPED;

    struct options o = s->options;
    o.rate_rps = rate_rps;
    o.duration_ns = final ? o.duration_ns : step_ns(&o, rate_rps);
    o.seed += c->step_count; /* the luck of one step is not that of the next */
    o.syscalls &= final;
    o.timeline = final ? o.timeline : NULL;
    snprintf(text, sizeof text, "%s at %.0f/s", doing[phase], rate_rps);
    s->doing = text;
    session_measure(s, &o, goes_on);
    s->doing = NULL;

    struct capacity_step *step = new_step(c);
    step->phase = phase;
    step->rate_rps = rate_rps;
    enum search_answer answer = judge(f, step);
    session_close_load(s);
    if (step->window_s > 0 && !step->cut_short)
        c->peak_throughput_rps =
            fmax(c->peak_throughput_rps, (double)step->completed / step->window_s);
    return *s->stop ? STEP_STOPPED : answer;
}

void capacity_find(struct session *s, struct capacity *c)
{
    const struct options *o = &s->options;
    *c = (struct capacity){.rate_rps = 0};
    struct finder finder = {
        .session = s, .capacity = c, .tightest_us = slo_tightest_us(o->slos, o->slo_count)};
    const struct search search = {
        .start_rps = o->rate_rps,
        .least_rps = ARRIVALS_LEAST * 1e9 / (double)o->step_ns,
        .ceiling_rps = CEILING_RPS,
        .precision = o->precision,
        .step = take_step,
        .argument = &finder,
    };
    struct search_result result = search_capacity(&search);
    c->rate_rps = result.rate_rps;
    c->limit = result.limit;
    s->run.capacity = c;
}

void capacity_free(struct capacity *c)
{
    free(c->steps);
    *c = (struct capacity){.rate_rps = 0};
}
