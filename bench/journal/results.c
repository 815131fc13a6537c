#include "bench/journal/results.h"

#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/journal/disturbance.h"
#include "bench/journal/journal.h"
#include "bench/run/ceiling.h"
#include "bench/statistics/merged.h"
#include "common/histogram_codec.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPLETED "requests.completed"

const struct metric metrics[] = {
    {"capacity", "1/s", "capacity.rate_rps", NULL, 1},
    {"capacity_is_lower_bound", "trials", "capacity.lower_bound", NULL, 1},
    {"peak_throughput", "1/s", "capacity.peak_throughput_rps", NULL, 1},
    {"throughput", "1/s", "throughput_rps", NULL, 1},
    {"offered_rate", "1/s", "settings.rate_rps", NULL, 1},
    {"response_mean", "us", "response_us.mean", NULL, 1},
    {"response_p50", "us", "response_us.p50", NULL, 1},
    {"response_p90", "us", "response_us.p90", NULL, 1},
    {"response_p99", "us", "response_us.p99", NULL, 1},
    {"response_p99_9", "us", "response_us.p99_9", NULL, 1},
    {"response_max", "us", "response_us.max", NULL, 1},
    {"service_p50", "us", "service_us.p50", NULL, 1},
    {"service_p99", "us", "service_us.p99", NULL, 1},
    {"connect_p50", "us", "connect_us.p50", NULL, 1},
    {"connect_p99", "us", "connect_us.p99", NULL, 1},
    {"send_lag_p99", "us", "send_lag_us.p99", NULL, 1},
    {"completed", "requests", COMPLETED, NULL, 1},
    {"errors", "requests", "requests.errors", NULL, 1},
    {"unfinished", "requests", "requests.unfinished", NULL, 1},
    {"censored", "requests", "response_us.censored", NULL, 1},
    {"connections_served", "connections", "connections.served", NULL, 1},
    {"connections_unserved", "connections", "connections.unserved", NULL, 1},
    {"connections_jain_index", "1", "connections.jain_index", NULL, 1},
    {"slow_completed", "requests", "slow.completed", NULL, 1},
    {"slow_errors", "requests", "slow.errors", NULL, 1},
    {"switches_voluntary_per_request", "1/request", "server.context_switches.voluntary", COMPLETED,
     1},
    {"switches_involuntary_per_request", "1/request", "server.context_switches.involuntary",
     COMPLETED, 1},
    {"switches_per_request", "1/request", "server.context_switches.total", COMPLETED, 1},
    {"switches_voluntary", "switches", "server.context_switches.voluntary", NULL, 1},
    {"switches_involuntary", "switches", "server.context_switches.involuntary", NULL, 1},
    {"cpu_user_per_request", "us/request", "server.cpu.user_s", COMPLETED, 1e6},
    {"cpu_system_per_request", "us/request", "server.cpu.system_s", COMPLETED, 1e6},
    {"cpu_per_request", "us/request", "server.cpu.us_per_request", NULL, 1},
    {"server_utilisation", "1", "server.cpu.utilisation", NULL, 1},
    {"generator_utilisation", "1", "generator.cpu_utilisation", NULL, 1},
    {"generator_saturated", "trials", "generator.saturated", NULL, 1},
    {"syscalls_per_request", "1/request", "server.syscalls_per_request", NULL, 1},
    {"scheduler_wait_per_request", "us/request", "server.scheduler.wait_us_per_request", NULL, 1},
    {"migrations", "migrations", "server.scheduler.migrations", NULL, 1},
    {"instructions_per_request", "1/request", "server.hardware.instructions_per_request", NULL, 1},
    {"instructions_per_cycle", "1", "server.hardware.instructions_per_cycle", NULL, 1},
    {"cache_misses_per_request", "1/request", "server.hardware.cache_misses_per_request", NULL, 1},
    {"threads_max", "threads", "server.threads_max", NULL, 1},
    {"page_faults_minor", "faults", "server.page_faults.minor", NULL, 1},
    {"page_faults_major", "faults", "server.page_faults.major", NULL, 1},
    {"memory_rss", "bytes", "server.memory.rss_bytes", NULL, 1},
    {"memory_rss_peak", "bytes", "server.memory.rss_peak_bytes", NULL, 1},
    {"memory_pss", "bytes", "server.memory.pss_bytes", NULL, 1},
    {"memory_user_stack", "bytes", "server.memory.user_stack_bytes", NULL, 1},
    {"memory_heap", "bytes", "server.memory.heap_bytes", NULL, 1},
    {"memory_file", "bytes", "server.memory.file_bytes", NULL, 1},
    {"memory_kernel_stack", "bytes", "server.memory.kernel_stack_bytes", NULL, 1},
    {"memory_page_table", "bytes", "server.memory.page_table_bytes", NULL, 1},
    {"memory_socket_buffer", "bytes", "server.memory.socket_bytes", NULL, 1},
    {"memory_socket_struct", "bytes", "server.memory.socket_struct_bytes", NULL, 1},
    {"steal_share", "1", "machine.steal_share", NULL, 1},
    {"other_cpu_share", "1", "machine.other_cpu_share", NULL, 1},
    {"softirq_share", "1", "machine.softirq_share", NULL, 1},
    {"listen_overflows", "connections", "machine.network.listen_overflows", NULL, 1},
    {"retransmissions", "segments", "machine.network.retransmissions", NULL, 1},
    {"syn_retransmissions", "segments", "machine.network.syn_retransmissions", NULL, 1},
    {"disturbed", "trials", "disturbed", NULL, 1},
    {"unsteady", "trials", "!steady", NULL, 1},
};
const size_t metric_count = sizeof metrics / sizeof *metrics;

