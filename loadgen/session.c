#include "loadgen/session.h"

#include "common/clock.h"
#include "common/units.h"
#include "loadgen/probe_proc.h"

#include <math.h>
#include <signal.h>
#include <unistd.h>

/* The phase behind the window in which system calls are counted. */
#define SYSCALL_PHASE_NS (500 * NS_PER_MS)

/* No window is cut shorter: in less, the generator's own CPU time says nothing yet. */
#define CUT_LEAST_NS (100 * NS_PER_MS)

/* How often a progress line is written anew. */
#define SHOW_GAP_NS (250 * NS_PER_MS)

static const char *const clear_line = "\r\033[K";

void session_prepare(struct session *s)
{
    cpu_set_t cpus;
    s->irq_time_is_apart = machine_accounts_irq_time();
    CPU_ZERO(&s->machine_cpus);
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        CPU_OR(&s->machine_cpus, &s->machine_cpus, &cpus);
    if (s->has_target && sched_getaffinity(s->target.pid, sizeof cpus, &cpus) == 0)
        CPU_OR(&s->machine_cpus, &s->machine_cpus, &cpus);
    format_cpu_list(&s->machine_cpus, s->run.machine_cpus, sizeof s->run.machine_cpus);
}

/* --- looking on ------------------------------------------------------------------------------- */

/* What is looked at every 50 ms, and how. */
struct look {
    struct session *session;
    void (*at_server)(struct probe *);
    double most_outstanding;
    uint64_t shown_ns;
};

static void show_progress(const struct session *s, uint64_t now_ns)
{
    const struct run_times *t = &s->load.times;
    bool warming_up = now_ns < t->window_begin_ns;
    uint64_t until_ns = warming_up ? t->window_begin_ns : t->window_end_ns;
    double left_s = until_ns > now_ns ? (double)(until_ns - now_ns) / 1e9 : 0;
    double past_s = (double)(now_ns - t->start_ns) / 1e9;
    fprintf(stderr, "%s%s, %.0f s left, %.0f requests/s", clear_line,
            s->doing     ? s->doing
            : warming_up ? "warming up"
                         : "measuring",
            left_s, past_s > 0 ? (double)load_completed(&s->load) / past_s : 0);
}

/* Only in the window: what is outstanding in the warm-up may be answered before it counts. */
static bool is_hopeless(const struct look *l, uint64_t now_ns)
{
    const struct load *load = &l->session->load;
    bool measuring = now_ns >= load->times.window_begin_ns + CUT_LEAST_NS;
    return l->most_outstanding > 0 && measuring &&
           (double)load_outstanding(load) > l->most_outstanding;
}

static bool look(void *argument)
{
    struct look *l = argument;
    struct session *s = l->session;
    uint64_t now_ns = clock_now_ns();
    if (s->probe)
        l->at_server(s->probe);
    if (s->terminal && now_ns > s->load.times.start_ns && now_ns - l->shown_ns >= SHOW_GAP_NS) {
        show_progress(s, now_ns);
        l->shown_ns = now_ns;
    }
    return !is_hopeless(l, now_ns);
}

static void count_syscalls(struct session *s)
{
    if (!s->probe || *s->stop || probe_syscalls_begin(s->probe) < 0)
        return;
    uint64_t before = load_completed(&s->load);
    struct look l = {.session = s, .at_server = probe_sample};
    load_wait_until(&s->load, s->load.times.end_ns, look, &l);
    uint64_t completed = load_completed(&s->load) - before;
    probe_syscalls_end(s->probe);
    s->run.syscall_requests = completed;
}

/* --- a measurement ---------------------------------------------------------------------------- */

/* 0 where the server asks nobody. */
static int64_t backend_cpu_ns(const struct session *s)
{
    return s->options.backend_pid ? proc_cpu_ns(s->options.backend_pid) : 0;
}

static void gather_backend(struct session *s)
{
    struct run *run = &s->run;
    bool known = s->backend_begin_ns >= 0 && s->backend_end_ns >= s->backend_begin_ns;
    run->backend_cpu_ns = known ? s->backend_end_ns - s->backend_begin_ns : PROBE_UNKNOWN;
    cpu_set_t cpus;
    run->backend_beside_generator =
        s->options.backend_pid && s->options.pinned && CPU_COUNT(&s->options.cpus) == 1 &&
        sched_getaffinity(s->options.backend_pid, sizeof cpus, &cpus) == 0 &&
        CPU_EQUAL(&cpus, &s->options.cpus);
}

