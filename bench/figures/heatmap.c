/* Every model in every workload, relative to the best there: one metric for each workload. */
#include "bench/figures/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The figure that answers the workload's question, under a name that is short enough. */
struct yardstick {
    const char *metric, *name;
    bool more_is_better;
};

static const struct yardstick *yardstick_of(const struct workload *w)
{
    static const struct yardstick known[] = {
        {"capacity", "capacity", true},    {"throughput", "throughput", true},
        {"response_p50", "p50", false},    {"response_p99", "p99", false},
        {"cpu_per_request", "CPU", false}, {"switches_per_request", "switches", false},
        {"memory_pss", "memory", false},
    };
    size_t i = 0;
    while (strcmp(known[i].metric, w->headline) != 0)
        i++;
    return &known[i];
}

/* What can be said of a model at a point. A figure with a remark ("served 1 of 64") is not one of
 * all that was asked for. A rate that is a lower bound is none of what the server can do; a
 * response time that is one is at least so much worse. */
enum cell_kind { CELL_VALUE, CELL_LEAST, CELL_BOUND, CELL_REMARK, CELL_NONE };
static const char *const kind_names[] = {"value", "least", "bound", "remark", "none"};

struct cell_value {
    double value;
    enum cell_kind kind;
};

static struct cell_value value_of(const struct subject *s, struct group g,
                                  const struct yardstick *y)
{
    struct cell_value c = {figure_of_group(s, g, y->metric), CELL_VALUE};
    if (group_remark(s->results, g).kind >= REMARK_STARVED)
        c.kind = CELL_REMARK;
    else if (!(c.value > 0))
        c.kind = CELL_NONE;
    else if (estimate_metric(s, g, y->metric).at_least)
        c.kind = y->more_is_better ? CELL_BOUND : CELL_LEAST;
    return c;
}

/* The best of a column among those that may be compared; NULL: there is none. */
static const struct cell_value *best_of(const struct cell_value *cells, size_t count,
                                        const struct yardstick *y)
{
    const struct cell_value *best = NULL;
    for (const struct cell_value *c = cells; c < cells + count; c++)
        if ((c->kind == CELL_VALUE || c->kind == CELL_BOUND) &&
            (!best || (y->more_is_better ? c->value > best->value : c->value < best->value)))
            best = c;
    return best;
}

/* "1.0" to "9.9", then "10", with a cross from 1.05 on: "3.4×". */
static void print_ratio(FILE *out, double ratio)
{
    if (ratio < 1.05)
        fputs("1.0", out);
    else if (ratio < 9.95)
        fprintf(out, "%.1f×", ratio);
    else
        fprintf(out, "%.0f×", ratio);
}

/* "served 1 of 64" as "1/64"; of other remarks the first word. */
static void print_remark(FILE *out, const char *remark)
{
    unsigned served, all;
    if (sscanf(remark, "served %u of %u", &served, &all) == 2)
        fprintf(out, "%u/%u", served, all);
    else if (strcmp(remark, "no answer") == 0)
        fputs("none", out);
    else
        fprintf(out, "%.*s", (int)strcspn(remark, " :,"), remark);
}

static void put_cell(FILE *out, const struct cell_value *c, const struct cell_value *best,
                     const struct yardstick *y, const char *remark)
{
    double ratio = !best || c->kind > CELL_BOUND ? NAN
                   : y->more_is_better           ? best->value / c->value
                                                 : c->value / best->value;
    bool is_ratio = best && (c->kind == CELL_VALUE || c->kind == CELL_LEAST);
    bool is_least = is_ratio && (c->kind == CELL_LEAST || best->kind == CELL_BOUND);
    fprintf(out, "\t%s\t%s", y->name, is_least ? "least" : kind_names[c->kind]);
    put(out, ratio);
    fputs(is_least ? "\t≥" : "\t", out);
    if (c->kind == CELL_REMARK)
        print_remark(out, remark);
    else if (is_ratio)
        print_ratio(out, ratio);
    else
        fputs(c->kind == CELL_BOUND ? "gen" : "–", out);
    put(out, c->value);
    fputc('\n', out);
}

/* Its rows are a column of the figure. */
static size_t write_column(FILE *out, const struct subject *s, struct group g, bool is_main)
{
    const struct plan *p = &s->results->plan;
    const struct workload *w = &p->workloads[g.workload];
    const struct yardstick *y = yardstick_of(w);
    struct cell_value *cells = calloc(p->model_count, sizeof *cells);
    if (!cells)
        return 0;
    for (g.model = 0; g.model < p->model_count; g.model++)
        cells[g.model] = value_of(s, g, y);
    const struct cell_value *best = best_of(cells, p->model_count, y);
    for (g.model = 0; g.model < p->model_count; g.model++) {
        fprintf(out, "%s\t%s\t%s\t%d\t%s", w->name, w->title,
                workload_has_points(w) ? point_name_of(w, g.point).text : "none", is_main,
                p->models[g.model]);
        put_cell(out, &cells[g.model], best, y, group_remark(s->results, g).text);
    }
    free(cells);
    return p->model_count;
}

/* Of more than three points the first, the middle one and the last. */
static bool is_shown(size_t point, size_t points)
{
    return points <= 3 || point == 0 || point == points / 2 || point + 1 == points;
}

/* The one point that stands for a workload where there is room for one: in the middle of a sweep,
 * before all are overloaded. */
static bool is_main_point(size_t point, size_t points)
{
    return point == points / 2;
}

size_t write_heatmap(FILE *out, const struct subject *s)
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    fputs("workload\ttitle\tpoint\tmain\tmodel\tmetric\tkind\tratio\ttext\tvalue\n", out);
    for (size_t w = 0; w < p->workload_count; w++) {
        size_t points = workload_points(&p->workloads[w]);
        for (size_t i = 0; i < points; i++)
            if (is_shown(i, points))
                rows += write_column(out, s, (struct group){0, w, i}, is_main_point(i, points));
    }
    return rows;
}
