#include "bench/report/tables.h"

#include "bench/base/figure.h"
#include "bench/statistics/group.h"
#include "bench/statistics/standing.h"

#include <stdlib.h>
#include <string.h>

struct column {
    const char *title, *metric;
    double scale;
};

static const double PER_MS = 1e-3, MIB = 1.0 / (1 << 20);

static const struct column columns[] = {
    {"requests/s", "throughput", 1},
    {"p50 ms", "response_p50", PER_MS},
    {"p99 ms", "response_p99", PER_MS},
    {"p99.9 ms", "response_p99_9", PER_MS},
    {"CPU µs/request", "cpu_per_request", 1},
    {"switches/request", "switches_per_request", 1},
    {"of them involuntary", "switches_involuntary_per_request", 1},
    {"memory MiB", "memory_pss", MIB},
    {"threads", "threads_max", 1},
    {"errors", "errors", 1},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* What a workload of several points shows, a table each. */
static const struct column of_points[] = {
    {"Requests answered per second", "throughput", 1},
    {"Response time p99, ms", "response_p99", PER_MS},
    {"CPU time of the server, µs a request", "cpu_per_request", 1},
    {"Context switches per request", "switches_per_request", 1},
    {"Memory of the server (PSS), MiB", "memory_pss", MIB},
};

/* A search for the capacity: never the peak without the capacity. */
static const struct column of_capacity[] = {
    {"Capacity, requests/s", "capacity", 1},
    {"What the CPU allows (CPUs / CPU time per request), requests/s", "capacity_bound", 1},
    {"Peak throughput, whatever the response times, requests/s", "peak_throughput", 1},
};

/* --- a figure --------------------------------------------------------------------------------- */

struct shown {
    char text[3 * sizeof(struct figure) + 48];
};

static struct shown show(const struct results *r, struct group g, const struct column *c,
                         bool is_bold)
{
    struct shown f = {"–"};
    struct estimate e = group_estimate(r, g, metric_find(c->metric));
    const char *mark = is_bold ? "**" : "", *bound = e.at_least ? "≥ " : "";
    struct figure middle = figure_of(e.median * c->scale), low = figure_of(e.low * c->scale),
                  high = figure_of(e.high * c->scale);
    if (e.count == 0)
        return f;
    bool is_point = e.at_least || strcmp(low.text, high.text) == 0;
    if (is_point)
        snprintf(f.text, sizeof f.text, "%s%s%s%s", mark, bound, middle.text, mark);
    else
        snprintf(f.text, sizeof f.text, "%s%s%s (%s–%s)", mark, middle.text, mark, low.text,
                 high.text);
    return f;
}

/* Which models are shown to be the best, or equivalent to it, in a column. */
static void find_bold(const struct results *r, size_t workload, size_t point, const char *metric,
                      bool *bold)
{
    const struct headline *h = headline_find(metric);
    struct place *of = h ? calloc(r->plan.model_count + 1, sizeof *of) : NULL;
    bool known = of && standings_of(r, workload, point, h, r->plan.margin, of) == 0;
    for (size_t m = 0; m < r->plan.model_count; m++)
        bold[m] =
            known && (of[m].standing == STANDING_BEST || of[m].standing == STANDING_EQUIVALENT);
    free(of);
}

/* --- a table ---------------------------------------------------------------------------------- */

/* What one column of a printed table is about. */
struct spot {
    const struct column *column;
    size_t point;
    char title[96];
    bool *bold; /* by model */
};

static void write_spots(FILE *out, const struct results *r, size_t workload,
                        const struct spot *spots, size_t count)
{
    fputs("| model |", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s |", spots[i].title);
    fputs("\n| --- |", out);
    for (size_t i = 0; i < count; i++)
        fputs(" ---: |", out);
    fputc('\n', out);
    for (size_t m = 0; m < r->plan.model_count; m++) {
        fprintf(out, "| %s |", r->plan.models[m]);
        for (size_t i = 0; i < count; i++) {
            struct group g = {m, workload, spots[i].point};
            fprintf(out, " %s |", show(r, g, spots[i].column, spots[i].bold[m]).text);
        }
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void write_table(FILE *out, const struct results *r, size_t workload, struct spot *spots,
                        size_t count)
{
    size_t models = r->plan.model_count;
    bool *bold = calloc(count * models + 1, sizeof *bold);
    for (size_t i = 0; bold && i < count; i++) {
        spots[i].bold = bold + i * models;
        find_bold(r, workload, spots[i].point, spots[i].column->metric, spots[i].bold);
    }
    if (bold)
        write_spots(out, r, workload, spots, count);
    free(bold);
}

static void write_single(FILE *out, const struct results *r, size_t workload)
{
    struct spot spots[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        spots[i] = (struct spot){.column = &columns[i]};
        snprintf(spots[i].title, sizeof spots[i].title, "%s", columns[i].title);
    }
    write_table(out, r, workload, spots, COLUMNS);
}

static void write_by_point(FILE *out, const struct results *r, size_t workload,
                           const struct column *column)
{
    const struct workload *w = &r->plan.workloads[workload];
    struct spot spots[VALUES_LIMIT];
    size_t count = workload_points(w);
    for (size_t i = 0; i < count; i++) {
        spots[i] = (struct spot){.column = column, .point = i};
        snprintf(spots[i].title, sizeof spots[i].title, "%s", point_name_of(w, i).text);
    }
    fprintf(out, "%s, by %s:\n\n", column->title,
            workload_has_points(w) ? workload_varies(w) : "model");
    write_table(out, r, workload, spots, count);
}

/* --- in words --------------------------------------------------------------------------------- */

/* A median of those who were answered is a lie where most were not. Models of which the same is to
 * be said share a line. */
static void write_remarks(FILE *out, const struct results *r, size_t workload)
{
    const struct workload *w = &r->plan.workloads[workload];
    bool any = false;
    for (size_t m = 0; m < r->plan.model_count; m++) {
        bool named = false;
        for (size_t i = 0; i < workload_points(w); i++) {
            struct remark remark = group_remark(r, (struct group){m, workload, i});
            if (!*remark.text || !plan_serves(&r->plan, m, workload, i))
                continue;
            if (!named)
                fprintf(out, "- %s: ", plan_server_name(&r->plan, m).text);
            fprintf(out, "%s%s", named ? "; " : "", remark.text);
            if (workload_has_points(w))
                fprintf(out, " at %s", point_name_of(w, i).text);
            named = any = true;
        }
        if (named)
            fputs(".\n", out);
    }
    if (any)
        fputc('\n', out);
}

/* --- what limits a capacity ------------------------------------------------------------------- */

enum limit { LIMIT_CPU, LIMIT_WAIT, LIMIT_GENERATOR, LIMIT_UNKNOWN };
static const char *const limit_names[] = {
    [LIMIT_CPU] = "the CPU (80 % or more of what it allows)",
    [LIMIT_WAIT] = "waiting, for a worker or a lock (the CPU has time left)",
    [LIMIT_GENERATOR] = "the load generator",
};

/* Where the two ways to a capacity disagree, something other than the CPU is the limit. */
static enum limit limit_of(const struct results *r, struct group g)
{
    static const double ALIKE = 0.8;
    struct estimate capacity = group_estimate(r, g, metric_find("capacity"));
    struct estimate bound = group_estimate(r, g, metric_find("capacity_bound"));
    if (capacity.count == 0 || bound.count == 0)
        return LIMIT_UNKNOWN;
    if (capacity.median >= ALIKE * bound.median)
        return LIMIT_CPU;
    return capacity.at_least ? LIMIT_GENERATOR : LIMIT_WAIT;
}

static void write_limits(FILE *out, const struct results *r, size_t workload)
{
    const struct workload *w = &r->plan.workloads[workload];
    for (size_t i = 0; i < workload_points(w); i++) {
        fprintf(out, "- What limits them at %s:", point_name_of(w, i).text);
        for (enum limit limit = LIMIT_CPU; limit < LIMIT_UNKNOWN; limit++) {
            bool named = false;
            for (size_t m = 0; m < r->plan.model_count; m++) {
                if (limit_of(r, (struct group){m, workload, i}) != limit)
                    continue;
                if (named)
                    fprintf(out, ", %s", r->plan.models[m]);
                else
                    fprintf(out, " *%s*: %s", limit_names[limit], r->plan.models[m]);
                named = true;
            }
            if (named)
                fputc(';', out);
        }
        fputc('\n', out);
    }
    fputc('\n', out);
}

void tables_write(FILE *out, const struct results *r, size_t workload)
{
    const struct workload *w = &r->plan.workloads[workload];
    const struct column *of = w->capacity ? of_capacity : of_points;
    size_t count = w->capacity ? sizeof of_capacity / sizeof *of_capacity
                               : sizeof of_points / sizeof *of_points;
    if (!w->capacity && !workload_has_points(w))
        write_single(out, r, workload);
    else
        for (size_t i = 0; i < count; i++)
            write_by_point(out, r, workload, &of[i]);
    if (w->capacity)
        write_limits(out, r, workload);
    write_remarks(out, r, workload);
}
