/* Figures about one sweep: response time, throughput and switches against what is varied. */
#include "bench/figures/data.h"

#include <math.h>
#include <stdlib.h>

/* One row for each model and point, the points of a model one after the other. */
static size_t write_sweep(FILE *out, const struct subject *s, write_group *write)
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    for (size_t m = 0; m < p->model_count; m++)
        for (size_t i = 0; i < p->workloads[s->workload].value_count; i++)
            rows += write(out, s, (struct group){m, s->workload, i});
    return rows;
}

static void put_point(FILE *out, const struct subject *s, struct group g)
{
    const struct plan *p = &s->results->plan;
    fprintf(out, "%s\t%s\t%s", p->models[g.model], group_remark(s->results, g).text,
            point_name_of(&p->workloads[g.workload], g.point).text);
}

static size_t latency_row(FILE *out, const struct subject *s, struct group g)
{
    put_point(out, s, g);
    put_estimate(out, estimate_metric(s, g, "response_p50"), MS_PER_US);
    put_estimate(out, estimate_metric(s, g, "response_p99"), MS_PER_US);
    fputc('\n', out);
    return 1;
}

size_t write_sweep_latency(FILE *out, const struct subject *s)
{
    fputs("model\tremark\tpoint\tp50_ms\tp50_ms_low\tp50_ms_high\tp99_ms\tp99_ms_low\t"
          "p99_ms_high\n",
          out);
    return write_sweep(out, s, latency_row);
}

/* Whether the list of CPUs ("0,2-3") holds that one. The list is not one of this machine's. */
static bool list_holds(const char *list, long cpu)
{
    while (*list) {
        char *end;
        long first = strtol(list, &end, 10), last = first;
        if (end == list)
            return false;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (first <= cpu && cpu <= last)
            return true;
        list = *end == ',' ? end + 1 : end;
    }
    return false;
}

/* Does the server have a CPU there that the load generator has, too? */
static bool shares_cpu(const struct plan *p, const struct workload *at)
{
    enum { CPUS_MOST = 1024 };
    struct cpu_list server = plan_server_cpus(p, at);
    for (long cpu = 0; cpu < CPUS_MOST; cpu++)
        if (list_holds(server.text, cpu) && list_holds(p->loadgen_cpus, cpu))
            return true;
    return false;
}

static size_t goodput_row(FILE *out, const struct subject *s, struct group g)
{
    const struct plan *p = &s->results->plan;
    struct workload at = workload_at(&p->workloads[g.workload], g.point);
    put_point(out, s, g);
    put_estimate(out, estimate_metric(s, g, "throughput"), 1);
    put(out, at.open ? at.rate_rps : NAN);
    fprintf(out, "\t%d\n", shares_cpu(p, &at));
    return 1;
}

size_t write_sweep_goodput(FILE *out, const struct subject *s)
{
    fputs("model\tremark\tpoint\trps\trps_low\trps_high\toffered_rps\tshares_cpu\n", out);
    return write_sweep(out, s, goodput_row);
}

static size_t switches_row(FILE *out, const struct subject *s, struct group g)
{
    put_point(out, s, g);
    put_estimate(out, estimate_metric(s, g, "switches_per_request"), 1);
    fputc('\n', out);
    return 1;
}

size_t write_sweep_switches(FILE *out, const struct subject *s)
{
    fputs("model\tremark\tpoint\tswitches\tswitches_low\tswitches_high\n", out);
    return write_sweep(out, s, switches_row);
}
