#include "loadgen/capacity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What a window's goodput may fall short of its offered rate by: chance (three standard deviations
 * of a Poisson count), and a hundredth for what the window's ends cut off. */
#define SHORT_DEVIATIONS 3
#define SHORT_SHARE 0.01

/* The generator's lag is in the response times. Up to a tenth of the limit it is not what decides;
 * without a limit of time, up to this. */
#define LAG_SHARE 0.1
#define LAG_OTHERWISE_US 1e3

/* The throughput of a window that was cut short says something from so many answers on: chance is
 * then 3 %. */
enum { PEAK_LEAST_ANSWERS = 1000 };

/* A window at a low rate is longer, so that it can be judged, but not by more than this factor. */
static const double LENGTHEN_MOST = 5;

/* Beyond this, it is not a server's capacity that is measured. */
static const double CEILING_RPS = 1e7;

/* A window in which the hypervisor gave more of the CPUs' time to others says nothing. */
static const double STEAL_MOST = 0.05;

/* The CPU time of a request is that of so many windows. */
enum { BOUND_WINDOWS = 3 };

/* --- a window --------------------------------------------------------------------------------- */

/* Is there something other than the server's slowness that may explain why the window did not hold:
 * a generator that was at its limit; that was later than any answer may be; or that was late by
 * what matters, and but for that it would have held? A window that holds needs no such question:
 * whatever the generator does late is counted against the server, not for it. */
static bool generator_is_suspect(const struct slo *slos, size_t count,
                                 const struct capacity_evidence *e)
{
    if (e->generator_saturated)
        return true;
    double lag_us = (double)histogram_quantile_ns(e->tally->send_lag, 0.99) / 1e3;
    double tightest_us = slo_tightest_us(slos, count);
    if (lag_us >= tightest_us)
        return true;
    if (!(lag_us > (isnan(tightest_us) ? LAG_OTHERWISE_US : LAG_SHARE * tightest_us)))
        return false;
    for (size_t i = 0; i < count; i++) {
        double excused = slos[i].kind == SLO_ERRORS ? 0 : lag_us;
        if (!slo_holds(&slos[i], slo_observe(&slos[i], e->tally) - excused))
            return false;
    }
    return true;
}

/* Why the window does not hold, in `reason`; false when it does. */
static bool find_fault(struct capacity_window *w, const struct slo *slos, size_t count,
                       const struct capacity_evidence *e)
{
    if (w->completed == 0) {
        snprintf(w->reason, sizeof w->reason, "nothing was answered");
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        double observed = slo_observe(&slos[i], e->tally);
        if (slo_holds(&slos[i], observed))
            continue;
        slo_describe(&slos[i], observed, w->reason, sizeof w->reason);
        return true;
    }
    if (e->cut_short) {
        snprintf(w->reason, sizeof w->reason, "too many requests were unanswered at once");
        return true;
    }
    double intended = (double)w->intended, ended = (double)(w->completed + w->errors);
    double errors = (double)w->errors / ended;
    if (errors > slo_errors_allowed(slos, count, SHORT_SHARE)) {
        snprintf(w->reason, sizeof w->reason, "%.3g %% of the requests were errors", errors * 100);
        return true;
    }
    if (ended < intended * (1 - SHORT_SHARE) - SHORT_DEVIATIONS * sqrt(intended)) {
        snprintf(w->reason, sizeof w->reason, "%.3g %% of the requests remained unanswered",
                 (1 - ended / intended) * 100);
        return true;
    }
    return false;
}

