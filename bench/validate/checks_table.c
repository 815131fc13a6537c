/* Truths that are a field of a result: loads, what is read from their results, and what it must
 * be. Whatever needs more than arithmetic on one result is in another file. */
#include "bench/base/json.h"
#include "bench/validate/validation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- loads ------------------------------------------------------------------------------------ */

#define EACH "each model"

/* One client; and one that asks for a wait at a pace at which the server was always done before. */
#define ALONE "connections = 1\npath = "
#define PACED(rate) "mode = open\narrivals = constant\nrate_rps = " rate "\n" ALONE
#define BURN "connections = 4\nwarmup_s = 0\npath = /cpu?us="
#define WAIT_5 "path = /work?wait_ms=5\n"
#define TEN_THOUSAND "path = /hello\nmode = open\nrate_rps = 10000\narrivals = "
#define FOUR_WORKERS "close = yes\n[server]\noptions = --workers 4\n"

/* What the specimen is to keep beside what it needs anyway. */
enum {
    THREADS = 16,
    STACK_BYTES = 2 << 20,
    HEAP_BYTES = 64 << 20,
    SOCKETS = 200,
    KERNEL_STACK_BYTES = 16 << 10 /* THREAD_SIZE of x86-64 and of arm64 */
};
#define KEPT "--threads 16 --stack-bytes 2097152 --heap-bytes 67108864"

/* With a base, that is measured first, and what counts is how much the load's figures are beyond
 * its: what a request or a process needs anyway falls out. */
static const struct load {
    const char *check, *name, *model; /* model NULL: the specimen */
    const char *base, *text;          /* in the language of workloads */
    const char *specimen;             /* its options, but for the base */
    double known;                     /* what is known of it, for the truths below */
    double whole_s, brief_s;          /* windows */
} loads[] = {
    /* A wait is known by the clock. How long a computation takes depends on the CPU's speed of the
     * moment, which no guest of a virtual machine can see: the kernel's account of the same window
     * knows what it took. The specimen burns until its CPU clock says that it is enough. */
    {"service-time", "wait_ms=1", EACH, PACED("200") "/work", PACED("200") "/work?wait_ms=1", NULL,
     1000, 2, 0.6},
    {"service-time", "wait_ms=5", EACH, PACED("77") "/work", PACED("77") "/work?wait_ms=5", NULL,
     5000, 2, 0.6},
    {"service-time", "wait_ms=20", EACH, PACED("23") "/work", PACED("23") "/work?wait_ms=20", NULL,
     20000, 2, 0.6},
    {"service-time", "cpu_us=200", EACH, ALONE "/work", ALONE "/work?cpu_us=200", NULL, 0, 2, 0.6},
    {"service-time", "cpu_us=1000", EACH, ALONE "/work", ALONE "/work?cpu_us=1000", NULL, 0, 2,
     0.6},
    {"service-time", "cpu_us=5000", EACH, ALONE "/work", ALONE "/work?cpu_us=5000", NULL, 0, 2,
     0.6},
    {"service-time", "burn_us=200", NULL, ALONE "/cpu?us=0", ALONE "/cpu?us=200", NULL, 200, 2,
     0.6},
    {"service-time", "burn_us=1000", NULL, ALONE "/cpu?us=0", ALONE "/cpu?us=1000", NULL, 1000, 2,
     0.6},
    {"service-time", "burn_us=5000", NULL, ALONE "/cpu?us=0", ALONE "/cpu?us=5000", NULL, 5000, 2,
     0.6},

    {"arrivals", "poisson", NULL, NULL, TEN_THOUSAND "poisson", NULL, 0, 40, 2},
    {"arrivals", "constant", NULL, NULL, TEN_THOUSAND "constant", NULL, 0, 5, 2},

    {"littles-law", "epoll", "epoll", NULL, WAIT_5 "connections = 16", NULL, 16, 10, 2},
    {"littles-law", "epoll, thinking 2 ms", "epoll", NULL, WAIT_5 "connections = 64\nthink_ms = 2",
     NULL, 64, 10, 2},
    {"littles-law", "thread-pool, queueing", "thread-pool", NULL,
     WAIT_5 "connections = 16\n" FOUR_WORKERS, NULL, 16, 10, 2},
    {"littles-law", "thread-per-connection", "thread-per-connection", NULL,
     "path = /hello\nconnections = 16", NULL, 16, 10, 2},

    /* The server blocks once for the request and once for each wait in it, and each block is a
     * voluntary switch. */
    {"switches", "/hello", EACH, NULL, PACED("200") "/hello", NULL, 1, 3, 1},
    {"switches", "/work?wait_ms=1", EACH, NULL, PACED("200") "/work?wait_ms=1", NULL, 2, 3, 1},

    {"memory", "specimen", NULL, ALONE "/hello", ALONE "/hello\nidle = 200", KEPT, 0, 0.5, 0.5},

    /* What a request costs besides depends on whether the generator's CPU sleeps meanwhile and has
     * to be woken: the base burns for long enough for that. */
    {"cpu", "burns 500 us", NULL, BURN "200", BURN "500", NULL, 300, 3, 1},
    {"cpu", "burns 1000 us", NULL, BURN "200", BURN "1000", NULL, 800, 3, 1},
    {"cpu", "burns 5000 us", NULL, BURN "200", BURN "5000", NULL, 4800, 3, 1},
    {"cpu", "whole life", NULL, NULL, BURN "1000", NULL, 0, 3, 1},
};
enum { LOADS = sizeof loads / sizeof *loads };

