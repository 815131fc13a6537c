#include "loadgen/report.h"

#include "common/clock.h"
#include "common/histogram_codec.h"
#include "loadgen/capacity_report.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

/* A generator thread that is busier than that may be what limits the throughput (softirqs take
 * the rest), unless the server has used up its CPUs: then it is the server. */
#define SATURATED_UTILISATION 0.90
#define SERVER_BOUND_UTILISATION 0.95

#define LATE_NS (1 * NS_PER_MS)

void run_warn(struct run *run, const char *format, ...)
{
    if (run->warning_count == RUN_WARNINGS_MOST)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *text;
    if (vasprintf(&text, format, arguments) >= 0)
        run->warnings[run->warning_count++] = text;
    va_end(arguments);
}

void run_free_warnings(struct run *run)
{
    while (run->warning_count)
        free(run->warnings[--run->warning_count]);
}

static double quantile_us(const struct histogram *h, double quantile)
{
    return (double)histogram_quantile_ns(h, quantile) / 1e3;
}

static double server_utilisation(const struct run *run)
{
    const struct probe_result *p = run->server;
    if (!p || p->cpu_ns == PROBE_UNKNOWN || p->window_ns <= 0)
        return NAN;
    return (double)p->cpu_ns / (double)p->window_ns;
}

bool run_is_late(const struct run *run)
{
    return run->tally && histogram_quantile_ns(run->tally->send_lag, 0.99) > LATE_NS;
}

static double backend_utilisation(const struct run *run)
{
    bool known = run->backend_cpu_ns >= 0 && run->window_s > 0;
    return known ? (double)run->backend_cpu_ns / 1e9 / run->window_s : NAN;
}

double run_generator_share(const struct run *run)
{
    double backend = run->backend_beside_generator ? backend_utilisation(run) : 0;
    return run->generator_utilisation + (isnan(backend) ? 0 : backend);
}

bool run_is_saturated(const struct run *run)
{
    if (!run->tally || (run->options->open_loop && !run_is_late(run)))
        return false;
    bool server_bound = run->server_cpus > 0 &&
                        server_utilisation(run) > SERVER_BOUND_UTILISATION * run->server_cpus;
    return run_generator_share(run) > SATURATED_UTILISATION && !server_bound;
}

double run_half_rps(const struct run *run, size_t half)
{
    return (double)run->tally->halves[half]->count / (run->window_s / 2);
}

static bool has_halves(const struct run *run)
{
    return run->tally && !run->interrupted && run->window_s > 0;
}

enum steadiness run_steadiness(const struct run *run)
{
    if (!has_halves(run))
        return STEADINESS_UNKNOWN;
    return steadiness_of(run->tally->halves[0], run->tally->halves[1]);
}

bool run_is_answered(const struct run *run)
{
    return run->tally && (run->tally->completed > 0 || (run->capacity && run->capacity->answered));
}

bool run_is_valid(const struct run *run)
{
    return !run->failed && !run->interrupted && run_is_answered(run) &&
           tally_is_consistent(run->tally);
}

/* --- the object ------------------------------------------------------------------------------- */

/* Names and values stand in pairs here, which clang-format would tear apart. */
/* clang-format off */

