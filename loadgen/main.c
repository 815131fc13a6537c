/* A run from its first to its last step: start the server, warm up, measure, report. */
#include "common/address.h"
#include "common/clock.h"
#include "common/descriptors.h"
#include "loadgen/idle.h"
#include "loadgen/options.h"
#include "loadgen/probe.h"
#include "loadgen/report.h"
#include "loadgen/target.h"
#include "loadgen/worker.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* How often the server is looked at during the run. */
#define SAMPLE_GAP_NS (50 * NS_PER_MS)

/* The phase behind the window in which system calls are counted. */
#define SYSCALL_PHASE_NS (500 * NS_PER_MS)

/* A server that calibrates takes a tenth of a second; one that opens files or databases longer. */
#define READY_TIMEOUT_S 30.0

/* The time between "all threads started" and the first request. */
#define START_DELAY_NS (2 * NS_PER_MS)

/* An open loop whose every hundredth request begins later than that is not quite the load that
 * it says, though its response times count from where they should. */
#define LATE_NS (1 * NS_PER_MS)

enum { EXIT_NOTHING_SUCCEEDED = 2 };

static volatile bool stop; /* the one thing that a signal handler can reach */

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop = true;
}

/* Everything that a run holds on to. */
struct session {
    struct options options;
    struct run run;
    FILE *json, *hgrm,
        *timeline; /* opened first: a wrong path is known before the run, not after */
    char *body;
    size_t body_bytes;
    struct mix *mix;
    struct target target;
    bool has_target;
    struct probe *probe;
    struct address address;
    char host[320]; /* with the real port */
    char url[512];
    struct idle_clients idle;
    struct worker **workers;
    struct run_times times;
    struct tally tally;
};

/* --- before the run --------------------------------------------------------------------------- */

static FILE *open_output(const char *path)
{
    if (!path)
        return NULL;
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (!file)
        err(1, "cannot write %s", path);
    return file;
}

static void read_body(struct session *s)
{
    const char *path = s->options.body_file;
    if (!path)
        return;
    FILE *in = fopen(path, "re"), *out = open_memstream(&s->body, &s->body_bytes);
    if (!in || !out)
        err(1, "cannot read the body %s", path);
    char bytes[4096];
    size_t n;
    while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
        fwrite(bytes, 1, n, out);
    if (ferror(in) || fclose(out) != 0)
        err(1, "cannot read the body %s", path);
    fclose(in);
}

static void build_mix(struct session *s)
{
    const struct options *o = &s->options;
    char why[512];
    const struct mix_options mix = {
        .host = o->authority,
        .http_1_0 = o->http_1_0,
        .close = o->close,
        .method = o->method,
        .path = o->path,
        .file = o->mix_file,
        .headers = (char *const *)o->headers,
        .body = s->body,
        .body_bytes = s->body_bytes,
        .any_body = o->any_body,
    };
    s->mix = mix_new(&mix, why, sizeof why);
    if (!s->mix)
        errx(64, "%s", why);
    s->run.mix = s->mix;
}

static void prepare_descriptors(const struct options *o)
{
    unsigned long connections = (unsigned long)o->connections + o->idle + o->slow;
    unsigned long needed = connections + 64 + 4ul * o->threads;
    unsigned long limit = descriptors_prepare(ULONG_MAX, needed);
    if (needed > limit)
        errx(1, "%lu connections need %lu descriptors, and the limit is %lu: raise it (ulimit -Hn)",
             connections, needed, limit);
}

/* --- the server ------------------------------------------------------------------------------- */

static int attach_probe(void *argument, pid_t pid)
{
    struct session *s = argument;
    char why[256];
    if (s->options.no_probe) {
        run_warn(&s->run, "the server was not probed, as --no-probe asks");
        return 0;
    }
    s->probe = probe_open(pid, PROBE_BEST, why, sizeof why);
    if (!s->probe)
        run_warn(&s->run, "the server could not be probed: %s", why);
    if (s->probe && s->options.hardware)
        probe_count_hardware(s->probe);
    return 0;
}

