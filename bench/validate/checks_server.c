/* Truths about what a server costs that need more than a table: switches over a life. */
#include "bench/base/json.h"
#include "bench/validate/validation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
    const struct observation o = {
        .check = "switches", .subject = model, .model = model, .trial = close};
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
    int result = check_table(v, "switches", error);
    for (size_t m = 0; m < v->model_count && result == 0; m++)
        if (check_lifetime(v, v->models[m], false, error) != 0 ||
            check_lifetime(v, v->models[m], true, error) != 0)
            result = -1;
    return result;
}
