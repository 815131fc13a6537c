#include "bench/report/marks.h"

#include "bench/base/json.h"
#include "bench/journal/disturbance.h"

#include <stdlib.h>
#include <string.h>

struct counts {
    size_t disturbed, repeated, still_disturbed, unsteady; /* cells */
};

/* A cell may have several lines: it was disturbed if one of them was. */
static struct counts count(const struct results *r)
{
    struct counts c = {0};
    size_t cells = r->plan.cell_count, index;
    json_t *line;
    unsigned *lines = calloc(cells + 1, sizeof *lines);
    bool *disturbed = calloc(cells + 1, sizeof *disturbed);
    if (lines && disturbed)
        json_array_foreach (r->runs, index, line) {
            size_t cell = plan_find(&r->plan, line);
            lines[cell]++;
            disturbed[cell] |= is_disturbed(line);
        }
    for (size_t i = 0; lines && disturbed && i < cells; i++) {
        c.disturbed += disturbed[i];
        c.repeated += lines[i] > 1;
        c.still_disturbed += is_disturbed(r->of_cell[i]);
        c.unsteady += is_unsteady(r->of_cell[i]);
    }
    free(lines);
    free(disturbed);
    return c;
}

void marks_write_overview(FILE *out, const struct results *r)
{
    struct counts c = count(r);
    if (c.disturbed > 0)
        fprintf(out,
                "Disturbed, by something that is neither the server nor the load generator: %zu "
                "measurements. Repeated: %zu. Remained disturbed: %zu, each marked below.\n\n",
                c.disturbed, c.repeated, c.still_disturbed);
    if (c.unsteady > 0)
        fprintf(out,
                "Unsteady: %zu measurements, each marked below. The second half of the measured "
                "window differed from the first.\n\n",
                c.unsteady);
}

static void write_reasons(FILE *out, const json_t *run)
{
    size_t index;
    json_t *reason;
    json_array_foreach (json_at(run, "disturbed"), index, reason)
        fprintf(out, "%s%s", index > 0 ? ", " : "", json_string_value(reason));
}

static void write_halves(FILE *out, const json_t *run)
{
    const json_t *first = json_array_get(json_at(run, "halves"), 0);
    const json_t *second = json_array_get(json_at(run, "halves"), 1);
    fprintf(out, "%.5g and %.5g requests/s, p50 %.4g and %.4g ms",
            json_number_at(first, "throughput_rps"), json_number_at(second, "throughput_rps"),
            json_number_at(first, "p50_us") / 1e3, json_number_at(second, "p50_us") / 1e3);
}

struct mark {
    const char *what;
    bool (*applies)(const json_t *line);
    void (*explain)(FILE *, const json_t *line);
};

static const struct mark marks[] = {
    {"disturbed", is_disturbed, write_reasons},
    {"unsteady", is_unsteady, write_halves},
};

/* One line for the trials of a group, with the figures of the first of them. */
static bool write_mark(FILE *out, const struct results *r, struct group g, const struct mark *mark)
{
    const struct workload *w = &r->plan.workloads[g.workload];
    const json_t *example = NULL;
    size_t marked = 0, unused;
    for (unsigned trial = 1; trial <= w->trials_most; trial++) {
        const json_t *run = results_run(r, g, trial);
        if (!mark->applies(run))
            continue;
        marked++;
        example = example ? example : run;
    }
    if (marked == 0)
        return false;
    fprintf(out, "- %s", plan_server_name(&r->plan, g.model).text);
    if (workload_has_points(w))
        fprintf(out, " at %s %s", workload_varies(w), point_name_of(w, g.point).text);
    fprintf(out, " was %s in %zu of %zu trials (trial %.0f: ", mark->what, marked,
            results_trials(r, g, &unused), json_number_at(example, "trial"));
    mark->explain(out, example);
    fputs(").\n", out);
    return true;
}

void marks_write_list(FILE *out, const struct results *r, size_t workload)
{
    bool any = false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        for (size_t m = 0; m < r->plan.model_count; m++)
            for (size_t p = 0; p < workload_points(&r->plan.workloads[workload]); p++)
                any |= write_mark(out, r, (struct group){m, workload, p}, &marks[i]);
    if (any)
        fputc('\n', out);
}
