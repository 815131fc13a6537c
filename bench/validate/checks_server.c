/* Truths about what a server costs: switches, memory and CPU time that can be counted by hand, or
 * that the kernel counts by another way. */
#include "bench/base/json.h"
#include "bench/validate/validation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- context switches ------------------------------------------------------------------------- */

/* In the model reactor-pool two threads take part in a request, and each blocks until its turn: the
 * loop for the client, a worker for the loop. */
static double hand_overs(const char *model)
{
    return strcmp(model, "reactor-pool") == 0 ? 1 : 0;
}

/* A serial client on a kept connection: the server blocks once for the request, once for each wait
 * in it and once for each hand-over to another thread, and each block is a voluntary switch. */
static int check_arithmetic(struct validation *v, const char *model, const char *path, double waits,
                            struct error *error)
{
    double blocks = 1 + waits + hand_overs(model);
    const struct observation o = {.check = "switches", .subject = model, .model = model};
    json_t *run = observe(v, &o, error,
                          "path = %s\nmode = open\narrivals = constant\nrate_rps = 200\n"
                          "connections = 1\nduration_s = %g\n",
                          path, pick(v, 3, 1));
    if (!run)
        return -1;
    struct finding f = {.check = "switches",
                        .unit = "1/request",
                        .expected = blocks,
                        .measured = json_number_at(run, "server.context_switches.voluntary") /
                                    json_number_at(run, "requests.completed"),
                        .tolerance = pick(v, 0.02, 0.1) * blocks};
    snprintf(f.subject, sizeof f.subject, "%s", model);
    snprintf(f.quantity, sizeof f.quantity, "voluntary, %s", path);
    json_decref(run);
    return found(v, &f, error);
}

/* wait4(2) charges an ended process with the switch by which it left for good, an ended thread not,
 * and the probe neither (docs/probes.md). What ends in a server of the model fork is processes. A
 * few in a hundred are preempted on their way out besides, which the probe does not see. */
static const double PREEMPTED_ENDS = 0.05;

static double ended_processes(const char *model, const json_t *run)
{
    return strcmp(model, "fork") == 0 ? json_number_at(run, "server.threads_died") : 0;
}

/* wait4(2) tells what the process and all its threads, the dead ones too, have switched in its
 * life, from counters that the probe does not read. With no warm-up the window is that life, but
 * for the start and the end. Each request waits, so that a thread that lives for one request only
 * has switched when it ends. */
static int check_lifetime(struct validation *v, const char *model, bool close, struct error *error)
{
    enum { START_AND_END = 60 };
    const struct observation o = {.check = "switches", .subject = model, .model = model};
    json_t *run = observe(v, &o, error,
                          "path = /work?wait_ms=1\nclose = %s\nconnections = 8\nwarmup_s = 0\n"
                          "duration_s = %g\n",
                          close ? "yes" : "no", pick(v, 3, 1));
    if (!run)
        return -1;
    double ended = ended_processes(model, run);
    struct finding f = {.check = "switches",
                        .unit = "switches",
                        .expected = json_number_at(run, "server.lifetime.voluntary") +
                                    json_number_at(run, "server.lifetime.involuntary") - ended,
                        .measured = json_number_at(run, "server.context_switches.total")};
    f.tolerance = fmax(START_AND_END, pick(v, 0.01, 0.05) * f.expected) + PREEMPTED_ENDS * ended;
    snprintf(f.subject, sizeof f.subject, "%s", model);
    snprintf(f.quantity, sizeof f.quantity, "total against wait4, %s",
             close ? "a connection per request" : "kept alive");
    json_decref(run);
    return found(v, &f, error);
}

