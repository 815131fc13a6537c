#include "bench/report/answer.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/statistics/group.h"
#include "bench/statistics/standing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The four that the suite stands on: each is named in the table; of the others, the best are. */
static const char *const card[] = {"blocking", "thread-per-connection", "thread-pool", "epoll"};
enum { CARD = sizeof card / sizeof *card };

/* One question: a workload, or one of its named points. */
struct row {
    size_t workload, point;
    const struct headline *headline;
    struct place *of; /* of each model */
    size_t best;      /* the model with the best figure; the number of models: none has one */
};

struct answer {
    const struct results *results;
    struct row *rows;
    size_t count;
};

/* --- what is asked ---------------------------------------------------------------------------- */

/* Of a sweep its last point is what it leads up to; named points are questions of their own. */
static bool is_asked(const struct workload *w, size_t point)
{
    return w->variant_count > 0 || point + 1 == workload_points(w);
}

static bool fill_row(struct row *row, const struct results *r, size_t workload, size_t point)
{
    size_t models = r->plan.model_count;
    *row = (struct row){.workload = workload,
                        .point = point,
                        .headline = headline_find(r->plan.workloads[workload].headline),
                        .best = models,
                        .of = calloc(models + 1, sizeof *row->of)};
    if (!row->of || standings_of(r, workload, point, row->headline, r->plan.margin, row->of) != 0)
        return false;
    double best = NAN;
    for (size_t m = 0; m < models; m++) {
        struct group g = {m, workload, point};
        struct estimate e = group_estimate(r, g, metric_find(row->headline->metric));
        double figure = row->headline->more_is_better ? e.median : -e.median;
        if (e.count == 0 || row->of[m].standing == STANDING_NONE)
            continue;
        if (isnan(best) || figure > best) {
            best = figure;
            row->best = m;
        }
    }
    return true;
}

static void answer_free(struct answer *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->rows[i].of);
    free(a->rows);
}

/* 0 with an answer to free, or -1 without memory. */
static int answer_of(struct answer *a, const struct results *r)
{
    *a = (struct answer){.results = r,
                         .rows = calloc(plan_point_count(&r->plan) + 1, sizeof *a->rows)};
    for (size_t w = 0; a->rows && w < r->plan.workload_count; w++)
        for (size_t i = 0; i < workload_points(&r->plan.workloads[w]); i++) {
            if (!is_asked(&r->plan.workloads[w], i))
                continue;
            bool filled = fill_row(&a->rows[a->count++], r, w, i);
            if (!filled) {
                answer_free(a);
                return -1;
            }
        }
    return a->rows ? 0 : -1;
}

/* --- models of a row -------------------------------------------------------------------------- */

static struct group group_in(const struct row *row, size_t model)
{
    return (struct group){model, row->workload, row->point};
}

static double figure_in(const struct answer *a, const struct row *row, size_t model,
                        const char *metric)
{
    struct estimate e = group_estimate(a->results, group_in(row, model), metric_find(metric));
    return e.count > 0 ? e.median : NAN;
}

static bool is_at_the_top(const struct row *row, size_t model)
{
    return row->of[model].standing == STANDING_BEST ||
           row->of[model].standing == STANDING_EQUIVALENT;
}

/* How many times worse than the best: 1 is as good. NaN: there is no such figure. */
static double times_worse(const struct answer *a, const struct row *row, size_t model)
{
    if (row->best == a->results->plan.model_count)
        return NAN;
    double ratio = figure_in(a, row, model, row->headline->metric) /
                   figure_in(a, row, row->best, row->headline->metric);
    return row->headline->more_is_better ? 1 / ratio : ratio;
}

static size_t place_of(const struct results *r, const char *model)
{
    size_t m = 0;
    while (m < r->plan.model_count && strcmp(r->plan.models[m], model) != 0)
        m++;
    return m;
}

/* Of the card's models the one that is worst; the number of models: none has a figure. */
static size_t worst_of_card(const struct answer *a, const struct row *row)
{
    size_t models = a->results->plan.model_count, worst = models;
    for (size_t i = 0; i < CARD; i++) {
        size_t m = place_of(a->results, card[i]);
        double times = m < models ? times_worse(a, row, m) : NAN;
        if (!isnan(times) && (worst == models || times > times_worse(a, row, worst)))
            worst = m;
    }
    return worst;
}

