/* Capacity under a service level: the estimates, and the windows of the searches that they come
 * from. */
#include "bench/base/json.h"
#include "bench/figures/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Over the blocks, of a number in the result of a search. */
static double median_at(const struct subject *s, struct group g, const char *path)
{
    double values[ESTIMATE_MOST];
    size_t count = 0;
    unsigned most = blocks_most(s, g.workload);
    for (unsigned block = 1; block <= most && count < ESTIMATE_MOST; block++) {
        const json_t *run = run_of(s, g, block);
        if (run)
            values[count++] = json_number_at(run, path);
    }
    struct estimate e = estimate_of(values, count);
    return e.count > 0 ? e.median : NAN;
}

static void capacity_row(FILE *out, const struct subject *s, struct group g)
{
    const struct plan *p = &s->results->plan;
    struct workload at = workload_at(&p->workloads[g.workload], g.point);
    fprintf(out, "%s\t%s\t%s\t%s\t%s", at.name, point_name_of(&at, g.point).text,
            p->models[g.model], at.slo, is_at_least(s, g, "capacity") ? "≥" : "");
    put_estimate(out, estimate_metric(s, g, "capacity"), 1);
    put(out, median_of(s, g, "peak_throughput"));
    put(out, median_at(s, g, "capacity.bound_rps"));
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

static size_t window_rows(FILE *out, const struct subject *s, struct group g, const json_t *run)
{
    const struct plan *p = &s->results->plan;
    struct workload at = workload_at(&p->workloads[g.workload], g.point);
    struct estimate capacity = estimate_metric(s, g, "capacity");
    size_t i;
    const json_t *window, *windows = json_at(run, "capacity.windows");
    json_array_foreach (windows, i, window) {
        const json_t *held = json_object_get(window, "held");
        fprintf(out, "%s\t%s", p->models[g.model], point_name_of(&at, g.point).text);
        put(out, json_number_at(window, "rate_rps"));
        put(out, json_number_at(window, "p99_us") * MS_PER_US);
        fputs(json_is_true(held) ? "\t1" : json_is_false(held) ? "\t0" : "\tnone", out);
        put_estimate(out, capacity, 1);
        put(out, p99_limit_ms(at.slo));
        fputc('\n', out);
    }
    return json_array_size(windows);
}

size_t write_curve(FILE *out, const struct subject *s)
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    unsigned most = blocks_most(s, s->workload);
    fputs("model\tpoint\trate_rps\tp99_ms\theld\tcapacity_rps\tcapacity_low\tcapacity_high\t"
          "limit_ms\n",
          out);
    for (size_t i = 0; i < workload_points(&p->workloads[s->workload]); i++)
        for (size_t m = 0; m < p->model_count; m++)
            for (unsigned block = 0; block <= most; block++) { /* 0: the preview */
                struct group g = {m, s->workload, i};
                const json_t *run = run_of(s, g, block);
                rows += run ? window_rows(out, s, g, run) : 0;
            }
    return rows;
}
