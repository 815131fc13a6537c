#include "loadgen/probe.h"

#include "common/clock.h"
#include "loadgen/probe_events.h"
#include "loadgen/probe_ledger.h"
#include "loadgen/probe_memory.h"
#include "loadgen/probe_proc.h"
#include "loadgen/probe_records.h"
#include "loadgen/probe_sockets.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 16384, WHY_SIZE = 160 };

/* Without the ledger, new processes and vanished threads are found by reading
 * directories: a millisecond or more, so not with every sample. */
#define SCAN_INTERVAL_NS NS_PER_S
#define WARMUP_SCAN_INTERVAL_NS (NS_PER_S / 5)

enum source { FROM_LEDGER, FROM_RECORDS, FROM_PROC };

static const char *const source_names[] = {"ledger", "records", "proc"};

/* Everything that is read at both ends of the window, over the whole tree. */
struct counters {
    uint64_t at_ns;
    struct ledger_sums ledger; /* FROM_LEDGER, unless */
    bool unread;
    uint64_t voluntary, involuntary, lost; /* FROM_RECORDS */
    struct tasks tasks;                    /* FROM_PROC */
    int64_t forks;                         /* of the machine */
    int64_t cpu_ns;
    int64_t user_ns, system_ns; /* by the clock tick: good for a ratio */
    int64_t faults_minor, faults_major;
};

struct probe {
    struct tree tree;
    enum source source;
    struct ledger ledger;
    struct records records;
    struct events events;
    bool has_ledger, has_records, has_events;
    char why_no_ledger[WHY_SIZE], why_no_records[WHY_SIZE];
    uint16_t port;

    /* Do threads come and go? Asked in the warm-up, and in the window when the
     * answer decides whether /proc may be believed. */
    struct tasks last_scan;
    struct tasks doubtful; /* FROM_RECORDS: perhaps not followed */
    uint64_t last_scan_ns;
    int64_t last_forks;
    int scans;
    bool threads_went, threads_unseen;

    struct counters begin, end;
    bool peak_is_of_lifetime;
    bool had_window;
    size_t warnings_before; /* that came with the opening */
    int64_t threads_now, threads_max;
    int64_t event_counts[EVENT_KINDS_MAX]; /* of the window */
    bool counts_syscalls;
    struct probe_result result;
};

__attribute__((format(printf, 2, 3))) static void warn(struct probe *p, const char *format, ...)
{
    struct probe_result *r = &p->result;
    va_list args;
    char *text;
    if (r->warning_count == PROBE_WARNINGS_MAX)
        return;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n >= 0)
        r->warnings[r->warning_count++] = text;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Until nothing new turns up: what a member forks after it was entered, the
 * ledger follows by itself. */
static int enter_tree(struct probe *p)
{
    size_t entered = 0;
    do {
        for (; entered < p->tree.count; entered++)
            if (ledger_enter(&p->ledger, p->tree.pids[entered]))
                return -1;
        if (tree_scan(&p->tree))
            return -1;
    } while (entered < p->tree.count);
    return 0;
}

static void try_ledger(struct probe *p)
{
    if (ledger_open(&p->ledger, p->why_no_ledger, sizeof p->why_no_ledger))
        return;
    p->has_ledger = enter_tree(p) == 0;
    if (p->has_ledger)
        return;
    snprintf(p->why_no_ledger, sizeof p->why_no_ledger, "entering processes: %s", strerror(errno));
    ledger_close(&p->ledger);
}

/* Once, since a thread that comes while we look may be followed already, by
 * inheritance, and must not be followed twice. Those are remembered: if one was
 * born of a thread before its turn came, it is not followed at all. */
static int follow_tree(struct probe *p, int (*follow)(struct probe *, pid_t),
                       struct tasks *doubtful)
{
    struct tasks now = {0};
    int failed = tree_scan(&p->tree) || tasks_read(&now, &p->tree, true);
    for (size_t i = 0; !failed && i < now.count; i++)
        failed = follow(p, now.tasks[i].tid) && errno != ESRCH;
    failed = failed || tasks_read(doubtful, &p->tree, true);
    int error = errno;
    size_t kept = 0;
    for (size_t i = 0; !failed && i < doubtful->count; i++)
        if (!tasks_find(&now, doubtful->tasks[i].tid))
            doubtful->tasks[kept++] = doubtful->tasks[i];
    doubtful->count = kept;
    tasks_free(&now);
    errno = error;
    return failed ? -1 : 0;
}

