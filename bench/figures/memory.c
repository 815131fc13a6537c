/* Memory against the number of connections: in all and by where it is, and what each further
 * connection costs. */
#include "bench/figures/data.h"

#include <math.h>

/* The sum of those metrics of a run that were measured; NaN: none of them. */
static double sum_of(const json_t *run, const char *const names[])
{
    double sum = NAN;
    for (; *names; names++) {
        double value = metric_value(metric_find(*names), run);
        if (!isnan(value))
            sum = (isnan(sum) ? 0 : sum) + value;
    }
    return sum;
}

static double kernel_bytes(const json_t *run)
{
    static const char *const parts[] = {"memory_kernel_stack", "memory_page_table",
                                        "memory_socket_buffer", "memory_socket_struct", NULL};
    return sum_of(run, parts);
}

static double stack_bytes(const json_t *run)
{
    return metric_value(metric_find("memory_user_stack"), run);
}

/* What the process has touched, without its threads' stacks. PSS shares what is shared. */
static double user_bytes(const json_t *run)
{
    double all = metric_value(metric_find("memory_pss"), run);
    if (isnan(all))
        all = metric_value(metric_find("memory_rss"), run);
    double stacks = stack_bytes(run);
    return isnan(stacks) ? all : fmax(all - stacks, 0);
}

static double all_bytes(const json_t *run)
{
    double user = user_bytes(run), stacks = stack_bytes(run), kernel = kernel_bytes(run);
    return user + (isnan(stacks) ? 0 : stacks) + (isnan(kernel) ? 0 : kernel);
}

static const struct {
    const char *name;
    value_of_run *bytes;
} kinds[] = {
    {"all", all_bytes}, {"user", user_bytes}, {"stacks", stack_bytes}, {"kernel", kernel_bytes}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Of one block: the slope of the least-squares line through its points. NaN: too few of them. */
static double block_slope(const struct subject *s, size_t model, value_of_run *bytes,
                          unsigned block)
{
    const struct workload *w = &s->results->plan.workloads[s->workload];
    double x[VALUES_LIMIT], y[VALUES_LIMIT];
    size_t count = 0;
    for (size_t i = 0; i < w->value_count; i++) {
        const json_t *run = results_run(s->results, (struct group){model, s->workload, i}, block);
        double value = run ? bytes(run) : NAN;
        x[count] = w->values[i];
        y[count] = value;
        if (!isnan(value))
            count++;
    }
    return least_squares_slope(x, y, count);
}

/* Bytes per connection. */
static struct estimate estimate_slope(const struct subject *s, size_t model, value_of_run *bytes)
{
    const struct measurements *of = results_of(s->results, (struct group){model, s->workload, 0});
    double slopes[ESTIMATE_MOST];
    size_t count = 0;
    for (; count < of->count && count < ESTIMATE_MOST; count++)
        slopes[count] = block_slope(s, model, bytes, of->at[count].block);
    return estimate_of(slopes, count);
}

/* The rows of one model and one kind of memory. */
static size_t kind_rows(FILE *out, const struct subject *s, size_t model, size_t kind)
{
    const struct plan *p = &s->results->plan;
    const struct workload *w = &p->workloads[s->workload];
    struct estimate slope = estimate_slope(s, model, kinds[kind].bytes);
    for (size_t i = 0; i < w->value_count; i++) {
        struct group g = {model, s->workload, i};
        fprintf(out, "%s\t%s\t%s\t%s", p->models[model], group_remark(s->results, g).text,
                point_name_of(w, i).text, kinds[kind].name);
        put_estimate(out, estimate_value(s, g, kinds[kind].bytes), MIB_PER_BYTE);
        put_estimate(out, slope, 1);
        fputc('\n', out);
    }
    return w->value_count;
}

size_t write_memory(FILE *out, const struct subject *s)
{
    size_t rows = 0;
    fputs("model\tremark\tpoint\tkind\tmib\tmib_low\tmib_high\tbytes_per_connection\t"
          "bytes_per_connection_low\tbytes_per_connection_high\n",
          out);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t m = 0; m < s->results->plan.model_count; m++)
            rows += kind_rows(out, s, m, k);
    return rows;
}
