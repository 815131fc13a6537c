#include "bench/statistics/winners.h"

#include "bench/statistics/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct winners {
    struct contest *contests; /* candidate (B) against another (A) of the same table */
    size_t count, limit;
};

static size_t count_points(const struct plan *p)
{
    size_t count = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        count += workload_points(&p->workloads[w]);
    return count;
}

static struct side side_of(const struct results *r, struct group g)
{
    return (struct side){r, g, r->plan.models[g.model]};
}

/* The model with the best figure; the number of models: none has one. */
static size_t candidate(const struct results *r, size_t workload, size_t point,
                        const struct headline *h)
{
    size_t best = r->plan.model_count;
    double best_figure = NAN;
    for (size_t m = 0; m < r->plan.model_count; m++) {
        struct group g = {m, workload, point};
        struct estimate e = results_estimate(r, g, metric_find(h->metric));
        if (e.count == 0)
            continue;
        double figure = h->more_is_better ? e.median : -e.median;
        if (isnan(best_figure) || figure > best_figure) {
            best = m;
            best_figure = figure;
        }
    }
    return best;
}

static void compete(struct winners *w, const struct results *r, size_t workload, size_t point,
                    const struct headline *h)
{
    size_t best = candidate(r, workload, point, h);
    if (best == r->plan.model_count)
        return;
    struct side b = side_of(r, (struct group){best, workload, point});
    for (size_t m = 0; m < r->plan.model_count; m++) {
        struct side a = side_of(r, (struct group){m, workload, point});
        bool competes = m != best && plan_serves(&r->plan, m, workload, point);
        if (competes && w->count < w->limit)
            w->contests[w->count++] = contest_of(&a, &b, h);
    }
}

struct winners *winners_of(const struct results *r,
                           bool (*is_shown)(const struct workload *, const char *metric))
{
    struct winners *winners = calloc(1, sizeof *winners);
    if (!winners)
        return NULL;
    winners->limit = count_points(&r->plan) * headline_count * r->plan.model_count;
    winners->contests = calloc(winners->limit + 1, sizeof *winners->contests);
    for (size_t w = 0; winners->contests && w < r->plan.workload_count; w++)
        for (size_t i = 0; i < workload_points(&r->plan.workloads[w]); i++)
            for (size_t h = 0; h < headline_count; h++)
                if (is_shown(&r->plan.workloads[w], headlines[h].metric))
                    compete(winners, r, w, i, &headlines[h]);
    if (winners->contests && contests_decide(winners->contests, winners->count) == 0)
        return winners;
    winners_free(winners);
    return NULL;
}

void winners_free(struct winners *w)
{
    if (!w)
        return;
    free(w->contests);
    free(w);
}

bool winners_have(const struct winners *w, struct group g, const char *metric)
{
    size_t beaten = 0;
    for (size_t i = 0; i < w->count; i++) {
        const struct contest *c = &w->contests[i];
        if (strcmp(c->headline->metric, metric) != 0 || c->b.group.workload != g.workload ||
            c->b.group.point != g.point)
            continue;
        if (c->b.group.model != g.model || c->verdict != BETTER)
            return false;
        beaten++;
    }
    return beaten > 0;
}

size_t winners_comparisons(const struct winners *w)
{
    return contests_comparable(w->contests, w->count);
}
