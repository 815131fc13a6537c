#include "bench/report/plot.h"

#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/report/draw.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double MS_PER_US = 1e-3, MIB_PER_BYTE = 1.0 / (1 << 20);

/* What is being drawn: the whole run, or one workload of it. */
struct subject {
    const struct results *results;
    const char *folder;
    size_t workload; /* where the figure is about one */
};

/* One kind of figure. `write` returns how many rows of data it wrote. */
struct figure_kind {
    const char *name; /* of the figure; after "WORKLOAD-" where it is about one workload */
    const char *script, *title;
    bool (*applies)(const struct workload *); /* NULL: one figure for all workloads */
    size_t (*write)(FILE *, const struct subject *);
};

/* --- values ----------------------------------------------------------------------------------- */

/* A number as the scripts read it: "-" is their mark for what is missing. */
static void put(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, "\t%.10g", value);
    else
        fputs("\t-", out);
}

static void put_estimate(FILE *out, struct estimate e, double scale)
{
    put(out, e.count > 0 ? e.median * scale : NAN);
    put(out, e.count > 0 ? e.low * scale : NAN);
    put(out, e.count > 0 ? e.high * scale : NAN);
}

static struct estimate estimate_metric(const struct subject *s, struct group g, const char *metric)
{
    return results_estimate(s->results, g, metric_find(metric));
}

static double median_of(const struct subject *s, struct group g, const char *metric)
{
    struct estimate e = estimate_metric(s, g, metric);
    return e.count > 0 ? e.median : NAN;
}

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

static struct estimate estimate_with(const struct subject *s, struct group g,
                                     double (*value)(const json_t *))
{
    enum { LIMIT = ESTIMATE_MOST };
    double values[LIMIT];
    size_t count = 0;
    unsigned trials = (unsigned)s->results->plan.workloads[g.workload].trials_most;
    for (unsigned trial = 1; trial <= trials && count < LIMIT; trial++) {
        const json_t *run = results_run(s->results, g, trial);
        if (run)
            values[count++] = value(run);
    }
    return estimate_of(values, count);
}

/* --- figures about all workloads -------------------------------------------------------------- */

typedef size_t write_group(FILE *, const struct subject *, struct group);

/* One row, or some, for each model of each workload that has no points. */
static size_t write_plain(FILE *out, const struct subject *s, write_group *write)
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t m = 0; m < p->model_count && !workload_has_points(&p->workloads[w]); m++)
            rows += write(out, s, (struct group){m, w, 0});
    return rows;
}

static void put_identity(FILE *out, const struct subject *s, struct group g)
{
    const struct workload *w = &s->results->plan.workloads[g.workload];
    fprintf(out, "%s\t%s\t%s\t%s", w->name, w->title, s->results->plan.models[g.model],
            results_remark(s->results, g).text);
}

static size_t throughput_row(FILE *out, const struct subject *s, struct group g)
{
    put_identity(out, s, g);
    fputs(results_generator_bound(s->results, g) ? "\t≥" : "\t", out);
    put_estimate(out, estimate_metric(s, g, "throughput"), 1);
    fputc('\n', out);
    return 1;
}

static size_t write_throughput(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tbound\trps\trps_low\trps_high\n", out);
    return write_plain(out, s, throughput_row);
}

/* What the service level allows, and beside it what was answered at most. */
static size_t write_capacity(FILE *out, const struct subject *s)
{
    const struct plan *p = &s->results->plan;
    size_t rows = 0;
    fputs("workload\tpoint\tmodel\tslo\tbound\trps\trps_low\trps_high\tpeak_rps\n", out);
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t i = 0; i < workload_points(&p->workloads[w]); i++)
            for (size_t m = 0; m < p->model_count; m++) {
                struct workload at = workload_at(&p->workloads[w], i);
                struct group g = {m, w, i};
                if (!at.capacity)
                    continue;
                fprintf(out, "%s\t%s\t%s\t%s\t%s", at.name, point_name_of(&at, i).text,
                        p->models[m], at.slo,
                        results_is_lower_bound(s->results, g, "capacity") ? "≥" : "");
                put_estimate(out, estimate_metric(s, g, "capacity"), 1);
                put(out, median_of(s, g, "peak_throughput"));
                fputc('\n', out);
                rows++;
            }
    return rows;
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