static int follow_by_records(struct probe *p, pid_t tid)
{
    return records_follow(&p->records, tid);
}

static int follow_by_events(struct probe *p, pid_t tid)
{
    return events_follow(&p->events, tid);
}

static size_t doubtful_alive(const struct probe *p)
{
    size_t alive = 0;
    for (size_t i = 0; i < p->doubtful.count; i++)
        alive += tasks_find(&p->last_scan, p->doubtful.tasks[i].tid) != NULL;
    return alive;
}

static void try_records(struct probe *p)
{
    if (records_open(&p->records))
        return;
    p->has_records = follow_tree(p, follow_by_records, &p->doubtful) == 0;
    if (p->has_records)
        return;
    snprintf(p->why_no_records, sizeof p->why_no_records, "perf_event_open: %s", strerror(errno));
    records_close(&p->records);
}

static void clear_result(struct probe_result *r)
{
    r->window_ns = PROBE_UNKNOWN;
    r->switches_voluntary = r->switches_involuntary = r->switches_total = PROBE_UNKNOWN;
    r->switches_source = "";
    r->cpu_ns = r->cpu_user_ns = r->cpu_system_ns = PROBE_UNKNOWN;
    r->rss_bytes = r->rss_peak_bytes = r->pss_bytes = PROBE_UNKNOWN;
    r->stack_bytes = r->anonymous_bytes = r->file_bytes = PROBE_UNKNOWN;
    r->rss_peak_of_life_bytes = PROBE_UNKNOWN;
    r->kernel_stack_bytes = r->page_table_bytes = PROBE_UNKNOWN;
    r->socket_bytes = r->socket_count = r->socket_struct_bytes = PROBE_UNKNOWN;
    r->wait_ns = r->migrations = PROBE_UNKNOWN;
    r->instructions = r->cycles = r->cache_misses = PROBE_UNKNOWN;
    r->syscalls = PROBE_UNKNOWN;
    r->threads_max = r->threads_born = r->threads_died = PROBE_UNKNOWN;
    r->faults_minor = r->faults_major = PROBE_UNKNOWN;
}

struct probe *probe_open(pid_t root, enum probe_means means, char *error, size_t error_size)
{
    struct probe *p = calloc(1, sizeof *p);
    if (!p || tree_add(&p->tree, root)) {
        snprintf(error, error_size, "out of memory");
        free(p);
        return NULL;
    }
    clear_result(&p->result);
    if (proc_threads(root) == 0) {
        snprintf(error, error_size, "there is no process %d to probe", (int)root);
        probe_close(p);
        return NULL;
    }
    strcpy(p->why_no_ledger, "not tried");
    strcpy(p->why_no_records, "not tried");
    if (means == PROBE_BEST)
        try_ledger(p);
    if (!p->has_ledger && means != PROBE_PROC_ALONE)
        try_records(p);
    p->source = p->has_ledger ? FROM_LEDGER : p->has_records ? FROM_RECORDS : FROM_PROC;
    return p;
}

void probe_close(struct probe *p)
{
    if (!p)
        return;
    if (p->has_ledger)
        ledger_close(&p->ledger);
    if (p->has_records)
        records_close(&p->records);
    if (p->has_events)
        events_free(&p->events);
    tasks_free(&p->last_scan);
    tasks_free(&p->doubtful);
    tasks_free(&p->begin.tasks);
    tasks_free(&p->end.tasks);
    tree_free(&p->tree);
    for (size_t i = 0; i < p->result.warning_count; i++)
        free(p->result.warnings[i]);
    free(p);
}

static const char *how_to_permit_events(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "run loadgen with CAP_PERFMON (as root, for example), or set "
               "kernel.perf_event_paranoid to 1 or less";
    case EMFILE: return "raise the limit of descriptors (ulimit -Hn)";
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP: return "the machine has no such counters; a virtual one may be given them";
    default: return "it may be that others use them";
    }
}

