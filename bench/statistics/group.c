#include "bench/statistics/group.h"

#include "bench/base/figure.h"
#include "bench/base/json.h"
#include "bench/journal/disturbance.h"
#include "bench/statistics/capacity.h"
#include "bench/statistics/merged.h"
#include "common/histogram_codec.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- values of blocks ------------------------------------------------------------------------- */

static bool is_capacity(const struct metric *m)
{
    return strcmp(m->name, "capacity") == 0;
}

size_t group_values(const struct results *r, struct group g, const struct metric *m,
                    unsigned *blocks, double *values)
{
    const struct measurements *of = results_of(r, g);
    size_t count = 0;
    if (is_capacity(m)) /* blocks have it together only: there are no values */
        return capacity_blocks(r, g, blocks);
    for (size_t i = 0; i < of->count && count < ESTIMATE_MOST; i++) {
        double value = metric_value(m, of->at[i].line);
        if (isnan(value))
            continue;
        blocks[count] = of->at[i].block;
        if (values)
            values[count] = value;
        count++;
    }
    return count;
}

/* The median without an interval; NaN: no block has a value. */
static double middle(const struct results *r, struct group g, const char *metric)
{
    unsigned blocks[ESTIMATE_MOST];
    double values[ESTIMATE_MOST];
    return median_of(values, group_values(r, g, metric_find(metric), blocks, values));
}

/* --- percentiles of blocks together ----------------------------------------------------------- */

static const double BEYOND_LEAST = 100;

bool is_together(const struct metric *m)
{
    return metric_percentile(m) != NULL || is_capacity(m);
}

/* The histogram of a run; NULL: there is none, it holds nothing, or no memory. */
static struct histogram *histogram_in(const json_t *run, const char *distribution)
{
    const char *text = json_string_value(json_at(json_at(run, distribution), "histogram"));
    struct histogram *h = text ? histogram_new() : NULL;
    if (h && histogram_decode(h, text) == 0 && h->count > 0)
        return h;
    histogram_free(h);
    return NULL;
}

/* NULL: one of the blocks has none. */
static struct merged *merge(const struct results *r, struct group g, const char *distribution,
                            const unsigned *blocks, size_t count)
{
    struct histogram **histograms = calloc(count + 1, sizeof(struct histogram *));
    struct merged *merged = NULL;
    size_t found = 0;
    while (histograms && found < count) {
        histograms[found] = histogram_in(results_run(r, g, blocks[found]), distribution);
        if (!histograms[found])
            break;
        found++;
    }
    if (histograms && count > 0 && found == count)
        merged = merged_of(histograms, count);
    for (size_t i = 0; i < found; i++)
        histogram_free(histograms[i]);
    free(histograms);
    return merged;
}

static double count_censored(const struct results *r, struct group g, const char *distribution)
{
    const struct measurements *of = results_of(r, g);
    double count = 0;
    for (size_t i = 0; i < of->count; i++)
        count += fmax(json_number_at(json_at(of->at[i].line, distribution), "censored"), 0);
    return count;
}

struct histogram *group_histogram(const struct results *r, struct group g)
{
    const struct measurements *of = results_of(r, g);
    struct histogram *all = histogram_new();
    for (size_t i = 0; all && i < of->count; i++) {
        struct histogram *one = histogram_in(of->at[i].line, "response_us");
        if (one)
            histogram_merge(all, one);
        histogram_free(one);
    }
    if (all && all->count > 0)
        return all;
    histogram_free(all);
    return NULL;
}

/* --- what is known ---------------------------------------------------------------------------- */

/* Of each metric, what was worked out once. */
struct known {
    bool known;
    struct estimate estimate;
    struct halved *halved; /* of what blocks have together: of all blocks; NULL: there is none */
};

static void known_free(void *data)
{
    struct known *known = data;
    for (size_t i = 0; i < metric_count; i++)
        free(known[i].halved);
    free(known);
}

/* NULL without memory. */
static struct known *known_of(const struct results *r, struct group g)
{
    struct memo *memo = results_memo(r, g);
    if (!memo->data)
        *memo = (struct memo){calloc(metric_count, sizeof(struct known)), known_free};
    return memo->data;
}

/* Censored values are ages: who knows where they would have come to lie? At the very end, at the
 * worst, so that the percentile is known only while it lies before all of them. */