/* --- truths ----------------------------------------------------------------------------------- */

/* The figures of a result that are arithmetic on others: `derived.NAME`. */
static void derive(json_t *run)
{
    const char *model = json_string_value(json_object_get(run, "model"));
    double completed = json_number_at(run, "requests.completed");
    /* Little 1961: the mean number in a system is the arrival rate times the mean time in it,
     * whatever the laws are. In a closed loop the number is that of the connections. */
    double cycle_s = json_number_at(run, "response_us.mean") / 1e6 +
                     json_number_at(run, "settings.think_ms") / 1e3;
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"in_system", json_number_at(run, "throughput_rps") * cycle_s},
        {"intended_rps",
         json_number_at(run, "requests.intended") / json_number_at(run, "window_s")},
        {"voluntary", json_number_at(run, "server.context_switches.voluntary") / completed},
        /* In the model reactor-pool two threads take part in a request, and each blocks until its
         * turn: the loop for the client, a worker for the loop. */
        {"hand_overs", model && strcmp(model, "reactor-pool") == 0},
        {"cpu_s",
         json_number_at(run, "server.cpu.user_s") + json_number_at(run, "server.cpu.system_s")},
        {"lifetime_cpu_s", json_number_at(run, "server.lifetime.user_s") +
                               json_number_at(run, "server.lifetime.system_s")},
    };
    json_t *derived = json_object();
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (isfinite(figures[i].value))
            json_object_set_new(derived, figures[i].name, json_real(figures[i].value));
    json_object_set_new(run, "derived", derived);
}

/* What is measured must be what is known of the load, and as much more as a constant or another
 * field says: within a part of that, or within so much of its unit if that is more. */
static const struct truth {
    const char *check, *load; /* the begin of its name; "": all of the check */
    const char *quantity, *unit, *measured;
    double more;
    const char *plus; /* NULL: nothing */
    double whole, whole_least, brief, brief_least;
} truths[] = {
    {"service-time", "wait_ms", "median beyond empty", "us", "response_us.p50", 0, NULL, 0.02, 100,
     0.15, 300},
    {"service-time", "cpu_us", "mean beyond empty", "us", "response_us.mean", 0,
     "server.cpu.us_per_request", 0.02, 100, 0.15, 300},
    {"service-time", "burn_us", "median beyond empty", "us", "response_us.p50", 0, NULL, 0.02, 100,
     0.15, 300},

    /* Chance alone moves a Poisson count by its square root: three of these in the window. */
    {"arrivals", "poisson", "rate of 10,000/s", "1/s", "derived.intended_rps", 10000, NULL, 0.005,
     0, 0.0213, 0},
    {"arrivals", "constant", "rate of 10,000/s", "1/s", "derived.intended_rps", 10000, NULL, 0.005,
     0, 0.005, 0},
    {"arrivals", "", "send lag p99 at 10,000/s", "us", "send_lag_us.p99", 0, NULL, 0, 100, 0, 5000},

    {"littles-law", "", "throughput x cycle", "requests", "derived.in_system", 0, NULL, 0.01, 0,
     0.03, 0},

    {"switches", "", "voluntary", "1/request", "derived.voluntary", 0, "derived.hand_overs", 0.02,
     0, 0.1, 0},

    {"memory", "", "threads", "threads", "server.threads_max", THREADS, NULL, 0.02, 0, 0.02, 0},
    {"memory", "", "stacks of the threads", "bytes", "server.memory.user_stack_bytes",
     (double)THREADS *STACK_BYTES, NULL, 0.02, 0, 0.02, 0},
    {"memory", "", "heap", "bytes", "server.memory.heap_bytes", HEAP_BYTES, NULL, 0.02, 0, 0.02, 0},
    {"memory", "", "resident", "bytes", "server.memory.rss_bytes",
     (double)THREADS *STACK_BYTES + HEAP_BYTES, NULL, 0.02, 0, 0.02, 0},
    {"memory", "", "kernel stacks", "bytes", "server.memory.kernel_stack_bytes",
     (double)THREADS *KERNEL_STACK_BYTES, NULL, 0.02, 0, 0.02, 0},
    {"memory", "", "open sockets", "sockets", "server.memory.socket_count", SOCKETS, NULL, 0.02, 0,
     0.02, 0},

    {"cpu", "burns", "CPU beyond one of 200 us", "us", "server.cpu.us_per_request", 0, NULL, 0.02,
     10, 0.1, 50},
    {"cpu", "whole life", "user + system against wait4", "s", "derived.cpu_s", 0,
     "derived.lifetime_cpu_s", 0.02, 0, 0.05, 0},
};
enum { TRUTHS = sizeof truths / sizeof *truths };