/* What is asked for, in the order in which event_counts has it. */
enum { CYCLES, INSTRUCTIONS, CACHE_MISSES, HARDWARE_KINDS };

static const struct event_kind hardware_kinds[HARDWARE_KINDS] = {
    [CYCLES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false},
    [INSTRUCTIONS] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, true},
    [CACHE_MISSES] = {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, false},
};

void probe_count_hardware(struct probe *p)
{
    struct tasks doubtful = {0};
    events_init(&p->events, hardware_kinds, HARDWARE_KINDS);
    p->has_events = follow_tree(p, follow_by_events, &doubtful) == 0;
    int error = errno;
    if (!p->has_events) {
        events_free(&p->events);
        warn(p, "hardware: unknown, perf_event_open: %s: %s", strerror(error),
             how_to_permit_events(error));
    } else if (doubtful.count > 0) {
        warn(p,
             "hardware: %zu threads may be missing, which the server started while the probe "
             "attached to it",
             doubtful.count);
    }
    tasks_free(&doubtful);
}

void probe_set_port(struct probe *p, uint16_t port)
{
    p->port = port;
}

/* --- looking on ------------------------------------------------------------------------------- */

static void refresh_tree(struct probe *p)
{
    if (!p->has_ledger) {
        tree_scan(&p->tree);
        return;
    }
    ledger_fold(&p->ledger);
    pid_t *pids = malloc(PROCESSES_MAX * sizeof *pids);
    if (pids)
        tree_set(&p->tree, pids, ledger_processes(&p->ledger, pids, PROCESSES_MAX));
    free(pids);
}

/* Compares the threads with those of the scan before. */
static void scan_threads(struct probe *p)
{
    struct tasks now = {0};
    refresh_tree(p);
    int64_t forks = proc_forks();
    if (tasks_read(&now, &p->tree, true)) {
        tasks_free(&now);
        return;
    }
    int64_t fresh = 0;
    for (size_t i = 0; i < now.count; i++)
        fresh += !tasks_find(&p->last_scan, now.tasks[i].tid);
    if (p->scans > 0) {
        p->threads_went |= p->last_scan.count + (size_t)fresh > now.count;
        p->threads_unseen |= forks < 0 || forks - p->last_forks > fresh;
    }
    tasks_free(&p->last_scan);
    p->last_scan = now;
    p->last_forks = forks;
    p->last_scan_ns = clock_now_ns();
    p->scans++;
}

void probe_warmup_sample(struct probe *p)
{
    if (p->has_records)
        records_drain(&p->records);
    if (!p->has_ledger && clock_now_ns() - p->last_scan_ns >= WARMUP_SCAN_INTERVAL_NS)
        scan_threads(p);
}

void probe_sample(struct probe *p)
{
    if (p->has_records)
        records_drain(&p->records);
    if (p->has_ledger)
        refresh_tree(p);
    else if (clock_now_ns() - p->last_scan_ns >= SCAN_INTERVAL_NS)
        scan_threads(p);

    p->threads_now = 0;
    for (size_t i = 0; i < p->tree.count; i++)
        p->threads_now += proc_threads(p->tree.pids[i]);
    if (p->threads_now > p->threads_max)
        p->threads_max = p->threads_now;
}

/* --- the window's two ends -------------------------------------------------------------------- */

static void take_process(struct counters *c, pid_t pid)
{
    struct process_counts s;
    int64_t cpu_ns = proc_cpu_ns(pid);
    if (cpu_ns < 0 || !proc_counts(pid, &s))
        return; /* ended; once waited for, it counts among its parent's children */
    c->cpu_ns += cpu_ns + (s.child_user_ticks + s.child_system_ticks) * proc_tick_ns();
    c->user_ns += (s.user_ticks + s.child_user_ticks) * proc_tick_ns();
    c->system_ns += (s.system_ticks + s.child_system_ticks) * proc_tick_ns();
    c->faults_minor += s.faults_minor + s.child_faults_minor;
    c->faults_major += s.faults_major + s.child_faults_major;
}

