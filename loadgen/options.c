#include "loadgen/options.h"

#include "common/arguments.h"
#include "common/clock.h"
#include "common/units.h"
#include "loadgen/port.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "switchpoint " SWITCHPOINT_VERSION;

enum {
    OPTION_ARRIVALS = 256,
    OPTION_THINK,
    OPTION_WARMUP,
    OPTION_CLOSE,
    OPTION_HTTP,
    OPTION_PIPELINE,
    OPTION_TIMEOUT,
    OPTION_BODY,
    OPTION_ANY_BODY,
    OPTION_MIX,
    OPTION_IDLE,
    OPTION_SLOW,
    OPTION_SEED,
    OPTION_CPUS,
    OPTION_FIND_CAPACITY,
    OPTION_SLO,
    OPTION_STEP,
    OPTION_STEPS,
    OPTION_CAPACITY_BETWEEN,
    OPTION_STALL,
    OPTION_PID,
    OPTION_BACKEND_PID,
    OPTION_READY,
    OPTION_TEMPLATE,
    OPTION_STOP_SIGNAL,
    OPTION_SERVER_CPUS,
    OPTION_SYSCALLS,
    OPTION_HARDWARE,
    OPTION_NO_PROBE,
    OPTION_JSON,
    OPTION_HISTOGRAMS,
    OPTION_HGRM,
    OPTION_TIMELINE,
    OPTION_INTERVAL,
};

/* Where the search for the capacity starts without --rate. */
#define START_RPS 1000