static struct known percentile_of(const struct merged *merged, double quantile, double censored)
{
    struct known k = {.known = true};
    double all = merged ? (double)merged_count(merged) : 0;
    if (all > 0 && quantile > 0.5 && all * (1 - quantile) < BEYOND_LEAST - 1e-6) {
        k.estimate.why = "too few requests";
        return k;
    }
    k.halved = all > 0 ? malloc(sizeof *k.halved) : NULL;
    if (k.halved && merged_halve(merged, quantile, k.halved) == 0) {
        k.estimate = halved_estimate(k.halved);
        k.estimate.at_least = ceil(quantile * all) > all - censored;
        return k;
    }
    free(k.halved);
    k.halved = NULL;
    return k;
}

/* All percentiles of a distribution at once, for merging is what takes time. */
static void learn_percentiles(const struct results *r, struct group g, const struct percentile *p,
                              struct known *known)
{
    unsigned blocks[ESTIMATE_MOST];
    size_t count = group_values(r, g, metric_find(p->metric), blocks, NULL);
    struct merged *merged = merge(r, g, p->distribution, blocks, count);
    double censored = count_censored(r, g, p->distribution);
    for (size_t i = 0; i < metric_count; i++) {
        const struct percentile *other = metric_percentile(&metrics[i]);
        if (other && !known[i].known && strcmp(other->distribution, p->distribution) == 0)
            known[i] = percentile_of(merged, other->quantile, censored);
    }
    merged_free(merged);
}

static void learn_capacity(const struct results *r, struct group g, struct known *k)
{
    struct halved *halved = malloc(sizeof *halved);
    *k = (struct known){.known = true, .estimate.why = halved ? NULL : "no memory"};
    if (!halved)
        return;
    k->estimate = capacity_estimate(r, g, halved);
    if (halved->count > 0)
        k->halved = halved;
    else
        free(halved);
}

static bool is_lower_bound(const struct results *r, struct group g, const struct metric *m)
{
    return strcmp(m->name, "throughput") == 0 && group_generator_bound(r, g);
}

static struct estimate of_blocks(const struct results *r, struct group g, const struct metric *m)
{
    unsigned blocks[ESTIMATE_MOST];
    double values[ESTIMATE_MOST];
    struct estimate e = estimate_of(values, group_values(r, g, m, blocks, values));
    e.at_least = e.count > 0 && is_lower_bound(r, g, m);
    return e;
}

struct estimate group_estimate(const struct results *r, struct group g, const struct metric *m)
{
    struct known *known = known_of(r, g), *k = known ? &known[m - metrics] : NULL;
    const struct percentile *p = metric_percentile(m);
    if (k && !k->known && p)
        learn_percentiles(r, g, p, known);
    else if (k && !k->known && is_capacity(m))
        learn_capacity(r, g, k);
    else if (k && !k->known)
        *k = (struct known){.known = true, .estimate = of_blocks(r, g, m)};
    return k ? k->estimate : (struct estimate){.why = "no memory"};
}

int group_halve(const struct results *r, struct group g, const struct metric *m,
                const unsigned *blocks, size_t count, struct halved *h)
{
    struct estimate e = group_estimate(r, g, m);
    const struct known *known = known_of(r, g);
    if (known && known[m - metrics].halved && e.count == count) { /* all of them */
        *h = *known[m - metrics].halved;
        return 0;
    }
    if (is_capacity(m))
        return capacity_halve(r, g, blocks, count, h);
    const struct percentile *p = metric_percentile(m);
    struct merged *merged = merge(r, g, p->distribution, blocks, count);
    int result = merged ? merged_halve(merged, p->quantile, h) : -1;
    merged_free(merged);
    return result;
}

/* --- what a figure does not say --------------------------------------------------------------- */

/* A server that has used up a CPU is its own limit. */
static bool is_near_ceiling(const struct results *r, struct group g)
{
    static const double NEAR = 0.9, SERVER_FULL = 0.95;
    struct workload at = workload_at(&r->plan.workloads[g.workload], g.point);
    double ceiling_rps = results_ceiling_rps(r, at.close, (unsigned)at.threads);
    return middle(r, g, "throughput") > NEAR * ceiling_rps &&
           middle(r, g, "server_utilisation") < SERVER_FULL;
}

bool group_generator_bound(const struct results *r, struct group g)
{
    return middle(r, g, "generator_saturated") > 0 || is_near_ceiling(r, g);
}

/* Compared with what arrived in the same windows: the number of arrivals is random. */
static bool is_overloaded(const struct results *r, struct group g)
{
    static const double ANSWERED_LEAST = 0.97;
    const struct workload *w = &r->plan.workloads[g.workload];
    const struct measurements *of = results_of(r, g);
    double shares[ESTIMATE_MOST];
    size_t count = 0;
    for (size_t i = 0; i < of->count && count < ESTIMATE_MOST; i++) {
        double intended = json_number_at(of->at[i].line, "requests.intended");
        double completed = json_number_at(of->at[i].line, "requests.completed");
        if (intended > 0 && !isnan(completed))
            shares[count++] = completed / intended;
    }
    /* A load that changes on purpose can stall just when the window ends. */
    bool is_judged = w->open && !w->capacity && w->timeline_s <= 0;
    return is_judged && median_of(shares, count) < ANSWERED_LEAST;
}

