#include "bench/report/questions.h"

#include "bench/statistics/group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The four that the suite stands on: each is named in the table; of the others, the best are. */
static const char *const card[] = {"blocking", "thread-per-connection", "thread-pool", "epoll"};
enum { CARD = sizeof card / sizeof *card };

/* --- what is asked ---------------------------------------------------------------------------- */

/* Of a sweep its last point is what it leads up to; named points are questions of their own. */
static bool is_asked(const struct workload *w, size_t point)
{
    return w->variant_count > 0 || point + 1 == workload_points(w);
}

static bool fill_question(struct question *q, const struct results *r, size_t workload,
                          size_t point)
{
    size_t models = r->plan.model_count;
    *q = (struct question){.workload = workload,
                           .point = point,
                           .headline = headline_find(r->plan.workloads[workload].headline),
                           .best = models,
                           .of = calloc(models + 1, sizeof *q->of)};
    if (!q->of || standings_of(r, workload, point, q->headline, r->plan.margin, q->of) != 0)
        return false;
    double best = NAN;
    for (size_t m = 0; m < models; m++) {
        struct group g = {m, workload, point};
        struct estimate e = group_estimate(r, g, metric_find(q->headline->metric));
        double figure = q->headline->more_is_better ? e.median : -e.median;
        if (e.count == 0 || q->of[m].standing == STANDING_NONE)
            continue;
        if (isnan(best) || figure > best) {
            best = figure;
            q->best = m;
        }
    }
    return true;
}

void questions_free(struct questions *a)
{
    for (size_t i = 0; a->all && i < a->count; i++)
        free(a->all[i].of);
    free(a->all);
    free(a->shown);
}

static size_t place_of(const struct results *r, const char *model)
{
    size_t m = 0;
    while (m < r->plan.model_count && strcmp(r->plan.models[m], model) != 0)
        m++;
    return m;
}

/* What somebody brings to the comparison is what they want to see. */
static void choose_columns(struct questions *a)
{
    const struct plan *p = &a->results->plan;
    for (size_t i = 0; i < CARD; i++) {
        size_t m = place_of(a->results, card[i]);
        if (m < p->model_count)
            a->shown[a->shown_count++] = m;
    }
    for (size_t m = p->model_count - p->target_count; m < p->model_count; m++)
        a->shown[a->shown_count++] = m;
}

int questions_of(struct questions *a, const struct results *r)
{
    *a = (struct questions){.results = r,
                            .all = calloc(plan_point_count(&r->plan) + 1, sizeof *a->all),
                            .shown = calloc(r->plan.model_count + CARD, sizeof *a->shown)};
    if (!a->all || !a->shown) {
        questions_free(a);
        return -1;
    }
    choose_columns(a);
    for (size_t w = 0; w < r->plan.workload_count; w++)
        for (size_t i = 0; i < workload_points(&r->plan.workloads[w]); i++) {
            if (!is_asked(&r->plan.workloads[w], i))
                continue;
            bool filled = fill_question(&a->all[a->count++], r, w, i);
            if (!filled) {
                questions_free(a);
                return -1;
            }
        }
    return 0;
}

/* --- models of a question --------------------------------------------------------------------- */

struct group question_group(const struct question *q, size_t model)
{
    return (struct group){model, q->workload, q->point};
}

double question_figure(const struct questions *a, const struct question *q, size_t model,
                       const char *metric)
{
    struct estimate e = group_estimate(a->results, question_group(q, model), metric_find(metric));
    return e.count > 0 ? e.median : NAN;
}

bool is_at_the_top(const struct question *q, size_t model)
{
    return q->of[model].standing == STANDING_BEST || q->of[model].standing == STANDING_EQUIVALENT;
}

double times_worse(const struct questions *a, const struct question *q, size_t model)
{
    if (q->best == a->results->plan.model_count)
        return NAN;
    double ratio = question_figure(a, q, model, q->headline->metric) /
                   question_figure(a, q, q->best, q->headline->metric);
    double times = q->headline->more_is_better ? 1 / ratio : ratio;
    return isfinite(times) ? times : NAN; /* to nothing there is no ratio */
}

size_t worst_of_card(const struct questions *a, const struct question *q)
{
    size_t models = a->results->plan.model_count, worst = models;
    for (size_t i = 0; i < CARD; i++) {
        size_t m = place_of(a->results, card[i]);
        double times = m < models ? times_worse(a, q, m) : NAN;
        if (!isnan(times) && (worst == models || times > times_worse(a, q, worst)))
            worst = m;
    }
    return worst;
}

const char *question_name(const struct questions *a, const struct question *q, char *text,
                          size_t size)
{
    const struct workload *w = &a->results->plan.workloads[q->workload];
    snprintf(text, size, "%s%s%s", w->name, workload_has_points(w) ? " " : "",
             workload_has_points(w) ? point_name_of(w, q->point).text : "");
    return text;
}