/* Metrics that are taken from the merged distributions, and which quantile they are. */
static const struct percentile {
    const char *metric, *histogram;
    double quantile;
} percentiles[] = {
    {"response_p50", "response_us.histogram", 0.5},
    {"response_p90", "response_us.histogram", 0.9},
    {"response_p99", "response_us.histogram", 0.99},
    {"response_p99_9", "response_us.histogram", 0.999},
    {"service_p50", "service_us.histogram", 0.5},
    {"service_p99", "service_us.histogram", 0.99},
    {"connect_p50", "connect_us.histogram", 0.5},
    {"connect_p99", "connect_us.histogram", 0.99},
    {"send_lag_p99", "send_lag_us.histogram", 0.99},
};
enum { PERCENTILE_COUNT = sizeof percentiles / sizeof *percentiles };

/* NULL: the metric is none of them. */
static const struct percentile *percentile_of(const struct metric *m)
{
    for (size_t i = 0; i < PERCENTILE_COUNT; i++)
        if (strcmp(percentiles[i].metric, m->name) == 0)
            return &percentiles[i];
    return NULL;
}

const struct metric *metric_find(const char *name)
{
    for (size_t i = 0; i < metric_count; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    fprintf(stderr, "bench: there is no metric %s\n", name);
    abort();
}

static double number_of(json_t *value)
{
    if (json_is_boolean(value))
        return json_is_true(value);
    if (json_is_number(value))
        return json_number_value(value);
    if (json_is_array(value))
        return json_array_size(value) > 0;
    double sum = NAN;
    const char *key;
    json_t *member;
    json_object_foreach (value, key, member)
        if (json_is_number(member))
            sum = (isnan(sum) ? 0 : sum) + json_number_value(member);
    return sum;
}

double metric_value(const struct metric *m, const json_t *run)
{
    bool opposite = *m->path == '!';
    double value = number_of(json_at(run, m->path + opposite));
    value = opposite ? 1 - value : value;
    double divisor = m->per ? json_number_at(run, m->per) : 1;
    value = divisor > 0 ? value / divisor * m->scale : NAN;
    return isfinite(value) ? value : NAN;
}

/* Every estimate is worked out once, and the distributions that were merged last are kept, for the
 * next question is mostly about the same. */
struct results_cache {
    struct known {
        bool known;
        struct estimate estimate;
    } * estimates; /* by group and metric */
    struct group group;
    const char *path; /* of the histograms in `merged`; NULL: none are */
    unsigned trials[ESTIMATE_MOST];
    size_t count;
    struct merged *merged; /* NULL: one of the trials has no histogram */
};

static size_t known_count(const struct plan *p)
{
    return p->model_count * p->workload_count * VALUES_LIMIT * metric_count;
}

static struct known *known_of(const struct results *r, struct group g, const struct metric *m)
{
    size_t group = (g.model * r->plan.workload_count + g.workload) * VALUES_LIMIT + g.point;
    return &r->cache->estimates[group * metric_count + (size_t)(m - metrics)];
}

static void cache_forget_merged(struct results_cache *c)
{
    merged_free(c->merged);
    c->merged = NULL;
    c->path = NULL;
}

static void cache_free(struct results_cache *c)
{
    if (!c)
        return;
    cache_forget_merged(c);
    free(c->estimates);
    free(c);
}

static struct results_cache *cache_new(const struct plan *p)
{
    struct results_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->estimates = calloc(known_count(p), sizeof *c->estimates);
    if (c->estimates)
        return c;
    free(c);
    return NULL;
}

int results_read(struct results *r, const char *folder, struct error *error)
{
    *r = (struct results){.runs = NULL};
    if (plan_read(&r->plan, folder, error) != 0)
        return -1;
    r->runs = journal_read(folder, error);
    if (!r->runs)
        goto fail;
    r->of_cell = calloc(r->plan.cell_count + 1, sizeof *r->of_cell);
    r->cache = cache_new(&r->plan);
    r->environment = json_load_file(path_of("%s/environment.json", folder).text, 0, NULL);
    if (!r->of_cell || !r->cache) {
        error_set(error, "no memory");
        goto fail;
    }
    size_t index;
    json_t *line;
    json_array_foreach (r->runs, index, line) {
        const json_t **counts = &r->of_cell[plan_find(&r->plan, line)];
        *counts = attempt_that_counts(*counts, line);
    }
    r->of_cell[r->plan.cell_count] = NULL; /* lines that belong to no cell */
    return 0;
fail:
    results_free(r);
    return -1;
}

void results_free(struct results *r)
{
    json_decref(r->runs);
    json_decref(r->environment);
    free(r->of_cell);
    cache_free(r->cache);
    plan_free(&r->plan);
    *r = (struct results){.runs = NULL};
}

void results_take(struct results *r, json_t *line)
{
    json_array_append(r->runs, line);
    r->of_cell[plan_find(&r->plan, line)] = line;
    r->of_cell[r->plan.cell_count] = NULL;
    cache_forget_merged(r->cache);
    memset(r->cache->estimates, 0, known_count(&r->plan) * sizeof *r->cache->estimates);
}

static bool is_in(const struct cell *c, struct group g)
{
    return c->model == g.model && c->workload == g.workload && c->point == g.point;
}

const json_t *results_run(const struct results *r, struct group g, unsigned trial)
{
    for (size_t i = 0; i < r->plan.cell_count; i++)
        if (is_in(&r->plan.cells[i], g) && r->plan.cells[i].trial == trial)
            return r->of_cell[i];
    return NULL;
}

size_t results_trials(const struct results *r, struct group g, size_t *valid)
{
    size_t count = 0;
    *valid = 0;
    for (size_t i = 0; i < r->plan.cell_count; i++) {
        if (!r->of_cell[i] || !is_in(&r->plan.cells[i], g))
            continue;
        count++;
        *valid += json_is_true(json_at(r->of_cell[i], "valid"));
    }
    return count;
}

/* A value for each trial that has one, from `values` on; `trials` (may be NULL) says whose. */
static size_t collect(const struct results *r, struct group g, const struct metric *m,
                      double *values, unsigned *trials, size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < r->plan.cell_count && count < limit; i++) {
        double value =
            r->of_cell[i] && is_in(&r->plan.cells[i], g) ? metric_value(m, r->of_cell[i]) : NAN;
        if (isnan(value))
            continue;
        if (trials)
            trials[count] = r->plan.cells[i].trial;
        values[count++] = value;
    }
    return count;
}

