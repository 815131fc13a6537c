/* switches: what it costs to switch between tasks, to create and destroy them, and to keep them.
 *
 * Measures everything once, in a seeded order, and writes a line for each
 * measurement. To measure repeatedly, and to say something about it, is the
 * business of `bench switches`. */
#include "common/arguments.h"
#include "common/descriptors.h"
#include "common/units.h"
#include "switches/footprint.h"
#include "switches/lifecycle.h"
#include "switches/report.h"
#include "switches/ring.h"

#include <err.h>
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *argp_program_version = "switches (Switchpoint) " SWITCHPOINT_VERSION;

enum { LIST_MOST = 16, MEMORY_LEAST = 8, EXIT_USAGE = 64 };

struct list {
    size_t values[LIST_MOST], count;
};

struct options {
    struct list rings, working_sets;
    unsigned crowd;        /* rings up to so many tasks also get working sets */
    unsigned memory_tasks; /* 0: memory is not measured */
    size_t connection_bytes, stack_bytes;
    unsigned target_ms;
    unsigned long seed;
    cpu_set_t cpus;
    const char *json;
};

static const struct ring_kind *const kinds[] = {
    &ring_of_one, &ring_of_callbacks, &ring_of_coroutines, &ring_of_threads, &ring_of_processes};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

/* --- options ---------------------------------------------------------------------------------- */

enum {
    KEY_RINGS = 256,
    KEY_SETS,
    KEY_CROWD,
    KEY_MEMORY,
    KEY_CONNECTION,
    KEY_STACK,
    KEY_TARGET,
    KEY_SEED,
    KEY_CPUS,
    KEY_JSON
};

static const struct argp_option known[] = {
    {"rings", KEY_RINGS, "N,…", 0, "Tasks in a ring (2,10,100,1000,10000)", 0},
    {"working-sets", KEY_SETS, "BYTES,…", 0,
     "What each task touches at its turn, suffix K or M (0,4K,32K,256K)", 0},
    {"crowd", KEY_CROWD, "N", 0, "Largest ring that touches working sets (100)", 0},
    {"memory-tasks", KEY_MEMORY, "N", 0,
     "Tasks at once for the memory that each takes; 0: not measured (1000)", 0},
    {"connection-bytes", KEY_CONNECTION, "BYTES", 0, "Size of a connection's record (700)", 0},
    {"stack-size", KEY_STACK, "BYTES", 0, "Stack of a thread or coroutine (64K)", 0},
    {"target-ms", KEY_TARGET, "N", 0, "How long a measurement takes, about (15)", 0},
    {"seed", KEY_SEED, "N", 0, "Of the order of the measurements (1)", 0},
    {"cpus", KEY_CPUS, "LIST", 0, "CPUs to use: the first two (those that it may use)", 0},
    {"json", KEY_JSON, "FILE", 0, "A JSON object per line into FILE; - is standard output", 0},
    {0},
};

static size_t argument_bytes(struct argp_state *state, const char *option, const char *value,
                             size_t least, size_t most)
{
    uint64_t bytes = 0;
    if (!parse_bytes(value, most, &bytes) || bytes < least)
        argp_error(state, "%s %s: expected %zu to %zu bytes, as in 4096 or 4K", option, value,
                   least, most);
    return bytes;
}