int check_switches(struct validation *v, struct error *error)
{
    for (size_t m = 0; m < v->model_count; m++)
        if (check_arithmetic(v, v->models[m], "/hello", 0, error) != 0 ||
            check_arithmetic(v, v->models[m], "/work?wait_ms=1", 1, error) != 0 ||
            check_lifetime(v, v->models[m], false, error) != 0 ||
            check_lifetime(v, v->models[m], true, error) != 0)
            return -1;
    return 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

enum {
    SPECIMEN_THREADS = 16,
    SPECIMEN_SOCKETS = 200,
    SPECIMEN_STACK_BYTES = 2 << 20,
    SPECIMEN_HEAP_BYTES = 64 << 20,
    KERNEL_STACK_BYTES = 16 << 10 /* THREAD_SIZE of x86-64 and of arm64 */
};

static json_t *weigh(struct validation *v, const char *subject, const char *specimen, int idle,
                     struct error *error)
{
    const struct observation o = {.check = "memory", .subject = subject, .specimen = specimen};
    return observe(v, &o, error, "path = /hello\nconnections = 1\nidle = %d\nduration_s = 0.5\n",
                   idle);
}

/* The specimen with and without: the difference is what was added, whatever a process needs anyway.
 */
static int check_differences(struct validation *v, const json_t *without, const json_t *with,
                             struct error *error)
{
    const struct {
        const char *quantity, *path, *unit;
        double expected;
    } kinds[] = {
        {"threads", "server.threads_max", "threads", SPECIMEN_THREADS},
        {"stacks of the threads", "server.memory.user_stack_bytes", "bytes",
         (double)SPECIMEN_THREADS * SPECIMEN_STACK_BYTES},
        {"heap", "server.memory.heap_bytes", "bytes", SPECIMEN_HEAP_BYTES},
        {"resident", "server.memory.rss_bytes", "bytes",
         (double)SPECIMEN_THREADS * SPECIMEN_STACK_BYTES + SPECIMEN_HEAP_BYTES},
        {"kernel stacks", "server.memory.kernel_stack_bytes", "bytes",
         (double)SPECIMEN_THREADS * KERNEL_STACK_BYTES},
        {"open sockets", "server.memory.socket_count", "sockets", SPECIMEN_SOCKETS},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct finding f = {.check = "memory",
                            .subject = "specimen",
                            .unit = kinds[i].unit,
                            .expected = kinds[i].expected,
                            .measured = json_number_at(with, kinds[i].path) -
                                        json_number_at(without, kinds[i].path),
                            .tolerance = 0.02 * kinds[i].expected};
        snprintf(f.quantity, sizeof f.quantity, "%s", kinds[i].quantity);
        if (found(v, &f, error) != 0)
            return -1;
    }
    return 0;
}

int check_memory(struct validation *v, struct error *error)
{
    char options[128];
    snprintf(options, sizeof options, "--threads %d --stack-bytes %d --heap-bytes %d",
             SPECIMEN_THREADS, SPECIMEN_STACK_BYTES, SPECIMEN_HEAP_BYTES);
    json_t *without = weigh(v, "nothing added", "", 0, error);
    json_t *with = without ? weigh(v, "loaded", options, SPECIMEN_SOCKETS, error) : NULL;
    int result = with ? check_differences(v, without, with, error) : -1;
    json_decref(without);
    json_decref(with);
    return result;
}

/* --- CPU time --------------------------------------------------------------------------------- */

static json_t *burn(struct validation *v, double cpu_us, struct error *error)
{
    char subject[64];
    snprintf(subject, sizeof subject, "burns %g us", cpu_us);
    const struct observation o = {.check = "cpu", .subject = subject};
    return observe(v, &o, error,
                   "path = /cpu?us=%g\nconnections = 4\nduration_s = %g\nwarmup_s = 0\n", cpu_us,
                   pick(v, 3, 1));
}

/* Against the kernel's account of the whole life, by wait4(2). */
static int check_account(struct validation *v, const json_t *run, struct error *error)
{
    struct finding f = {.check = "cpu",
                        .subject = "specimen",
                        .quantity = "user + system against wait4",
                        .unit = "s",
                        .expected = json_number_at(run, "server.lifetime.user_s") +
                                    json_number_at(run, "server.lifetime.system_s"),
                        .measured = json_number_at(run, "server.cpu.user_s") +
                                    json_number_at(run, "server.cpu.system_s")};
    f.tolerance = pick(v, 0.02, 0.05) * f.expected;
    return found(v, &f, error);
}

/* What a request costs besides depends on whether the generator's CPU sleeps meanwhile and has to
 * be woken: beyond a burning that is long enough for that, only the burning differs. */
int check_cpu(struct validation *v, struct error *error)
{
    static const double LEAST_US = 200, burns_us[] = {500, 1000, 5000};
    json_t *least = burn(v, LEAST_US, error);
    if (!least)
        return -1;
    double base_us = json_number_at(least, "server.cpu.us_per_request") - LEAST_US;
    json_decref(least);
    for (size_t i = 0; i < sizeof burns_us / sizeof *burns_us; i++) {
        json_t *run = burn(v, burns_us[i], error);
        if (!run)
            return -1;
        double completed = json_number_at(run, "requests.completed");
        struct finding f = {.check = "cpu",
                            .subject = "specimen",
                            .unit = "s",
                            .expected = completed * burns_us[i] / 1e6,
                            .measured =
                                completed / 1e6 *
                                (json_number_at(run, "server.cpu.us_per_request") - base_us)};
        f.tolerance = pick(v, 0.02, 0.1) * f.expected;
        snprintf(f.quantity, sizeof f.quantity, "%.0f requests of %g us", completed, burns_us[i]);
        int result = found(v, &f, error);
        if (result == 0 && i == 2)
            result = check_account(v, run, error);
        json_decref(run);
        if (result != 0)
            return -1;
    }
    return 0;
}