static size_t write_latency(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tpercentile\tms\tms_low\tms_high\n", out);
    return write_plain(out, s, latency_rows);
}

/* The two parts of a cost, and their sum with its low and high. */
static void put_stack(FILE *out, const struct subject *s, struct group g, const char *lower,
                      const char *upper, const char *sum)
{
    put_identity(out, s, g);
    put(out, median_of(s, g, lower));
    put(out, median_of(s, g, upper));
    put_estimate(out, estimate_metric(s, g, sum), 1);
    fputc('\n', out);
}

static size_t switches_row(FILE *out, const struct subject *s, struct group g)
{
    put_stack(out, s, g, "switches_voluntary_per_request", "switches_involuntary_per_request",
              "switches_per_request");
    return 1;
}

static size_t write_switches(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tvoluntary\tinvoluntary\ttotal\ttotal_low\ttotal_high\n",
          out);
    return write_plain(out, s, switches_row);
}

static size_t cpu_row(FILE *out, const struct subject *s, struct group g)
{
    put_stack(out, s, g, "cpu_user_per_request", "cpu_system_per_request", "cpu_per_request");
    return 1;
}

static size_t write_cpu(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tuser_us\tsystem_us\ttotal_us\ttotal_us_low\t"
          "total_us_high\n",
          out);
    return write_plain(out, s, cpu_row);
}

static size_t spectrum_row(FILE *out, const struct subject *s, struct group g, double inverse,
                           double value_us)
{
    put_identity(out, s, g);
    put(out, inverse);
    put(out, value_us * MS_PER_US);
    fputc('\n', out);
    return 1;
}

/* HdrHistogram's percentile table of all trials together; of a run without histograms that of the
 * trial in the middle. To be freed; NULL: there is none. */
static char *percentile_table(const struct subject *s, struct group g)
{
    const struct plan *p = &s->results->plan;
    char *text = results_spectrum(s->results, g);
    if (text)
        return text;
    unsigned trial = results_typical_trial(s->results, g);
    struct path path = path_of("%s/hgrm/%s-%s-%u.hgrm", s->folder, p->models[g.model],
                               p->workloads[g.workload].name, trial);
    return trial > 0 ? file_read(path.text, NULL) : NULL;
}

/* Rows of that table: value, percentile, count, 1/(1-percentile). Its last one ends at infinity.
 * All that lies above the row before it has the last one's value: it is drawn from there to where
 * a single request is left, for it can be the many that got no answer. */
static size_t spectrum_rows(FILE *out, const struct subject *s, struct group g)
{
    char *text = percentile_table(s, g);
    size_t rows = 0;
    double reached = 1;
    char *rest = text;
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        double value_us, percentile, count, inverse;
        if (sscanf(line, "%lf %lf %lf %lf", &value_us, &percentile, &count, &inverse) != 4)
            continue;
        if (isinf(inverse)) {
            rows += spectrum_row(out, s, g, reached, value_us);
            inverse = fmax(count, reached);
        }
        rows += spectrum_row(out, s, g, inverse, value_us);
        reached = inverse;
    }
    free(text);
    return rows;
}

static size_t write_spectrum(FILE *out, const struct subject *s)
{
    fputs("workload\ttitle\tmodel\tremark\tone_by_one_minus_p\tms\n", out);
    return write_plain(out, s, spectrum_rows);
}

/* --- figures about one sweep ------------------------------------------------------------------ */

static bool has_sweep(const struct workload *w)
{
    return w->value_count > 0;
}

static bool sweeps_connections(const struct workload *w)
{
    return strcmp(workload_varies(w), "connections") == 0 || strcmp(w->sweep, "idle") == 0;
}

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
    fprintf(out, "%s\t%s\t%s", p->models[g.model], results_remark(s->results, g).text,
            point_name_of(&p->workloads[g.workload], g.point).text);
}

