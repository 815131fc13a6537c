#include "loadgen/capacity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What a step's goodput may fall short of its offered rate by: chance (three standard deviations of
 * a Poisson count), and a hundredth for what the window's ends cut off. */
#define SHORT_DEVIATIONS 3
#define SHORT_SHARE 0.01

/* The generator's lag is in the response times. Up to a tenth of the limit it is not what decides;
 * without a limit of time, up to this. */
#define LAG_SHARE 0.1
#define LAG_OTHERWISE_US 1e3

/* The throughput of a window that was cut short says something from so many answers on: chance is
 * then 3 %. */
enum { PEAK_LEAST_ANSWERS = 1000 };

/* How often the rate is lowered, each time by twice as much, before none is said to be confirmed.
 * With a precision of 2 % that reaches down to a twentieth of where the search ended. */
enum { STEPS_DOWN_MOST = 8 };

/* --- a step ----------------------------------------------------------------------------------- */

/* Is there something other than the server's slowness that may explain why the step did not hold:
 * a generator that was at its limit; that was later than any answer may be; or that was late by
 * what matters, and but for that the step would have held? A step that holds needs no such
 * question: whatever the generator does late is counted against the server, not for it. */
static bool generator_is_suspect(const struct capacity_step *s, const struct slo *slos,
                                 size_t count, const struct capacity_evidence *e)
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
        if (!slo_holds(&slos[i], s->observed[i] - excused))
            return false;
    }
    return true;
}

/* Why the step does not count as sustained, in `reason`; false when it does. */
static bool find_fault(struct capacity_step *s, const struct slo *slos, size_t count,
                       const struct capacity_evidence *e)
{
    if (s->completed == 0) {
        snprintf(s->reason, sizeof s->reason, "nothing was answered");
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (slo_holds(&slos[i], s->observed[i]))
            continue;
        slo_describe(&slos[i], s->observed[i], s->reason, sizeof s->reason);
        return true;
    }
    if (e->cut_short) {
        snprintf(s->reason, sizeof s->reason, "too many requests were unanswered at once");
        return true;
    }
    double intended = (double)s->intended, ended = (double)(s->completed + s->errors);
    double errors = (double)s->errors / ended;
    if (errors > slo_errors_allowed(slos, count, SHORT_SHARE)) {
        snprintf(s->reason, sizeof s->reason, "%.3g %% of the requests were errors", errors * 100);
        return true;
    }
    if (ended < intended * (1 - SHORT_SHARE) - SHORT_DEVIATIONS * sqrt(intended)) {
        snprintf(s->reason, sizeof s->reason, "%.3g %% of the requests remained unanswered",
                 (1 - ended / intended) * 100);
        return true;
    }
    return false;
}

void capacity_judge(struct capacity_step *s, const struct slo *slos, size_t count,
                    const struct capacity_evidence *e)
{
    const struct tally *t = e->tally;
    bool any = t->response->count > 0;
    s->duration_s = e->window_s;
    s->intended = t->intended;
    s->completed = t->completed;
    s->errors = tally_errors(t);
    s->throughput_rps = e->window_s > 0 ? (double)t->completed / e->window_s : NAN;
    s->p50_us = any ? (double)histogram_quantile_ns(t->response, 0.5) / 1e3 : NAN;
    s->p99_us = any ? (double)histogram_quantile_ns(t->response, 0.99) / 1e3 : NAN;
    for (size_t i = 0; i < count; i++)
        s->observed[i] = slo_observe(&slos[i], t);
    s->cut_short = e->cut_short;
    s->reason[0] = '\0';
    if (!find_fault(s, slos, count, e))
        s->verdict = CAPACITY_SUSTAINED;
    else if (generator_is_suspect(s, slos, count, e))
        s->verdict = CAPACITY_GENERATOR_BOUND;
    else
        s->verdict = CAPACITY_NOT_SUSTAINED;
}

/* --- the search ------------------------------------------------------------------------------- */

enum progress { GOES_ON, ENDED, NO_MEMORY };

struct search {
    struct capacity *result;
    capacity_run run;
    void *argument;
    double low_rps, high_rps; /* sustained, and not; 0: none yet */
};

static enum capacity_limit limit_of(enum capacity_verdict verdict)
{
    return verdict == CAPACITY_GENERATOR_BOUND ? CAPACITY_LIMIT_GENERATOR : CAPACITY_LIMIT_SLO;
}

static void note_peak(struct capacity *c, const struct capacity_step *s)
{
    if (!s->cut_short || s->completed >= PEAK_LEAST_ANSWERS)
        c->peak_throughput_rps = fmax(c->peak_throughput_rps, s->throughput_rps); /* NAN is less */
}

static enum progress try_once(struct search *search, enum capacity_phase phase, double rate_rps,
                              enum capacity_verdict *verdict)
{
    struct capacity *c = search->result;
    struct capacity_step *steps = realloc(c->steps, (c->step_count + 1) * sizeof *steps);
    if (!steps)
        return NO_MEMORY;
    c->steps = steps;
    struct capacity_step *s = &steps[c->step_count];
    *s = (struct capacity_step){.phase = phase,
                                .number = (unsigned)c->step_count,
                                .rate_rps = rate_rps,
                                .throughput_rps = NAN,
                                .p50_us = NAN,
                                .p99_us = NAN};
    for (size_t i = 0; i < SLO_MOST; i++)
        s->observed[i] = NAN;
    if (!search->run(search->argument, s))
        return ENDED;
    c->step_count++;
    if (s->verdict == CAPACITY_UNDECIDED)
        return ENDED;
    note_peak(c, s);
    *verdict = s->verdict;
    return GOES_ON;
}