void capacity_judge(struct capacity_window *w, const struct slo *slos, size_t count,
                    const struct capacity_evidence *e)
{
    const struct tally *t = e->tally;
    bool any = t->response->count > 0;
    w->duration_s = e->window_s;
    w->intended = t->intended;
    w->completed = t->completed;
    w->errors = tally_errors(t);
    w->throughput_rps = e->window_s > 0 ? (double)t->completed / e->window_s : NAN;
    w->p50_us = any ? (double)histogram_quantile_ns(t->response, 0.5) / 1e3 : NAN;
    w->p99_us = any ? (double)histogram_quantile_ns(t->response, 0.99) / 1e3 : NAN;
    w->cpu_us_per_request = t->completed > 0 ? e->server_cpu_s * 1e6 / (double)t->completed : NAN;
    w->steal_share = e->steal_share;
    w->cut_short = e->cut_short;
    bool failed = find_fault(w, slos, count, e);
    w->verdict = failed ? CAPACITY_FAILED : CAPACITY_HELD;
    w->generator_bound = failed && generator_is_suspect(slos, count, e);
}

/* --- what all windows say --------------------------------------------------------------------- */

/* The windows that say something, in `windows`, which has room for all. Returns how many. */
static size_t decided(const struct capacity *c, bool with_generator_bound,
                      struct threshold_window *windows)
{
    size_t count = 0;
    for (size_t i = 0; i < c->window_count; i++) {
        const struct capacity_window *w = &c->windows[i];
        if (w->verdict != CAPACITY_UNDECIDED && (with_generator_bound || !w->generator_bound))
            windows[count++] = (struct threshold_window){.rate_rps = w->rate_rps,
                                                         .held = w->verdict == CAPACITY_HELD};
    }
    return count;
}

/* Fits the windows that say something, but for those of the generator where they are left out.
 * false: there are none, or memory is short. */
static bool fit(const struct capacity *c, bool with_generator_bound, struct threshold_estimate *e)
{
    struct threshold_window *windows = calloc(c->window_count + 1, sizeof *windows);
    size_t count = windows ? decided(c, with_generator_bound, windows) : 0;
    struct threshold *t = count > 0 ? threshold_fit(windows, count, 1) : NULL;
    if (t)
        *e = threshold_estimate(t, NULL);
    threshold_free(t);
    free(windows);
    return t;
}

/* Would the capacity be higher if the windows said nothing in which the generator may be why? */
static bool generator_limits(const struct capacity *c, const struct threshold_estimate *all)
{
    struct threshold_estimate without;
    bool any = false;
    for (size_t i = 0; i < c->window_count; i++)
        any |= c->windows[i].generator_bound;
    if (!any)
        return false;
    return !fit(c, false, &without) || !without.has_high || without.rate_rps > all->high_rps;
}

static void conclude(struct capacity *c)
{
    struct threshold_estimate e;
    c->low_rps = c->high_rps = NAN;
    c->lower_bound = true;
    if (!fit(c, true, &e))
        return;
    c->rate_rps = e.rate_rps;
    if (e.has_low)
        c->low_rps = e.low_rps;
    if (e.has_high)
        c->high_rps = e.high_rps;
    if (generator_limits(c, &e))
        c->limit = CAPACITY_LIMIT_GENERATOR;
    else if (e.rate_rps <= 0)
        c->limit = CAPACITY_LIMIT_NOTHING;
    else if (e.has_high)
        c->limit = CAPACITY_LIMIT_SLO;
    c->lower_bound = c->limit == CAPACITY_LIMIT_GENERATOR || c->limit == CAPACITY_LIMIT_UNKNOWN;
}

void capacity_bind(struct capacity *c, int server_cpus)
{
    double cpu_us = 0, completed = 0, beyond = -1;
    c->bound_rps = NAN;
    for (int n = 0; n < BOUND_WINDOWS; n++) {
        const struct capacity_window *next = NULL;
        double nearest = INFINITY;
        for (size_t i = 0; i < c->window_count; i++) {
            const struct capacity_window *w = &c->windows[i];
            double distance = fabs(log(w->rate_rps / c->rate_rps));
            if (w->verdict != CAPACITY_HELD || isnan(w->cpu_us_per_request) || distance <= beyond ||
                distance >= nearest)
                continue;
            next = w;
            nearest = distance;
        }
        if (!next)
            break;
        beyond = nearest;
        cpu_us += next->cpu_us_per_request * (double)next->completed;
        completed += (double)next->completed;
    }
    if (cpu_us > 0 && server_cpus > 0)
        c->bound_rps = server_cpus * 1e6 * completed / cpu_us;
}

