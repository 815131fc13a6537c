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
    return results_estimate(s->results, g, metric_find(metric));
}

double median_of(const struct subject *s, struct group g, const char *metric)
{
    struct estimate e = estimate_metric(s, g, metric);
    return e.count > 0 ? e.median : NAN;
}

struct remark remark_of(const struct subject *s, struct group g)
{
    return results_remark(s->results, g);
}

bool is_at_least(const struct subject *s, struct group g, const char *metric)
{
    return results_is_lower_bound(s->results, g, metric);
}

unsigned blocks_most(const struct subject *s, size_t workload)
{
    return (unsigned)s->results->plan.workloads[workload].trials_most;
}

const json_t *run_of(const struct subject *s, struct group g, unsigned block)
{
    return results_run(s->results, g, block);
}

struct histogram *responses_of(const struct subject *s, struct group g)
{
    struct histogram *all = histogram_new();
    if (all && results_merge_responses(s->results, g, all) == 0)
        return all;
    histogram_free(all);
    return NULL;
}

unsigned typical_block(const struct subject *s, struct group g)
{
    return results_typical_trial(s->results, g);
}
