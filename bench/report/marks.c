#include "bench/report/marks.h"

#include "bench/base/json.h"
#include "bench/journal/disturbance.h"
#include "bench/statistics/group.h"

#include <stdlib.h>
#include <string.h>

/* --- the whole run ---------------------------------------------------------------------------- */

enum { KINDS_MOST = 16, KIND_SIZE = 64 };

/* Reasons, and how often each was given. */
struct reasons {
    char kinds[KINDS_MOST][KIND_SIZE]; /* up to their figures */
    size_t counts[KINDS_MOST], count;
    size_t lines, disturbed;
};

/* "tasks waited for a disk for 2.0 % of the time" and "... 3.1 %" are of one kind. */
static void count_reason(struct reasons *r, const char *text)
{
    char kind[KIND_SIZE];
    size_t i = 0, length = strcspn(text, "0123456789");
    while (length > 0 && text[length - 1] == ' ')
        length--;
    snprintf(kind, sizeof kind, "%.*s", (int)length, text);
    while (i < r->count && strcmp(r->kinds[i], kind) != 0)
        i++;
    if (i == KINDS_MOST)
        return;
    if (i == r->count)
        strcpy(r->kinds[r->count++], kind);
    r->counts[i]++;
}

static void count_group(struct reasons *r, const struct measurements *of)
{
    for (size_t i = 0; i < of->count; i++) {
        r->lines++;
        if (!is_disturbed(of->at[i].line))
            continue;
        r->disturbed++;
        count_reason(r, first_disturbance(of->at[i].line));
    }
}

void marks_write_overview(FILE *out, const struct results *results)
{
    struct reasons r = {.count = 0};
    size_t main_reason = 0;
    struct group g;
    for (g.workload = 0; g.workload < results->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&results->plan.workloads[g.workload]);
             g.point++)
            for (g.model = 0; g.model < results->plan.model_count; g.model++)
                count_group(&r, results_of(results, g));
    for (size_t i = 1; i < r.count; i++)
        main_reason = r.counts[i] > r.counts[main_reason] ? i : main_reason;
    if (r.disturbed > 0)
        fprintf(out,
                "%zu of %zu measurements were disturbed by something that is neither the server "
                "nor the load generator, most often (%zu): %s. They are kept; what was disturbed "
                "in most of its blocks is named below.\n\n",
                r.disturbed, r.lines, r.counts[main_reason], r.kinds[main_reason]);
}

/* --- a workload ------------------------------------------------------------------------------- */

/* Whether a group is marked, and then with what example. */
typedef bool is_marked(const struct results *, struct group, char *example, size_t size);

static bool is_mostly_disturbed(const struct results *r, struct group g, char *example, size_t size)
{
    const struct measurements *of = results_of(r, g);
    bool mostly = 2 * group_disturbed(r, g) > of->count;
    for (size_t i = 0; i < of->count && mostly; i++)
        if (is_disturbed(of->at[i].line))
            snprintf(example, size, "%s", first_disturbance(of->at[i].line));
    return mostly;
}

static bool is_unsteady(const struct results *r, struct group g, char *example, size_t size)
{
    struct unsteady u = group_unsteady(r, g);
    if (u.what)
        snprintf(example, size,
                 "in the second half of the window, the %s was %.2f times that of the "
                 "first",
                 u.what, u.ratio);
    return u.what != NULL;
}

/* The points of a workload at which a model is marked. */
struct marked {
    bool at[VALUES_LIMIT];
    size_t count, measured;
};

static struct marked look_at(const struct results *r, size_t workload, size_t model,
                             is_marked *is_it, char *example, size_t size)
{
    struct marked m = {.count = 0};
    for (size_t point = 0; point < workload_points(&r->plan.workloads[workload]); point++) {
        struct group g = {model, workload, point};
        m.measured += results_of(r, g)->count > 0;
        m.at[point] = is_it(r, g, example, size);
        m.count += m.at[point];
    }
    return m;
}

/* "epoll", or with the points where it is not all of them: "epoll (64, 1024)". */
static void write_model(FILE *out, const struct results *r, size_t workload, size_t model,
                        const struct marked *m)
{
    const struct workload *w = &r->plan.workloads[workload];
    const char *before = " (";
    fputs(r->plan.models[model], out);
    for (size_t point = 0; m->count < m->measured && point < workload_points(w); point++)
        if (m->at[point]) {
            fprintf(out, "%s%s", before, point_name_of(w, point).text);
            before = ", ";
        }
    if (m->count < m->measured)
        fputc(')', out);
}

static bool write_mark(FILE *out, const struct results *r, size_t workload, const char *title,
                       is_marked *is_it)
{
    char example[160] = "";
    size_t marked = 0, measured = 0;
    for (size_t model = 0; model < r->plan.model_count; model++) {
        struct marked m = look_at(r, workload, model, is_it, example, sizeof example);
        marked += m.count;
        measured += m.measured;
    }
    if (marked == 0)
        return false;
    fprintf(out, "- %s: %s", title, marked == measured ? "all models" : "");
    const char *before = "";
    for (size_t model = 0; marked < measured && model < r->plan.model_count; model++) {
        char unused[160];
        struct marked m = look_at(r, workload, model, is_it, unused, sizeof unused);
        if (m.count == 0)
            continue;
        fputs(before, out);
        write_model(out, r, workload, model, &m);
        before = ", ";
    }
    fprintf(out, ". For example: %s.\n", example);
    return true;
}

void marks_write_list(FILE *out, const struct results *r, size_t workload)
{
    bool disturbed = write_mark(out, r, workload, "Disturbed in most blocks", is_mostly_disturbed);
    bool unsteady = write_mark(out, r, workload, "Unsteady", is_unsteady);
    if (disturbed || unsteady)
        fputc('\n', out);
}
