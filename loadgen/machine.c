#include "loadgen/machine.h"

#include "common/clock.h"
#include "loadgen/probe.h"
#include "loadgen/probe_btf.h"
#include "loadgen/probe_proc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_SIZE = 16 << 10, PATH_SIZE = 96 };

/* A line for each CPU stands at its beginning; what follows is not needed. */
enum { STAT_SIZE = 128 << 10 };

/* Reading more would take time from the load. */
enum { MOST_PROCESSES = 400 };

/* --- one source each -------------------------------------------------------------------------- */

static void add_times(struct cpu_times *sum, const struct cpu_times *t)
{
    sum->user_ns += t->user_ns;
    sum->system_ns += t->system_ns;
    sum->irq_ns += t->irq_ns;
    sum->softirq_ns += t->softirq_ns;
    sum->steal_ns += t->steal_ns;
    sum->idle_ns += t->idle_ns;
}

/* proc_stat(5): user holds the time of guests too; waiting for a disk is idle time. */
static bool parse_times(const char *numbers, struct cpu_times *t)
{
    int64_t user, nice, system, idle, iowait, irq, softirq, steal;
    int n = sscanf(numbers,
                   "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                   " %" SCNd64 " %" SCNd64,
                   &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal);
    if (n != 8)
        return false;
    const int64_t tick_ns = proc_tick_ns();
    *t = (struct cpu_times){.user_ns = (user + nice) * tick_ns,
                            .system_ns = system * tick_ns,
                            .irq_ns = irq * tick_ns,
                            .softirq_ns = softirq * tick_ns,
                            .steal_ns = steal * tick_ns,
                            .idle_ns = (idle + iowait) * tick_ns};
    return true;
}

static void read_times(struct machine_snapshot *s, const cpu_set_t *chosen)
{
    char text[STAT_SIZE];
    bool left_out = false;
    s->at_ns = (int64_t)clock_now_ns();
    if (proc_read("/proc/stat", text, sizeof text))
        return;
    for (const char *line = text; line && strncmp(line, "cpu", 3) == 0;
         line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        struct cpu_times times;
        const char *numbers = strchr(line, ' ');
        if (!numbers || !parse_times(numbers, &times))
            return;
        if (numbers == line + 3) { /* "cpu  ": the sum */
            s->all = times;
            continue;
        }
        unsigned long cpu = strtoul(line + 3, NULL, 10);
        s->cpu_count++;
        if (CPU_ISSET(cpu, chosen))
            add_times(&s->chosen, &times);
        else
            left_out = true;
    }
    if (!left_out) /* each line is cut to whole ticks: the kernel's own sum is the better one */
        s->chosen = s->all;
}

static int64_t read_number(const char *path)
{
    char text[32], *end;
    if (proc_read(path, text, sizeof text))
        return PROBE_UNKNOWN;
    int64_t number = strtoll(text, &end, 10);
    return end > text && number >= 0 ? number : PROBE_UNKNOWN;
}

static int64_t read_cpu_number(size_t cpu, const char *name)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%zu/%s", cpu, name);
    return read_number(path);
}

/* The first CPU that does not have the file ends the search: the others will not have it either. */
static void read_frequencies(struct machine_snapshot *s, const cpu_set_t *chosen)
{
    int64_t sum = 0, count = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, chosen))
            continue;
        int64_t khz = read_cpu_number(cpu, "cpufreq/scaling_cur_freq");
        if (khz <= 0)
            break;
        s->frequency_min_khz =
            count == 0 || khz < s->frequency_min_khz ? khz : s->frequency_min_khz;
        s->frequency_max_khz = khz > s->frequency_max_khz ? khz : s->frequency_max_khz;
        sum += khz;
        count++;
    }
    s->frequency_mean_khz = count > 0 ? sum / count : PROBE_UNKNOWN;
}

static void read_throttling(struct machine_snapshot *s, const cpu_set_t *chosen)
{
    static const char *const counters[] = {"thermal_throttle/core_throttle_count",
                                           "thermal_throttle/package_throttle_count"};
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        for (size_t i = 0; CPU_ISSET(cpu, chosen) && i < 2; i++) {
            int64_t events = read_cpu_number(cpu, counters[i]);
            if (events == PROBE_UNKNOWN && i == 0)
                return;
            if (events != PROBE_UNKNOWN)
                s->throttle_events =
                    (s->throttle_events == PROBE_UNKNOWN ? 0 : s->throttle_events) + events;
        }
}

