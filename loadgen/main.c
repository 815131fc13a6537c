/* A run from its first to its last step: start the server, warm up, measure, report. */
#include "common/descriptors.h"
#include "loadgen/find.h"
#include "loadgen/port.h"
#include "loadgen/session.h"

#include <err.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A server that calibrates takes a tenth of a second; one that opens files or databases longer. */
#define READY_TIMEOUT_S 30.0

enum { EXIT_NOTHING_SUCCEEDED = 2 };

static volatile bool stop; /* the one thing that a signal handler can reach */

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop = true;
}

/* A session, and the files that it reads and writes. */
struct program {
    struct session session;
    FILE *json, *hgrm,
        *timeline; /* opened first: a wrong path is known before the run, not after */
    char *body;
    size_t body_bytes;
    char host[320]; /* with the real port */
    char url[512];
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

static void read_body(struct program *p)
{
    const char *path = p->session.options.body_file;
    if (!path)
        return;
    FILE *in = fopen(path, "re"), *out = open_memstream(&p->body, &p->body_bytes);
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

static void build_mix(struct program *p)
{
    struct session *s = &p->session;
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
        .body = p->body,
        .body_bytes = p->body_bytes,
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

/* A server that does not tell its port gets one in its command and configuration, and is ready when
 * that accepts connections. 0, or -1 with the reason. */
static int start_by_port(struct session *s, struct target_order *order, char *why, size_t why_size)
{
    const struct options *o = &s->options;
    struct address address;
    char text[320];
    const char *cannot;
    snprintf(text, sizeof text, strchr(o->host, ':') ? "[%s]:%u" : "%s:%u", o->host, o->port);
    if (!address_parse(text, &address, &cannot)) {
        snprintf(why, why_size, "cannot resolve %s: %s", text, cannot);
        return -1;
    }
    unsigned port = o->port ? o->port : port_choose(&address);
    if (!port) {
        snprintf(why, why_size, "found no free port on %s: %s", o->host, strerror(errno));
        return -1;
    }
    if (o->template_file && port_fill_template(o->template_file, port, why, why_size))
        return -1;
    char **command = port_put_command(o->command, port);
    if (!command)
        err(1, "the server's command");
    address_set_port(&address, port);
    order->argv = command;
    order->ready_address = &address;
    int error = target_start(&s->target, order, why, why_size);
    port_free_command(command);
    return error;
}

static int start_command(struct session *s, char *why, size_t why_size)
{
    const struct options *o = &s->options;
    struct target_order order = {
        .argv = o->command,
        .cpus = o->server_pinned ? &o->server_cpus : NULL,
        .stop_signal = o->stop_signal,
        .ready_timeout_s = READY_TIMEOUT_S,
        .before_exec = attach_probe,
        .arg = s,
    };
    return o->ready_by_port ? start_by_port(s, &order, why, why_size)
                            : target_start(&s->target, &order, why, why_size);
}

static bool start_target(struct session *s)
{
    const struct options *o = &s->options;
    char why[512];
    int error = 0;
    if (o->command)
        error = start_command(s, why, sizeof why);
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
static bool resolve(struct program *p)
{
    struct session *s = &p->session;
    const struct options *o = &s->options;
    unsigned port = o->port ? o->port : (unsigned)s->target.port;
    char *text = p->host;
    const char *why;
    bool v6 = strchr(o->host, ':');
    snprintf(text, sizeof p->host, v6 ? "[%s]:%u" : "%s:%u", o->host, port);
    snprintf(p->url, sizeof p->url, "http://%s%s", text, o->path);
    s->run.url = p->url;
    if (!address_parse(text, &s->address, &why)) {
        run_warn(&s->run, "cannot resolve %s: %s", text, why);
        return false;
    }
    if (o->port == 0 && !mix_set_host(s->mix, p->host))
        errx(1, "not enough memory for the requests");
    s->port = (uint16_t)port;
    if (s->probe)
        probe_set_port(s->probe, s->port);
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
    bool alive = target_alive(&s->target);
    target_stop(&s->target, TARGET_GRACE_S);
    if (!alive) {
        char how[128];
        const char *last_words = target_last_words(&s->target);
        target_describe_end(&s->target, how, sizeof how);
        run_warn(&s->run, "the server %s during the run%s%s", how, *last_words ? ": " : "",
                 last_words);
        s->run.failed = true;
    }
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

/* --- after it --------------------------------------------------------------------------------- */

/* --- after it --------------------------------------------------------------------------------- */

/* false, and a message, when the disk is full or the pipe broken. */
static bool finish_output(FILE *file, const char *path)
{
    if (!file || (fflush(file) == 0 && !ferror(file)))
        return true;
    warn("cannot write %s", file == stdout ? "standard output" : path);
    return false;
}

static bool write_json(const struct program *p)
{
    if (!p->json)
        return true;
    json_t *object = run_json(&p->session.run);
    bool compact = p->json == stdout;
    if (object) {
        json_dumpf(object, p->json,
                   JSON_REAL_PRECISION(12) | (compact ? JSON_COMPACT : JSON_INDENT(2)));
        fputc('\n', p->json);
    }
    json_decref(object);
    return object && finish_output(p->json, p->session.options.json);
}

static bool write_spectrum(const struct program *p)
{
    if (!p->hgrm || !p->session.has_load)
        return true;
    histogram_write_hgrm(p->session.load.tally.response, p->hgrm);
    return finish_output(p->hgrm, p->session.options.hgrm);
}

static bool write_timeline(const struct program *p)
{
    if (!p->timeline || !p->session.has_load)
        return true;
    return load_write_timeline(&p->session.load, p->timeline) == 0 &&
           finish_output(p->timeline, p->session.options.timeline);
}

static int report(const struct program *p)
{
    const struct run *run = &p->session.run;
    bool written = write_json(p);
    written &= write_spectrum(p);
    written &= write_timeline(p);
    if (p->json != stdout && run->tally)
        run_print(run, stdout);
    else if (!run->tally)
        for (unsigned i = 0; i < run->warning_count; i++)
            warnx("%s", run->warnings[i]);
    const struct tally *t = run->tally;
    if (!written || !t || !tally_is_consistent(t))
        return 1;
    return run_is_answered(run) ? 0 : EXIT_NOTHING_SUCCEEDED;
}

static void measure(struct session *s)
{
    session_prepare(s);
    open_idle(s);
    if (s->options.find_capacity) {
        find_capacity(s);
        if (s->has_load)
            session_judge(s);
        return;
    }
    session_measure(s, &s->options, 0);
    session_judge(s);
    session_close_load(s);
}

static void release(struct program *p)
{
    session_free(&p->session);
    free(p->body);
    free(p->session.options.host);
    free(p->session.options.authority);
}

int main(int argc, char **argv)
{
    static struct program p;
    struct session *s = &p.session;
    s->stop = &stop;
    options_parse(argc, argv, &s->options);
    s->run =
        (struct run){.options = &s->options, .url = s->options.url, .generator_utilisation = NAN};
    s->terminal = isatty(STDERR_FILENO) && !s->options.json;
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    prepare_descriptors(&s->options);
    read_body(&p);
    build_mix(&p);
    p.json = open_output(s->options.json);
    p.hgrm = open_output(s->options.hgrm);
    p.timeline = open_output(s->options.timeline);

    bool started = start_target(s) && resolve(&p);
    if (started && s->options.pinned) /* only now: the server must not inherit it */
        sched_setaffinity(0, sizeof s->options.cpus, &s->options.cpus);
    prctl(PR_SET_TIMERSLACK, 1);
    if (started)
        measure(s);
    s->run.failed |= !started;
    idle_close(&s->idle);
    stop_target(s);
    int status = report(&p);
    release(&p);
    return status;
}