enum { TRIALS_LIMIT = ESTIMATE_MOST }; /* as the setting `trials` has it */

size_t results_trials_with(const struct results *r, struct group g, const struct metric *m,
                           unsigned *trials)
{
    double values[TRIALS_LIMIT];
    return collect(r, g, m, values, trials, TRIALS_LIMIT);
}

/* The median without an interval; NaN: no trial has a value. */
static double median_of(const struct results *r, struct group g, const char *metric)
{
    double values[TRIALS_LIMIT];
    size_t count = collect(r, g, metric_find(metric), values, NULL, TRIALS_LIMIT);
    gsl_sort(values, 1, count);
    return count > 0 ? gsl_stats_median_from_sorted_data(values, 1, count) : NAN;
}

/* --- distributions ---------------------------------------------------------------------------- */

/* The histogram at `path` in a run; NULL: there is none, it holds nothing, or no memory. */
static struct histogram *histogram_in(const json_t *run, const char *path)
{
    const char *text = json_string_value(json_at(run, path));
    struct histogram *h = text ? histogram_new() : NULL;
    if (h && histogram_decode(h, text) == 0 && h->count > 0)
        return h;
    histogram_free(h);
    return NULL;
}

static struct merged *merge(const struct results *r, struct group g, const char *path,
                            const unsigned *trials, size_t count)
{
    struct histogram **histograms = calloc(count + 1, sizeof(struct histogram *));
    struct merged *merged = NULL;
    size_t found = 0;
    while (histograms && found < count) {
        histograms[found] = histogram_in(results_run(r, g, trials[found]), path);
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

/* Of these trials' histograms; it lives until the next call. NULL: one of them has none. */
static const struct merged *merged_for(const struct results *r, struct group g, const char *path,
                                       const unsigned *trials, size_t count)
{
    struct results_cache *c = r->cache;
    bool same = c->path && strcmp(c->path, path) == 0 && c->group.model == g.model &&
                c->group.workload == g.workload && c->group.point == g.point && c->count == count &&
                memcmp(c->trials, trials, count * sizeof *trials) == 0;
    if (same)
        return c->merged;
    cache_forget_merged(c);
    c->merged = merge(r, g, path, trials, count);
    c->group = g;
    c->path = path;
    c->count = count;
    memcpy(c->trials, trials, count * sizeof *trials);
    return c->merged;
}

int results_merge_responses(const struct results *r, struct group g, struct histogram *into)
{
    unsigned trials[TRIALS_LIMIT];
    size_t count = results_trials_with(r, g, metric_find("response_p50"), trials);
    struct histogram *all = histogram_new();
    int result = all && count > 0 ? 0 : -1;
    for (size_t i = 0; i < count && result == 0; i++) {
        const char *text =
            json_string_value(json_at(results_run(r, g, trials[i]), "response_us.histogram"));
        result = text ? histogram_decode(all, text) : -1;
    }
    if (result == 0)
        histogram_merge(into, all);
    histogram_free(all);
    return result;
}

char *results_spectrum(const struct results *r, struct group g)
{
    struct histogram *all = histogram_new();
    char *text = NULL;
    size_t size = 0;
    bool any = all && results_merge_responses(r, g, all) == 0;
    FILE *out = any ? open_memstream(&text, &size) : NULL;
    if (out) {
        histogram_write_hgrm(all, out);
        fclose(out);
    }
    histogram_free(all);
    return text;
}

bool results_have_histograms(const struct results *r)
{
    for (size_t i = 0; i < r->plan.cell_count; i++)
        if (!isnan(json_number_at(r->of_cell[i], "response_us.p50")) &&
            !json_is_string(json_at(r->of_cell[i], "response_us.histogram")))
            return false;
    return true;
}

/* --- over trials ------------------------------------------------------------------------------ */

/* Of the first `count` of the values that `collect` gave. */
static struct estimate estimate_from(const struct results *r, struct group g,
                                     const struct metric *m, double *values, const unsigned *trials,
                                     size_t count)
{
    const struct percentile *p = percentile_of(m);
    const struct merged *merged = p ? merged_for(r, g, p->histogram, trials, count) : NULL;
    return merged ? merged_estimate(merged, p->quantile) : estimate_of(values, count);
}

struct estimate results_estimate(const struct results *r, struct group g, const struct metric *m)
{
    struct known *known = known_of(r, g, m);
    double values[TRIALS_LIMIT];
    unsigned trials[TRIALS_LIMIT];
    if (known->known)
        return known->estimate;
    size_t count = collect(r, g, m, values, trials, TRIALS_LIMIT);
    *known = (struct known){true, estimate_from(r, g, m, values, trials, count)};
    return known->estimate;
}

int results_logs(const struct results *r, struct group g, const struct metric *m,
                 const unsigned *trials, size_t count, double *logs)
{
    for (size_t i = 0; i < count; i++) {
        logs[i] = log(metric_value(m, results_run(r, g, trials[i])));
        if (!isfinite(logs[i]))
            return -1;
    }
    return 0;
}

int results_halve(const struct results *r, struct group g, const struct metric *m,
                  const unsigned *trials, size_t count, struct halved *h)
{
    const struct percentile *p = percentile_of(m);
    const struct merged *merged = p ? merged_for(r, g, p->histogram, trials, count) : NULL;
    return merged ? merged_halve(merged, p->quantile, h) : -1;
}

double results_rounding(const struct metric *m)
{
    /* Standard deviation of what is spread evenly over a cell, as wide as cells are at most. */
    return percentile_of(m) ? 1 / sqrt(12) / (1 << HISTOGRAM_SUB_BITS) : 0;
}

/* --- enough trials ---------------------------------------------------------------------------- */

static const double PRECISION = 0.02;

const struct metric *results_main_metric(const struct workload *w)
{
    return metric_find(w->capacity ? "capacity" : w->open ? "response_p50" : "throughput");
}

/* A model that never has a value, or always the same, gains nothing by another trial. */
static bool is_precise(struct estimate e)
{
    if (e.count == 0)
        return true;
    return e.count > 1 && (e.low == e.high || (e.high - e.low) / 2 < PRECISION * e.median);
}

bool results_precise(const struct results *r, size_t workload, size_t point, unsigned trial)
{
    const struct workload *w = &r->plan.workloads[workload];
    if (trial <= (unsigned)w->trials)
        return false;
    for (size_t m = 0; m < r->plan.model_count; m++) {
        struct group g = {m, workload, point};
        double values[TRIALS_LIMIT];
        unsigned trials[TRIALS_LIMIT];
        size_t before = 0,
               count = collect(r, g, results_main_metric(w), values, trials, TRIALS_LIMIT);
        while (before < count && trials[before] < trial)
            before++;
        if (!is_precise(estimate_from(r, g, results_main_metric(w), values, trials, before)))
            return false;
    }
    return true;
}

/* The cells of a point from its first missing trial on, if that one was not needed. */
static size_t needless_at(const struct results *r, size_t workload, size_t point)
{
    unsigned first = 0;
    size_t count = 0;
    for (size_t i = 0; i < r->plan.cell_count; i++) {
        const struct cell *c = &r->plan.cells[i];
        if (c->workload != workload || c->point != point || r->of_cell[i])
            continue;
        if (first == 0)
            first = c->trial;
        count++;
    }
    return first > 0 && results_precise(r, workload, point, first) ? count : 0;
}

size_t results_needless(const struct results *r, size_t *points)
{
    size_t count = 0;
    *points = 0;
    for (size_t w = 0; w < r->plan.workload_count; w++)
        for (size_t i = 0; i < workload_points(&r->plan.workloads[w]); i++) {
            size_t needless = needless_at(r, w, i);
            count += needless;
            *points += needless > 0 ? 1 : 0;
        }
    return count;
}

/* --- what a figure does not say --------------------------------------------------------------- */

unsigned results_typical_trial(const struct results *r, struct group g)
{
    double values[TRIALS_LIMIT], sorted[TRIALS_LIMIT];
    unsigned trials[TRIALS_LIMIT];
    size_t count = collect(r, g, metric_find("response_p99"), values, trials, TRIALS_LIMIT),
           nearest = 0;
    memcpy(sorted, values, count * sizeof *values);
    gsl_sort(sorted, 1, count);
    double median = count > 0 ? gsl_stats_median_from_sorted_data(sorted, 1, count) : NAN;
    for (size_t i = 1; i < count; i++)
        if (fabs(values[i] - median) < fabs(values[nearest] - median))
            nearest = i;
    return count > 0 ? trials[nearest] : 0;
}

/* A server that has used up a CPU is its own limit. */
static bool is_near_ceiling(const struct results *r, struct group g)
{
    static const double NEAR = 0.9, SERVER_FULL = 0.95;
    const struct workload *w = &r->plan.workloads[g.workload];
    double ceiling_rps =
        ceiling_find(json_at(r->environment, "generator_ceilings"), w->close, (unsigned)w->threads);
    return median_of(r, g, "throughput") > NEAR * ceiling_rps &&
           median_of(r, g, "server_utilisation") < SERVER_FULL;
}

bool results_generator_bound(const struct results *r, struct group g)
{
    return median_of(r, g, "generator_saturated") > 0 || is_near_ceiling(r, g);
}

bool results_is_lower_bound(const struct results *r, struct group g, const char *metric)
{
    if (strcmp(metric, "throughput") == 0)
        return results_generator_bound(r, g);
    if (strcmp(metric, "capacity") != 0)
        return false;
    struct estimate bound = results_estimate(r, g, metric_find("capacity_is_lower_bound"));
    return bound.count > 0 && bound.median > 0;
}

struct remark results_remark(const struct results *r, struct group g)
{
    struct remark remark = {""};
    size_t valid;
    if (results_trials(r, g, &valid) == 0) {
        strcpy(remark.text, plan_serves(&r->plan, g.model, g.workload, g.point)
                                ? "not measured"
                                : "does not serve it");
        return remark;
    }
    double completed = median_of(r, g, "completed"), served = median_of(r, g, "connections_served"),
           unserved = median_of(r, g, "connections_unserved");
    if (isnan(completed))
        strcpy(remark.text, "failed");
    else if (!(completed > 0))
        strcpy(remark.text, "no answer");
    else if (unserved > 0 && !r->plan.workloads[g.workload].close)
        snprintf(remark.text, sizeof remark.text, "served %.0f of %.0f", served, served + unserved);
    return remark;
}
