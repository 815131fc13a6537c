#include "bench/statistics/contest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct headline headlines[] = {
    {"capacity", true, "capacity/s", 1},
    {"throughput", true, "requests/s", 1},
    {"response_p50", false, "p50 ms", 1e-3},
    {"response_p99", false, "p99 ms", 1e-3},
    {"response_p99_9", false, "p99.9 ms", 1e-3},
    {"cpu_per_request", false, "CPU us/request", 1},
    {"switches_per_request", false, "switches/request", 1},
    {"memory_pss", false, "memory MiB", 1.0 / (1 << 20)},
};
const size_t headline_count = sizeof headlines / sizeof *headlines;

bool headline_is_of(const struct headline *h, const struct workload *w)
{
    return w->capacity == (strcmp(h->metric, "capacity") == 0);
}

const struct headline *headline_find(const char *metric)
{
    for (size_t i = 0; i < headline_count; i++)
        if (strcmp(headlines[i].metric, metric) == 0)
            return &headlines[i];
    return NULL;
}

static double median_of(const struct side *s, const struct metric *m)
{
    struct estimate e = results_estimate(s->results, s->group, m);
    return e.count > 0 ? e.median : NAN;
}

/* --- what cannot be compared ------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static void refuse(struct contest *c, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(c->reason, sizeof c->reason, format, values);
    va_end(values);
    c->found = (struct comparison){NAN, NAN, NAN, NAN};
}

static bool is_measured(struct contest *c, const struct side *s, double median)
{
    struct remark remark = results_remark(s->results, s->group);
    if (isnan(median))
        refuse(c, "%s: %s", s->name, *remark.text ? remark.text : "not measured");
    return !isnan(median);
}

/* The response times of those who were served say nothing about those who were not. */
static bool has_response_times(struct contest *c, const struct side *s)
{
    struct remark remark = results_remark(s->results, s->group);
    bool response = strncmp(c->headline->metric, "response_", strlen("response_")) == 0;
    if (response && *remark.text)
        refuse(c, "%s: %s", s->name, remark.text);
    return !response || !*remark.text;
}

/* Who was held back by the generator may be capable of more: it can win, but not lose. */
static void refuse_held_back(struct contest *c)
{
    const struct side *loser = c->found.ratio < 1 ? &c->b : &c->a;
    if (results_is_lower_bound(loser->results, loser->group, c->headline->metric))
        refuse(c, "%s: a lower bound, the generator was at its limit", loser->name);
}

/* To nothing there is no ratio. */
static void refuse_zero(struct contest *c)
{
    const struct side *sides[] = {&c->a, &c->b};
    for (size_t i = 0; i < 2; i++) {
        struct remark remark = results_remark(sides[i]->results, sides[i]->group);
        if (*remark.text) {
            refuse(c, "%s: %s", sides[i]->name, remark.text);
            return;
        }
    }
    refuse(c, "a trial has 0, to which there is no ratio");
}

/* --- comparing -------------------------------------------------------------------------------- */

/* Trials that both sides have. */
static size_t common_trials(const struct contest *c, const struct metric *m, unsigned *trials)
{
    unsigned a[ESTIMATE_MOST], b[ESTIMATE_MOST];
    size_t count_a = results_trials_with(c->a.results, c->a.group, m, a), count = 0, i = 0;
    size_t count_b = results_trials_with(c->b.results, c->b.group, m, b), k = 0;
    while (i < count_a && k < count_b) {
        if (a[i] == b[k])
            trials[count++] = a[i];
        unsigned low = a[i] < b[k] ? a[i] : b[k];
        i += a[i] == low ? 1 : 0;
        k += b[k] == low ? 1 : 0;
    }
    return count;
}

/* The trials of each side that are compared. */
struct taken {
    unsigned a[ESTIMATE_MOST], b[ESTIMATE_MOST];
    size_t count_a, count_b;
    bool paired;
};

