#include "bench/report/summary.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/report/marks.h"
#include "bench/statistics/winners.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- summary.tsv ------------------------------------------------------------------------------ */

static void write_group(FILE *out, const struct results *r, struct group g)
{
    const struct workload *w = &r->plan.workloads[g.workload];
    size_t valid, trials = results_trials(r, g, &valid);
    for (size_t i = 0; i < metric_count; i++) {
        struct estimate e = results_estimate(r, g, &metrics[i]);
        if (e.count > 0)
            fprintf(out, "%s\t%s\t%s\t%s\t%s\t%.10g\t%.10g\t%.10g\t%zu\t%zu\n",
                    r->plan.models[g.model], w->name, point_name_of(w, g.point).text,
                    metrics[i].name, metrics[i].unit, e.median, e.low, e.high, trials, valid);
    }
}

static void write_tsv(FILE *out, const struct results *r)
{
    fputs("model\tworkload\tpoint\tmetric\tunit\tmedian\tlow\thigh\ttrials\tvalid\n", out);
    struct group g;
    for (g.workload = 0; g.workload < r->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&r->plan.workloads[g.workload]); g.point++)
            for (g.model = 0; g.model < r->plan.model_count; g.model++)
                write_group(out, r, g);
}

/* --- figures for people ----------------------------------------------------------------------- */

struct interval {
    char text[3 * sizeof(struct figure) + 32];
};

static struct interval interval_of(const struct results *r, const struct winners *winners,
                                   struct group g, const char *metric, double scale)
{
    struct interval f = {"–"};
    struct estimate e = results_estimate(r, g, metric_find(metric));
    if (e.count == 0)
        return f;
    bool bound = results_is_lower_bound(r, g, metric);
    const char *mark = winners && winners_have(winners, g, metric) ? "**" : "";
    char middle[sizeof(struct figure) + 16];
    snprintf(middle, sizeof middle, "%s%s%s%s", mark, bound ? "≥ " : "",
             figure_of(e.median * scale).text, mark);
    if (e.count == 1)
        snprintf(f.text, sizeof f.text, "%s", middle);
    else
        snprintf(f.text, sizeof f.text, "%s (%s–%s)", middle, figure_of(e.low * scale).text,
                 figure_of(e.high * scale).text);
    return f;
}

struct column {
    const char *title, *metric;
    double scale;
};

static const double PER_MS = 1e-3, MIB = 1.0 / (1 << 20);