static void take_events(struct probe *p, bool begins)
{
    int failed = begins ? events_begin(&p->events) : events_estimate(&p->events, p->event_counts);
    if (!failed)
        return;
    warn(p, "hardware: unknown, reading the counters: %s", strerror(errno));
    events_free(&p->events);
    p->has_events = false;
}

/* What a process ended with that no tick had met, the kernel adds to its parent's account as user
 * time (cputime_adjust in kernel/sched/cputime.c): with a process for each connection, that is
 * nearly all. The ledger has each task's own ticks. */
static void prefer_ledgers_split(struct counters *c)
{
    if (c->ledger.user_ns + c->ledger.system_ns == 0)
        return;
    c->user_ns = (int64_t)c->ledger.user_ns;
    c->system_ns = (int64_t)c->ledger.system_ns;
}

/* The same order at both ends, so that each counter has a window of the same
 * length, whatever reading the ones before it takes. */
static void take_counters(struct probe *p, struct counters *c)
{
    c->at_ns = clock_now_ns();
    if (p->source == FROM_LEDGER && ledger_read(&p->ledger, &c->ledger)) {
        c->unread = true;
        warn(p, "context switches: unknown, reading the kernel's ledger: %s", strerror(errno));
    }
    if (p->source == FROM_RECORDS) {
        records_drain(&p->records);
        c->voluntary = p->records.voluntary;
        c->involuntary = p->records.involuntary;
        c->lost = p->records.lost;
    }
    for (size_t i = 0; i < p->tree.count; i++)
        take_process(c, p->tree.pids[i]);
    prefer_ledgers_split(c);
    if (p->has_events)
        take_events(p, c == &p->begin);
    if (p->source == FROM_PROC) {
        c->forks = proc_forks();
        tasks_read(&c->tasks, &p->tree, false);
    }
}

/* Records cost the server time at each switch: not if /proc will do. */
static void choose_source(struct probe *p)
{
    if (p->source != FROM_RECORDS || p->scans < 2 || p->threads_went || p->threads_unseen)
        return;
    records_close(&p->records);
    p->has_records = false;
    p->source = FROM_PROC;
    strcpy(p->why_no_records, "switched off, as no thread ended during the warm-up");
}

/* A probe may have one window after the other: what the last one said is no more. */
static void forget_last_window(struct probe *p)
{
    struct counters *const both[] = {&p->begin, &p->end};
    for (size_t i = 0; i < 2; i++) {
        tasks_free(&both[i]->tasks);
        *both[i] = (struct counters){0};
    }
    if (!p->had_window) {
        p->had_window = true;
        p->warnings_before = p->result.warning_count;
    }
    while (p->result.warning_count > p->warnings_before)
        free(p->result.warnings[--p->result.warning_count]);
    int64_t peak_of_life_bytes = p->result.rss_peak_of_life_bytes;
    clear_result(&p->result);
    p->result.rss_peak_of_life_bytes = peak_of_life_bytes;
}

static void note_peak(struct probe *p, int64_t peak_bytes)
{
    int64_t *largest = &p->result.rss_peak_of_life_bytes;
    *largest = peak_bytes > *largest ? peak_bytes : *largest;
}

void probe_window_begin(struct probe *p)
{
    forget_last_window(p);
    if (!p->has_ledger)
        scan_threads(p);
    choose_source(p);
    if (p->source == FROM_RECORDS && doubtful_alive(p) > 0)
        warn(p,
             "context switches: those of %zu threads may be missing, which the server started "
             "while the probe attached to it",
             doubtful_alive(p));
    p->threads_went = p->threads_unseen = false;
    refresh_tree(p);
    for (size_t i = 0; i < p->tree.count; i++) {
        note_peak(p, memory_peak_bytes(p->tree.pids[i]));
        p->peak_is_of_lifetime |= memory_reset_peak(p->tree.pids[i]) && errno != ENOENT;
    }
    p->threads_max = 0;
    probe_sample(p);
    take_counters(p, &p->begin);
}

/* --- results ---------------------------------------------------------------------------------- */

