#include "bench/figures/data.h"

#include <math.h>

void put(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "\t%.10g", value);
    else
        fputs("\t-", out);
}

void put_estimate(FILE *out, struct estimate e, double scale)
{
    put(out, e.count > 0 ? e.median * scale : NAN);
    put(out, e.count > 0 ? e.low * scale : NAN);
    put(out, e.count > 0 ? e.high * scale : NAN);
}

struct estimate estimate_metric(const struct subject *s, struct group g, const char *metric)
{
    return group_estimate(s->results, g, metric_find(metric));
}

double figure_of_group(const struct subject *s, struct group g, const char *metric)
{
    struct estimate e = estimate_metric(s, g, metric);
    return e.count > 0 ? e.median : NAN;
}

struct estimate estimate_value(const struct subject *s, struct group g, value_of_run *value)
{
    const struct measurements *of = results_of(s->results, g);
    double values[ESTIMATE_MOST];
    size_t count = 0;
    for (; count < of->count && count < ESTIMATE_MOST; count++)
        values[count] = value(of->at[count].line);
    return estimate_of(values, count);
}