/* NAN is JSON's null: not measured. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *known(int64_t value)
{
    return value == PROBE_UNKNOWN ? json_null() : json_integer(value);
}

static double known_or_nan(int64_t value)
{
    return value == PROBE_UNKNOWN ? NAN : (double)value;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *target_json(const struct run *run)
{
    json_t *command = json_array();
    for (char **word = run->options->command; word && *word; word++)
        json_array_append_new(command, json_string(*word));
    return json_pack("{s:s, s:o, s:o}", "url", run->url, "command", command, "pid",
                     run->target_pid ? json_integer(run->target_pid) : json_null());
}

static json_t *workload_json(const struct run *run)
{
    const struct options *o = run->options;
    json_t *requests = json_array();
    for (size_t i = 0; run->mix && i < mix_count(run->mix); i++)
        json_array_append_new(requests, json_string(mix_text(run->mix, i)));
    json_t *stall = o->stall_ns ? json_pack("{s:f, s:f}", "at_s", (double)o->stall_at_ns / 1e9,
                                            "length_s", (double)o->stall_ns / 1e9)
                                : json_null();
    bool poisson = o->arrivals == ARRIVALS_POISSON;
    const char *law = poisson ? "poisson" : "constant";
    return json_pack("{s:s, s:i, s:o, s:o, s:f, s:b, s:s, s:i, s:i, s:i, s:i, s:f, s:I, s:f, s:f, s:o, s:o}",
                     "mode", o->open_loop ? "open" : "closed",
                     "connections", (int)o->connections,
                     "rate_rps", o->open_loop ? json_real(o->rate_rps) : json_null(),
                     "arrivals", text_or_null(o->open_loop ? law : NULL),
                     "think_ms", o->think_ms,
                     "close", o->close,
                     "http", o->http_1_0 ? "1.0" : "1.1",
                     "pipeline", (int)o->pipeline,
                     "idle", (int)o->idle,
                     "slow", (int)o->slow,
                     "threads", (int)o->threads,
                     "timeout_s", (double)o->timeout_ns / 1e9,
                     "seed", (json_int_t)o->seed,
                     "warmup_s", (double)o->warmup_ns / 1e9,
                     "duration_s", (double)o->duration_ns / 1e9,
                     "requests", requests,
                     "stall", stall);
}

static json_t *requests_json(const struct tally *t)
{
    static const char *const names[ERROR_KINDS] = {
        [ERROR_CONNECT] = "connect", [ERROR_READ] = "read",     [ERROR_WRITE] = "write",
        [ERROR_TIMEOUT] = "timeout", [ERROR_STATUS] = "status", [ERROR_PARSE] = "parse",
        [ERROR_BODY] = "body",
    };
    json_t *errors = json_object();
    for (int i = 0; i < ERROR_KINDS; i++)
        json_object_set_new(errors, names[i], json_integer((json_int_t)t->errors[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}",
                     "intended", (json_int_t)t->intended,
                     "carried_in", (json_int_t)t->carried_in,
                     "sent", (json_int_t)t->sent,
                     "completed", (json_int_t)t->completed,
                     "unfinished", (json_int_t)t->unfinished,
                     "errors", errors);
}

/* The whole of it, so that others can merge it: what percentiles cannot be. */
static json_t *encoded(const struct histogram *h)
{
    char *text = histogram_encode(h);
    json_t *json = text_or_null(text);
    free(text);
    return json;
}

static json_t *distribution_json(const struct run *run, const struct histogram *h,
                                 uint64_t censored)
{
    static const struct {
        const char *name;
        double quantile;
    } quantiles[] = {{"p50", 0.5},   {"p75", 0.75},    {"p90", 0.9},      {"p95", 0.95},
                     {"p99", 0.99},  {"p99_9", 0.999}, {"p99_99", 0.9999}, {"max", 1}};
    bool any = h->count > 0;
    json_t *o = json_pack("{s:I, s:I, s:o, s:o, s:o}",
                          "count", (json_int_t)h->count,
                          "censored", (json_int_t)censored,
                          "min", number(any ? (double)h->min_ns / 1e3 : NAN),
                          "mean", number(any ? histogram_mean_ns(h) / 1e3 : NAN),
                          "stddev", number(any ? histogram_stddev_ns(h) / 1e3 : NAN));
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        json_object_set_new(o, quantiles[i].name,
                            number(any ? quantile_us(h, quantiles[i].quantile) : NAN));
    if (run->options->histograms)
        json_object_set_new(o, "histogram", encoded(h));
    return o;
}

static json_t *connections_json(const struct run *run)
{
    const struct tally *t = run->tally;
    return json_pack("{s:I, s:I, s:I, s:o, s:i}",
                     "opened", (json_int_t)t->opened,
                     "served", (json_int_t)t->slots_served,
                     "unserved", (json_int_t)(t->slots_used - t->slots_served),
                     "jain_index", number(tally_fairness(t)),
                     "idle_established", (int)run->idle_established);
}

static double per_request(const struct run *run, double quantity)
{
    return run->tally->completed ? quantity / (double)run->tally->completed : NAN;
}