/* Unknown plus anything is unknown. */
static void add(int64_t *sum, int64_t value)
{
    *sum = *sum < 0 || value < 0 ? PROBE_UNKNOWN : *sum + value;
}

static const char permit_ledger[] =
    "run loadgen with CAP_BPF and CAP_PERFMON (as root, for example)";

static const char *how_to_permit(void)
{
    return "run loadgen with CAP_BPF and CAP_PERFMON (as root, for example), or set "
           "kernel.perf_event_paranoid to 2 or less";
}

static void conclude_ledger(struct probe *p)
{
    struct probe_result *r = &p->result;
    const struct ledger_sums *b = &p->begin.ledger, *e = &p->end.ledger;
    if (p->begin.unread || p->end.unread)
        return;
    if (e->lost > b->lost) {
        warn(p, "context switches: unknown, the server forked faster than the ledger could follow");
        return;
    }
    r->switches_voluntary = (int64_t)(e->voluntary - b->voluntary);
    r->switches_involuntary = (int64_t)(e->involuntary - b->involuntary);
    r->threads_born = (int64_t)(e->born - b->born);
    r->threads_died = (int64_t)(e->died - b->died);
    if (p->ledger.knows_waits)
        r->wait_ns = (int64_t)(e->wait_ns - b->wait_ns);
    if (p->ledger.knows_migrations)
        r->migrations = (int64_t)(e->migrations - b->migrations);
}

static void conclude_records(struct probe *p)
{
    struct probe_result *r = &p->result;
    if (p->end.lost > p->begin.lost) {
        warn(p, "context switches: unknown, the kernel had to drop switch records; %s",
             permit_ledger);
        return;
    }
    r->switches_voluntary = (int64_t)(p->end.voluntary - p->begin.voluntary);
    r->switches_involuntary = (int64_t)(p->end.involuntary - p->begin.involuntary);
}

/* Threads that were born and died between two looks leave a trace in what the
 * process has used of the CPU, which includes the dead: more than a hundredth
 * of it, and the sum over the living says too little. */
static bool the_dead_worked(const struct probe *p, int64_t living_cpu_ns)
{
    int64_t all = p->end.cpu_ns - p->begin.cpu_ns;
    return all - living_cpu_ns > all / 100 + (int64_t)NS_PER_MS;
}

static void conclude_proc(struct probe *p)
{
    struct probe_result *r = &p->result;
    const struct tasks *before = &p->begin.tasks, *now = &p->end.tasks;
    int64_t voluntary = 0, involuntary = 0, cpu_ns = 0, wait_ns = 0, migrations = 0;
    int64_t born = 0, stayed = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct task *t = &now->tasks[i], *was = tasks_find(before, t->tid);
        voluntary += t->voluntary - (was ? was->voluntary : 0);
        involuntary += t->involuntary - (was ? was->involuntary : 0);
        cpu_ns += t->cpu_ns - (was ? was->cpu_ns : 0);
        wait_ns += t->wait_ns - (was ? was->wait_ns : 0);
        add(&migrations, t->migrations < 0 ? -1 : t->migrations - (was ? was->migrations : 0));
        born += !was;
        stayed += was != NULL;
    }
    bool went = p->threads_went || stayed < (int64_t)before->count;
    bool unseen = p->begin.forks < 0 || p->end.forks - p->begin.forks > born;
    if (went || (unseen && the_dead_worked(p, cpu_ns))) {
        warn(p,
             "context switches: unknown, since threads ended within the window and /proc forgets "
             "them (kernel's ledger: %s; switch records: %s); %s",
             p->why_no_ledger, p->why_no_records, how_to_permit());
        return;
    }
    r->switches_voluntary = voluntary;
    r->switches_involuntary = involuntary;
    if (proc_knows_waits())
        r->wait_ns = wait_ns;
    r->migrations = migrations;
    if (unseen)
        return;
    r->threads_born = born;
    r->threads_died = 0;
}

