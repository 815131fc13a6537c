#include "bench/results.h"

#include "bench/disturbance.h"
#include "bench/journal.h"
#include "bench/json.h"

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

int results_read(struct results *r, const char *folder, struct error *error)
{
    *r = (struct results){.runs = NULL};
    if (plan_read(&r->plan, folder, error) != 0)
        return -1;
    r->runs = journal_read(folder, error);
    if (!r->runs)
        goto fail;
    r->of_cell = calloc(r->plan.cell_count + 1, sizeof *r->of_cell);
    if (!r->of_cell) {
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
    free(r->of_cell);
    plan_free(&r->plan);
    *r = (struct results){.runs = NULL};
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

enum { TRIALS_LIMIT = 1000 }; /* as the setting `trials` has it */

struct estimate results_estimate(const struct results *r, struct group g, const struct metric *m)
{
    double values[TRIALS_LIMIT];
    return estimate_of(values, collect(r, g, m, values, NULL, TRIALS_LIMIT));
}

unsigned results_typical_trial(const struct results *r, struct group g)
{
    double values[TRIALS_LIMIT], sorted[TRIALS_LIMIT];
    unsigned trials[TRIALS_LIMIT];
    size_t count = collect(r, g, metric_find("response_p99"), values, trials, TRIALS_LIMIT),
           nearest = 0;
    memcpy(sorted, values, count * sizeof *values);
    double median = estimate_of(sorted, count).median;
    for (size_t i = 1; i < count; i++)
        if (fabs(values[i] - median) < fabs(values[nearest] - median))
            nearest = i;
    return count > 0 ? trials[nearest] : 0;
}

bool results_generator_bound(const struct results *r, struct group g)
{
    struct estimate saturated = results_estimate(r, g, metric_find("generator_saturated"));
    return saturated.count > 0 && saturated.median > 0;
}

struct remark results_remark(const struct results *r, struct group g)
{
    struct remark remark = {""};
    size_t valid;
    if (results_trials(r, g, &valid) == 0) {
        strcpy(remark.text, "not measured");
        return remark;
    }
    struct estimate completed = results_estimate(r, g, metric_find("completed"));
    struct estimate served = results_estimate(r, g, metric_find("connections_served"));
    struct estimate unserved = results_estimate(r, g, metric_find("connections_unserved"));
    if (completed.count == 0)
        strcpy(remark.text, "failed");
    else if (!(completed.median > 0))
        strcpy(remark.text, "no answer");
    else if (unserved.count > 0 && unserved.median > 0 && !r->plan.workloads[g.workload].close)
        snprintf(remark.text, sizeof remark.text, "served %.0f of %.0f", served.median,
                 served.median + unserved.median);
    return remark;
}