static json_t *switches_json(const struct run *run, const struct probe_result *p)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}",
                     "voluntary", known(p->switches_voluntary),
                     "involuntary", known(p->switches_involuntary),
                     "total", known(p->switches_total),
                     "per_request", number(per_request(run, known_or_nan(p->switches_total))),
                     "source", text_or_null(p->switches_source));
}

static json_t *cpu_json(const struct run *run, const struct probe_result *p)
{
    return json_pack("{s:o, s:o, s:o, s:o}",
                     "user_s", number(known_or_nan(p->cpu_user_ns) / 1e9),
                     "system_s", number(known_or_nan(p->cpu_system_ns) / 1e9),
                     "us_per_request", number(per_request(run, known_or_nan(p->cpu_ns) / 1e3)),
                     "utilisation", number(server_utilisation(run)));
}

static json_t *memory_json(const struct probe_result *p)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "rss_bytes", known(p->rss_bytes),
                     "rss_peak_bytes", known(p->rss_peak_bytes),
                     "pss_bytes", known(p->pss_bytes),
                     "kernel_stack_bytes", known(p->kernel_stack_bytes),
                     "page_table_bytes", known(p->page_table_bytes),
                     "socket_bytes", known(p->socket_bytes),
                     "user_stack_bytes", known(p->stack_bytes),
                     "heap_bytes", known(p->anonymous_bytes),
                     "file_bytes", known(p->file_bytes),
                     "socket_count", known(p->socket_count),
                     "socket_struct_bytes", known(p->socket_struct_bytes));
}

static double syscalls_per_request(const struct run *run)
{
    const struct probe_result *p = run->server;
    bool counted = p->syscalls != PROBE_UNKNOWN && run->syscall_requests > 0;
    return counted ? (double)p->syscalls / (double)run->syscall_requests : NAN;
}

static json_t *syscalls_json(const struct run *run)
{
    if (!isfinite(syscalls_per_request(run)))
        return json_null();
    json_t *calls = json_object();
    for (unsigned i = 0; i < SYSCALL_NUMBERS; i++) {
        char buffer[SYSCALL_NAME_SIZE];
        uint64_t count = run->server->syscalls_by_number[i];
        if (count > 0)
            json_object_set_new(calls, syscall_name(i, buffer),
                                number((double)count / (double)run->syscall_requests));
    }
    return calls;
}

static json_t *scheduler_json(const struct run *run, const struct probe_result *p)
{
    double wait_ns = known_or_nan(p->wait_ns);
    return json_pack("{s:o, s:o, s:o}",
                     "wait_s", number(wait_ns / 1e9),
                     "wait_us_per_request", number(per_request(run, wait_ns / 1e3)),
                     "migrations", known(p->migrations));
}

static double instructions_per_cycle(const struct probe_result *p)
{
    return p->cycles > 0 ? known_or_nan(p->instructions) / (double)p->cycles : NAN;
}

static json_t *hardware_json(const struct run *run, const struct probe_result *p)
{
    return json_pack("{s:o, s:o, s:o}",
                     "instructions_per_request", number(per_request(run, known_or_nan(p->instructions))),
                     "instructions_per_cycle", number(instructions_per_cycle(p)),
                     "cache_misses_per_request", number(per_request(run, known_or_nan(p->cache_misses))));
}

static json_t *lifetime_json(const struct target_lifetime *l)
{
    if (!l)
        return json_null();
    return json_pack("{s:I, s:I, s:f, s:f, s:o}",
                     "voluntary", (json_int_t)l->voluntary,
                     "involuntary", (json_int_t)l->involuntary,
                     "user_s", l->user_s,
                     "system_s", l->system_s,
                     "rss_peak_bytes", known(l->rss_peak_bytes));
}

static json_t *server_json(const struct run *run)
{
    const struct probe_result *p = run->server;
    if (!p)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "context_switches", switches_json(run, p),
                     "cpu", cpu_json(run, p),
                     "memory", memory_json(p),
                     "threads_max", known(p->threads_max),
                     "threads_born", known(p->threads_born),
                     "threads_died", known(p->threads_died),
                     "page_faults", "minor", known(p->faults_minor), "major", known(p->faults_major),
                     "syscalls_per_request", number(syscalls_per_request(run)),
                     "syscalls", syscalls_json(run),
                     "scheduler", scheduler_json(run, p),
                     "hardware", hardware_json(run, p),
                     "lifetime", lifetime_json(run->lifetime),
                     "window_s", number((double)p->window_ns / 1e9));
}