static const struct argp_option known[] = {
    {0, 0, 0, 0, "Load:", 1},
    {"connections", 'c', "N", 0, "Connections; in an open loop, the most at once (16)", 0},
    {"rate", 'r', "R", 0, "Open loop: R arrivals per second, whatever the answers do", 0},
    {"arrivals", OPTION_ARRIVALS, "LAW", 0, "Open loop: poisson or constant (poisson)", 0},
    {"think-ms", OPTION_THINK, "T", 0, "Closed loop: mean think time, exponential (0)", 0},
    {"duration", 'd', "S", 0, "Seconds measured (10)", 0},
    {"warmup", OPTION_WARMUP, "S", 0, "Seconds before that (1)", 0},
    {"threads", 't', "N", 0, "Generator threads (1)", 0},
    {"idle", OPTION_IDLE, "N", 0, "Further connections that are opened and left idle (0)", 0},
    {"slow", OPTION_SLOW, "N", 0,
     "Further connections that send a byte at a time and read 1 KiB/s (0)", 0},
    {"seed", OPTION_SEED, "N", 0, "Seed of every random choice (1)", 0},
    {"cpus", OPTION_CPUS, "LIST", 0, "Pin generator threads to these CPUs, in turn", 0},
    {0, 0, 0, 0, "Requests:", 2},
    {"close", OPTION_CLOSE, 0, 0, "One request per connection", 0},
    {"http", OPTION_HTTP, "VERSION", 0, "1.0 or 1.1 (1.1)", 0},
    {"pipeline", OPTION_PIPELINE, "N", 0, "Requests in flight on one connection (1)", 0},
    {"timeout", OPTION_TIMEOUT, "S", 0, "An older request is an error (10)", 0},
    {"request", 'X', "METHOD", 0, "GET, or POST with --body", 0},
    {"header", 'H', "HEADER", 0, "A further header field, \"Name: value\"; may be repeated", 0},
    {"body", OPTION_BODY, "FILE", 0, "Body of the requests", 0},
    {"mix", OPTION_MIX, "FILE", 0,
     "Weighted requests, \"WEIGHT METHOD PATH\" a line, instead of URL's path", 0},
    {"any-body", OPTION_ANY_BODY, 0, 0,
     "Take any body for an answer: the target is not one of Switchpoint's", 0},
    {0, 0, 0, 0, "Capacity:", 3},
    {"find-capacity", OPTION_FIND_CAPACITY, 0, 0,
     "Estimate the highest rate of an open loop that the server sustains, from windows at rates "
     "around it; --rate is where to start (1000), --warmup precedes each window",
     0},
    {"slo", OPTION_SLO, "CONDITION", 0,
     "What must hold for that, as in 'p99<10ms' or 'errors<0.1%'; may be repeated", 0},
    {"steps", OPTION_STEPS, "N", 0, "How many windows (12)", 0},
    {"step", OPTION_STEP, "S", 0,
     "Seconds measured in each (2), or up to five times as long where the rate is low", 0},
    {"capacity-between", OPTION_CAPACITY_BETWEEN, "LOW:HIGH", 0,
     "Start between these rates, where the capacity is expected", 0},
    {0, 0, 0, 0, "Server:", 4},
    {"pid", OPTION_PID, "N", 0, "Probe this running server", 0},
    {"backend-pid", OPTION_BACKEND_PID, "N", 0,
     "A process that it asks in turn, such as a database: its CPU time is part of the load, not a "
     "disturbance",
     0},
    {"ready", OPTION_READY, "HOW", 0,
     "line: it says so, as Switchpoint's do; port: it accepts connections, and {port} in its "
     "command is its port, a free one when URL's is 0 (line)",
     0},
    {"template", OPTION_TEMPLATE, "FILE.in", 0,
     "With --ready port: its configuration, written to FILE with {port} filled in", 0},
    {"stop-signal", OPTION_STOP_SIGNAL, "NAME", 0, "Asks it to end, such as QUIT (TERM)", 0},
    {"server-cpus", OPTION_SERVER_CPUS, "LIST", 0, "Pin it to these CPUs", 0},
    {"stall", OPTION_STALL, "AT:LENGTH", 0,
     "Stop it AT seconds after the window's begin for LENGTH seconds (SIGSTOP, SIGCONT)", 0},
    {"syscalls", OPTION_SYSCALLS, 0, 0, "Count its system calls, in half a second after the window",
     0},
    {"hardware", OPTION_HARDWARE, 0, 0,
     "Count its instructions, cycles and cache misses, which slows new threads and switches down",
     0},
    {"no-probe", OPTION_NO_PROBE, 0, 0, "Leave its counters alone, to see what probing costs", 0},
    {0, 0, 0, 0, "Report:", 5},
    {"json", OPTION_JSON, "FILE", 0, "Write the result object; - is standard output", 0},
    {"histograms", OPTION_HISTOGRAMS, 0, 0,
     "With --json: the whole distributions too, as HdrHistogram encodes them", 0},
    {"hgrm", OPTION_HGRM, "FILE", 0, "Write the response times' percentile spectrum", 0},
    {"timeline", OPTION_TIMELINE, "FILE", 0, "Write a row per interval, as TSV", 0},
    {"interval", OPTION_INTERVAL, "S", 0, "Length of the timeline's intervals (1)", 0},
    {0},
};

static double decimal(struct argp_state *state, const char *option, const char *value, double least,
                      double most, const char *what)
{
    double number = 0;
    if (!parse_decimal(value, strlen(value), &number) || number < least || number > most)
        argp_error(state, "%s %s: expected %s from %g to %g", option, value, what, least, most);
    return number;
}

/* One of two words. */
static bool second_of(struct argp_state *state, const char *option, const char *value,
                      const char *first, const char *second)
{
    if (strcmp(value, first) != 0 && strcmp(value, second) != 0)
        argp_error(state, "%s %s: expected %s or %s", option, value, first, second);
    return strcmp(value, second) == 0;
}

/* http://HOST[:PORT][/PATH]. Nothing is resolved here. */
static void parse_url(struct argp_state *state, const char *url, struct options *o)
{
    static const char scheme[] = "http://";
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
        argp_error(state, "URL %s: expected it to begin with http://", url);
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c > '~')
            argp_error(state, "URL %s: expected printable ASCII without blanks", url);
    const char *authority = url + sizeof scheme - 1;
    size_t length = strcspn(authority, "/?");
    o->url = url;
    o->authority = strndup(authority, length);
    o->path = authority[length] ? authority + length : "/";
    if (*o->path != '/')
        argp_error(state, "URL %s: expected a path before the query", url);

    char *host = strdup(o->authority);
    char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    char *colon = strchr(bracket ? bracket : host, ':');
    o->port = 80;
    if (colon) {
        *colon = '\0';
        o->port = argument_count(state, "URL port", colon + 1, 0, 65535);
    }
    if (bracket) {
        *bracket = '\0';
        memmove(host, host + 1, strlen(host));
    }
    o->host = host;
    if (!*host)
        argp_error(state, "URL %s: expected a host", url);
}