static void gather(struct session *s)
{
    struct run *run = &s->run;
    load_gather(&s->load);
    run->options = &s->applied;
    run->tally = &s->load.tally;
    run->window_s = s->load.window_s;
    run->generator_utilisation = s->load.utilisation;
    run->server = s->probe ? probe_result(s->probe) : NULL;
    gather_backend(s);
    bool known = run->server && run->server->cpu_ns >= 0 && run->backend_cpu_ns >= 0;
    s->machine = machine_between(&s->machine_begin, &s->machine_end,
                                 known ? run->server->cpu_ns + run->backend_cpu_ns : PROBE_UNKNOWN,
                                 s->irq_time_is_apart);
    run->machine = &s->machine;
    cpu_set_t cpus;
    if (s->has_target && sched_getaffinity(s->target.pid, sizeof cpus, &cpus) == 0)
        run->server_cpus = CPU_COUNT(&cpus);
}

/* Until the window's end, with the stall that the options may ask for. Whatever ends the wait, the
 * server goes on. */
static bool wait_for_window(struct session *s, struct look *l)
{
    const struct options *o = &s->applied;
    const struct run_times *t = &s->load.times;
    uint64_t stall_ns = t->window_begin_ns + o->stall_at_ns;
    bool whole = true;
    if (o->stall_ns) {
        whole = load_wait_until(&s->load, stall_ns, look, l);
        target_signal(&s->target, SIGSTOP);
        whole = whole && load_wait_until(&s->load, stall_ns + o->stall_ns, look, l);
        target_signal(&s->target, SIGCONT);
    }
    return whole && load_wait_until(&s->load, t->window_end_ns, look, l);
}

/* The machine's counters are read inside of the server's and the backend's, so that none of their
 * time can be missing from what is subtracted from the machine's. */
void session_measure(struct session *s, const struct options *o, double most_outstanding)
{
    if (s->has_load)
        load_free(&s->load);
    s->applied = *o;
    s->has_load = true;
    struct look warm_up = {s, probe_warmup_sample, 0, 0},
                window = {s, probe_sample, most_outstanding, 0};
    const struct run_times *t = &s->load.times;
    load_start(&s->load, &s->applied, s->mix, &s->address, o->syscalls ? SYSCALL_PHASE_NS : 0,
               s->stop);
    bool whole = load_wait_until(&s->load, t->window_begin_ns, look, &warm_up);
    if (s->probe)
        probe_window_begin(s->probe);
    s->backend_begin_ns = backend_cpu_ns(s);
    machine_snapshot(&s->machine_begin, &s->machine_cpus);
    whole = whole && wait_for_window(s, &window);
    s->cut_short = !whole && !*s->stop;
    if (*s->stop || !whole)
        load_cut_short(&s->load);
    machine_snapshot(&s->machine_end, &s->machine_cpus);
    s->backend_end_ns = backend_cpu_ns(s);
    if (s->probe)
        probe_window_end(s->probe); /* while the connections are still there */
    if (o->syscalls)
        count_syscalls(s);
    if (s->terminal)
        fputs(clear_line, stderr);
    s->run.interrupted = *s->stop;
    gather(s);
}

void session_close_load(struct session *s)
{
    load_end(&s->load);
}

void session_free(struct session *s)
{
    capacity_free(&s->capacity);
    if (s->has_load)
        load_free(&s->load);
    if (s->probe)
        probe_close(s->probe);
    mix_free(s->mix);
    run_free_warnings(&s->run);
}

/* --- judging it ------------------------------------------------------------------------------- */

