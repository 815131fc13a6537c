#include "bench/run/ceiling.h"

#include "bench/base/json.h"
#include "common/units.h"

#include <math.h>
#include <sched.h>

double ceiling_of_run(const json_t *run)
{
    double throughput_rps = json_number_at(run, "throughput_rps");
    double utilisation = json_number_at(run, "generator.cpu_utilisation");
    return utilisation > 0 ? throughput_rps / utilisation : NAN;
}

/* How many CPUs the generator may use. */
static unsigned cpu_count(const char *cpus)
{
    cpu_set_t set;
    bool known = *cpus ? parse_cpu_list(cpus, &set) : sched_getaffinity(0, sizeof set, &set) == 0;
    return known ? (unsigned)CPU_COUNT(&set) : 1;
}

static json_t *measure(const struct cell_order *order, bool close, unsigned threads)
{
    struct workload w;
    struct error unused;
    workload_parse(&w, "ceiling.conf", "title = -\nquestion = -\npath = /hello\n", &unused);
    workload_set_windows(&w, 0.2, 0.6);
    w.close = close;
    w.threads = threads;
    w.connections = fmax(w.connections, threads);
    struct cell_order o = *order;
    o.workload = &w;
    o.label = NULL;
    json_t *run = cell_measure(&o);
    if (!run)
        return NULL;
    json_t *ceiling =
        json_pack("{s:b, s:i, s:o, s:o}", "close", close, "threads", (int)threads,
                  "requests_per_second", json_number_of(round(ceiling_of_run(run))), "utilisation",
                  json_number_of(json_number_at(run, "generator.cpu_utilisation")));
    json_decref(run);
    return ceiling;
}

json_t *ceilings_measure(const struct cell_order *order)
{
    unsigned most = cpu_count(order->loadgen_cpus);
    json_t *ceilings = json_array();
    for (int close = 0; close < 2; close++)
        for (unsigned threads = 1; threads <= most; threads = threads < most ? most : most + 1) {
            json_t *one = measure(order, close, threads);
            if (!one) {
                json_decref(ceilings);
                return NULL;
            }
            json_array_append_new(ceilings, one);
        }
    return ceilings;
}