/* What is known came with the switches, by the same means. */
static void conclude_scheduler(struct probe *p)
{
    const struct probe_result *r = &p->result;
    if (r->switches_total < 0 || p->source == FROM_RECORDS) {
        warn(p,
             "scheduler: the wait for a CPU and migrations are unknown, since they take the "
             "kernel's ledger, or threads that do not end; %s",
             permit_ledger);
        return;
    }
    if (r->wait_ns < 0)
        warn(p, "scheduler: the wait for a CPU is unknown, this kernel does not count it "
                "(CONFIG_SCHED_INFO)");
    if (r->migrations < 0)
        warn(p, "scheduler: migrations are unknown, this kernel does not show them "
                "(CONFIG_SCHED_DEBUG)");
}

static void conclude_cpu(struct probe *p)
{
    struct probe_result *r = &p->result;
    int64_t all_ns = p->end.cpu_ns - p->begin.cpu_ns;
    int64_t user = p->end.user_ns - p->begin.user_ns;
    int64_t system = p->end.system_ns - p->begin.system_ns;
    if (all_ns < 0) {
        warn(p, "cpu: unknown, a process of the server ended and none of the others waited for it");
        return;
    }
    r->cpu_ns = all_ns;
    if (user < 0 || system < 0 || user + system == 0) { /* less than a tick: as ever before */
        user = p->end.user_ns;
        system = p->end.system_ns;
    }
    if (user + system == 0) {
        warn(p,
             "cpu: its split into user and system is unknown, the server used less than the "
             "kernel's clock tick of %lld ms: measure for longer",
             (long long)(proc_tick_ns() / (int64_t)NS_PER_MS));
        return;
    }
    double user_share = (double)user / (double)(user + system);
    r->cpu_user_ns = (int64_t)((double)all_ns * user_share);
    r->cpu_system_ns = all_ns - r->cpu_user_ns;
}

static void conclude_hardware(struct probe *p)
{
    struct probe_result *r = &p->result;
    if (!p->has_events)
        return;
    r->cycles = p->event_counts[CYCLES];
    r->instructions = p->event_counts[INSTRUCTIONS];
    r->cache_misses = p->event_counts[CACHE_MISSES];
    if (r->cycles < 0 || r->instructions < 0 || r->cache_misses < 0)
        warn(p, "hardware: a counter was never on while the server ran; end what else uses the "
                "processor's counters (perf, the NMI watchdog)");
}

static void conclude_faults(struct probe *p)
{
    struct probe_result *r = &p->result;
    int64_t minor = p->end.faults_minor - p->begin.faults_minor;
    int64_t major = p->end.faults_major - p->begin.faults_major;
    if (minor < 0 || major < 0) {
        warn(p, "page faults: unknown, a process of the server ended and none of the others waited "
                "for it");
        return;
    }
    r->faults_minor = minor;
    r->faults_major = major;
}

static void conclude_memory(struct probe *p)
{
    struct memory sum = {0};
    size_t found = 0;
    for (size_t i = 0; i < p->tree.count; i++) {
        struct memory m;
        if (!memory_read(p->tree.pids[i], &m))
            continue;
        found++;
        add(&sum.rss_bytes, m.rss_bytes);
        add(&sum.rss_peak_bytes, m.rss_peak_bytes);
        note_peak(p, m.rss_peak_bytes);
        add(&sum.pss_bytes, m.pss_bytes);
        add(&sum.stack_bytes, m.stack_bytes);
        add(&sum.anonymous_bytes, m.anonymous_bytes);
        add(&sum.file_bytes, m.file_bytes);
        add(&sum.page_table_bytes, m.page_table_bytes);
        add(&sum.stack_count, m.stack_count);
    }
    if (found == 0) {
        warn(p, "memory: unknown, the server ended before it could be read");
        return;
    }

    struct probe_result *r = &p->result;
    r->rss_bytes = sum.rss_bytes;
    r->rss_peak_bytes = sum.rss_peak_bytes;
    r->pss_bytes = sum.pss_bytes;
    r->page_table_bytes = sum.page_table_bytes;
    r->file_bytes = sum.file_bytes;
    if (sum.pss_bytes < 0 || sum.stack_count < 0)
        warn(p, "memory: pss and the kinds of memory are unknown, /proc/PID/smaps is closed to us; "
                "run loadgen as the server's user or with CAP_SYS_PTRACE");
    if (p->peak_is_of_lifetime)
        warn(p, "memory: the peak is of the server's lifetime, not of the window, since "
                "/proc/PID/clear_refs is closed to us; run loadgen as the server's user");
    /* Some may have come and gone meanwhile. Where less than half look like a
     * stack, they are kept in another way (guards within the mapping, or stacks
     * that the language's runtime allots). */
    if (sum.stack_count >= 0 && sum.stack_count * 2 < p->threads_now) {
        warn(p,
             "memory: stacks cannot be told from other anonymous memory (%lld mappings look "
             "like one, there are %lld threads)",
             (long long)sum.stack_count, (long long)p->threads_now);
        return;
    }
    r->stack_bytes = sum.stack_bytes;
    r->anonymous_bytes = sum.anonymous_bytes;
}