static bool start_target(struct session *s)
{
    const struct options *o = &s->options;
    char why[512];
    int error = 0;
    if (o->command)
        error =
            target_start(&s->target, o->command, attach_probe, s, READY_TIMEOUT_S, why, sizeof why);
    else if (o->pid)
        error = target_attach(&s->target, o->pid, why, sizeof why);
    if (error) {
        run_warn(&s->run, "%s", why);
        return false;
    }
    s->has_target = o->command || o->pid;
    if (s->has_target)
        s->run.target_pid = s->target.pid;
    if (o->pid)
        attach_probe(s, o->pid);
    if (!s->has_target)
        run_warn(&s->run, "no server figures: which process is it? give --pid N or its command");
    return true;
}

/* The address that the URL names, with the port that the server says it has when that is 0. */
static bool resolve(struct session *s)
{
    const struct options *o = &s->options;
    unsigned port = o->port ? o->port : (unsigned)s->target.port;
    char *text = s->host;
    const char *why;
    bool v6 = strchr(o->host, ':');
    snprintf(text, sizeof s->host, v6 ? "[%s]:%u" : "%s:%u", o->host, port);
    snprintf(s->url, sizeof s->url, "http://%s%s", text, o->path);
    s->run.url = s->url;
    if (!address_parse(text, &s->address, &why)) {
        run_warn(&s->run, "cannot resolve %s: %s", text, why);
        return false;
    }
    if (o->port == 0 && !mix_set_host(s->mix, s->host))
        errx(1, "not enough memory for the requests");
    if (s->probe)
        probe_set_port(s->probe, (uint16_t)port);
    return true;
}

static void take_lifetime(struct session *s)
{
    struct target_lifetime *l = &s->target.lifetime;
    const struct probe_result *server = s->run.server;
    s->run.lifetime = l;
    if (!server)
        return;
    if (server->rss_peak_of_life_bytes > l->rss_peak_bytes)
        l->rss_peak_bytes = server->rss_peak_of_life_bytes;
    if (l->rss_peak_bytes < 0)
        run_warn(&s->run, "the peak of the server's memory over its whole life is unknown, since "
                          "it stayed below that of the process that became the server");
}

static void stop_target(struct session *s)
{
    if (!s->has_target)
        return;
    if (!target_alive(&s->target)) {
        char how[128];
        target_describe_end(&s->target, how, sizeof how);
        run_warn(&s->run, "the server %s during the run", how);
        s->run.failed = true;
    }
    target_stop(&s->target, TARGET_GRACE_S);
    if (s->target.ours)
        take_lifetime(s);
}

/* --- the run ---------------------------------------------------------------------------------- */

static void open_idle(struct session *s)
{
    const struct options *o = &s->options;
    if (idle_open(&s->idle, &s->address, o->idle, o->timeout_ns, &stop) < 0)
        err(1, "idle connections");
    s->run.idle_established = s->idle.established;
    if (s->idle.established < o->idle && !stop)
        run_warn(&s->run, "only %u of %u idle connections were established", s->idle.established,
                 o->idle);
}

static void start_workers(struct session *s)
{
    const struct options *o = &s->options;
    s->workers = calloc(o->threads, sizeof *s->workers);
    if (!s->workers)
        err(1, "%u threads", o->threads);
    for (unsigned i = 0; i < o->threads; i++)
        if (!(s->workers[i] = worker_new(o, s->mix, &s->address, i)))
            errx(1, "not enough memory for %u connections", o->connections);
    s->times.start_ns = clock_now_ns() + START_DELAY_NS;
    s->times.window_begin_ns = s->times.start_ns + o->warmup_ns;
    s->times.window_end_ns = s->times.window_begin_ns + o->duration_ns;
    s->times.end_ns = s->times.window_end_ns + (o->syscalls ? SYSCALL_PHASE_NS : 0);
    for (unsigned i = 0; i < o->threads; i++) {
        int error = worker_start(s->workers[i], &s->times);
        if (error)
            errx(1, "cannot start generator thread %u: %s", i + 1, strerror(error));
    }
}

static uint64_t completed_so_far(const struct session *s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < s->options.threads; i++)
        sum += worker_progress(s->workers[i]);
    return sum;
}

static void show_progress(const struct session *s, uint64_t now_ns)
{
    static const char *const clear = "\r\033[K";
    if (now_ns >= s->times.end_ns) {
        fputs(clear, stderr);
        return;
    }
    bool warming_up = now_ns < s->times.window_begin_ns;
    uint64_t until_ns = warming_up ? s->times.window_begin_ns : s->times.window_end_ns;
    double left_s = until_ns > now_ns ? (double)(until_ns - now_ns) / 1e9 : 0;
    double past_s = (double)(now_ns - s->times.start_ns) / 1e9;
    fprintf(stderr, "%s%s, %.0f s left, %.0f requests/s", clear,
            warming_up ? "warming up" : "measuring", left_s,
            past_s > 0 ? (double)completed_so_far(s) / past_s : 0);
}