static json_t *machine_json(const struct run *run)
{
    const struct machine_result *m = run->machine;
    if (!m)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
        "cpus", run->machine_cpus,
        "user_share", number(m->user_share),
        "system_share", number(m->system_share),
        "irq_share", number(m->irq_share),
        "softirq_share", number(m->softirq_share),
        "steal_share", number(m->steal_share),
        "idle_share", number(m->idle_share),
        "other_cpu_share", number(m->other_cpu_share),
        "frequency_khz", json_pack("{s:o, s:o, s:o, s:o}",
                                   "min", known(m->frequency_min_khz),
                                   "max", known(m->frequency_max_khz),
                                   "begin", known(m->frequency_begin_khz),
                                   "end", known(m->frequency_end_khz)),
        "throttle_events", known(m->throttle_events),
        "swapped_pages", known(m->swapped_pages),
        "pressure", json_pack("{s:o, s:o, s:o}",
                              "cpu_some_share", number(m->some_share[RESOURCE_CPU]),
                              "memory_some_share", number(m->some_share[RESOURCE_MEMORY]),
                              "io_some_share", number(m->some_share[RESOURCE_IO])),
        "network", json_pack("{s:o, s:o, s:o, s:o}",
                             "listen_overflows", known(m->network[NETWORK_LISTEN_OVERFLOWS]),
                             "listen_drops", known(m->network[NETWORK_LISTEN_DROPS]),
                             "retransmissions", known(m->network[NETWORK_RETRANSMISSIONS]),
                             "syn_retransmissions", known(m->network[NETWORK_SYN_RETRANSMISSIONS])));
}

static json_t *backend_json(const struct run *run)
{
    pid_t pid = run->options ? run->options->backend_pid : 0;
    if (!run->tally || !pid)
        return json_null();
    double cpu_s = run->backend_cpu_ns >= 0 ? (double)run->backend_cpu_ns / 1e9 : NAN;
    return json_pack("{s:I, s:o, s:o, s:o}",
                     "pid", (json_int_t)pid,
                     "cpu_s", number(cpu_s),
                     "us_per_request", number(cpu_s * 1e6 / (double)run->tally->completed),
                     "utilisation", number(backend_utilisation(run)));
}

static json_t *half_json(const struct run *run, size_t half)
{
    const struct histogram *h = run->tally->halves[half];
    return json_pack("{s:I, s:f, s:o}",
                     "completed", (json_int_t)h->count,
                     "throughput_rps", run_half_rps(run, half),
                     "p50_us", number(h->count > 0 ? quantile_us(h, 0.5) : NAN));
}

static json_t *steadiness_json(const struct run *run)
{
    json_t *halves = has_halves(run) ? json_pack("[o, o]", half_json(run, 0), half_json(run, 1))
                                     : json_null();
    enum steadiness steadiness = run_steadiness(run);
    bool judged = steadiness != STEADINESS_UNKNOWN;
    return json_pack("{s:o, s:o}", "halves", halves,
                     "steady", judged ? json_boolean(steadiness == STEADY) : json_null());
}

static json_t *warnings_json(const struct run *run)
{
    json_t *warnings = json_array();
    for (unsigned i = 0; i < run->warning_count; i++)
        json_array_append_new(warnings, json_string(run->warnings[i]));
    for (size_t i = 0; run->server && i < run->server->warning_count; i++)
        json_array_append_new(warnings, json_string(run->server->warnings[i]));
    return warnings;
}

/* What the load generator measured; all null when the run did not come to that. */
static json_t *measured_json(const struct run *run)
{
    const struct tally *t = run->tally;
    if (!t)
        return json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n}", "requests",
                         "throughput_rps", "response_us", "service_us", "connect_us", "send_lag_us",
                         "connections", "slow", "window_s");
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I}, s:f}",
        "requests", requests_json(t),
        "throughput_rps", number(run->window_s > 0 ? (double)t->completed / run->window_s : NAN),
        "response_us", distribution_json(run, t->response, t->response_censored),
        "service_us", distribution_json(run, t->service, t->service_censored),
        "connect_us", distribution_json(run, t->connect, 0),
        "send_lag_us", distribution_json(run, t->send_lag, 0),
        "connections", connections_json(run),
        "slow", "completed", (json_int_t)t->slow_completed, "errors", (json_int_t)t->slow_errors,
        "window_s", run->window_s);
}