static void add_header(struct argp_state *state, char *value, struct options *o)
{
    if (o->header_count == HEADERS_MOST)
        argp_error(state, "-H %s: no more than %d header fields", value, HEADERS_MOST);
    o->headers[o->header_count++] = value;
}

static void take_argument(struct argp_state *state, char *value, struct options *o)
{
    if (o->url)
        argp_error(state, "unexpected argument %s: a server command comes after --", value);
    parse_url(state, value, o);
}

/* Everything behind the first "--" is the server's command, and none of getopt's business (which
 * would move the URL behind it). Returns how many words are left. */
static int split_off_command(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") != 0)
            continue;
        if (i + 1 < argc)
            o->command = &argv[i + 1];
        return i;
    }
    return argc;
}

/* AT:LENGTH, in seconds. */
static void take_stall(struct argp_state *state, const char *value, struct options *o)
{
    const char *colon = strchr(value, ':');
    double at_s = 0, length_s = 0;
    if (!colon || !parse_decimal(value, (size_t)(colon - value), &at_s) ||
        !parse_decimal(colon + 1, strlen(colon + 1), &length_s) || at_s > 86400 ||
        length_s > 86400 || length_s < 0.001)
        argp_error(state, "--stall %s: expected seconds as AT:LENGTH, such as 4:1", value);
    o->stall_at_ns = (uint64_t)(at_s * 1e9);
    o->stall_ns = (uint64_t)(length_s * 1e9);
}

static void add_slo(struct argp_state *state, const char *value, struct options *o)
{
    if (o->slo_count == SLO_MOST)
        argp_error(state, "--slo %s: no more than %d conditions", value, SLO_MOST);
    if (!slo_parse(value, &o->slos[o->slo_count++]))
        argp_error(state, "--slo %s: expected %s", value, SLO_EXPECTED);
}

/* LOW:HIGH, in requests per second. */
static void take_between(struct argp_state *state, const char *value, struct options *o)
{
    const char *colon = strchr(value, ':');
    double low_rps = 0, high_rps = 0;
    if (!colon || !parse_decimal(value, (size_t)(colon - value), &low_rps) ||
        !parse_decimal(colon + 1, strlen(colon + 1), &high_rps) || !(low_rps > 0) ||
        !(high_rps > low_rps))
        argp_error(state,
                   "--capacity-between %s: expected two rates as LOW:HIGH, such as 8000:9500",
                   value);
    o->between_low_rps = low_rps;
    o->between_high_rps = high_rps;
}

/* "QUIT" or "SIGQUIT". */
static int signal_number(struct argp_state *state, const char *option, const char *value)
{
    const char *name = strncmp(value, "SIG", 3) == 0 ? value + 3 : value;
    for (int s = 1; s < NSIG; s++) {
        const char *known_name = sigabbrev_np(s);
        if (known_name && strcmp(known_name, name) == 0)
            return s;
    }
    argp_error(state, "%s %s: expected the name of a signal, such as TERM, QUIT or INT", option,
               value);
    return 0;
}

static const char *template_name(struct argp_state *state, const char *value)
{
    size_t length = strlen(value), suffix = strlen(PORT_TEMPLATE_SUFFIX);
    if (length <= suffix || strcmp(value + length - suffix, PORT_TEMPLATE_SUFFIX) != 0)
        argp_error(state, "--template %s: expected a name that ends in %s", value,
                   PORT_TEMPLATE_SUFFIX);
    return value;
}

