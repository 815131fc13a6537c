#include "bench/report/compare.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"
#include "bench/journal/results.h"
#include "bench/statistics/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is compared with what. */
struct pair {
    struct results runs[2]; /* the second only between runs */
    bool between_runs;
    const char *name_a, *name_b; /* the models, or the folders */
    const char *folder;          /* of the models */
};

/* All comparisons of an invocation. */
struct table {
    double margin;
    struct contest *contests;
    size_t count, limit;
};

static size_t find_model(const struct plan *p, const char *name)
{
    size_t i = 0;
    while (i < p->model_count && strcmp(p->models[i], name) != 0)
        i++;
    return i;
}

static size_t find_workload(const struct plan *p, const char *name)
{
    size_t i = 0;
    while (i < p->workload_count && strcmp(p->workloads[i].name, name) != 0)
        i++;
    return i;
}

/* --- what is asked ---------------------------------------------------------------------------- */

static bool is_run(const char *folder)
{
    return access(path_of("%s/plan.json", folder).text, R_OK) == 0;
}

static enum compare_result open_runs(struct pair *p, const struct compare_request *r,
                                     struct error *error)
{
    p->between_runs = true;
    p->name_a = r->a;
    p->name_b = r->b;
    if (results_read(&p->runs[0], r->a, error) != 0)
        return COMPARE_FAILED;
    return results_read(&p->runs[1], r->b, error) == 0 ? COMPARE_DONE : COMPARE_FAILED;
}

static enum compare_result check_model(const struct pair *p, const char *name, struct error *error)
{
    const struct plan *plan = &p->runs[0].plan;
    char known[512] = "";
    size_t length = 0;
    if (find_model(plan, name) < plan->model_count)
        return COMPARE_DONE;
    for (size_t i = 0; i < plan->model_count && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, " %s", plan->models[i]);
    error_set(error, "compare: there is no model \"%s\" in %s. There are:%s", name, p->folder,
              known);
    return COMPARE_REFUSED;
}

static enum compare_result open_models(struct pair *p, const struct compare_request *r,
                                       struct error *error)
{
    p->folder = r->folder ? r->folder : "results/latest";
    p->name_a = r->a;
    p->name_b = r->b;
    if (!is_run(p->folder)) {
        error_set(error,
                  "compare: %s is no run's folder. Name two models and a run's folder, such as "
                  "results/latest, or two runs' folders",
                  p->folder);
        return COMPARE_REFUSED;
    }
    if (results_read(&p->runs[0], p->folder, error) != 0)
        return COMPARE_FAILED;
    enum compare_result result = check_model(p, r->a, error);
    if (result == COMPARE_DONE)
        result = check_model(p, r->b, error);
    if (result == COMPARE_DONE && strcmp(r->a, r->b) == 0) {
        error_set(error, "compare: \"%s\" and \"%s\" are one model", r->a, r->b);
        result = COMPARE_REFUSED;
    }
    return result;
}

static enum compare_result pair_open(struct pair *p, const struct compare_request *r,
                                     struct error *error)
{
    *p = (struct pair){.between_runs = false};
    if (r->folder)
        return open_models(p, r, error);
    if (is_run(r->a) && is_run(r->b))
        return open_runs(p, r, error);
    /* A folder for one of them: a run was meant, and the other is none. */
    if (is_run(r->a) || is_run(r->b) || strchr(r->a, '/') || strchr(r->b, '/')) {
        error_set(error, "compare: %s is no run's folder", is_run(r->a) ? r->b : r->a);
        return COMPARE_REFUSED;
    }
    return open_models(p, r, error);
}

static void pair_close(struct pair *p)
{
    results_free(&p->runs[0]);
    results_free(&p->runs[1]);
}

/* --- what is compared ------------------------------------------------------------------------- */

static void add(struct table *t, const struct side *a, const struct side *b, const char *obstacle)
{
    for (size_t h = 0; h < headline_count && t->count < t->limit; h++) {
        if (!headline_is_of(&headlines[h], &a->results->plan.workloads[a->group.workload]))
            continue;
        struct contest c = contest_of(a, b, &headlines[h], t->margin);
        if (obstacle && c.verdict != NOT_COMPARABLE) {
            c.ratio = c.low = c.high = NAN;
            c.verdict = NOT_COMPARABLE;
            snprintf(c.reason, sizeof c.reason, "%s", obstacle);
        }
        t->contests[t->count++] = c;
    }
}