static const char *name_of_row(const struct answer *a, const struct row *row, char *text,
                               size_t size)
{
    const struct workload *w = &a->results->plan.workloads[row->workload];
    snprintf(text, size, "%s%s%s", w->name, workload_has_points(w) ? " " : "",
             workload_has_points(w) ? point_name_of(w, row->point).text : "");
    return text;
}

/* --- sentences -------------------------------------------------------------------------------- */

/* In how many rows each model is at the top; how many rows have anybody there. */
static size_t count_tops(const struct answer *a, size_t *tops)
{
    size_t decided = 0;
    for (size_t i = 0; i < a->count; i++) {
        bool any = false;
        for (size_t m = 0; m < a->results->plan.model_count; m++) {
            tops[m] += is_at_the_top(&a->rows[i], m);
            any |= is_at_the_top(&a->rows[i], m);
        }
        decided += any;
    }
    return decided;
}

static void write_winners(FILE *out, const struct answer *a)
{
    const struct plan *p = &a->results->plan;
    size_t *tops = calloc(p->model_count + 1, sizeof *tops);
    size_t decided = tops ? count_tops(a, tops) : 0;
    if (decided == 0)
        fprintf(out, "No model is shown to be the best at any of the %zu questions yet.", a->count);
    for (size_t named = 0; decided > 0 && named < 3; named++) {
        size_t most = 0;
        for (size_t m = 1; m < p->model_count; m++)
            if (tops[m] > tops[most])
                most = m;
        if (tops[most] == 0)
            break;
        if (named == 0)
            fprintf(out, "Best, or within %g %% of the best, most often: ", p->margin * 100);
        fprintf(out, "%s`%s` (at %zu of %zu questions)", named > 0 ? ", " : "", p->models[most],
                tops[most], a->count);
        tops[most] = 0;
    }
    if (decided > 0)
        fputc('.', out);
    free(tops);
}

/* Where the choice among the card's four matters most, and where least. */
static void write_stakes(FILE *out, const struct answer *a)
{
    const struct row *most = NULL, *least = NULL;
    double highest = 0, lowest = INFINITY;
    char name[3 * NAME_SIZE];
    for (size_t i = 0; i < a->count; i++) {
        size_t worst = worst_of_card(a, &a->rows[i]);
        if (worst == a->results->plan.model_count)
            continue;
        double times = times_worse(a, &a->rows[i], worst);
        if (times > highest) {
            highest = times;
            most = &a->rows[i];
        }
        if (times < lowest) {
            lowest = times;
            least = &a->rows[i];
        }
    }
    if (!most || !least)
        return;
    fprintf(out, "The choice matters most at `%s`, where `%s` is %s times worse than `%s`",
            name_of_row(a, most, name, sizeof name),
            a->results->plan.models[worst_of_card(a, most)], figure_of(highest).text,
            a->results->plan.models[most->best]);
    if (least != most)
        fprintf(out, "; it matters least at `%s`: factor %s",
                name_of_row(a, least, name, sizeof name), figure_of(lowest).text);
    fputc('.', out);
}

/* Seconds that one block of every point takes. */
static double round_s(const struct results *r)
{
    double sum = 0;
    struct group g;
    for (g.workload = 0; g.workload < r->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&r->plan.workloads[g.workload]); g.point++)
            sum += plan_block_s(&r->plan, g.workload, g.point, false);
    return sum;
}

/* What is shown so far, and what further ten minutes would buy. */
static void write_outlook(FILE *out, const struct answer *a)
{
    static const double FURTHER_S = 600;
    size_t shown = 0, all = 0, soon = 0;
    double round = round_s(a->results);
    unsigned blocks = round > 0 ? (unsigned)(FURTHER_S / round) : 0;
    bool preview = false;
    for (size_t i = 0; i < a->count; i++)
        for (size_t m = 0; m < a->results->plan.model_count; m++) {
            const struct place *s = &a->rows[i].of[m];
            preview |= results_is_preview(a->results, group_in(&a->rows[i], m));
            if (s->standing == STANDING_NONE)
                continue;
            all++;
            shown += s->standing != STANDING_NOT_SHOWN;
            soon += s->standing == STANDING_NOT_SHOWN && s->blocks_more <= blocks;
        }
    fprintf(out, "Of %zu verdicts %zu are shown", all, shown);
    if (shown < all)
        fprintf(out,
                "; ten minutes more (about %u block%s of each point) are expected to settle %zu of "
                "the other %zu",
                blocks, blocks == 1 ? "" : "s", soon, all - shown);
    fputc('.', out);
    if (preview)
        fputs(" Some figures are a first look with short windows (preview): nothing is shown by "
              "them.",
              out);
}

