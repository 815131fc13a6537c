#include "bench/statistics/metric.h"

#include "bench/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPLETED "requests.completed"

const struct metric metrics[] = {
    {"capacity", "1/s", "capacity.rate_rps", NULL, 1},
    {"capacity_is_lower_bound", "trials", "capacity.lower_bound", NULL, 1},
    {"capacity_bound", "1/s", "capacity.bound_rps", NULL, 1},
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
};
const size_t metric_count = sizeof metrics / sizeof *metrics;

static const struct percentile percentiles[] = {
    {"response_p50", "response_us", 0.5},  {"response_p90", "response_us", 0.9},
    {"response_p99", "response_us", 0.99}, {"response_p99_9", "response_us", 0.999},
    {"service_p50", "service_us", 0.5},    {"service_p99", "service_us", 0.99},
    {"connect_p50", "connect_us", 0.5},    {"connect_p99", "connect_us", 0.99},
    {"send_lag_p99", "send_lag_us", 0.99},
};

const struct percentile *metric_percentile(const struct metric *m)
{
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++)
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
    double divisor = m->per ? json_number_at(run, m->per) : 1;
    double value = divisor > 0 ? number_of(json_at(run, m->path)) / divisor * m->scale : NAN;
    return isfinite(value) ? value : NAN;
}