static size_t sweep_latency_row(FILE *out, const struct subject *s, struct group g)
{
    put_point(out, s, g);
    put_estimate(out, estimate_metric(s, g, "response_p50"), MS_PER_US);
    put_estimate(out, estimate_metric(s, g, "response_p99"), MS_PER_US);
    fputc('\n', out);
    return 1;
}

static size_t write_sweep_latency(FILE *out, const struct subject *s)
{
    fputs("model\tremark\tpoint\tp50_ms\tp50_ms_low\tp50_ms_high\tp99_ms\tp99_ms_low\t"
          "p99_ms_high\n",
          out);
    return write_sweep(out, s, sweep_latency_row);
}

static size_t goodput_row(FILE *out, const struct subject *s, struct group g)
{
    struct workload at = workload_at(&s->results->plan.workloads[g.workload], g.point);
    put_point(out, s, g);
    put_estimate(out, estimate_metric(s, g, "throughput"), 1);
    put(out, at.open ? at.rate_rps : NAN);
    fputc('\n', out);
    return 1;
}

static size_t write_goodput(FILE *out, const struct subject *s)
{
    fputs("model\tremark\tpoint\trps\trps_low\trps_high\toffered_rps\n", out);
    return write_sweep(out, s, goodput_row);
}

static size_t sweep_switches_row(FILE *out, const struct subject *s, struct group g)
{
    put_point(out, s, g);
    put_estimate(out, estimate_metric(s, g, "switches_per_request"), 1);
    fputc('\n', out);
    return 1;
}

static size_t write_sweep_switches(FILE *out, const struct subject *s)
{
    fputs("model\tremark\tpoint\tswitches\tswitches_low\tswitches_high\n", out);
    return write_sweep(out, s, sweep_switches_row);
}

/* The kinds of memory that the figure shows, a panel each. */
static const struct {
    const char *name;
    double (*bytes)(const json_t *);
} memory_kinds[] = {
    {"all", all_bytes}, {"user", user_bytes}, {"stacks", stack_bytes}, {"kernel", kernel_bytes}};
enum { MEMORY_KINDS = sizeof memory_kinds / sizeof *memory_kinds };

/* Bytes per connection, by least squares over the medians of all points. */
static double memory_slope(const struct subject *s, size_t model, double (*bytes)(const json_t *))
{
    const struct workload *w = &s->results->plan.workloads[s->workload];
    double x[VALUES_LIMIT], y[VALUES_LIMIT];
    size_t count = 0;
    for (size_t i = 0; i < w->value_count; i++) {
        struct estimate e = estimate_with(s, (struct group){model, s->workload, i}, bytes);
        x[count] = w->values[i];
        y[count] = e.median;
        count += e.count > 0;
    }
    return least_squares_slope(x, y, count);
}

static size_t write_memory(FILE *out, const struct subject *s)
{
    const struct plan *p = &s->results->plan;
    const struct workload *w = &p->workloads[s->workload];
    size_t rows = 0;
    fputs("model\tremark\tpoint\tkind\tmib\tmib_low\tmib_high\tbytes_per_connection\n", out);
    for (size_t k = 0; k < MEMORY_KINDS; k++)
        for (size_t m = 0; m < p->model_count; m++) {
            double slope = memory_slope(s, m, memory_kinds[k].bytes);
            for (size_t i = 0; i < w->value_count; i++, rows++) {
                struct group g = {m, s->workload, i};
                put_point(out, s, g);
                fprintf(out, "\t%s", memory_kinds[k].name);
                put_estimate(out, estimate_with(s, g, memory_kinds[k].bytes), MIB_PER_BYTE);
                put(out, fabs(slope) < 0.5 ? 0 : slope); /* no "-0 bytes" */
                fputc('\n', out);
            }
        }
    return rows;
}

/* --- timelines -------------------------------------------------------------------------------- */