/* --- the table -------------------------------------------------------------------------------- */

struct cell_text {
    char text[160];
};

/* Of one of the card's models: how many times worse than the best. */
static struct cell_text cell_of(const struct answer *a, const struct row *row, const char *model,
                                bool markdown)
{
    struct cell_text cell = {"–"};
    size_t m = place_of(a->results, model);
    if (m == a->results->plan.model_count)
        return cell;
    double times = times_worse(a, row, m);
    struct remark remark = group_remark(a->results, group_in(row, m));
    const char *mark = markdown && is_at_the_top(row, m) ? "**" : "";
    bool sure = row->of[m].standing != STANDING_NOT_SHOWN;
    if (!isnan(times))
        snprintf(cell.text, sizeof cell.text, "%s%s%s%s%s", mark,
                 times < 1.005 ? "1" : figure_of(times).text, sure ? "" : "?", mark,
                 *remark.text ? " *" : "");
    else if (remark.kind != REMARK_NONE && remark.kind != REMARK_NOT_MEASURED)
        snprintf(cell.text, sizeof cell.text, "%s", remark.text);
    return cell;
}

/* A figure in the unit in which the table gives it. */
static struct cell_text in_words(const struct headline *h, double figure)
{
    static const struct {
        const char *metric, *unit;
    } units[] = {{"capacity", "requests/s"},
                 {"throughput", "requests/s"},
                 {"response_p50", "ms at p50"},
                 {"response_p99", "ms at p99"},
                 {"cpu_per_request", "µs of CPU a request"},
                 {"switches_per_request", "switches a request"},
                 {"memory_pss", "MiB"}};
    struct cell_text text = {""};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].metric, h->metric) == 0)
            snprintf(text.text, sizeof text.text, "%s %s", figure_of(figure * h->scale).text,
                     units[i].unit);
    return text;
}

/* The models at the top, the best first, with its figure. */
static void write_best(FILE *out, const struct answer *a, const struct row *row, bool markdown)
{
    const struct plan *p = &a->results->plan;
    const char *quote = markdown ? "`" : "";
    if (row->best == p->model_count) {
        fputs("–", out);
        return;
    }
    double figure = figure_in(a, row, row->best, row->headline->metric);
    bool shown = is_at_the_top(row, row->best);
    fprintf(out, "%s%s%s%s (%s)", shown ? "" : "not shown yet; leads: ", quote,
            p->models[row->best], quote, in_words(row->headline, figure).text);
    for (size_t m = 0; m < p->model_count; m++)
        if (m != row->best && is_at_the_top(row, m))
            fprintf(out, ", %s%s%s", quote, p->models[m], quote);
}