json_t *run_json(const struct run *run)
{
    json_t *o = json_pack("{s:s, s:o, s:o}", "schema", "switchpoint.run/1",
                          "target", target_json(run), "workload", workload_json(run));
    json_object_update_new(o, measured_json(run));
    json_object_update_new(o, steadiness_json(run));
    json_object_update_new(o, json_pack("{s:{s:o, s:o}, s:o, s:o, s:o, s:b, s:b, s:o}",
            "generator", "cpu_utilisation", number(run->generator_utilisation),
            "saturated", run->tally ? json_boolean(run_is_saturated(run)) : json_null(),
            "server", server_json(run),
            "backend", backend_json(run),
            "machine", machine_json(run),
            "interrupted", run->interrupted,
            "valid", run_is_valid(run),
            "warnings", warnings_json(run)));
    if (run->capacity)
        json_object_set_new(o, "capacity", capacity_json(run->capacity));
    return o;
}

/* clang-format on */

/* --- the summary ------------------------------------------------------------------------------ */

static void print_distribution(FILE *out, const char *name, const struct histogram *h)
{
    if (h->count == 0)
        return;
    fprintf(out, "  %-9s %10.1f %10.1f %10.1f %10.1f %10.1f %10.1f\n", name, quantile_us(h, 0.5),
            quantile_us(h, 0.9), quantile_us(h, 0.99), quantile_us(h, 0.999), quantile_us(h, 1),
            histogram_mean_ns(h) / 1e3);
}

static void print_errors(FILE *out, const struct tally *t)
{
    if (tally_errors(t) == 0)
        return;
    fprintf(out,
            "  errors: %llu connect, %llu read, %llu write, %llu timeout, %llu status, %llu parse, "
            "%llu body\n",
            (unsigned long long)t->errors[ERROR_CONNECT], (unsigned long long)t->errors[ERROR_READ],
            (unsigned long long)t->errors[ERROR_WRITE],
            (unsigned long long)t->errors[ERROR_TIMEOUT],
            (unsigned long long)t->errors[ERROR_STATUS], (unsigned long long)t->errors[ERROR_PARSE],
            (unsigned long long)t->errors[ERROR_BODY]);
}

/* "1.23", or "?" for what is not known. */
static const char *shown(char text[32], double value, const char *format)
{
    if (!isfinite(value))
        return "?";
    snprintf(text, 32, format, value);
    return text;
}

/* The commonest few, and what they come to. */
static void print_syscalls(FILE *out, const struct run *run)
{
    enum { SHOWN = 4 };
    double requests = (double)run->syscall_requests;
    bool done[SYSCALL_NUMBERS] = {false};
    if (!isfinite(syscalls_per_request(run)))
        return;
    fprintf(out, "  system calls     %.2f a request:", syscalls_per_request(run));
    for (int n = 0; n < SHOWN; n++) {
        const uint64_t *counts = run->server->syscalls_by_number;
        char buffer[SYSCALL_NAME_SIZE];
        unsigned most = 0;
        for (unsigned i = 0; i < SYSCALL_NUMBERS; i++)
            if (!done[i] && (done[most] || counts[i] > counts[most]))
                most = i;
        done[most] = true;
        if (counts[most] > 0)
            fprintf(out, " %s %.2f", syscall_name(most, buffer), (double)counts[most] / requests);
    }
    fputc('\n', out);
}