static bool has_timeline(const struct workload *w)
{
    return w->timeline_s > 0 && !workload_has_points(w);
}

/* Splits a line at its tabs, in place. */
static size_t split(char *line, char *fields[], size_t limit)
{
    size_t count = 0;
    for (char *field; count < limit && (field = strsep(&line, "\t"));)
        fields[count++] = field;
    return count;
}

enum { FIELD_LIMIT = 64 };
static const char *const timeline_columns[] = {"time_s", "throughput_rps", "p50_us", "p99_us",
                                               "max_us"};
static const double timeline_scales[] = {1, 1, 1e-3, 1e-3, 1e-3};
enum { TIMELINE_COLUMNS = sizeof timeline_columns / sizeof *timeline_columns };

/* Where the columns that are wanted stand in the file. */
static void find_columns(char *header, size_t places[TIMELINE_COLUMNS])
{
    char *names[FIELD_LIMIT];
    size_t count = split(header, names, FIELD_LIMIT);
    for (size_t c = 0; c < TIMELINE_COLUMNS; c++) {
        places[c] = 0;
        while (places[c] < count && strcmp(names[places[c]], timeline_columns[c]) != 0)
            places[c]++;
    }
}

static char *timeline_read(const struct subject *s, size_t model, unsigned trial)
{
    const struct plan *p = &s->results->plan;
    struct path path = path_of("%s/timeline/%s-%s-%u.tsv", s->folder, p->models[model],
                               p->workloads[s->workload].name, trial);
    return trial > 0 ? file_read(path.text, NULL) : NULL;
}

static size_t timeline_rows(FILE *out, const struct subject *s, size_t model, unsigned trial)
{
    const struct plan *p = &s->results->plan;
    struct group g = {model, s->workload, 0};
    char *text = timeline_read(s, model, trial);
    if (!text)
        text = timeline_read(s, model, results_typical_trial(s->results, g));
    char *rest = text;
    size_t rows = 0, places[TIMELINE_COLUMNS];
    if (rest)
        find_columns(strsep(&rest, "\n"), places);
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        char *fields[FIELD_LIMIT];
        size_t count = split(line, fields, FIELD_LIMIT);
        if (count < 2)
            continue;
        fprintf(out, "%s\t%s", p->models[model], results_remark(s->results, g).text);
        for (size_t c = 0; c < TIMELINE_COLUMNS; c++) {
            char *end = NULL;
            double value = places[c] < count ? strtod(fields[places[c]], &end) : NAN;
            put(out, end && end != fields[places[c]] ? value * timeline_scales[c] : NAN);
        }
        fputc('\n', out);
        rows++;
    }
    free(text);
    return rows;
}

/* In a trial every model gets the same requests at the same times: one trial for all of them. */
static unsigned common_trial(const struct subject *s)
{
    unsigned trial = 0;
    for (size_t m = 0; m < s->results->plan.model_count && trial == 0; m++)
        trial = results_typical_trial(s->results, (struct group){m, s->workload, 0});
    return trial;
}

static size_t write_timeline(FILE *out, const struct subject *s)
{
    unsigned trial = common_trial(s);
    size_t rows = 0;
    fputs("model\tremark\ttime_s\trps\tp50_ms\tp99_ms\tmax_ms\n", out);
    for (size_t m = 0; m < s->results->plan.model_count; m++)
        rows += timeline_rows(out, s, m, trial);
    return rows;
}

/* --- all of them ------------------------------------------------------------------------------ */