/* Why the worst of the card's models is where it is, beside the best. */
static void write_why(FILE *out, const struct answer *a, const struct row *row)
{
    const struct plan *p = &a->results->plan;
    size_t worst = worst_of_card(a, row), best = row->best;
    if (worst == p->model_count || worst == best) {
        fputs("–", out);
        return;
    }
    static const double IDLE = 0.8, ALIKE = 1.1;
    struct remark remark = group_remark(a->results, group_in(row, worst));
    double utilisation = figure_in(a, row, worst, "server_utilisation");
    double cpu = figure_in(a, row, worst, "cpu_per_request");
    double best_cpu = figure_in(a, row, best, "cpu_per_request");
    double switches = figure_in(a, row, worst, "switches_per_request");
    double best_switches = figure_in(a, row, best, "switches_per_request");
    bool of_rate = row->headline->more_is_better;
    if (strcmp(row->headline->metric, "memory_pss") == 0)
        fprintf(out, "`%s` has %s threads or processes, `%s` %s", p->models[worst],
                figure_of(figure_in(a, row, worst, "threads_max")).text, p->models[best],
                figure_of(figure_in(a, row, best, "threads_max")).text);
    else if (of_rate && *remark.text)
        fprintf(out, "`%s` %s", p->models[worst], remark.text);
    else if (of_rate && utilisation < IDLE)
        fprintf(out, "the workers of `%s` wait: its CPU is idle for %.0f %% of the time",
                p->models[worst], 100 * (1 - utilisation));
    else if (strncmp(row->headline->metric, "response_", strlen("response_")) == 0)
        fprintf(out, "p50 %s and %s ms, p99 %s and %s ms (`%s`, `%s`)",
                figure_of(figure_in(a, row, worst, "response_p50") / 1e3).text,
                figure_of(figure_in(a, row, best, "response_p50") / 1e3).text,
                figure_of(figure_in(a, row, worst, "response_p99") / 1e3).text,
                figure_of(figure_in(a, row, best, "response_p99") / 1e3).text, p->models[worst],
                p->models[best]);
    else if (cpu < ALIKE * best_cpu)
        fputs("the work itself decides: a request costs all of them the same CPU time", out);
    else
        fprintf(out, "CPU %s and %s µs, switches %s and %s a request (`%s`, `%s`)",
                figure_of(cpu).text, figure_of(best_cpu).text, figure_of(switches).text,
                figure_of(best_switches).text, p->models[worst], p->models[best]);
}

static void write_table(FILE *out, const struct answer *a)
{
    char name[3 * NAME_SIZE];
    fputs("| workload | best, or within the margin of it |", out);
    for (size_t i = 0; i < CARD; i++)
        fprintf(out, " %s |", card[i]);
    fputs(" why |\n| --- | --- |", out);
    for (size_t i = 0; i < CARD; i++)
        fputs(" ---: |", out);
    fputs(" --- |\n", out);
    for (size_t i = 0; i < a->count; i++) {
        const struct row *row = &a->rows[i];
        fprintf(out, "| `%s` | ", name_of_row(a, row, name, sizeof name));
        write_best(out, a, row, true);
        for (size_t c = 0; c < CARD; c++)
            fprintf(out, " | %s", cell_of(a, row, card[c], true).text);
        fputs(" | ", out);
        write_why(out, a, row);
        fputs(" |\n", out);
    }
}

void answer_write(FILE *out, const struct results *r)
{
    struct answer a;
    if (answer_of(&a, r) != 0)
        return;
    write_winners(out, &a);
    fputc(' ', out);
    write_stakes(out, &a);
    fputc(' ', out);
    write_outlook(out, &a);
    fputs("\n\n", out);
    write_table(out, &a);
    fprintf(out,
            "\nThe four columns say how many times worse than the best a model is: 1 is as good, "
            "**bold** "
            "is shown to be the best or within %g %% of it, ? is not shown yet, * is explained "
            "below. The figure is the one that answers the workload's question.\n",
            r->plan.margin * 100);
    answer_free(&a);
}

char *answer_text(const struct results *r)
{
    struct answer a;
    char *text = NULL, name[3 * NAME_SIZE];
    size_t size = 0;
    if (answer_of(&a, r) != 0)
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        fprintf(out, "%-28s", "times worse than the best");
        for (size_t i = 0; i < CARD; i++)
            fprintf(out, " %*s", (int)fmax(9, (double)strlen(card[i])), card[i]);
        fputs("  best\n", out);
        for (size_t i = 0; i < a.count; i++) {
            fprintf(out, "%-28s", name_of_row(&a, &a.rows[i], name, sizeof name));
            for (size_t c = 0; c < CARD; c++)
                fprintf(out, " %*s", (int)fmax(9, (double)strlen(card[c])),
                        cell_of(&a, &a.rows[i], card[c], false).text);
            fputs("  ", out);
            write_best(out, &a, &a.rows[i], false);
            fputc('\n', out);
        }
        fputc('\n', out);
        write_winners(out, &a);
        fputc('\n', out);
        write_stakes(out, &a);
        fputc('\n', out);
        write_outlook(out, &a);
        fputc('\n', out);
    }
    answer_free(&a);
    return text_finish(out, &text);
}