static void fill_from_models(struct table *t, const struct pair *p)
{
    const struct results *r = &p->runs[0];
    size_t a = find_model(&r->plan, p->name_a), b = find_model(&r->plan, p->name_b);
    for (size_t w = 0; w < r->plan.workload_count; w++)
        for (size_t i = 0; i < workload_points(&r->plan.workloads[w]); i++) {
            struct side side_a = {r, {a, w, i}, p->name_a}, side_b = {r, {b, w, i}, p->name_b};
            add(t, &side_a, &side_b, NULL);
        }
}

static bool same_mix(const struct pair *p, const struct workload *a, const struct workload *b)
{
    if (!*a->mix && !*b->mix)
        return true;
    char *text_a = file_read(path_of("%s/inputs/%s", p->name_a, a->mix).text, NULL);
    char *text_b = file_read(path_of("%s/inputs/%s", p->name_b, b->mix).text, NULL);
    bool same = text_a && text_b && strcmp(text_a, text_b) == 0;
    free(text_a);
    free(text_b);
    return same;
}

static size_t find_point(const struct workload *w, struct point_name name)
{
    size_t i = 0;
    while (i < workload_points(w) && strcmp(point_name_of(w, i).text, name.text) != 0)
        i++;
    return i;
}

/* NULL: the two put the same load on a server at these points. */
static const char *obstacle_at(const struct pair *p, const struct workload *a, size_t i,
                               const struct workload *b, size_t k)
{
    struct workload at_a = workload_at(a, i), at_b = workload_at(b, k);
    bool same = workload_same_load(&at_a, &at_b) && same_mix(p, &at_a, &at_b);
    return same ? NULL : "the workload's settings differ";
}

static void fill_from_workloads(struct table *t, const struct pair *p, size_t w, size_t v)
{
    const struct results *a = &p->runs[0], *b = &p->runs[1];
    const struct workload *of_a = &a->plan.workloads[w], *of_b = &b->plan.workloads[v];
    for (size_t i = 0; i < workload_points(of_a); i++) {
        size_t k = find_point(of_b, point_name_of(of_a, i));
        if (k == workload_points(of_b))
            continue;
        const char *obstacle = obstacle_at(p, of_a, i, of_b, k);
        for (size_t m = 0; m < a->plan.model_count; m++) {
            size_t n = find_model(&b->plan, a->plan.models[m]);
            struct side side_a = {a, {m, w, i}, p->name_a}, side_b = {b, {n, v, k}, p->name_b};
            if (n < b->plan.model_count)
                add(t, &side_a, &side_b, obstacle);
        }
    }
}

static void fill_from_runs(struct table *t, const struct pair *p)
{
    const struct plan *a = &p->runs[0].plan, *b = &p->runs[1].plan;
    for (size_t w = 0; w < a->workload_count; w++) {
        size_t v = find_workload(b, a->workloads[w].name);
        if (v < b->workload_count)
            fill_from_workloads(t, p, w, v);
    }
}

/* --- the table -------------------------------------------------------------------------------- */

static const char *const verdicts[] = {
    [NOT_COMPARABLE] = "not comparable",
    [NOT_SHOWN] = "not shown yet",
    [EQUIVALENT] = "equivalent",
    [BETTER] = "better",
    [WORSE] = "worse",
};

static const char *model_of(const struct side *s)
{
    return s->results->plan.models[s->group.model];
}

static const struct workload *workload_of(const struct side *s)
{
    return &s->results->plan.workloads[s->group.workload];
}

static double figure_or_nan(struct estimate e)
{
    return e.count > 0 ? e.median : NAN;
}

static void put(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "%.10g\t", value);
    else
        fputs("-\t", out);
}

static void write_tsv(FILE *out, const struct pair *p, const struct table *t)
{
    fputs("workload\tpoint\tmetric\tunit\ta\tb\tratio\tlow\thigh\tverdict\tblocks_more\treason\t"
          "model\n",
          out);
    for (size_t i = 0; i < t->count; i++) {
        const struct contest *c = &t->contests[i];
        const struct workload *w = workload_of(&c->a);
        const struct metric *m = metric_find(c->headline->metric);
        fprintf(out, "%s\t%s\t%s\t%s\t", w->name, point_name_of(w, c->a.group.point).text, m->name,
                m->unit);
        const double figures[] = {figure_or_nan(c->of_a), figure_or_nan(c->of_b), c->ratio, c->low,
                                  c->high};
        for (size_t f = 0; f < sizeof figures / sizeof *figures; f++)
            put(out, figures[f]);
        fprintf(out, "%s\t%u\t%s\t%s\n", verdicts[c->verdict], c->blocks_more,
                *c->reason ? c->reason : "-", p->between_runs ? model_of(&c->a) : "-");
    }
}