static const struct column columns[] = {
    {"requests/s", "throughput", 1},
    {"p50 ms", "response_p50", PER_MS},
    {"p99 ms", "response_p99", PER_MS},
    {"p99.9 ms", "response_p99_9", PER_MS},
    {"CPU µs/request", "cpu_per_request", 1},
    {"switches/request", "switches_per_request", 1},
    {"of them involuntary", "switches_involuntary_per_request", 1},
    {"memory MiB", "memory_pss", MIB},
    {"threads", "threads_max", 1},
    {"errors", "errors", 1},
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

/* What a sweep shows, a table each. */
static const struct column sweep_tables[] = {
    {"Requests answered per second", "throughput", 1},
    {"Response time p99, ms", "response_p99", PER_MS},
    {"Context switches per request", "switches_per_request", 1},
    {"Memory of the server (PSS), MiB", "memory_pss", MIB},
};

/* What a search for the capacity shows: never the second without the first. */
static const struct column capacity_tables[] = {
    {"Capacity, requests/s", "capacity", 1},
    {"Peak throughput, whatever the response times, requests/s", "peak_throughput", 1},
};

/* The tables of a workload: one of several columns, or several of one metric. */
struct tables {
    const struct column *columns;
    size_t count;
};

static struct tables tables_of(const struct workload *w)
{
    if (w->capacity)
        return (struct tables){capacity_tables, sizeof capacity_tables / sizeof *capacity_tables};
    if (workload_has_points(w))
        return (struct tables){sweep_tables, sizeof sweep_tables / sizeof *sweep_tables};
    return (struct tables){columns, COLUMN_COUNT};
}

static bool is_shown(const struct workload *w, const char *metric)
{
    struct tables t = tables_of(w);
    for (size_t i = 0; i < t.count; i++)
        if (strcmp(t.columns[i].metric, metric) == 0)
            return true;
    return false;
}

static void write_rule(FILE *out, size_t count)
{
    fputs("| --- |", out);
    for (size_t i = 0; i < count; i++)
        fputs(" ---: |", out);
    fputc('\n', out);
}

static void write_plain_table(FILE *out, const struct results *r, const struct winners *winners,
                              size_t workload)
{
    fputs("| model |", out);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        fprintf(out, " %s |", columns[i].title);
    fputc('\n', out);
    write_rule(out, COLUMN_COUNT);
    for (size_t m = 0; m < r->plan.model_count; m++) {
        struct group g = {m, workload, 0};
        fprintf(out, "| %s |", r->plan.models[m]);
        for (size_t i = 0; i < COLUMN_COUNT; i++)
            fprintf(out, " %s |",
                    interval_of(r, winners, g, columns[i].metric, columns[i].scale).text);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void write_sweep_table(FILE *out, const struct results *r, const struct winners *winners,
                              size_t workload, const struct column *c)
{
    const struct workload *w = &r->plan.workloads[workload];
    fprintf(out, "%s, by %s:\n\n| model |", c->title, workload_varies(w));
    for (size_t i = 0; i < workload_points(w); i++)
        fprintf(out, " %s |", point_name_of(w, i).text);
    fputc('\n', out);
    write_rule(out, workload_points(w));
    for (size_t m = 0; m < r->plan.model_count; m++) {
        fprintf(out, "| %s |", r->plan.models[m]);
        for (size_t i = 0; i < workload_points(w); i++)
            fprintf(
                out, " %s |",
                interval_of(r, winners, (struct group){m, workload, i}, c->metric, c->scale).text);
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* A median of those who were answered is a lie where most were not. */
static void write_remarks(FILE *out, const struct results *r, size_t workload)
{
    const struct workload *w = &r->plan.workloads[workload];
    bool any = false;
    for (size_t m = 0; m < r->plan.model_count; m++)
        for (size_t i = 0; i < workload_points(w); i++) {
            struct group g = {m, workload, i};
            struct remark remark = results_remark(r, g);
            if (!*remark.text || !plan_serves(&r->plan, m, workload, i))
                continue;
            const char *sentence =
                strcmp(remark.text, "no answer") == 0 ? "answered no request" : remark.text;
            fprintf(out, "- %s %s%s", plan_server_name(&r->plan, m).text, sentence,
                    strncmp(sentence, "served", 6) == 0 ? " connections" : "");
            if (workload_has_points(w))
                fprintf(out, " at %s %s", workload_varies(w), point_name_of(w, i).text);
            fputs(".\n", out);
            any = true;
        }
    if (any)
        fputc('\n', out);
}

/* --- warnings --------------------------------------------------------------------------------- */

/* Warnings that differ in their figures only are one: the key has # for each number. */
static void key_of(const char *text, char *key, size_t size)
{
    size_t length = 0;
    while (*text && length + 1 < size) {
        size_t digits = strspn(text, "0123456789");
        key[length++] = digits > 0 ? '#' : *text;
        text += digits > 0 ? digits : 1;
    }
    key[length] = '\0';
}

/* Adds one to the count of `text`, and remembers where it was first seen. */
static void count_warning(json_t *warnings, const char *text, const json_t *run)
{
    char key[TEXT_SIZE];
    key_of(text, key, sizeof key);
    json_t *entry = json_object_get(warnings, key);
    if (!entry) {
        entry =
            json_pack("{s:i, s:s, s:O, s:O}", "count", 0, "text", text, "model",
                      json_object_get(run, "model"), "workload", json_object_get(run, "workload"));
        json_object_set_new(warnings, key, entry);
    }
    json_object_set_new(entry, "count",
                        json_integer(json_integer_value(json_object_get(entry, "count")) + 1));
}

static void write_warnings(FILE *out, const struct results *r)
{
    json_t *warnings = json_object();
    for (size_t i = 0; i < r->plan.cell_count; i++) {
        const json_t *run = r->of_cell[i];
        const char *message = json_string_value(json_at(run, "error"));
        if (message)
            count_warning(warnings, message, run);
        size_t index;
        json_t *warning;
        json_array_foreach (json_at(run, "warnings"), index, warning)
            if (json_is_string(warning))
                count_warning(warnings, json_string_value(warning), run);
    }
    if (json_object_size(warnings) > 0)
        fputs("## Warnings\n\n", out);
    const char *text;
    json_t *entry;
    json_object_foreach (warnings, text, entry) {
        json_int_t count = json_integer_value(json_object_get(entry, "count"));
        fprintf(out, "- %s (", json_string_value(json_object_get(entry, "text")));
        if (count > 1)
            fprintf(out, "%" JSON_INTEGER_FORMAT " times, first ", count);
        fprintf(out, "%s, %s)\n", json_string_value(json_object_get(entry, "model")),
                json_string_value(json_object_get(entry, "workload")));
    }
    json_decref(warnings);
}

static size_t measured_count(const struct results *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->plan.cell_count; i++)
        count += r->of_cell[i] != NULL;
    return count;
}

/* "12 of 12 measurements", and where precision decides, what was planned. */
static void write_counts(FILE *out, const struct results *r)
{
    const struct plan *p = &r->plan;
    size_t early, points = 0, needless = results_needless(r, &early), least = plan_least(p, NULL);
    for (size_t w = 0; w < p->workload_count; w++)
        points += workload_points(&p->workloads[w]);
    fprintf(out, "Profile %s, seed %lu, %zu of %zu measurements", p->profile, p->seed,
            measured_count(r), p->cell_count - needless);
    if (least < p->cell_count)
        fprintf(out, " (%zu to %zu were planned; finished early by precision: %zu of %zu points)",
                least, p->cell_count, early, points);
    fputs(".", out);
}

static void write_ceilings(FILE *out, const struct results *r)
{
    size_t index;
    json_t *one;
    const json_t *ceilings = json_at(r->environment, "generator_ceilings");
    json_array_foreach (ceilings, index, one)
        fprintf(out, "%s%s requests/s with %.0f thread%s and %s",
                index == 0 ? "The generator's own ceiling on this machine: " : ", ",
                figure_of(json_number_at(one, "requests_per_second")).text,
                json_number_at(one, "threads"), json_number_at(one, "threads") > 1 ? "s" : "",
                json_is_true(json_object_get(one, "close")) ? "a connection for each request"
                                                            : "kept connections");
    if (json_array_size(ceilings) > 0)
        fputs(". What comes within 10 % of it has the ≥, too.\n\n", out);
}

/* What was asked for and could not be measured here. */
static void write_left_out(FILE *out, const struct results *r)
{
    size_t index;
    json_t *sentence;
    json_array_foreach (r->plan.left_out, index, sentence)
        if (json_is_string(sentence))
            fprintf(out, "- %s\n", json_string_value(sentence));
    if (json_array_size(r->plan.left_out) > 0)
        fputc('\n', out);
}

static void write_head(FILE *out, const struct results *r, const struct winners *winners)
{
    bool repeated = false;
    for (size_t w = 0; w < r->plan.workload_count; w++)
        repeated |= r->plan.workloads[w].trials_most > 1;
    fputs("# Switchpoint run\n\n", out);
    write_counts(out, r);
    fputs(results_have_histograms(r)
              ? " A figure is the median over trials, a percentile that of all trials' requests "
                "together."
              : " A figure is the median over trials, also of percentiles: this run kept no "
                "histograms to merge.",
          out);
    if (repeated)
        fputs(" In brackets its 95 % interval (bootstrap over trials). With n trials an interval "
              "cannot be wider than their range, which covers the true median with a probability "
              "of 1 - 2^(1-n): 75 % for 3 trials, 94 % for 5, 97 % for 6.",
              out);
    else
        fputs(" With one trial there are no intervals, and no difference can be shown.", out);
    if (repeated && winners)
        fprintf(out,
                " **Bold** is what is shown to be better than every other model of the table "
                "(t-test within blocks of trials, p < 0.05 after Holm's correction for all %zu "
                "such comparisons of the run); where nothing is bold, nothing is shown.",
                winners_comparisons(winners));
    fputs(" Response times count from the moment at which a request was meant to be sent. ≥ is a "
          "lower bound: the generator was at its limit, and the server was not. – is not "
          "measured.\n\n",
          out);
    write_ceilings(out, r);
    write_left_out(out, r);
}

static void write_markdown(FILE *out, const struct results *r)
{
    const struct plan *p = &r->plan;
    struct winners *winners = winners_of(r, is_shown);
    write_head(out, r, winners);
    marks_write_overview(out, r);
    for (size_t w = 0; w < p->workload_count; w++) {
        fprintf(out, "## %s (%s)\n\n%s\n\n", p->workloads[w].title, p->workloads[w].name,
                p->workloads[w].question);
        struct tables tables = tables_of(&p->workloads[w]);
        bool by_point = p->workloads[w].capacity || workload_has_points(&p->workloads[w]);
        if (!by_point)
            write_plain_table(out, r, winners, w);
        for (size_t t = 0; by_point && t < tables.count; t++)
            write_sweep_table(out, r, winners, w, &tables.columns[t]);
        write_remarks(out, r, w);
        marks_write_list(out, r, w);
    }
    write_warnings(out, r);
    winners_free(winners);
}

static void write_short_table(FILE *out, const struct results *r)
{
    fprintf(out, "%-26s %-22s %10s %9s %9s %9s %9s\n", "workload", "model", "requests/s", "p50 ms",
            "p99 ms", "CPU us/r", "switch/r");
    static const size_t shown[] = {0, 1, 2, 4, 5};
    struct group g;
    for (g.workload = 0; g.workload < r->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&r->plan.workloads[g.workload]); g.point++)
            for (g.model = 0; g.model < r->plan.model_count; g.model++) {
                const struct workload *w = &r->plan.workloads[g.workload];
                char name[2 * NAME_SIZE];
                snprintf(name, sizeof name, "%s%s%s", w->name, workload_has_points(w) ? " " : "",
                         workload_has_points(w) ? point_name_of(w, g.point).text : "");
                fprintf(out, "%-26s %-22s", name, r->plan.models[g.model]);
                for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
                    const struct column *c =
                        w->capacity && i == 0 ? &capacity_tables[0] : &columns[shown[i]];
                    struct estimate e = results_estimate(r, g, metric_find(c->metric));
                    fprintf(out, " %*s", i == 0 ? 10 : 9,
                            e.count > 0 ? figure_of(e.median * c->scale).text : "-");
                }
                fprintf(out, "  %s\n", results_remark(r, g).text);
            }
}

/* --- texts and files -------------------------------------------------------------------------- */

static char *text_of(void (*write_to)(FILE *, const struct results *), const struct results *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        write_to(out, r);
    return text_finish(out, &text);
}

char *summary_text(const struct results *r)
{
    return text_of(write_markdown, r);
}

char *summary_table(const struct results *r)
{
    return text_of(write_short_table, r);
}

/* The percentile spectrum of all trials together; a group without histograms has none. */
static int write_spectrum(const struct results *r, struct group g, const char *folder,
                          struct error *error)
{
    const struct workload *w = &r->plan.workloads[g.workload];
    struct path path = path_of("%s/hgrm/%s-%s%s%s.hgrm", folder, r->plan.models[g.model], w->name,
                               workload_has_points(w) ? "-" : "",
                               workload_has_points(w) ? point_name_of(w, g.point).text : "");
    char *text = results_spectrum(r, g);
    return text ? file_replace_with(path.text, text, error) : 0;
}

static int write_spectra(const struct results *r, const char *folder, struct error *error)
{
    struct group g;
    int result = folder_ensure(path_of("%s/hgrm", folder).text, error);
    for (g.workload = 0; g.workload < r->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&r->plan.workloads[g.workload]); g.point++)
            for (g.model = 0; g.model < r->plan.model_count && result == 0; g.model++)
                result = write_spectrum(r, g, folder, error);
    return result;
}

int summary_write(const struct results *r, const char *folder, struct error *error)
{
    struct path tsv = path_of("%s/summary.tsv", folder), md = path_of("%s/summary.md", folder);
    if (file_replace_with(tsv.text, text_of(write_tsv, r), error) != 0)
        return -1;
    if (file_replace_with(md.text, text_of(write_markdown, r), error) != 0)
        return -1;
    return write_spectra(r, folder, error);
}
