#include "bench/report/plot.h"

#include "bench/base/files.h"
#include "bench/figures/data.h"
#include "bench/report/draw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One kind of figure. `write` returns how many rows of data it wrote. */
struct figure_kind {
    const char *name; /* of the figure; after "WORKLOAD-" where it is about one workload */
    const char *script, *title;
    bool (*applies)(const struct workload *); /* NULL: one figure for all workloads */
    size_t (*write)(FILE *, const struct subject *);
};

enum { CURVE_POINTS = 3 }; /* fewer are no curve */

static bool sweeps_cores(const struct workload *w)
{
    return strcmp(w->sweep, "cores") == 0;
}

static bool has_curve(const struct workload *w)
{
    return w->value_count >= CURVE_POINTS;
}

static bool has_bars(const struct workload *w)
{
    return w->value_count > 0 && !has_curve(w);
}

/* In a closed loop on more cores the response time is nothing but the throughput's inverse. */
static bool has_latencies(const struct workload *w)
{
    return w->value_count > 0 && !sweeps_cores(w);
}

static bool sweeps_connections(const struct workload *w)
{
    return w->value_count > 0 &&
           (strcmp(workload_varies(w), "connections") == 0 || strcmp(w->sweep, "idle") == 0);
}

static bool has_timeline(const struct workload *w)
{
    return w->timeline_s > 0 && !workload_has_points(w);
}

static bool seeks_capacity(const struct workload *w)
{
    return w->capacity;
}

/* The longest to draw come first, so that none is left alone at the end. */
static const struct figure_kind kinds[] = {
    {"spectrum", "spectrum.gp", "Response time, percentile by percentile", NULL, write_spectrum},
    {"latency", "latency.gp", "Response time percentiles", NULL, write_latency},
    {"curve", "curve.gp", "response time and load", seeks_capacity, write_curve},
    {"capacity", "capacity.gp", "Capacity under a service level", NULL, write_capacity},
    {"heatmap", "heatmap.gp", "Every model in every workload, relative to the best", NULL,
     write_heatmap},
    {"throughput", "throughput.gp", "Requests answered per second", NULL, write_throughput},
    {"switches", "stacked.gp", "Context switches of the server per request", NULL, write_switches},
    {"cpu", "stacked.gp", "CPU time of the server per request", NULL, write_cpu},
    {"latency", "sweep-latency.gp", "response time", has_latencies, write_sweep_latency},
    {"goodput", "sweep-goodput.gp", "requests answered per second", has_curve, write_sweep_goodput},
    {"goodput", "sweep-bars.gp", "requests answered per second", has_bars, write_sweep_goodput},
    {"memory", "sweep-memory.gp", "memory of the server", sweeps_connections, write_memory},
    {"switches", "sweep-switches.gp", "context switches per request", sweeps_connections,
     write_sweep_switches},
    {"timeline", "timeline.gp", "response time as it went", has_timeline, write_timeline},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static const char *axis_of(const struct workload *w)
{
    return strcmp(w->sweep, "rate_rps") == 0 ? "offered load (requests/s)" : workload_varies(w);
}

/* The figures that there is data for. */
struct drawings {
    struct drawing *at;
    size_t count, room;
};

static struct drawing *drawing_new(struct drawings *all)
{
    if (all->count == all->room) {
        size_t room = all->room ? 2 * all->room : 32;
        struct drawing *larger = realloc(all->at, room * sizeof *larger);
        if (!larger)
            return NULL;
        all->at = larger;
        all->room = room;
    }
    return &all->at[all->count++];
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

/* Writes what one kind of figure makes of one subject, and remembers to draw it. */
static int add_figure(struct drawings *all, const struct figure_kind *kind, const struct subject *s,
                      const char *plots, struct error *error)
{
    const struct workload *w = &s->results->plan.workloads[s->workload];
    struct path stem = kind->applies ? path_of("%s/%s-%s", plots, w->name, kind->name)
                                     : path_of("%s/%s", plots, kind->name);
    size_t rows = 0;
    if (write_data(kind, s, stem.text, &rows, error) != 0)
        return -1;
    if (rows == 0)
        return 0;
    struct drawing *d = drawing_new(all);
    if (!d)
        return error_set(error, "no memory for the figures");
    *d = (struct drawing){
        .script = kind->script, .data = path_of("%s.tsv", stem.text), .stem = stem};
    snprintf(d->title, sizeof d->title, "%s%s%s", kind->applies ? w->title : "",
             kind->applies ? ": " : "", kind->title);
    snprintf(d->axis, sizeof d->axis, "%s", kind->applies ? axis_of(w) : kind->name);
    return 0;
}

static int add_figures(struct drawings *all, const struct results *r, const char *folder,
                       const char *plots, struct error *error)
{
    int result = 0;
    for (const struct figure_kind *k = kinds; k < kinds + KIND_COUNT && result == 0; k++) {
        struct subject s = {.results = r, .folder = folder};
        if (!k->applies)
            result = add_figure(all, k, &s, plots, error);
        for (; k->applies && s.workload < r->plan.workload_count && result == 0; s.workload++)
            if (k->applies(&r->plan.workloads[s.workload]))
                result = add_figure(all, k, &s, plots, error);
    }
    return result;
}

static int draw_figures(struct drawings *all, const char *plots, const char *scripts,
                        const char *variants, struct error *error)
{
    struct error reason;
    struct path absolute;
    for (size_t i = 0; i < all->count; i++)
        all->at[i].variants = variants;
    int result = 0;
    if (!*scripts)
        result = error_set(&reason, "no folder scripts/plot here or beside bench");
    else if (!realpath(scripts, absolute.text))
        result = error_set(&reason, "cannot use %s: %s", scripts, strerror(errno));
    else
        result = draw(all->at, all->count, absolute.text, &reason);
    if (result == 0)
        return 0;
    return error_set(error, "%.800s. The data files are in %.150s: nothing is lost", reason.text,
                     plots);
}

int plot_all(const struct results *r, const char *folder, const char *scripts, bool all_variants,
             struct error *error)
{
    struct path plots = path_of("%s/plots", folder), absolute;
    struct drawings all = {0};
    if (folder_ensure(plots.text, error) != 0)
        return -1;
    /* gnuplot works in the scripts' folder, so that they find their style. */
    if (!realpath(plots.text, absolute.text))
        return error_set(error, "cannot use %s: %s", plots.text, strerror(errno));
    int result = add_figures(&all, r, folder, absolute.text, error);
    if (result == 0)
        result = draw_figures(&all, absolute.text, scripts,
                              all_variants ? "all slide column" : "all", error);
    free(all.at);
    return result;
}