static void check_server(struct argp_state *state, const struct options *o)
{
    if (o->pid && o->command)
        argp_error(state, "--pid %d: not together with a server command", (int)o->pid);
    if (!o->command && (o->ready_by_port || o->stop_signal || o->server_pinned))
        argp_error(state, "--ready port, --stop-signal and --server-cpus need a server command "
                          "after --");
    if (o->template_file && !o->ready_by_port)
        argp_error(state, "--template %s: only with --ready port", o->template_file);
    if (o->stall_ns && !o->pid && !o->command)
        argp_error(state, "--stall: which process is it? give --pid or the server's command");
}

static void check_capacity(struct argp_state *state, struct options *o)
{
    if (o->find_capacity && o->slo_count == 0)
        argp_error(state, "--find-capacity: expected a --slo too, as in --slo 'p99<10ms'");
    if (!o->find_capacity && o->slo_count)
        argp_error(state, "--slo %s: only with --find-capacity", o->slos[0].text);
    if (!o->find_capacity && o->step_ns)
        argp_error(state, "--step %g: only with --find-capacity", (double)o->step_ns / 1e9);
    if (!o->find_capacity && o->steps)
        argp_error(state, "--steps %u: only with --find-capacity", o->steps);
    if (!o->find_capacity && o->between_low_rps > 0)
        argp_error(state, "--capacity-between: only with --find-capacity");
    if (!o->find_capacity)
        return;
    o->step_ns = o->step_ns ? o->step_ns : 2 * NS_PER_S;
    o->steps = o->steps ? o->steps : 12;
    o->rate_rps = o->open_loop ? o->rate_rps : START_RPS;
    o->open_loop = true;
}