static const struct figure_kind kinds[] = {
    {"capacity", "capacity.gp", "Capacity under a service level", NULL, write_capacity},
    {"throughput", "throughput.gp", "Requests answered per second", NULL, write_throughput},
    {"latency", "latency.gp", "Response time percentiles", NULL, write_latency},
    {"spectrum", "spectrum.gp", "Response time, percentile by percentile", NULL, write_spectrum},
    {"switches", "stacked.gp", "Context switches of the server per request", NULL, write_switches},
    {"cpu", "stacked.gp", "CPU time of the server per request", NULL, write_cpu},
    {"latency", "sweep-latency.gp", "response time", has_sweep, write_sweep_latency},
    {"goodput", "sweep-goodput.gp", "requests answered per second", has_sweep, write_goodput},
    {"memory", "sweep-memory.gp", "memory of the server", sweeps_connections, write_memory},
    {"switches", "sweep-switches.gp", "context switches per request", sweeps_connections,
     write_sweep_switches},
    {"timeline", "timeline.gp", "response time as it went", has_timeline, write_timeline},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static const char *axis_of(const struct workload *w)
{
    if (strcmp(w->sweep, "rate_rps") == 0)
        return "offered load (requests/s)";
    return workload_varies(w);
}

/* The data file, and whether there is anything in it to draw. */
static int write_data(const struct figure_kind *kind, const struct subject *s, const char *stem,
                      size_t *rows, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return error_set(error, "no memory for %s.tsv", stem);
    *rows = kind->write(out, s);
    fclose(out);
    int result = *rows > 0 ? file_replace(path_of("%s.tsv", stem).text, text, size, error) : 0;
    free(text);
    return result;
}

/* Draws what one kind of figure makes of one subject; `drawing` is cleared by the first failure,
 * after which only data files are written. */
static int make_figure(const struct figure_kind *kind, const struct subject *s, const char *stem,
                       const char *scripts, bool *drawing, struct error *error)
{
    const struct workload *w = &s->results->plan.workloads[s->workload];
    char title[2 * TEXT_SIZE];
    size_t rows = 0;
    if (write_data(kind, s, stem, &rows, error) != 0) {
        *drawing = false;
        return -1;
    }
    snprintf(title, sizeof title, "%s%s%s", kind->applies ? w->title : "",
             kind->applies ? ": " : "", kind->title);
    const struct drawing figure = {.script = kind->script,
                                   .data = path_of("%s.tsv", stem).text,
                                   .stem = stem,
                                   .title = title,
                                   .axis = kind->applies ? axis_of(w) : kind->name};
    if (rows > 0 && *drawing)
        *drawing = draw(&figure, scripts, error) == 0;
    return 0;
}

static int plot_into(const struct results *r, const char *folder, const char *plots,
                     const char *scripts, struct error *error)
{
    bool drawing = *scripts != '\0';
    if (!drawing)
        error_set(error, "no folder scripts/plot here or beside bench");
    struct subject s = {.results = r, .folder = folder};
    int result = 0;
    for (size_t k = 0; k < KIND_COUNT && result == 0; k++) {
        if (!kinds[k].applies)
            result = make_figure(&kinds[k], &s, path_of("%s/%s", plots, kinds[k].name).text,
                                 scripts, &drawing, error);
        for (s.workload = 0; kinds[k].applies && s.workload < r->plan.workload_count;
             s.workload++) {
            const struct workload *w = &r->plan.workloads[s.workload];
            if (result == 0 && kinds[k].applies(w))
                result = make_figure(&kinds[k], &s,
                                     path_of("%s/%s-%s", plots, w->name, kinds[k].name).text,
                                     scripts, &drawing, error);
        }
        s.workload = 0;
    }
    if (result != 0 || drawing)
        return result;
    struct error reason = *error;
    return error_set(error, "%.800s. The data files are in %.150s: nothing is lost", reason.text,
                     plots);
}

int plot_all(const struct results *r, const char *folder, const char *scripts, struct error *error)
{
    struct path plots = path_of("%s/plots", folder), absolute;
    if (folder_ensure(plots.text, error) != 0)
        return -1;
    /* gnuplot works in the scripts' folder, so that they find their style. */
    if (!realpath(plots.text, absolute.text))
        return error_set(error, "cannot use %s: %s", plots.text, strerror(errno));
    struct path scripts_absolute = {""};
    if (*scripts && !realpath(scripts, scripts_absolute.text))
        return error_set(error, "cannot use %s: %s", scripts, strerror(errno));
    return plot_into(r, folder, absolute.text, scripts_absolute.text, error);
}
