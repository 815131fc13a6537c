/* The points of a workload: their names, and which of them are measured. */
#include "bench/plan/list.h"
#include "bench/plan/workload.h"

#include <stdio.h>
#include <string.h>

/* What a cell costs besides its windows: two processes that start and stop. Measured, rounded. */
static const double CELL_OVERHEAD_S = 0.05;

size_t workload_points(const struct workload *w)
{
    size_t points = w->variant_count > 0 ? w->variant_count : w->value_count;
    return points > 0 ? points : 1;
}

bool workload_has_points(const struct workload *w)
{
    return w->variant_count > 0 || w->value_count > 0;
}

const char *workload_varies(const struct workload *w)
{
    if (w->variant_count > 0)
        return "kind of request";
    return strcmp(w->sweep, "total") == 0 ? "connections" : w->sweep;
}

bool workload_needs(const struct workload *w, const char *backend)
{
    for (size_t i = 0; i < workload_points(w); i++)
        if (strcmp(workload_at(w, i).backend, backend) == 0)
            return true;
    return false;
}

struct point_name point_name_of(const struct workload *w, size_t point)
{
    struct point_name name = {"-"};
    if (w->variant_count > 0)
        snprintf(name.text, sizeof name.text, "%s", w->variants[point].name);
    else if (w->value_count > 0)
        snprintf(name.text, sizeof name.text, "%.10g", w->values[point]);
    return name;
}

/* Puts point `from` into the place of point `to`, which is no later one. */
static void move_point(struct workload *w, size_t to, size_t from)
{
    if (w->variant_count > 0)
        w->variants[to] = w->variants[from];
    else
        w->values[to] = w->values[from];
}

static void cut_points(struct workload *w, size_t count)
{
    if (w->variant_count > 0)
        w->variant_count = count;
    else
        w->value_count = count;
}

size_t workload_keep_points(struct workload *w, const char *list)
{
    size_t kept = 0, points = workload_points(w);
    if (!workload_has_points(w))
        return 1;
    for (size_t i = 0; i < points; i++)
        if (is_listed(list, point_name_of(w, i).text))
            move_point(w, kept++, i);
    cut_points(w, kept);
    return kept;
}

size_t workload_limit_cores(struct workload *w, unsigned most)
{
    size_t kept = 0, points = workload_points(w);
    for (size_t i = 0; i < points; i++)
        if (workload_at(w, i).cores <= most && workload_has_points(w))
            move_point(w, kept++, i);
        else if (workload_at(w, i).cores <= most)
            kept++;
    cut_points(w, workload_has_points(w) ? kept : 0);
    return kept;
}

double workload_cell_s(const struct workload *w)
{
    double window_s =
        w->capacity ? w->steps * (w->warmup_s + w->step_s) : w->warmup_s + w->duration_s;
    return window_s + CELL_OVERHEAD_S;
}
