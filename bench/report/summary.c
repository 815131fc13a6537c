#include "bench/report/summary.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/report/answer.h"
#include "bench/report/marks.h"
#include "bench/report/tables.h"
#include "bench/statistics/group.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- summary.tsv ------------------------------------------------------------------------------ */

static void write_group(FILE *out, const struct results *r, struct group g)
{
    const struct workload *w = &r->plan.workloads[g.workload];
    size_t valid = group_valid(r, g);
    for (size_t i = 0; i < metric_count; i++) {
        struct estimate e = group_estimate(r, g, &metrics[i]);
        if (e.count > 0)
            fprintf(out, "%s\t%s\t%s\t%s\t%s\t%.10g\t%.10g\t%.10g\t%zu\t%zu\n",
                    r->plan.models[g.model], w->name, point_name_of(w, g.point).text,
                    metrics[i].name, metrics[i].unit, e.median, e.low, e.high,
                    results_of(r, g)->count, valid);
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

/* What stands in another place: in the documentation, once, or in a remark that is judged over all
 * blocks. */
static bool is_said_elsewhere(const char *warning)
{
    static const char *const beginnings[] = {"system calls were not counted",
                                             "instructions, cycles and cache misses",
                                             "the first half differs"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(warning, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return strstr(warning, "connections were not served") != NULL;
}

static void gather_warnings(json_t *warnings, const struct measurements *of)
{
    for (size_t i = 0; i < of->count; i++) {
        const json_t *line = of->at[i].line;
        const char *message = json_string_value(json_at(line, "error"));
        size_t index;
        json_t *warning;
        if (message)
            count_warning(warnings, message, line);
        json_array_foreach (json_at(line, "warnings"), index, warning)
            if (json_is_string(warning) && !is_said_elsewhere(json_string_value(warning)))
                count_warning(warnings, json_string_value(warning), line);
    }
}

static void write_warnings(FILE *out, const struct results *r)
{
    json_t *warnings = json_object();
    struct group g;
    for (g.workload = 0; g.workload < r->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&r->plan.workloads[g.workload]); g.point++)
            for (g.model = 0; g.model < r->plan.model_count; g.model++)
                gather_warnings(warnings, results_of(r, g));
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

/* "1,380 measurements at 16 points: 6 to 9 blocks of each, 160 of them previews" */
static void write_counts(FILE *out, const struct results *r)
{
    const struct plan *p = &r->plan;
    size_t fewest = SIZE_MAX, most = 0;
    struct group g;
    for (g.workload = 0; g.workload < p->workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&p->workloads[g.workload]); g.point++)
            for (g.model = 0; g.model < p->model_count; g.model++) {
                bool serves = plan_serves(p, g.model, g.workload, g.point);
                size_t blocks = results_is_preview(r, g) ? 0 : results_of(r, g)->count;
                fewest = serves && blocks < fewest ? blocks : fewest;
                most = serves && blocks > most ? blocks : most;
            }
    fprintf(out, "Profile %s, seed %lu: %zu measurements, first looks included; ", p->profile->name,
            p->seed, results_count(r));
    fprintf(out, fewest == most ? "%zu block%s of each of %zu points." : "%zu%s to ", fewest,
            fewest == most && fewest == 1 ? ""
            : fewest == most              ? "s"
                                          : "",
            plan_point_count(p));
    if (fewest != most)
        fprintf(out, "%zu blocks of each of %zu points.", most, plan_point_count(p));
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

static void write_head(FILE *out, const struct results *r)
{
    fputs("# Switchpoint: which model, for which workload, and why?\n\n", out);
    answer_write(out, r);
    fputs("\n## How this was measured\n\n", out);
    write_counts(out, r);
    fprintf(out,
            " A figure is the median over blocks, a percentile that of all blocks' requests "
            "together, a capacity the threshold of all their windows. In brackets its 95 %% "
            "interval; with fewer than six blocks the range, which holds the true median with a "
            "probability of 1 - 2^(1-n) for n blocks. **Bold** is shown to be the best of its "
            "column, or equivalent to the best within %g %%. Response times count from the moment "
            "at which a request was meant to be sent. ≥ is a lower bound. – is not measured, or "
            "rests on fewer than 100 requests beyond the percentile.\n\n",
            r->plan.margin * 100);
    write_ceilings(out, r);
    write_left_out(out, r);
    marks_write_overview(out, r);
}

static void write_markdown(FILE *out, const struct results *r)
{
    const struct plan *p = &r->plan;
    write_head(out, r);
    for (size_t w = 0; w < p->workload_count; w++) {
        fprintf(out, "## %s (%s)\n\n%s\n\n", p->workloads[w].title, p->workloads[w].name,
                p->workloads[w].question);
        tables_write(out, r, w);
        marks_write_list(out, r, w);
    }
    write_warnings(out, r);
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

/* The percentile spectrum of all blocks together; a group without histograms has none. */
static int write_spectrum(const struct results *r, struct group g, const char *folder,
                          struct error *error)
{
    const struct workload *w = &r->plan.workloads[g.workload];
    struct path path = path_of("%s/hgrm/%s-%s%s%s.hgrm", folder, r->plan.models[g.model], w->name,
                               workload_has_points(w) ? "-" : "",
                               workload_has_points(w) ? point_name_of(w, g.point).text : "");
    struct histogram *h = group_histogram(r, g);
    char *text = NULL;
    size_t size = 0;
    FILE *out = h ? open_memstream(&text, &size) : NULL;
    if (!h)
        return 0;
    if (out)
        histogram_write_hgrm(h, out);
    histogram_free(h);
    return file_replace_with(path.text, text_finish(out, &text), error);
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