static void print_server(FILE *out, const struct run *run)
{
    const struct probe_result *p = run->server;
    char a[32], b[32], c[32], d[32];
    double cpu_ns = known_or_nan(p->cpu_ns);
    fprintf(out, "\nServer\n");
    fprintf(out, "  CPU              %s us a request (%s user, %s system), %s of one CPU\n",
            shown(a, per_request(run, cpu_ns / 1e3), "%.2f"),
            shown(b, per_request(run, known_or_nan(p->cpu_user_ns) / 1e3), "%.2f"),
            shown(c, per_request(run, known_or_nan(p->cpu_system_ns) / 1e3), "%.2f"),
            shown(d, cpu_ns / (double)p->window_ns * 100, "%.1f %%"));
    fprintf(out, "  context switches %s a request (%s voluntary, %s involuntary)\n",
            shown(a, per_request(run, known_or_nan(p->switches_total)), "%.3f"),
            shown(b, per_request(run, known_or_nan(p->switches_voluntary)), "%.3f"),
            shown(c, per_request(run, known_or_nan(p->switches_involuntary)), "%.3f"));
    fprintf(out, "  wait for a CPU   %s us a request, %s moves between CPUs\n",
            shown(a, per_request(run, known_or_nan(p->wait_ns) / 1e3), "%.2f"),
            shown(b, known_or_nan(p->migrations), "%.0f"));
    print_syscalls(out, run);
    if (run->options->hardware)
        fprintf(out, "  hardware         %s instructions a request, %s a cycle, %s cache misses\n",
                shown(a, per_request(run, known_or_nan(p->instructions)), "%.0f"),
                shown(b, instructions_per_cycle(p), "%.2f"),
                shown(c, per_request(run, known_or_nan(p->cache_misses)), "%.1f"));
    fprintf(out,
            "  memory           %s KiB resident (peak %s), kernel stacks %s KiB, sockets %s KiB\n",
            shown(a, known_or_nan(p->rss_bytes) / 1024, "%.0f"),
            shown(b, known_or_nan(p->rss_peak_bytes) / 1024, "%.0f"),
            shown(c, known_or_nan(p->kernel_stack_bytes) / 1024, "%.0f"),
            shown(d, known_or_nan(p->socket_bytes) / 1024, "%.0f"));
    fprintf(out, "  threads          %s at most\n", shown(a, known_or_nan(p->threads_max), "%.0f"));
}

static void print_warnings(FILE *out, const struct run *run)
{
    for (unsigned i = 0; i < run->warning_count; i++)
        fprintf(out, "warning: %s\n", run->warnings[i]);
    for (size_t i = 0; run->server && i < run->server->warning_count; i++)
        fprintf(out, "warning: %s\n", run->server->warnings[i]);
}

void run_print(const struct run *run, FILE *out)
{
    const struct options *o = run->options;
    const struct tally *t = run->tally;
    if (run->capacity)
        capacity_print(run->capacity, out);
    fprintf(out, "%s, %.3g s measured, %u connection%s, ", run->url, run->window_s, o->connections,
            o->connections == 1 ? "" : "s");
    if (o->open_loop)
        fprintf(out, "open loop at %g/s (%s)\n", o->rate_rps,
                o->arrivals == ARRIVALS_POISSON ? "Poisson" : "constant");
    else
        fprintf(out, "closed loop\n");
    if (t) {
        fprintf(out, "\n%.1f requests/s: %llu completed, %llu errors, %llu unfinished\n",
                run->window_s > 0 ? (double)t->completed / run->window_s : 0,
                (unsigned long long)t->completed, (unsigned long long)tally_errors(t),
                (unsigned long long)t->unfinished);
        print_errors(out, t);
        if (t->slots_served < t->slots_used && !o->close)
            fprintf(out, "  served: %llu of %llu connections\n",
                    (unsigned long long)t->slots_served, (unsigned long long)t->slots_used);
        if (o->slow)
            fprintf(out, "  slow clients: %llu completed, %llu errors\n",
                    (unsigned long long)t->slow_completed, (unsigned long long)t->slow_errors);
        fprintf(out, "\n  us %16s %10s %10s %10s %10s %10s\n", "p50", "p90", "p99", "p99.9", "max",
                "mean");
        print_distribution(out, "response", t->response);
        print_distribution(out, "service", t->service);
        print_distribution(out, "connect", t->connect);
        print_distribution(out, "send lag", t->send_lag);
        fprintf(out, "\nGenerator: %.0f %% of a CPU in its busiest thread%s\n",
                run->generator_utilisation * 100,
                run_is_saturated(run) ? " - it may be what limits the throughput" : "");
    }
    if (t && run->server)
        print_server(out, run);
    print_warnings(out, run);
}