static void check_whole(struct argp_state *state, struct options *o)
{
    if (!o->url)
        argp_error(state, "expected a URL, as in http://127.0.0.1:8080/hello");
    if (o->port == 0 && !o->command)
        argp_error(state, "URL %s: port 0 needs a server command after --", o->url);
    check_server(state, o);
    check_capacity(state, o);
    if (o->stall_ns && o->stall_at_ns + o->stall_ns > o->duration_ns)
        argp_error(state, "--stall: it must end within the --duration of %g s",
                   (double)o->duration_ns / 1e9);
    if (o->stall_ns && o->find_capacity)
        argp_error(state, "--stall: not together with --find-capacity");
    if (o->open_loop && o->think_ms > 0)
        argp_error(state, "--think-ms %g: an open loop (%s) does not think", o->think_ms,
                   o->find_capacity ? "--find-capacity" : "--rate");
    if (o->pipeline > 1 && o->close)
        argp_error(state, "--pipeline %u: not with --close", o->pipeline);
    if (o->threads > o->connections)
        argp_error(state, "--threads %u: more than the %u connections", o->threads, o->connections);
    if (!o->method)
        o->method = o->body_file ? "POST" : "GET";
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c': o->connections = argument_count(state, "--connections", value, 1, 1000000); break;
    case 'r':
        o->rate_rps = decimal(state, "--rate", value, 0.001, 1e8, "arrivals per second");
        o->open_loop = true;
        break;
    case OPTION_ARRIVALS:
        o->arrivals = second_of(state, "--arrivals", value, "poisson", "constant")
                          ? ARRIVALS_CONSTANT
                          : ARRIVALS_POISSON;
        break;
    case OPTION_THINK:
        o->think_ms = decimal(state, "--think-ms", value, 0, 3.6e6, "milliseconds");
        break;
    case 'd': o->duration_ns = argument_seconds_ns(state, "--duration", value, 0.01); break;
    case OPTION_WARMUP: o->warmup_ns = argument_seconds_ns(state, "--warmup", value, 0); break;
    case 't': o->threads = argument_count(state, "--threads", value, 1, 1024); break;
    case OPTION_CLOSE: o->close = true; break;
    case OPTION_HTTP: o->http_1_0 = !second_of(state, "--http", value, "1.0", "1.1"); break;
    case OPTION_PIPELINE: o->pipeline = argument_count(state, "--pipeline", value, 1, 1024); break;
    case OPTION_TIMEOUT:
        o->timeout_ns = argument_seconds_ns(state, "--timeout", value, 0.001);
        break;
    case 'X': o->method = value; break;
    case 'H': add_header(state, value, o); break;
    case OPTION_BODY: o->body_file = value; break;
    case OPTION_ANY_BODY: o->any_body = true; break;
    case OPTION_MIX: o->mix_file = value; break;
    case OPTION_IDLE: o->idle = argument_count(state, "--idle", value, 0, 1000000); break;
    case OPTION_SLOW: o->slow = argument_count(state, "--slow", value, 0, 1000000); break;
    case OPTION_SEED:
        if (!parse_count(value, 0, INT64_MAX, &o->seed)) /* what JSON's integers can hold */
            argp_error(state, "--seed %s: expected a whole number below 2^63", value);
        break;
    case OPTION_CPUS:
        o->cpus = argument_cpus(state, "--cpus", value);
        o->pinned = true;
        break;
    case OPTION_FIND_CAPACITY: o->find_capacity = true; break;
    case OPTION_SLO: add_slo(state, value, o); break;
    case OPTION_STEP: o->step_ns = argument_seconds_ns(state, "--step", value, 0.01); break;
    case OPTION_STEPS: o->steps = argument_count(state, "--steps", value, 1, 1000); break;
    case OPTION_CAPACITY_BETWEEN: take_between(state, value, o); break;
    case OPTION_STALL: take_stall(state, value, o); break;
    case OPTION_PID: o->pid = (pid_t)argument_count(state, "--pid", value, 1, INT_MAX); break;
    case OPTION_BACKEND_PID:
        o->backend_pid = (pid_t)argument_count(state, "--backend-pid", value, 1, INT_MAX);
        break;
    case OPTION_READY: o->ready_by_port = second_of(state, "--ready", value, "line", "port"); break;
    case OPTION_TEMPLATE: o->template_file = template_name(state, value); break;
    case OPTION_STOP_SIGNAL: o->stop_signal = signal_number(state, "--stop-signal", value); break;
    case OPTION_SERVER_CPUS:
        o->server_cpus = argument_cpus(state, "--server-cpus", value);
        o->server_pinned = true;
        break;
    case OPTION_SYSCALLS: o->syscalls = true; break;
    case OPTION_HARDWARE: o->hardware = true; break;
    case OPTION_NO_PROBE: o->no_probe = true; break;
    case OPTION_JSON: o->json = value; break;
    case OPTION_HISTOGRAMS: o->histograms = true; break;
    case OPTION_HGRM: o->hgrm = value; break;
    case OPTION_TIMELINE: o->timeline = value; break;
    case OPTION_INTERVAL:
        o->interval_ns = argument_seconds_ns(state, "--interval", value, 0.001);
        break;
    case ARGP_KEY_ARG: take_argument(state, value, o); break;
    case ARGP_KEY_END: check_whole(state, o); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void options_parse(int argc, char **argv, struct options *options)
{
    *options = (struct options){
        .connections = 16,
        .arrivals = ARRIVALS_POISSON,
        .duration_ns = 10 * NS_PER_S,
        .warmup_ns = 1 * NS_PER_S,
        .timeout_ns = 10 * NS_PER_S,
        .threads = 1,
        .pipeline = 1,
        .seed = 1,
        .interval_ns = NS_PER_S,
    };
    const struct argp argp = {
        .options = known,
        .parser = parse_option,
        .args_doc = "URL [-- SERVER-COMMAND...]",
        .doc = "Loads an HTTP server and measures what that costs: response times as a user would "
               "see them, and the server's CPU, memory and context switches.\v"
               "With a command after --, loadgen starts that server, probes its processes and "
               "stops it; with URL's port 0, it takes the port from the server's ready line. In "
               "paths, {exp:M} is an exponential variate with mean M, {uniform:A:B} one between A "
               "and B, {integer:A:B} a whole one, {seq} a counter.\n\n"
               "Exit status: 0 when at least one request succeeded, 2 when none did, 64 for a "
               "wrong command line, 1 for anything else.",
    };
    argp_parse(&argp, split_off_command(argc, argv, options), argv, 0, NULL, options);
}