static void conclude_kernel_memory(struct probe *p)
{
    struct probe_result *r = &p->result;
    int64_t stack = memory_kernel_stack_bytes();
    r->kernel_stack_bytes = stack < 0 ? PROBE_UNKNOWN : stack * p->threads_now;
    if (stack < 0)
        warn(p, "memory: kernel stacks are unknown, /proc/meminfo or /proc/loadavg lacks what "
                "they are derived from");
    if (p->port == 0) {
        warn(p, "memory: sockets are unknown, as the server's port is");
        return;
    }
    struct socket_memory sockets;
    if (sockets_read(p->port, &sockets)) {
        warn(p, "memory: sockets are unknown, NETLINK_SOCK_DIAG: %s", strerror(errno));
        return;
    }
    r->socket_count = sockets.count;
    r->socket_bytes = sockets.bytes;
    int64_t each = sockets_struct_bytes();
    r->socket_struct_bytes = each < 0 ? PROBE_UNKNOWN : each * sockets.count;
    if (each < 0)
        warn(p, "memory: the size of the kernel's socket objects is unknown, /proc/slabinfo is "
                "closed to us; run loadgen as root");
}

void probe_window_end(struct probe *p)
{
    struct probe_result *r = &p->result;
    refresh_tree(p);
    take_counters(p, &p->end);
    probe_sample(p);
    r->window_ns = (int64_t)(p->end.at_ns - p->begin.at_ns);
    r->threads_max = p->threads_max > 0 ? p->threads_max : PROBE_UNKNOWN;
    if (p->threads_now == 0) {
        warn(p, "server: it ended within the window, and its counters with it");
        return;
    }

    r->switches_source = source_names[p->source];
    if (p->source == FROM_LEDGER)
        conclude_ledger(p);
    else if (p->source == FROM_RECORDS)
        conclude_records(p);
    else
        conclude_proc(p);
    if (r->switches_voluntary >= 0)
        r->switches_total = r->switches_voluntary + r->switches_involuntary;
    conclude_scheduler(p);
    conclude_cpu(p);
    conclude_hardware(p);
    conclude_faults(p);
    conclude_memory(p);
    conclude_kernel_memory(p);
}

const struct probe_result *probe_result(const struct probe *p)
{
    return &p->result;
}

/* --- system calls ----------------------------------------------------------------------------- */

int probe_syscalls_begin(struct probe *p)
{
    if (!p->has_ledger) {
        warn(p, "system calls: unknown, the kernel's ledger is not available (%s); %s",
             p->why_no_ledger, permit_ledger);
        return -1;
    }
    if (ledger_count_syscalls(&p->ledger)) {
        warn(p, "system calls: unknown, following sys_enter: %s", strerror(errno));
        return -1;
    }
    p->counts_syscalls = true;
    return 0;
}

void probe_syscalls_end(struct probe *p)
{
    struct probe_result *r = &p->result;
    if (!p->counts_syscalls)
        return;
    p->counts_syscalls = false;
    if (ledger_take_syscalls(&p->ledger, r->syscalls_by_number)) {
        warn(p, "system calls: unknown, reading their counts: %s", strerror(errno));
        return;
    }
    r->syscalls = 0;
    for (size_t i = 0; i < SYSCALL_NUMBERS; i++)
        r->syscalls += (int64_t)r->syscalls_by_number[i];
}
