#include "bench/statistics/contest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct headline headlines[] = {
    {"capacity", true, 0, "capacity/s", 1},
    {"throughput", true, 0, "requests/s", 1},
    {"response_p50", false, 0, "p50 ms", 1e-3},
    {"response_p99", false, 0, "p99 ms", 1e-3},
    {"response_p99_9", false, 0, "p99.9 ms", 1e-3},
    {"cpu_per_request", false, 0, "CPU us/request", 1},
    {"switches_per_request", false, 0.01, "switches/request", 1},
    {"memory_pss", false, 0, "memory MiB", 1.0 / (1 << 20)},
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

/* --- what cannot be compared ------------------------------------------------------------------ */

__attribute__((format(printf, 3, 4))) static bool say(char *reason, size_t size, const char *format,
                                                      ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(reason, size, format, values);
    va_end(values);
    return true;
}

bool side_refused(const struct side *s, const struct headline *h, char *reason, size_t size)
{
    struct remark remark = group_remark(s->results, s->group);
    struct estimate e = group_estimate(s->results, s->group, metric_find(h->metric));
    bool is_response = strncmp(h->metric, "response_", strlen("response_")) == 0;
    if (remark.kind > REMARK_STARVED || (remark.kind == REMARK_STARVED && is_response))
        return say(reason, size, "%s: %s", s->name, remark.text);
    if (e.count == 0)
        return say(reason, size, "%s: %s", s->name, e.why ? e.why : "not measured");
    if (!(fmax(e.median, h->least) > 0))
        return say(reason, size, "%s: the figure is 0, to which there is no ratio", s->name);
    return false;
}

bool can_be_better(const struct headline *h, struct estimate first, struct estimate second)
{
    return h->more_is_better ? !second.at_least : !first.at_least;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* The blocks of each side that are compared. */
struct taken {
    unsigned a[ESTIMATE_MOST], b[ESTIMATE_MOST];
    double of_a[ESTIMATE_MOST], of_b[ESTIMATE_MOST];
    size_t count_a, count_b;
};

/* Leaves the blocks that both sides have. */
static void keep_common(struct taken *t)
{
    size_t count = 0, i = 0, k = 0;
    while (i < t->count_a && k < t->count_b) {
        unsigned low = t->a[i] < t->b[k] ? t->a[i] : t->b[k];
        bool in_a = t->a[i] == low, in_b = t->b[k] == low;
        if (in_a && in_b) {
            t->a[count] = t->b[count] = low;
            t->of_a[count] = t->of_a[i];
            t->of_b[count++] = t->of_b[k];
        }
        i += in_a;
        k += in_b;
    }
    t->count_a = t->count_b = count;
}

static void raise(double *values, size_t count, double least)
{
    for (size_t i = 0; i < count; i++)
        values[i] = fmax(values[i], least);
}

static struct shift shift_together(const struct side *a, const struct side *b,
                                   const struct metric *m, const struct taken *t, bool paired)
{
    struct halved of_a, of_b;
    if (t->count_a == 0 || t->count_b == 0 ||
        group_halve(a->results, a->group, m, t->a, t->count_a, &of_a) != 0 ||
        group_halve(b->results, b->group, m, t->b, t->count_b, &of_b) != 0)
        return (struct shift){NAN, NAN, NAN, 0};
    return shift_of(&of_a, &of_b, paired);
}

struct shift contest_shift(const struct side *a, const struct side *b, const struct headline *h)
{
    const struct metric *m = metric_find(h->metric);
    bool paired = a->results == b->results;
    struct taken t;
    t.count_a = group_values(a->results, a->group, m, t.a, t.of_a);
    t.count_b = group_values(b->results, b->group, m, t.b, t.of_b);
    if (paired)
        keep_common(&t);
    if (is_together(m))
        return shift_together(a, b, m, &t, paired);
    raise(t.of_a, t.count_a, h->least);
    raise(t.of_b, t.count_b, h->least);
    return paired ? shift_paired(t.of_a, t.of_b, t.count_a)
                  : shift_unpaired(t.of_a, t.count_a, t.of_b, t.count_b);
}

/* Of B, as it would be with so many more blocks. */
static enum verdict judge(struct shift s, double margin, bool more_is_better, unsigned more)
{
    struct shift later = shift_later(s, more);
    double off = fabs(s.log_ratio);
    if (off + shift_reach(later, 0.05) <= log1p(margin))
        return EQUIVALENT;
    if (off > shift_reach(later, 0.025))
        return (s.log_ratio > 0) == more_is_better ? BETTER : WORSE;
    return NOT_SHOWN;
}

static unsigned blocks_until_shown(struct shift s, double margin)
{
    unsigned more = 1;
    if (s.blocks < 2)
        return SHIFT_BLOCKS_LEAST - (unsigned)s.blocks;
    while (more <= BLOCKS_MORE_MOST && judge(s, margin, true, more) == NOT_SHOWN)
        more++;
    return more;
}

/* Whom the generator held back may be capable of more, and a percentile among censored values may
 * be larger: either can be shown on one side only. */
static void refuse_bound(struct contest *c)
{
    bool b_wins = can_be_better(c->headline, c->of_b, c->of_a);
    bool a_wins = can_be_better(c->headline, c->of_a, c->of_b);
    if (c->verdict == NOT_SHOWN || (c->verdict == BETTER && b_wins) ||
        (c->verdict == WORSE && a_wins) || (a_wins && b_wins))
        return;
    c->verdict = NOT_COMPARABLE;
    say(c->reason, sizeof c->reason, "%s: a lower bound, the truth may be far more",
        c->of_a.at_least ? c->a.name : c->b.name);
}

struct contest contest_of(const struct side *a, const struct side *b, const struct headline *h,
                          double margin)
{
    const struct metric *m = metric_find(h->metric);
    struct contest c = {.a = *a, .b = *b, .headline = h, .ratio = NAN, .low = NAN, .high = NAN};
    c.of_a = group_estimate(a->results, a->group, m);
    c.of_b = group_estimate(b->results, b->group, m);
    if (side_refused(a, h, c.reason, sizeof c.reason) ||
        side_refused(b, h, c.reason, sizeof c.reason))
        return c;
    c.ratio = fmax(c.of_b.median, h->least) / fmax(c.of_a.median, h->least);
    struct shift s = contest_shift(a, b, h);
    if (s.blocks == 0) {
        say(c.reason, sizeof c.reason, "no block in which both have a figure above 0");
        return c;
    }
    double reach = shift_reach(s, 0.025);
    if (isfinite(reach)) { /* the middle of ratios is not quite the ratio of middles */
        c.low = fmin(exp(s.log_ratio - reach), c.ratio);
        c.high = fmax(exp(s.log_ratio + reach), c.ratio);
    }
    c.verdict = judge(s, margin, h->more_is_better, 0);
    c.blocks_more = c.verdict == NOT_SHOWN ? blocks_until_shown(s, margin) : 0;
    refuse_bound(&c);
    return c;
}