static struct list argument_list(struct argp_state *state, const char *option, char *value,
                                 size_t least, size_t most)
{
    struct list list = {.count = 0};
    for (char *rest = value, *one; (one = strsep(&rest, ","));) {
        if (list.count == LIST_MOST)
            argp_error(state, "%s: at most %d values", option, LIST_MOST);
        list.values[list.count++] = argument_bytes(state, option, one, least, most);
    }
    return list;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_RINGS: o->rings = argument_list(state, "--rings", value, 2, 1000000); break;
    case KEY_SETS:
        o->working_sets = argument_list(state, "--working-sets", value, 0, 1 << 26);
        break;
    case KEY_CROWD: o->crowd = argument_count(state, "--crowd", value, 0, 1000000); break;
    case KEY_MEMORY:
        o->memory_tasks = argument_count(state, "--memory-tasks", value, 0, 1000000);
        if (o->memory_tasks > 0 && o->memory_tasks < MEMORY_LEAST)
            argp_error(state, "--memory-tasks %s: a slope needs %d tasks at least", value,
                       MEMORY_LEAST);
        break;
    case KEY_CONNECTION:
        o->connection_bytes = argument_bytes(state, "--connection-bytes", value, 1, 1 << 26);
        break;
    case KEY_STACK:
        o->stack_bytes = argument_bytes(state, "--stack-size", value, 16384, 1 << 30);
        break;
    case KEY_TARGET: o->target_ms = argument_count(state, "--target-ms", value, 1, 60000); break;
    case KEY_SEED: o->seed = argument_count(state, "--seed", value, 1, UINT_MAX); break;
    case KEY_CPUS: o->cpus = argument_cpus(state, "--cpus", value); break;
    case KEY_JSON: o->json = value; break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* --- what is measured ------------------------------------------------------------------------- */

struct session {
    const struct options *options;
    struct report report;
    struct ring_wish wish; /* what all rings have in common */
    gsl_rng *random;
};

static bool touches(const struct options *o, unsigned tasks, size_t working_bytes)
{
    return working_bytes == 0 || tasks <= o->crowd;
}

static size_t largest_set(const struct options *o, unsigned tasks)
{
    size_t most = 0;
    for (size_t i = 0; i < o->working_sets.count; i++) {
        size_t bytes = o->working_sets.values[i];
        most = touches(o, tasks, bytes) && bytes > most ? bytes : most;
    }
    return most;
}

enum { ORDERS_MOST = 4 * LIST_MOST };

/* Every order that a ring of this kind and size gets, shuffled. */
static size_t orders_for(const struct session *s, const struct ring_kind *kind, unsigned tasks,
                         struct order orders[ORDERS_MOST])
{
    const struct options *o = s->options;
    size_t count = 0;
    for (size_t i = 0; i < o->working_sets.count; i++)
        for (int io = 0; io < 2; io++)
            for (int across = 0; across <= kind->by_kernel; across++)
                if (touches(o, tasks, o->working_sets.values[i]))
                    orders[count++] = (struct order){
                        .io = io, .across = across, .working_bytes = o->working_sets.values[i]};
    gsl_ran_shuffle(s->random, orders, count, sizeof *orders);
    return count;
}

static void measure_order(const struct session *s, const struct ring_kind *kind, struct ring *ring,
                          unsigned tasks, const struct order *o, const struct reason *not_built)
{
    struct passage passage;
    struct reason reason = *not_built;
    uint64_t target_ns = s->options->target_ms * NS_PER_MS;
    bool measured = ring && ring_measure(ring, o, target_ns, &passage, &reason) == 0;
    report_passage(&s->report, kind->name, tasks, o, measured ? &passage : NULL, &reason);
}

/* One measurement, or several of the same ring. */
struct work {
    const struct session *session;
    const struct ring_kind *kind; /* NULL: a connection's record */
    unsigned tasks;
    const struct lifecycle_kind *life;
};

/* Does the work in a process of its own. What one kind leaves behind (stacks that are kept for the
 * next thread, a fragmented heap) would be copied by every fork of the next. */
static void apart(void (*job)(const struct work *), const struct work *w)
{
    FILE *out = w->session->report.out;
    pid_t parent = getpid();
    int status = 0;
    fflush(out);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) /* it died before the line above */
            _exit(1);
        job(w);
        _exit(fflush(out) == 0 ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        err(1, "cannot measure in a process of its own");
    if (status != 0)
        errx(1, "a measurement has ended with status %d", status);
}

static void measure_ring(const struct work *w)
{
    const struct session *s = w->session;
    struct order orders[ORDERS_MOST];
    struct reason reason = {""};
    struct ring_wish wish = s->wish;
    wish.tasks = w->tasks;
    wish.working_bytes = largest_set(s->options, w->tasks);
    size_t count = orders_for(s, w->kind, w->tasks, orders);
    struct ring *ring = count > 0 ? ring_build(w->kind, &wish, &reason) : NULL;
    for (size_t i = 0; i < count; i++)
        measure_order(s, w->kind, ring, w->tasks, &orders[i], &reason);
    if (ring)
        ring_free(ring);
}

/* The one that never switches is also asked what a single working set costs. */
static void measure_rings(const struct session *s)
{
    struct work rings[KIND_COUNT * LIST_MOST + 1] = {
        {.session = s, .kind = &ring_of_one, .tasks = 1}};
    size_t count = 1;
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        for (size_t i = 0; i < s->options->rings.count; i++)
            rings[count++] = (struct work){
                .session = s, .kind = kinds[kind], .tasks = (unsigned)s->options->rings.values[i]};
    gsl_ran_shuffle(s->random, rings, count, sizeof *rings);
    for (size_t i = 0; i < count; i++) {
        gsl_rng_get(s->random); /* or every ring would get its orders in the same order */
        apart(measure_ring, &rings[i]);
    }
}

static void measure_lifecycle(const struct work *w)
{
    const struct options *o = w->session->options;
    const struct lifecycle_wish wish = {.stack_bytes = o->stack_bytes,
                                        .connection_bytes = o->connection_bytes,
                                        .target_ns = o->target_ms * NS_PER_MS};
    struct lifecycle l;
    struct reason reason;
    bool measured = lifecycle_measure(w->life, &wish, &l, &reason) == 0;
    report_lifecycle(&w->session->report, w->life->name, measured ? &l : NULL, &reason);
}

static void measure_memory(const struct work *w)
{
    const struct options *o = w->session->options;
    struct footprint f;
    struct reason reason;
    struct ring_wish wish = w->session->wish;
    wish.tasks = o->memory_tasks;
    wish.pipes = false;
    int result = w->kind ? footprint_of_tasks(w->kind, &wish, &f, &reason)
                         : footprint_of_records(o->connection_bytes, o->memory_tasks, &f, &reason);
    report_footprint(&w->session->report, w->kind ? w->kind->name : "connection",
                     result == 0 ? &f : NULL, &reason);
}

/* Memory before the rings, for the kernel frees much of theirs late; and those first of which it
 * knows nothing. */
static void measure_all(const struct session *s)
{
    struct work w = {.session = s};
    bool with_memory = s->options->memory_tasks > 0;
    if (with_memory)
        apart(measure_memory, &w);
    for (size_t i = 0; i < KIND_COUNT && with_memory; i++) {
        w.kind = kinds[i];
        if (w.kind != &ring_of_one)
            apart(measure_memory, &w);
    }
    for (size_t i = 0; i < lifecycle_kind_count; i++) {
        w.life = &lifecycle_kinds[i];
        apart(measure_lifecycle, &w);
    }
    measure_rings(s);
}

/* --- main ------------------------------------------------------------------------------------- */

/* The first two CPUs, -1 where there is no second; this thread is pinned to the first. */
static void choose_cpus(const struct options *o, int cpus[2])
{
    int found = 0;
    cpu_set_t first;
    cpus[0] = cpus[1] = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &o->cpus))
            cpus[found++] = cpu;
    CPU_ZERO(&first);
    CPU_SET((size_t)cpus[0], &first);
    if (sched_setaffinity(0, sizeof first, &first) != 0)
        err(1, "cannot pin to CPU %d", cpus[0]);
}