/* "+12.3 %", or "x 23" where percents say little. */
static struct figure change_of(double ratio)
{
    struct figure f;
    if (!isfinite(ratio))
        strcpy(f.text, "-");
    else if (ratio >= 0.1 && ratio < 10)
        snprintf(f.text, sizeof f.text, "%+.1f %%", (ratio - 1) * 100);
    else
        snprintf(f.text, sizeof f.text, "x %.3g", ratio);
    return f;
}

static void put_figure(FILE *out, struct estimate e, double scale)
{
    struct figure f = e.count > 0 ? figure_of(e.median * scale) : (struct figure){"-"};
    /* A width counts bytes, and ≥ has three. */
    fprintf(out, " %s%*s", e.at_least ? "≥" : "", e.at_least ? 8 : 9, f.text);
}

static void put_verdict(FILE *out, const struct contest *c, double margin)
{
    fputs(verdicts[c->verdict], out);
    if (c->verdict == EQUIVALENT)
        fprintf(out, " within %.3g %%", margin * 100);
    if (c->verdict == NOT_SHOWN)
        fprintf(out, " (%s%u more block%s)", c->blocks_more > BLOCKS_MORE_MOST ? "more than " : "",
                c->blocks_more > BLOCKS_MORE_MOST ? BLOCKS_MORE_MOST : c->blocks_more,
                c->blocks_more == 1 ? "" : "s");
    if (*c->reason)
        fprintf(out, ": %s", c->reason);
    fputc('\n', out);
}

static void write_row(FILE *out, const struct pair *p, const struct contest *c, double margin)
{
    const struct workload *w = workload_of(&c->a);
    char name[3 * NAME_SIZE], interval[2 * sizeof(struct figure) + 8] = "-";
    snprintf(name, sizeof name, "%s%s%s", w->name, workload_has_points(w) ? " " : "",
             workload_has_points(w) ? point_name_of(w, c->a.group.point).text : "");
    if (isfinite(c->low))
        snprintf(interval, sizeof interval, "%s to %s", change_of(c->low).text,
                 change_of(c->high).text);
    if (p->between_runs)
        fprintf(out, "%-22s ", model_of(&c->a));
    fprintf(out, "%-26s %-16s", name, c->headline->title);
    put_figure(out, c->of_a, c->headline->scale);
    put_figure(out, c->of_b, c->headline->scale);
    fprintf(out, " %10s  %-24s  ", change_of(c->ratio).text, interval);
    put_verdict(out, c, margin);
}

static void write_text(FILE *out, const struct pair *p, const struct table *t)
{
    fprintf(out, "B against A%s%s. A: %s. B: %s.\n", p->between_runs ? "" : " in ",
            p->between_runs ? "" : p->folder, p->name_a, p->name_b);
    fprintf(out,
            "Better or worse is said of B where the 95 %% interval of the ratio leaves out 1; "
            "equivalent, where it\nis shown that they differ by less than %.3g %%. Each row stands "
            "for itself: of 20 rows in which nothing\ndiffers, one may say that something does.\n",
            t->margin * 100);
    if (p->between_runs)
        fputs("The runs were made at different times: a change of the machine between them looks "
              "like a difference.\n",
              out);
    fputc('\n', out);
    if (p->between_runs)
        fprintf(out, "%-22s ", "model");
    fprintf(out, "%-26s %-16s %9s %9s %10s  %-24s  %s\n", "workload", "figure", "A", "B", "B to A",
            "95 % interval", "B is");
    for (size_t i = 0; i < t->count; i++)
        write_row(out, p, &t->contests[i], t->margin);
}

static enum compare_result write_table(FILE *out, const struct pair *p,
                                       const struct compare_request *r, struct error *error)
{
    const struct plan *plan = &p->runs[0].plan;
    struct table t = {.margin = r->margin, .limit = plan_group_count(plan) * headline_count};
    t.contests = calloc(t.limit + 1, sizeof *t.contests);
    if (!t.contests) {
        error_set(error, "no memory for the comparison");
        return COMPARE_FAILED;
    }
    if (p->between_runs)
        fill_from_runs(&t, p);
    else
        fill_from_models(&t, p);
    enum compare_result result = t.count > 0 ? COMPARE_DONE : COMPARE_REFUSED;
    if (t.count == 0)
        error_set(error, "compare: %s and %s have no model and workload in common", p->name_a,
                  p->name_b);
    else if (r->tsv)
        write_tsv(out, p, &t);
    else
        write_text(out, p, &t);
    free(t.contests);
    return result;
}

enum compare_result compare_write(FILE *out, const struct compare_request *r, struct error *error)
{
    struct pair p;
    enum compare_result result = pair_open(&p, r, error);
    if (result == COMPARE_DONE)
        result = write_table(out, &p, r, error);
    pair_close(&p);
    return result;
}