/* A rate that does not hold is tried again before it is believed: on a machine that others use too,
 * one pause of theirs is enough to fail a step, and what it costs the search is not the precision
 * but up to half of the result. Overloads that are real are cut short and cost little. */
static enum progress try_rate(struct search *search, enum capacity_phase phase, double rate_rps,
                              enum capacity_verdict *verdict)
{
    enum progress progress = try_once(search, phase, rate_rps, verdict);
    if (progress == GOES_ON && *verdict != CAPACITY_SUSTAINED)
        progress = try_once(search, phase, rate_rps, verdict);
    if (progress != GOES_ON)
        return progress;
    if (*verdict == CAPACITY_SUSTAINED) {
        search->low_rps = rate_rps;
    } else {
        search->high_rps = rate_rps;
        search->result->limit = limit_of(*verdict);
    }
    return GOES_ON;
}

static enum progress bracket(struct search *search)
{
    const struct capacity_plan *plan = &search->result->plan;
    double rate_rps = fmin(fmax(plan->start_rps, plan->lowest_rps), plan->ceiling_rps);
    for (;;) {
        enum capacity_verdict verdict;
        enum progress progress = try_rate(search, CAPACITY_BRACKET, rate_rps, &verdict);
        if (progress != GOES_ON || (search->low_rps > 0 && search->high_rps > 0))
            return progress;
        double at_rps = rate_rps;
        if (verdict == CAPACITY_SUSTAINED)
            rate_rps = fmin(rate_rps * 2, plan->ceiling_rps);
        else
            rate_rps = fmax(rate_rps / 2, plan->lowest_rps);
        if (rate_rps == at_rps)
            break;
    }
    search->result->limit = search->low_rps > 0 ? CAPACITY_LIMIT_CEILING : CAPACITY_LIMIT_NOTHING;
    return GOES_ON;
}

/* The middle is the geometric one, since the precision is relative. */
static enum progress bisect(struct search *search)
{
    enum progress progress = GOES_ON;
    if (search->low_rps <= 0 || search->high_rps <= 0)
        return GOES_ON;
    while (progress == GOES_ON &&
           search->high_rps / search->low_rps - 1 >= search->result->plan.precision) {
        enum capacity_verdict verdict;
        progress =
            try_rate(search, CAPACITY_BISECT, sqrt(search->low_rps * search->high_rps), &verdict);
    }
    return progress;
}

static double highest_sustained_below(const struct capacity *c, double rate_rps)
{
    double highest_rps = 0;
    for (size_t i = 0; i < c->step_count; i++)
        if (c->steps[i].verdict == CAPACITY_SUSTAINED && c->steps[i].rate_rps < rate_rps)
            highest_rps = fmax(highest_rps, c->steps[i].rate_rps);
    return highest_rps;
}

/* The majority of three decides, of which `held` are known; the last of them that were run is what
 * *verdict has. */
static enum progress confirm_rate(struct search *search, double rate_rps, unsigned held,
                                  enum capacity_verdict *verdict)
{
    unsigned failed = 0;
    while (held < 2 && failed < 2) {
        enum progress progress = try_once(search, CAPACITY_CONFIRM, rate_rps, verdict);
        if (progress != GOES_ON)
            return progress;
        if (*verdict == CAPACITY_SUSTAINED)
            held++;
        else
            failed++;
    }
    return GOES_ON;
}

/* A rate is reported when it has held twice, with different arrivals and at least once for the
 * whole time, before it has failed twice for the whole time. The one that the search ended with
 * has held once. Lower ones have not, and that they are tried at all comes from a failure: to stop
 * at the first that holds once would favour luck, the more of them are tried. The steps down
 * widen, since a longer window also sees what is rarer, and how much lower the rate must be for
 * that is not known. */
static enum progress confirm(struct search *search)
{
    struct capacity *c = search->result;
    double rate_rps = search->low_rps, width = c->plan.precision;
    if (rate_rps <= 0)
        return GOES_ON;
    for (unsigned down = 0; down <= STEPS_DOWN_MOST && rate_rps >= c->plan.lowest_rps; down++) {
        enum capacity_verdict verdict;
        enum progress progress = confirm_rate(search, rate_rps, down == 0, &verdict);
        if (progress != GOES_ON)
            return progress;
        if (verdict == CAPACITY_SUSTAINED) {
            c->rate_rps = rate_rps;
            return GOES_ON;
        }
        c->limit = limit_of(verdict);
        search->low_rps = highest_sustained_below(c, rate_rps);
        rate_rps /= 1 + width;
        width *= 2;
    }
    c->limit = CAPACITY_LIMIT_NOTHING;
    return GOES_ON;
}

int capacity_search(struct capacity *c, const struct capacity_plan *plan, capacity_run run,
                    void *argument)
{
    *c = (struct capacity){.plan = *plan};
    struct search search = {.result = c, .run = run, .argument = argument};
    enum progress progress = bracket(&search);
    if (progress == GOES_ON)
        progress = bisect(&search);
    if (progress == GOES_ON)
        progress = confirm(&search);
    if (progress != GOES_ON) {
        c->rate_rps = search.low_rps;
        c->limit = CAPACITY_LIMIT_UNKNOWN;
    }
    return progress == NO_MEMORY ? -1 : 0;
}

bool capacity_is_lower_bound(const struct capacity *c)
{
    return c->limit == CAPACITY_LIMIT_GENERATOR || c->limit == CAPACITY_LIMIT_CEILING ||
           c->limit == CAPACITY_LIMIT_UNKNOWN;
}

void capacity_free(struct capacity *c)
{
    free(c->steps);
    *c = (struct capacity){0};
}