static void judge_machine(struct run *run)
{
    char missing[512];
    machine_describe_missing(run->machine, missing, sizeof missing);
    if (*missing)
        run_warn(run, "unknown of the machine: %s", missing);
    int64_t overflows = run->machine->network[NETWORK_LISTEN_OVERFLOWS];
    int64_t syns = run->machine->network[NETWORK_SYN_RETRANSMISSIONS];
    if (overflows > 0 || syns > 0)
        run_warn(run,
                 "connections came faster than they were accepted (an accept queue of this "
                 "machine was full %lld times, %lld SYNs were sent again): a client whose SYN is "
                 "dropped waits a second before it tries again, and response times of 1 s, 3 s and "
                 "so on come from that; a longer --backlog of the server (and net.core.somaxconn) "
                 "or faster accepting helps",
                 (long long)(overflows > 0 ? overflows : 0), (long long)(syns > 0 ? syns : 0));
}

static void judge_steadiness(struct run *run)
{
    const struct tally *t = run->tally;
    if (run_steadiness(run) != UNSTEADY)
        return;
    run_warn(run,
             "the first half differs from the second: %.1f and %.1f requests/s, median response "
             "time %.1f and %.1f us: a longer --warmup or --duration may help",
             run_half_rps(run, 0), run_half_rps(run, 1),
             (double)histogram_quantile_ns(t->halves[0], 0.5) / 1e3,
             (double)histogram_quantile_ns(t->halves[1], 0.5) / 1e3);
}

/* What slows the server down is measured only on request. */
static void judge_probes(struct session *s)
{
    struct run *run = &s->run;
    bool counted = run->server->syscalls != PROBE_UNKNOWN;
    if (!s->options.syscalls)
        run_warn(run, "system calls were not counted, since that slows each of them down: "
                      "--syscalls counts them behind the window");
    else if (!counted && run->interrupted)
        run_warn(run, "system calls were not counted, since the run was interrupted");
    else if (counted && run->syscall_requests == 0)
        run_warn(run, "system calls per request are unknown: none was answered in the half second "
                      "in which they were counted");
    if (!s->options.hardware)
        run_warn(run, "instructions, cycles and cache misses were not counted, since that slows "
                      "new threads and switches down: --hardware counts them");
    if (!s->target.ours)
        run_warn(run, "the kernel's account of the server's whole life is not known, since "
                      "loadgen did not start it: give its command after --");
}

void session_judge(struct session *s)
{
    struct run *run = &s->run;
    const struct tally *t = &s->load.tally;
    if (!tally_is_consistent(t))
        run_warn(run,
                 "the books do not balance (%llu + %llu requests began, %llu + %llu + %llu "
                 "ended): this is a defect of loadgen",
                 (unsigned long long)t->intended, (unsigned long long)t->carried_in,
                 (unsigned long long)t->completed, (unsigned long long)tally_errors(t),
                 (unsigned long long)t->unfinished);
    if (s->options.backend_pid && run->backend_cpu_ns < 0)
        run_warn(run, "the CPU time of the backend is not known: was there a process %d?",
                 (int)s->options.backend_pid);
    bool searched = run->capacity; /* then each window says so itself, and many are overloads */
    if (!searched && run_is_saturated(run))
        run_warn(run,
                 "the generator%s was at its limit (%.0f %% of a CPU): the throughput is a lower "
                 "bound; more --threads or CPUs may help",
                 run->backend_beside_generator ? ", which shares its CPU with the backend," : "",
                 run_generator_share(run) * 100);
    if (t->slots_served < t->slots_used && !s->options.close)
        run_warn(run, "%llu of %llu connections were not served at all",
                 (unsigned long long)(t->slots_used - t->slots_served),
                 (unsigned long long)t->slots_used);
    if (!searched && run_is_late(run))
        run_warn(run,
                 "the generator was late: one request in a hundred began %.1f ms or more after "
                 "its time; something else may have used its CPU",
                 (double)histogram_quantile_ns(t->send_lag, 0.99) / 1e6);
    if (s->applied.stall_ns)
        run_warn(run, "the server was stopped for %.3g s, as --stall asks",
                 (double)s->applied.stall_ns / 1e9);
    else if (!searched)
        judge_steadiness(run);
    judge_machine(run);
    unsigned open = idle_still_open(&s->idle);
    if (open < s->idle.established)
        run_warn(run, "the server closed %u of %u idle connections before the end",
                 s->idle.established - open, s->idle.established);
    if (run->server)
        judge_probes(s);
}