static void read_swapping(struct machine_snapshot *s)
{
    char text[TEXT_SIZE];
    if (proc_read("/proc/vmstat", text, sizeof text))
        return;
    int64_t in = proc_field(text, "pswpin ", 1), out = proc_field(text, "pswpout ", 1);
    if (in >= 0 && out >= 0)
        s->swapped_pages = in + out;
}

/* Documentation/admin-guide/iostats.rst: field 10 after the name, in ms. */
static void read_disks(struct machine_snapshot *s)
{
    char text[TEXT_SIZE];
    if (proc_read("/proc/diskstats", text, sizeof text))
        return;
    s->disks_busy_ms = 0;
    for (const char *line = text; line && *line;
         line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        int64_t busy_ms;
        if (sscanf(line, "%*u %*u %*s %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNd64, &busy_ms) == 1)
            s->disks_busy_ms += busy_ms;
    }
}

/* Documentation/accounting/psi.rst: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0". */
static void read_pressure(struct machine_snapshot *s)
{
    static const char *const files[RESOURCES] = {
        [RESOURCE_CPU] = "/proc/pressure/cpu",
        [RESOURCE_MEMORY] = "/proc/pressure/memory",
        [RESOURCE_IO] = "/proc/pressure/io",
    };
    static const char label[] = "total=";
    for (size_t i = 0; i < RESOURCES; i++) {
        char text[256];
        const char *total = proc_read(files[i], text, sizeof text) ? NULL : strstr(text, label);
        if (total && strncmp(text, "some ", 5) == 0)
            s->stalled_us[i] = strtoll(total + strlen(label), NULL, 10);
    }
}

/* Such a file has two lines for each group, names and values: "Tcp: RtoAlgorithm …", "Tcp: 1 …". */
static int64_t paired_field(const char *text, const char *group, const char *name)
{
    const char *names = strstr(text, group);
    const char *values = names ? strstr(names + strlen(group), group) : NULL;
    if (!values)
        return PROBE_UNKNOWN;
    size_t length = strlen(name);
    while (*names != '\n' && *values && *values != '\n') {
        size_t name_length = strcspn(names, " \n"), value_length = strcspn(values, " \n");
        if (name_length == length && strncmp(names, name, length) == 0)
            return strtoll(values, NULL, 10);
        names += name_length + (names[name_length] == ' ');
        values += value_length + (values[value_length] == ' ');
    }
    return PROBE_UNKNOWN;
}

static void read_network(struct machine_snapshot *s)
{
    char text[TEXT_SIZE];
    if (proc_read("/proc/net/netstat", text, sizeof text) == 0) {
        s->network[NETWORK_LISTEN_OVERFLOWS] = paired_field(text, "TcpExt: ", "ListenOverflows");
        s->network[NETWORK_LISTEN_DROPS] = paired_field(text, "TcpExt: ", "ListenDrops");
        s->network[NETWORK_SYN_RETRANSMISSIONS] = paired_field(text, "TcpExt: ", "TCPSynRetrans");
    }
    if (proc_read("/proc/net/snmp", text, sizeof text) == 0)
        s->network[NETWORK_RETRANSMISSIONS] = paired_field(text, "Tcp: ", "RetransSegs");
}

void machine_snapshot(struct machine_snapshot *s, const cpu_set_t *chosen)
{
    *s = (struct machine_snapshot){.processes_cpu_ns = PROBE_UNKNOWN,
                                   .frequency_mean_khz = PROBE_UNKNOWN,
                                   .throttle_events = PROBE_UNKNOWN,
                                   .swapped_pages = PROBE_UNKNOWN,
                                   .disks_busy_ms = PROBE_UNKNOWN};
    memset(s->stalled_us, 0xff, sizeof s->stalled_us); /* all bits set: PROBE_UNKNOWN */
    memset(s->network, 0xff, sizeof s->network);
    read_times(s, chosen); /* first, and this process's own time at the same moment */
    struct timespec own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    s->own_cpu_ns = (int64_t)own.tv_sec * (int64_t)NS_PER_S + own.tv_nsec;
    s->processes_cpu_ns = proc_cpu_of_all_ns(MOST_PROCESSES);
    read_frequencies(s, chosen);
    read_throttling(s, chosen);
    read_swapping(s);
    read_pressure(s);
    read_disks(s);
    read_network(s);
}

/* The kernel says so nowhere, but its description of itself names the function that does it
 * (kernel/sched/cputime.c). */
enum machine_answer machine_accounts_irq_time(void)
{
    static const char function[] = "irqtime_account_irq";
    struct btf btf;
    if (btf_load(&btf) != 0)
        return ANSWER_UNKNOWN;
    bool found = memmem(btf.strings, btf.strings_size, function, sizeof function) != NULL;
    btf_free(&btf);
    return found ? ANSWER_YES : ANSWER_NO;
}

/* --- between two snapshots -------------------------------------------------------------------- */

/* Three figures of /proc/stat, each cut to 10 ms, are to be off by 10 % of the window at most. */
static const int64_t SHORTEST_WINDOW_NS = 300 * (int64_t)NS_PER_MS;

static int64_t difference(int64_t begin, int64_t end)
{
    if (begin == PROBE_UNKNOWN || end == PROBE_UNKNOWN || end < begin)
        return PROBE_UNKNOWN;
    return end - begin;
}

/* A counter of the kernel that runs backwards by a tick (iowait may, proc_stat(5)) stood still. */
static int64_t advance(int64_t begin, int64_t end)
{
    return end > begin ? end - begin : 0;
}

static struct cpu_times times_between(const struct cpu_times *b, const struct cpu_times *e)
{
    return (struct cpu_times){.user_ns = advance(b->user_ns, e->user_ns),
                              .system_ns = advance(b->system_ns, e->system_ns),
                              .irq_ns = advance(b->irq_ns, e->irq_ns),
                              .softirq_ns = advance(b->softirq_ns, e->softirq_ns),
                              .steal_ns = advance(b->steal_ns, e->steal_ns),
                              .idle_ns = advance(b->idle_ns, e->idle_ns)};
}

static void conclude_shares(struct machine_result *r, const struct cpu_times *t)
{
    double sum_ns =
        (double)(t->user_ns + t->system_ns + t->irq_ns + t->softirq_ns + t->steal_ns + t->idle_ns);
    if (!(sum_ns > 0))
        return;
    r->user_share = (double)t->user_ns / sum_ns;
    r->system_share = (double)t->system_ns / sum_ns;
    r->irq_share = (double)t->irq_ns / sum_ns;
    r->softirq_share = (double)t->softirq_ns / sum_ns;
    r->steal_share = (double)t->steal_ns / sum_ns;
    r->idle_share = (double)t->idle_ns / sum_ns;
}

/* Busy time is what is not idle: the kernel measures idle time where the tick is off when idle
 * (get_cpu_idle_time_us in kernel/time/tick-sched.c), but counts user and system time by ticks.
 *
 * Time in interrupts, which is mostly the load's own network traffic, is in the CPU time of the
 * task that was interrupted, and so goes off with the server's and ours; unless the kernel keeps
 * it apart. Where that cannot be told it is taken off, since a false alarm does more harm.
 *
 * A CPU that is being woken is not idle, nor in any task: some microseconds each time, which a load
 * that waits for every answer makes a fifth of a CPU. So it is no more than processes took. */
static double other_share(const struct machine_snapshot *b, const struct machine_snapshot *e,
                          int64_t server_cpu_ns, bool irq_is_apart)
{
    int64_t elapsed_ns = e->at_ns - b->at_ns;
    if (server_cpu_ns == PROBE_UNKNOWN || elapsed_ns < SHORTEST_WINDOW_NS)
        return NAN;
    struct cpu_times t = times_between(&b->all, &e->all);
    int64_t load_ns = server_cpu_ns + (e->own_cpu_ns - b->own_cpu_ns);
    int64_t others_ns = elapsed_ns * b->cpu_count - t.idle_ns - t.steal_ns - load_ns;
    if (irq_is_apart)
        others_ns -= t.irq_ns + t.softirq_ns;
    int64_t processes_ns = difference(b->processes_cpu_ns, e->processes_cpu_ns);
    if (processes_ns != PROBE_UNKNOWN && processes_ns - load_ns < others_ns)
        others_ns = processes_ns - load_ns;
    return others_ns > 0 ? (double)others_ns / (double)elapsed_ns : 0;
}

static void conclude_frequency(struct machine_result *r, const struct machine_snapshot *b,
                               const struct machine_snapshot *e)
{
    r->frequency_min_khz = r->frequency_max_khz = PROBE_UNKNOWN;
    r->frequency_begin_khz = b->frequency_mean_khz;
    r->frequency_end_khz = e->frequency_mean_khz;
    if (b->frequency_mean_khz == PROBE_UNKNOWN || e->frequency_mean_khz == PROBE_UNKNOWN)
        return;
    bool begin_low = b->frequency_min_khz < e->frequency_min_khz;
    bool begin_high = b->frequency_max_khz > e->frequency_max_khz;
    r->frequency_min_khz = begin_low ? b->frequency_min_khz : e->frequency_min_khz;
    r->frequency_max_khz = begin_high ? b->frequency_max_khz : e->frequency_max_khz;
}

struct machine_result machine_between(const struct machine_snapshot *b,
                                      const struct machine_snapshot *e, int64_t server_cpu_ns,
                                      enum machine_answer irq_time_is_apart)
{
    struct machine_result r = {.user_share = NAN,
                               .system_share = NAN,
                               .irq_share = NAN,
                               .softirq_share = NAN,
                               .steal_share = NAN,
                               .idle_share = NAN,
                               .other_cpu_share = NAN};
    r.too_short = e->at_ns - b->at_ns < SHORTEST_WINDOW_NS;
    r.has_cpu_times = b->cpu_count > 0 && b->cpu_count == e->cpu_count;
    if (r.has_cpu_times) {
        struct cpu_times t = times_between(&b->chosen, &e->chosen);
        conclude_shares(&r, &t);
        r.other_cpu_share = other_share(b, e, server_cpu_ns, irq_time_is_apart != ANSWER_NO);
    }
    conclude_frequency(&r, b, e);
    r.throttle_events = difference(b->throttle_events, e->throttle_events);
    r.swapped_pages = difference(b->swapped_pages, e->swapped_pages);
    double elapsed_us = (double)(e->at_ns - b->at_ns) / 1e3;
    for (size_t i = 0; i < RESOURCES; i++) {
        int64_t stalled_us = difference(b->stalled_us[i], e->stalled_us[i]);
        bool known = stalled_us != PROBE_UNKNOWN && elapsed_us > 0;
        r.some_share[i] = known ? (double)stalled_us / elapsed_us : NAN;
    }
    int64_t busy_ms = difference(b->disks_busy_ms, e->disks_busy_ms);
    if (busy_ms != PROBE_UNKNOWN && isfinite(r.some_share[RESOURCE_IO]))
        r.some_share[RESOURCE_IO] =
            fmin(r.some_share[RESOURCE_IO], (double)busy_ms * 1e3 / elapsed_us);
    for (size_t i = 0; i < NETWORK_COUNTERS; i++)
        r.network[i] = difference(b->network[i], e->network[i]);
    return r;
}

/* --- in words --------------------------------------------------------------------------------- */

static void append(char *text, size_t size, const char *what)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s", length > 0 ? "; " : "", what);
}

/* Frequency and throttling are not missed: few virtual machines show them. */
void machine_describe_missing(const struct machine_result *r, char *text, size_t size)
{
    bool network = true, pressure = true;
    for (size_t i = 0; i < NETWORK_COUNTERS; i++)
        network &= r->network[i] != PROBE_UNKNOWN;
    for (size_t i = 0; i < RESOURCES; i++)
        pressure &= isfinite(r->some_share[i]);
    *text = '\0';
    if (!r->has_cpu_times)
        append(text, size, "the CPUs' time (/proc/stat must be readable)");
    if (r->has_cpu_times && r->too_short)
        append(text, size,
               "others' CPU time (/proc/stat counts in 10 ms: measure for 0.3 s or longer)");
    if (r->swapped_pages == PROBE_UNKNOWN)
        append(text, size, "swapping (/proc/vmstat must be readable)");
    if (!pressure)
        append(text, size,
               "pressure (/proc/pressure: the kernel needs CONFIG_PSI, and psi=1 on its command "
               "line where it is off by default)");
    if (!network)
        append(text, size, "network losses (/proc/net/netstat and snmp must be readable)");
}