__attribute__((format(printf, 2, 3))) static struct remark remark_of(enum remark_kind kind,
                                                                     const char *format, ...)
{
    struct remark remark = {.kind = kind};
    va_list values;
    va_start(values, format);
    vsnprintf(remark.text, sizeof remark.text, format, values);
    va_end(values);
    return remark;
}

struct remark group_remark(const struct results *r, struct group g)
{
    if (results_of(r, g)->count == 0)
        return plan_serves(&r->plan, g.model, g.workload, g.point)
                   ? remark_of(REMARK_NOT_MEASURED, "not measured")
                   : remark_of(REMARK_NOT_SERVED, "does not serve it");
    double completed = middle(r, g, "completed"), served = middle(r, g, "connections_served"),
           unserved = middle(r, g, "connections_unserved");
    if (isnan(completed))
        return remark_of(REMARK_FAILED, "failed");
    if (!(completed > 0))
        return remark_of(REMARK_NO_ANSWER, "no answer");
    if (unserved > 0 && !workload_at(&r->plan.workloads[g.workload], g.point).close)
        return remark_of(REMARK_STARVED, "served %.0f of %.0f", served, served + unserved);
    if (is_overloaded(r, g))
        return remark_of(REMARK_OVERLOADED, "overloaded: answered %s of %s/s",
                         figure_of(middle(r, g, "throughput")).text,
                         figure_of(middle(r, g, "offered_rate")).text);
    return (struct remark){.kind = REMARK_NONE};
}

/* The mean ratio of the second half to the first; NaN: it is within chance or 10 %. */
static double ratio_of_halves(const struct measurements *of, const char *member)
{
    static const double CHANCE = 0.01, RATIO_LEAST = 1.1;
    double logs[ESTIMATE_MOST];
    size_t count = 0;
    for (size_t i = 0; i < of->count && count < ESTIMATE_MOST; i++) {
        const json_t *halves = json_at(of->at[i].line, "halves");
        double ratio = log(json_number_at(json_array_get(halves, 1), member) /
                           json_number_at(json_array_get(halves, 0), member));
        if (isfinite(ratio))
            logs[count++] = ratio;
    }
    if (count < 4)
        return NAN;
    double mean = gsl_stats_mean(logs, 1, count);
    double error = fmax(gsl_stats_sd_m(logs, 1, count, mean) / sqrt((double)count), 0.001);
    bool chance = 2 * gsl_cdf_tdist_Q(fabs(mean) / error, (double)count - 1) >= CHANCE;
    return chance || fabs(mean) <= log(RATIO_LEAST) ? NAN : exp(mean);
}

struct unsteady group_unsteady(const struct results *r, struct group g)
{
    static const struct unsteady kinds[] = {{"throughput", 0}, {"median response time", 0}};
    static const char *const members[] = {"throughput_rps", "p50_us"};
    bool judged =
        r->plan.workloads[g.workload].timeline_s <= 0 && group_remark(r, g).kind == REMARK_NONE;
    for (size_t i = 0; judged && i < 2; i++) {
        struct unsteady u = kinds[i];
        u.ratio = ratio_of_halves(results_of(r, g), members[i]);
        if (!isnan(u.ratio))
            return u;
    }
    return (struct unsteady){NULL, NAN};
}

size_t group_valid(const struct results *r, struct group g)
{
    const struct measurements *of = results_of(r, g);
    size_t count = 0;
    for (size_t i = 0; i < of->count; i++)
        count += json_is_true(json_at(of->at[i].line, "valid"));
    return count;
}

size_t group_disturbed(const struct results *r, struct group g)
{
    const struct measurements *of = results_of(r, g);
    size_t count = 0;
    for (size_t i = 0; i < of->count; i++)
        count += is_disturbed(of->at[i].line);
    return count;
}

const struct measurement *group_typical(const struct results *r, struct group g)
{
    const struct measurements *of = results_of(r, g);
    double median = middle(r, g, "response_p99"), nearest = INFINITY;
    const struct measurement *typical = NULL;
    for (size_t i = 0; i < of->count; i++) {
        double off = fabs(json_number_at(of->at[i].line, "response_us.p99") - median);
        if (off < nearest) {
            nearest = off;
            typical = &of->at[i];
        }
    }
    return typical;
}