/* --- the search ------------------------------------------------------------------------------- */

double capacity_lowest_rps(const struct capacity_plan *plan)
{
    return slo_least_requests(plan->slos, plan->slo_count) / (LENGTHEN_MOST * plan->window_s);
}

/* Windows spread evenly over the quantiles at which they are placed: the golden ratio's multiples
 * leave no large gaps, however many there are. */
static double draw_of(const struct capacity *c)
{
    const double golden = 0.61803398874989485;
    return fmod(c->plan.draw + (double)c->window_count * golden, 1);
}

static double next_rate(const struct capacity *c)
{
    const struct capacity_plan *plan = &c->plan;
    const struct threshold_search search = {.first_rps = plan->first_rps,
                                            .low_rps = plan->low_rps,
                                            .high_rps = plan->high_rps,
                                            .lowest_rps = capacity_lowest_rps(plan),
                                            .ceiling_rps = CEILING_RPS};
    struct threshold_window *windows = calloc(c->window_count + 1, sizeof *windows);
    if (!windows)
        return NAN;
    size_t count = decided(c, true, windows);
    double rate_rps = threshold_next_rate(windows, count, &search, draw_of(c));
    free(windows);
    return rate_rps;
}

/* A machine that is disturbed all the time has to be taken as it is: no more than half of the
 * windows are given up. */
static void give_up_disturbed(struct capacity *c, struct capacity_window *w, unsigned *given_up)
{
    if (w->verdict == CAPACITY_UNDECIDED || !(w->steal_share > STEAL_MOST) ||
        *given_up >= c->plan.windows / 2)
        return;
    w->verdict = CAPACITY_UNDECIDED;
    w->generator_bound = false;
    snprintf(w->reason, sizeof w->reason, "the hypervisor gave %.0f %% of the CPUs' time to others",
             w->steal_share * 100);
    ++*given_up;
}

static void note(struct capacity *c, const struct capacity_window *w)
{
    c->answered |= w->completed > 0;
    if (!w->cut_short || w->completed >= PEAK_LEAST_ANSWERS)
        c->peak_throughput_rps = fmax(c->peak_throughput_rps, w->throughput_rps); /* NAN is less */
}

int capacity_search(struct capacity *c, const struct capacity_plan *plan, capacity_measure measure,
                    void *argument)
{
    *c = (struct capacity){.plan = *plan, .bound_rps = NAN};
    c->windows = calloc(plan->windows, sizeof *c->windows);
    unsigned given_up = 0;
    if (!c->windows)
        return -1;
    for (bool goes_on = true; goes_on && c->window_count < plan->windows;) {
        struct capacity_window *w = &c->windows[c->window_count];
        double rate_rps = next_rate(c);
        if (isnan(rate_rps))
            return -1;
        *w = (struct capacity_window){.number = (unsigned)c->window_count,
                                      .rate_rps = rate_rps,
                                      .throughput_rps = NAN,
                                      .p50_us = NAN,
                                      .p99_us = NAN,
                                      .cpu_us_per_request = NAN,
                                      .steal_share = NAN};
        w->window_s =
            fmax(plan->window_s, slo_least_requests(plan->slos, plan->slo_count) / rate_rps);
        goes_on = measure(argument, w);
        if (w->verdict == CAPACITY_UNDECIDED && !*w->reason)
            break;
        give_up_disturbed(c, w, &given_up);
        note(c, w);
        c->window_count++;
    }
    conclude(c);
    return 0;
}

void capacity_free(struct capacity *c)
{
    free(c->windows);
    *c = (struct capacity){0};
}
