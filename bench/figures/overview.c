/* Figures about all workloads that have no points: throughput, latency, spectrum, and what a
 * request costs in switches and CPU time. */
#include "bench/figures/data.h"

#include <math.h>

/* Of each model in each workload that has no points and that `applies` accepts (NULL: any). */
static size_t write_plain(FILE *out, const struct subject *s, write_group *write,
                          bool (*applies)(const struct workload *))
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    for (size_t w = 0; w < p->workload_count; w++) {
        const struct workload *workload = &p->workloads[w];
        if (workload_has_points(workload) || workload->capacity || (applies && !applies(workload)))
            continue;
        for (size_t m = 0; m < p->model_count; m++)
            rows += write(out, s, (struct group){m, w, 0});
    }
    return rows;
}

static void put_identity(FILE *out, const struct subject *s, struct group g)
{
    const struct workload *w = &s->results->plan.workloads[g.workload];
    fprintf(out, "%s\t%s\t%s\t%s", w->name, w->title, s->results->plan.models[g.model],
            group_remark(s->results, g).text);
}

static size_t throughput_row(FILE *out, const struct subject *s, struct group g)
{
    put_identity(out, s, g);
    fputs(estimate_metric(s, g, "throughput").at_least ? "\t≥" : "\t", out);
    put_estimate(out, estimate_metric(s, g, "throughput"), 1);
    fputc('\n', out);
    return 1;
}

/* At a fixed rate the throughput is that rate and says nothing about the server. */
static bool is_closed(const struct workload *w)
{
    return !w->open;
}

size_t write_throughput(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tbound\trps\trps_low\trps_high\n", out);
    return write_plain(out, s, throughput_row, is_closed);
}

static size_t latency_rows(FILE *out, const struct subject *s, struct group g)
{
    static const struct {
        const char *label, *metric;
    } shown[] = {{"p50", "response_p50"},
                 {"p90", "response_p90"},
                 {"p99", "response_p99"},
                 {"p99.9", "response_p99_9"}};
    enum { SHOWN = sizeof shown / sizeof *shown };
    for (size_t i = 0; i < SHOWN; i++) {
        put_identity(out, s, g);
        fprintf(out, "\t%s", shown[i].label);
        put_estimate(out, estimate_metric(s, g, shown[i].metric), MS_PER_US);
        fputc('\n', out);
    }
    return SHOWN;
}

size_t write_latency(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tpercentile\tms\tms_low\tms_high\n", out);
    return write_plain(out, s, latency_rows, NULL);
}

/* Up to where a single request is left: beyond it there is nothing to be known. */
static size_t spectrum_rows(FILE *out, const struct subject *s, struct group g)
{
    static const double STEPS_PER_DECADE = 10;
    struct histogram *h = group_histogram(s->results, g);
    size_t rows = 0;
    if (!h)
        return 0;
    for (double inverse = 1, most = (double)h->count; inverse <= most; rows++) {
        double quantile = 1 - 1 / inverse;
        put_identity(out, s, g);
        put(out, inverse);
        put(out, (double)histogram_quantile_ns(h, quantile) / 1e3 * MS_PER_US);
        fputc('\n', out);
        double next = inverse * pow(10, 1 / STEPS_PER_DECADE);
        inverse = inverse < most && next > most ? most : next;
    }
    histogram_free(h);
    return rows;
}

size_t write_spectrum(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tone_by_one_minus_p\tms\n", out);
    return write_plain(out, s, spectrum_rows, NULL);
}

/* The two parts of a cost, and their sum with its low and high. */
static size_t put_stack(FILE *out, const struct subject *s, struct group g, const char *lower,
                        const char *upper, const char *sum)
{
    put_identity(out, s, g);
    put(out, figure_of_group(s, g, lower));
    put(out, figure_of_group(s, g, upper));
    put_estimate(out, estimate_metric(s, g, sum), 1);
    fputc('\n', out);
    return 1;
}

static size_t switches_row(FILE *out, const struct subject *s, struct group g)
{
    return put_stack(out, s, g, "switches_voluntary_per_request",
                     "switches_involuntary_per_request", "switches_per_request");
}

size_t write_switches(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tvoluntary\tinvoluntary\ttotal\ttotal_low\ttotal_high\n",
          out);
    return write_plain(out, s, switches_row, NULL);
}

static size_t cpu_row(FILE *out, const struct subject *s, struct group g)
{
    return put_stack(out, s, g, "cpu_user_per_request", "cpu_system_per_request",
                     "cpu_per_request");
}

size_t write_cpu(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tuser_us\tsystem_us\ttotal_us\ttotal_us_low\t"
          "total_us_high\n",
          out);
    return write_plain(out, s, cpu_row, NULL);
}
