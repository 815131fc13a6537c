/* Capacity under a service level: the estimates, and the windows of the searches that they come
 * from. */
#include "bench/statistics/capacity.h"
#include "bench/figures/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void capacity_row(FILE *out, const struct subject *s, struct group g)
{
    const struct plan *p = &s->results->plan;
    struct workload at = workload_at(&p->workloads[g.workload], g.point);
    fprintf(out, "%s\t%s\t%s\t%s\t%s", at.name, point_name_of(&at, g.point).text,
            p->models[g.model], at.slo, estimate_metric(s, g, "capacity").at_least ? "≥" : "");
    put_estimate(out, estimate_metric(s, g, "capacity"), 1);
    put(out, figure_of_group(s, g, "peak_throughput"));
    put(out, figure_of_group(s, g, "capacity_bound"));
    fputc('\n', out);
}

size_t write_capacity(FILE *out, const struct subject *s)
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    fputs("workload\tpoint\tmodel\tslo\tbound\trps\trps_low\trps_high\tpeak_rps\tbound_rps\n", out);
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t i = 0; i < workload_points(&p->workloads[w]); i++) {
            struct workload at = workload_at(&p->workloads[w], i);
            for (size_t m = 0; m < p->model_count && at.capacity; m++, rows++)
                capacity_row(out, s, (struct group){m, w, i});
        }
    return rows;
}

/* The limit on the 99th percentile that "p99<10ms errors<0.1%" names, in ms; NaN: none. */
static double p99_limit_ms(const char *slo)
{
    static const char condition[] = "p99<";
    const char *found = strstr(slo, condition);
    if (!found)
        return NAN;
    char *unit;
    double value = strtod(found + strlen(condition), &unit);
    return strncmp(unit, "us", 2) == 0   ? value * 1e-3
           : strncmp(unit, "ms", 2) == 0 ? value
           : *unit == 's'                ? value * 1e3
                                         : NAN;
}

/* Where the rows of windows go, and what stands in each. */
struct window_rows {
    FILE *out;
    const char *model;
    struct point_name point;
    struct estimate capacity;
    double limit_ms;
    size_t count;
};

static void window_row(void *argument, const struct capacity_window *w)
{
    static const char *const held[] = {"none", "0", "1"};
    struct window_rows *rows = argument;
    fprintf(rows->out, "%s\t%s", rows->model, rows->point.text);
    put(rows->out, w->rate_rps);
    put(rows->out, w->p99_us * MS_PER_US);
    fprintf(rows->out, "\t%s", held[w->held + 1]);
    put_estimate(rows->out, rows->capacity, 1);
    put(rows->out, rows->limit_ms);
    fputc('\n', rows->out);
    rows->count++;
}

size_t write_curve(FILE *out, const struct subject *s)
{
    const struct plan *p = &s->results->plan;
    const struct workload *w = &p->workloads[s->workload];
    size_t count = 0;
    fputs("model\tpoint\trate_rps\tp99_ms\theld\tcapacity_rps\tcapacity_low\tcapacity_high\t"
          "limit_ms\n",
          out);
    for (size_t i = 0; i < workload_points(w); i++)
        for (size_t m = 0; m < p->model_count; m++) {
            struct group g = {m, s->workload, i};
            struct window_rows rows = {.out = out,
                                       .model = p->models[m],
                                       .point = point_name_of(w, i),
                                       .capacity = estimate_metric(s, g, "capacity"),
                                       .limit_ms = p99_limit_ms(w->slo)};
            capacity_windows(s->results, g, window_row, &rows);
            count += rows.count;
        }
    return count;
}