static void take_trials(const struct contest *c, const struct metric *m, struct taken *t)
{
    t->paired = c->a.results == c->b.results;
    if (!t->paired) {
        t->count_a = results_trials_with(c->a.results, c->a.group, m, t->a);
        t->count_b = results_trials_with(c->b.results, c->b.group, m, t->b);
        return;
    }
    t->count_a = t->count_b = common_trials(c, m, t->a);
    memcpy(t->b, t->a, t->count_a * sizeof *t->a);
}

/* A figure that all trials have together; false: it is not of that kind. */
static bool compare_together(struct contest *c, const struct metric *m, const struct taken *t)
{
    struct halved a, b;
    if (t->count_a < 2 || t->count_b < 2 ||
        results_halve(c->a.results, c->a.group, m, t->a, t->count_a, &a) != 0 ||
        results_halve(c->b.results, c->b.group, m, t->b, t->count_b, &b) != 0)
        return false;
    c->found = compare_halved(&a, &b, t->paired, results_rounding(m));
    return true;
}

/* A figure that each trial has; false: one of them has no logarithm. */
static bool compare_apart(struct contest *c, const struct metric *m, const struct taken *t)
{
    double a[ESTIMATE_MOST], b[ESTIMATE_MOST], rounding = results_rounding(m);
    if (results_logs(c->a.results, c->a.group, m, t->a, t->count_a, a) != 0 ||
        results_logs(c->b.results, c->b.group, m, t->b, t->count_b, b) != 0)
        return false;
    if (!t->paired) {
        c->found = compare_unpaired(a, t->count_a, b, t->count_b, rounding);
        return true;
    }
    for (size_t i = 0; i < t->count_a; i++)
        b[i] -= a[i];
    c->found = compare_paired(b, t->count_a, rounding);
    return true;
}

struct contest contest_of(const struct side *a, const struct side *b, const struct headline *h)
{
    const struct metric *m = metric_find(h->metric);
    struct contest c = {.a = *a, .b = *b, .headline = h, .found = {NAN, NAN, NAN, NAN}};
    c.median_a = median_of(a, m);
    c.median_b = median_of(b, m);
    if (!is_measured(&c, a, c.median_a) || !is_measured(&c, b, c.median_b) ||
        !has_response_times(&c, a) || !has_response_times(&c, b))
        return c;
    struct taken taken;
    take_trials(&c, m, &taken);
    if (!compare_together(&c, m, &taken) && !compare_apart(&c, m, &taken))
        refuse_zero(&c);
    else if (taken.count_a < 2 || taken.count_b < 2)
        snprintf(c.reason, sizeof c.reason, "needs 2 trials");
    else if (isnan(c.found.p))
        snprintf(c.reason, sizeof c.reason, "needs 3 trials: these do not scatter");
    else
        refuse_held_back(&c);
    return c;
}

/* --- a family --------------------------------------------------------------------------------- */

static enum verdict verdict_on(const struct contest *c)
{
    if (isnan(c->found.p))
        return NOT_COMPARABLE;
    if (!(c->found.p < SIGNIFICANCE))
        return NO_DIFFERENCE_SHOWN;
    return (c->found.ratio > 1) == c->headline->more_is_better ? BETTER : WORSE;
}

int contests_decide(struct contest *contests, size_t count)
{
    double *p = calloc(count + 1, sizeof *p);
    if (!p)
        return -1;
    for (size_t i = 0; i < count; i++)
        p[i] = contests[i].found.p;
    int result = holm_correct(p, count);
    for (size_t i = 0; i < count && result == 0; i++) {
        contests[i].found.p = p[i];
        contests[i].verdict = verdict_on(&contests[i]);
    }
    free(p);
    return result;
}

size_t contests_comparable(const struct contest *contests, size_t count)
{
    size_t comparable = 0;
    for (size_t i = 0; i < count; i++)
        comparable += isnan(contests[i].found.p) ? 0 : 1;
    return comparable;
}