static void sleep_until(uint64_t at_ns)
{
    struct timespec at = timespec_of_ns(at_ns);
    while (!stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

/* Looks at the server every now and then, until a certain time or a signal. */
static void look_on_until(struct session *s, uint64_t until_ns, void (*look)(struct probe *))
{
    bool terminal = isatty(STDERR_FILENO) && !s->options.json;
    uint64_t now_ns, shown_ns = 0;
    while (!stop && (now_ns = clock_now_ns()) < until_ns) {
        if (s->probe && now_ns + SAMPLE_GAP_NS < until_ns)
            look(s->probe);
        if (terminal && now_ns > s->times.start_ns && now_ns - shown_ns >= NS_PER_S / 4) {
            show_progress(s, now_ns);
            shown_ns = now_ns;
        }
        uint64_t next_ns = now_ns + SAMPLE_GAP_NS;
        sleep_until(next_ns < until_ns ? next_ns : until_ns);
    }
    if (terminal && until_ns >= s->times.end_ns)
        show_progress(s, s->times.end_ns);
}

static void count_syscalls(struct session *s)
{
    if (!s->probe || stop || probe_syscalls_begin(s->probe) < 0)
        return;
    uint64_t before = completed_so_far(s);
    look_on_until(s, s->times.end_ns, probe_sample);
    uint64_t completed = completed_so_far(s) - before;
    probe_syscalls_end(s->probe);
    s->run.syscall_requests = completed;
}

static void measure(struct session *s)
{
    look_on_until(s, s->times.window_begin_ns, probe_warmup_sample);
    if (s->probe)
        probe_window_begin(s->probe);
    look_on_until(s, s->times.window_end_ns, probe_sample);
    if (stop)
        for (unsigned i = 0; i < s->options.threads; i++)
            worker_interrupt(s->workers[i]);
    if (s->probe)
        probe_window_end(s->probe); /* while the connections are still there */
    if (s->options.syscalls)
        count_syscalls(s);
    s->run.interrupted = stop;
    for (unsigned i = 0; i < s->options.threads; i++)
        worker_wait_measured(s->workers[i]);
}

/* --- after it --------------------------------------------------------------------------------- */

static void gather(struct session *s)
{
    if (tally_init(&s->tally) < 0)
        errx(1, "not enough memory for the result");
    uint64_t busiest_ns = 0;
    for (unsigned i = 0; i < s->options.threads; i++) {
        tally_merge(&s->tally, worker_tally(s->workers[i]));
        uint64_t cpu_ns = worker_cpu_ns(s->workers[i]);
        busiest_ns = cpu_ns > busiest_ns ? cpu_ns : busiest_ns;
    }
    uint64_t window_ns = worker_window_ns(s->workers[0]);
    s->run.tally = &s->tally;
    s->run.window_s = (double)window_ns / 1e9;
    s->run.generator_utilisation = window_ns ? (double)busiest_ns / (double)window_ns : NAN;
    s->run.server = s->probe ? probe_result(s->probe) : NULL;
    cpu_set_t cpus;
    if (s->has_target && sched_getaffinity(s->target.pid, sizeof cpus, &cpus) == 0)
        s->run.server_cpus = CPU_COUNT(&cpus);
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

static void judge(struct session *s)
{
    struct run *run = &s->run;
    const struct tally *t = &s->tally;
    if (!tally_is_consistent(t))
        run_warn(run,
                 "the books do not balance (%llu + %llu requests began, %llu + %llu + %llu "
                 "ended): this is a defect of loadgen",
                 (unsigned long long)t->intended, (unsigned long long)t->carried_in,
                 (unsigned long long)t->completed, (unsigned long long)tally_errors(t),
                 (unsigned long long)t->unfinished);
    if (run_is_saturated(run))
        run_warn(run,
                 "the generator was at its limit (%.0f %% of a CPU): the throughput is a lower "
                 "bound; more --threads or CPUs may help",
                 run->generator_utilisation * 100);
    if (t->slots_served < t->slots_used && !s->options.close)
        run_warn(run, "%llu of %llu connections were not served at all",
                 (unsigned long long)(t->slots_used - t->slots_served),
                 (unsigned long long)t->slots_used);
    uint64_t lag_ns = histogram_quantile_ns(t->send_lag, 0.99);
    if (lag_ns > LATE_NS)
        run_warn(run,
                 "the generator was late: one request in a hundred began %.1f ms or more after "
                 "its time; something else may have used its CPU",
                 (double)lag_ns / 1e6);
    unsigned open = idle_still_open(&s->idle);
    if (open < s->idle.established)
        run_warn(run, "the server closed %u of %u idle connections before the end",
                 s->idle.established - open, s->idle.established);
    if (run->server)
        judge_probes(s);
}

/* false, and a message, when the disk is full or the pipe broken. */
static bool finish_output(FILE *file, const char *path)
{
    if (!file || (fflush(file) == 0 && !ferror(file)))
        return true;
    warn("cannot write %s", file == stdout ? "standard output" : path);
    return false;
}

static bool write_json(struct session *s)
{
    if (!s->json)
        return true;
    json_t *object = run_json(&s->run);
    bool compact = s->json == stdout;
    if (object) {
        json_dumpf(object, s->json,
                   JSON_REAL_PRECISION(12) | (compact ? JSON_COMPACT : JSON_INDENT(2)));
        fputc('\n', s->json);
    }
    json_decref(object);
    return object && finish_output(s->json, s->options.json);
}

static bool write_spectrum(struct session *s)
{
    if (!s->hgrm || !s->run.tally)
        return true;
    histogram_write_hgrm(s->tally.response, s->hgrm);
    return finish_output(s->hgrm, s->options.hgrm);
}

static bool write_timeline(struct session *s)
{
    if (!s->timeline || !s->run.tally)
        return true;
    struct timeline **all = calloc(s->options.threads, sizeof(struct timeline *));
    for (unsigned i = 0; all && i < s->options.threads; i++)
        all[i] = worker_timeline(s->workers[i]);
    bool written = all && timeline_write(all, s->options.threads, worker_window_ns(s->workers[0]),
                                         s->timeline) == 0;
    free(all);
    return written && finish_output(s->timeline, s->options.timeline);
}

static int report(struct session *s)
{
    bool written = write_json(s);
    written &= write_spectrum(s);
    written &= write_timeline(s);
    if (s->json != stdout && s->run.tally)
        run_print(&s->run, stdout);
    else if (!s->run.tally)
        for (unsigned i = 0; i < s->run.warning_count; i++)
            warnx("%s", s->run.warnings[i]);
    const struct tally *t = s->run.tally;
    if (!written || !t || !tally_is_consistent(t))
        return 1;
    return t->completed > 0 ? 0 : EXIT_NOTHING_SUCCEEDED;
}

static void release(struct session *s)
{
    for (unsigned i = 0; s->workers && i < s->options.threads; i++)
        worker_free(s->workers[i]);
    free(s->workers);
    if (s->run.tally)
        tally_free(&s->tally);
    if (s->probe)
        probe_close(s->probe);
    mix_free(s->mix);
    run_free_warnings(&s->run);
    free(s->body);
    free(s->options.host);
    free(s->options.authority);
}

int main(int argc, char **argv)
{
    static struct session s;
    options_parse(argc, argv, &s.options);
    s.run = (struct run){.options = &s.options, .url = s.options.url, .generator_utilisation = NAN};
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    prepare_descriptors(&s.options);
    read_body(&s);
    build_mix(&s);
    s.json = open_output(s.options.json);
    s.hgrm = open_output(s.options.hgrm);
    s.timeline = open_output(s.options.timeline);

    bool started = start_target(&s) && resolve(&s);
    if (started && s.options.pinned) /* only now: the server must not inherit it */
        sched_setaffinity(0, sizeof s.options.cpus, &s.options.cpus);
    prctl(PR_SET_TIMERSLACK, 1);
    if (started) {
        open_idle(&s);
        start_workers(&s);
        measure(&s);
        gather(&s);
        judge(&s);
    }
    s.run.failed |= !started;
    for (unsigned i = 0; started && i < s.options.threads; i++)
        worker_release_and_join(s.workers[i]);
    idle_close(&s.idle);
    stop_target(&s);
    int status = report(&s);
    release(&s);
    return status;
}