/* --- the loop --------------------------------------------------------------------------------- */

/* What one load showed, on one server. */
struct shown {
    json_t *base, *run; /* base NULL: there is none */
};

static double beyond(const struct shown *s, const char *field)
{
    double base = s->base ? json_number_at(s->base, field) : 0;
    return json_number_at(s->run, field) - base;
}

static int conclude(struct validation *v, const struct load *l, const char *subject,
                    const struct truth *t, const struct shown *s, struct error *error)
{
    struct finding f = {.unit = t->unit,
                        .expected = l->known + t->more + (t->plus ? beyond(s, t->plus) : 0),
                        .measured = beyond(s, t->measured)};
    f.tolerance =
        fmax(pick(v, t->whole, t->brief) * f.expected, pick(v, t->whole_least, t->brief_least));
    bool named = strcmp(subject, l->name) == 0;
    snprintf(f.check, sizeof f.check, "%s", l->check);
    snprintf(f.subject, sizeof f.subject, "%s", subject);
    snprintf(f.quantity, sizeof f.quantity, "%s%s%s", t->quantity, named ? "" : ", ",
             named ? "" : l->name);
    return found(v, &f, error);
}

static int measure(struct validation *v, const struct load *l, const char *model,
                   const char *subject, struct shown *s, struct error *error)
{
    struct observation o = {
        .check = l->check, .subject = subject, .model = model, .trial = 2 * (unsigned)(l - loads)};
    double window_s = pick(v, l->whole_s, l->brief_s);
    *s = (struct shown){.base = NULL};
    if (l->base && !(s->base = observe(v, &o, error, "duration_s = %g\n%s\n", window_s, l->base)))
        return -1;
    o.trial++;
    o.specimen = l->specimen;
    s->run = observe(v, &o, error, "duration_s = %g\n%s\n", window_s, l->text);
    if (s->base)
        derive(s->base);
    if (s->run)
        derive(s->run);
    return s->run ? 0 : -1;
}

static int check_load(struct validation *v, const struct load *l, const char *model,
                      struct error *error)
{
    struct shown s;
    bool each = strcmp(l->model ? l->model : "", EACH) == 0;
    const char *subject = each ? model : !l->model && l->base ? "specimen" : l->name;
    int result = measure(v, l, model, subject, &s, error);
    for (const struct truth *t = truths; t < truths + TRUTHS && result == 0; t++)
        if (strcmp(t->check, l->check) == 0 && strncmp(t->load, l->name, strlen(t->load)) == 0)
            result = conclude(v, l, subject, t, &s, error);
    json_decref(s.base);
    json_decref(s.run);
    return result;
}

int check_table(struct validation *v, const char *check, struct error *error)
{
    int result = 0;
    for (const struct load *l = loads; l < loads + LOADS && result == 0; l++) {
        if (strcmp(l->check, check) != 0)
            continue;
        if (!l->model || validation_has_model(v, l->model))
            result = check_load(v, l, l->model, error);
        for (size_t m = 0; m < v->model_count && result == 0; m++)
            if (strcmp(l->model ? l->model : "", EACH) == 0)
                result = check_load(v, l, v->models[m], error);
    }
    return result;
}