static FILE *open_report(const char *json)
{
    FILE *out = json && strcmp(json, "-") != 0 ? fopen(json, "we") : stdout;
    if (!out)
        err(1, "cannot write %s", json);
    return out;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = known,
        .parser = parse,
        .doc = "What a context switch costs here: rings of processes, threads, coroutines and "
               "event-loop callbacks pass a token, with and without I/O, touching working sets. "
               "And what it costs to create a task, to destroy it and to keep it. Measures "
               "everything once; `bench switches` repeats it and makes tables of it."};
    struct options options = {.rings = {.values = {2, 10, 100, 1000, 10000}, .count = 5},
                              .working_sets = {.values = {0, 4096, 32768, 262144}, .count = 4},
                              .crowd = 100,
                              .memory_tasks = 1000,
                              .connection_bytes = 700,
                              .stack_bytes = 65536,
                              .target_ms = 15,
                              .seed = 1};
    struct session s = {.options = &options};
    sched_getaffinity(0, sizeof options.cpus, &options.cpus);
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    descriptors_prepare(ULONG_MAX, 0);
    s.report = (struct report){.out = open_report(options.json), .json = options.json != NULL};
    s.wish = (struct ring_wish){.stack_bytes = options.stack_bytes, .pipes = true};
    choose_cpus(&options, s.wish.cpus);
    s.random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(s.random, options.seed);
    measure_all(&s);
    gsl_rng_free(s.random);
    return ferror(s.report.out) || fclose(s.report.out) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
