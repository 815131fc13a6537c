#include "bench/plan/plan.h"

#include "bench/base/files.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer windows make a figure hardly steadier: it scatters from start to start of the server by as
 * much with 1.6 s as with 0.4 s (docs/measurement.md has the table). So windows are short and
 * blocks many. */
const struct profile profiles[] = {
    {"quick", "a first look: the shapes, not the figures", 90, false, 0.15, 0.45, 0.01, 1000},
    {"standard", "a comparison for a lecture", 600, true, 0.15, 0.45, 0.01, 1000},
    {"full", "figures for a publication", 0, false, 0.5, 2, 0.02, 30},
};
const size_t profile_count = sizeof profiles / sizeof *profiles;

/* Of a preview: what a workload's own length is divided by, and the length of the others. */
static const double PREVIEW_SHARE = 0.5, PREVIEW_WARMUP_S = 0.1, PREVIEW_DURATION_S = 0.25;

/* A first search has so many times as many windows as a later one. */
static const double PREVIEW_SEARCH = 1.5;

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < profile_count; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

void plan_free(struct plan *p)
{
    free(p->models);
    free(p->targets);
    free(p->workloads);
    json_decref(p->left_out);
    *p = (struct plan){.seed = 0};
}

size_t plan_point_count(const struct plan *p)
{
    size_t count = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        count += workload_points(&p->workloads[w]);
    return count;
}

size_t plan_group_count(const struct plan *p)
{
    return plan_point_count(p) * p->model_count;
}

size_t plan_group_index(const struct plan *p, struct group g)
{
    size_t points_before = g.point;
    for (size_t w = 0; w < g.workload; w++)
        points_before += workload_points(&p->workloads[w]);
    return points_before * p->model_count + g.model;
}

void plan_leave_out(struct plan *p, const char *format, ...)
{
    struct error sentence;
    va_list values;
    va_start(values, format);
    vsnprintf(sentence.text, sizeof sentence.text, format, values);
    va_end(values);
    fprintf(stderr, "bench: warning: %s\n", sentence.text);
    if (!p->left_out)
        p->left_out = json_array();
    /* What another program says of itself need not be UTF-8, which JSON must be. */
    if (json_array_append_new(p->left_out, json_string(sentence.text)) != 0)
        json_array_append_new(p->left_out,
                              json_string("something was not measured: its reason is no text"));
}

const struct target *plan_target(const struct plan *p, size_t model)
{
    size_t ours = p->model_count - p->target_count;
    return model < ours ? NULL : &p->targets[model - ours];
}

struct server_name plan_server_name(const struct plan *p, size_t model)
{
    struct server_name name;
    snprintf(name.text, sizeof name.text, "%s%s", plan_target(p, model) ? "" : "server-",
             p->models[model]);
    return name;
}

bool plan_serves(const struct plan *p, size_t model, size_t workload, size_t point)
{
    const struct target *t = plan_target(p, model);
    struct workload at = workload_at(&p->workloads[workload], point);
    char path[TEXT_SIZE];
    return !t || target_path(t, &at, path, sizeof path);
}

struct workload plan_workload_at(const struct plan *p, size_t workload, size_t point, bool preview)
{
    struct workload at = workload_at(&p->workloads[workload], point);
    if (preview) {
        at.warmup_s = fmin(at.warmup_s, PREVIEW_WARMUP_S);
        at.duration_s *= PREVIEW_SHARE;
        at.steps = ceil(at.steps * PREVIEW_SEARCH); /* it begins from nothing */
        workload_set_windows(&at, PREVIEW_WARMUP_S, PREVIEW_DURATION_S);
    }
    workload_set_windows(&at, p->profile->warmup_s, p->profile->duration_s);
    return at;
}

struct cpu_list plan_server_cpus(const struct plan *p, const struct workload *w)
{
    struct cpu_list list = {""};
    if (w->cores < 1) {
        snprintf(list.text, sizeof list.text, "%s", p->server_cpus);
        return list;
    }
    const char *end = p->cpus;
    for (unsigned i = 0; i < (unsigned)w->cores && *end; i++)
        end += strcspn(end + (i > 0), ",") + (i > 0);
    snprintf(list.text, sizeof list.text, "%.*s", (int)(end - p->cpus), p->cpus);
    return list;
}

void plan_shuffle(const struct plan *p, size_t workload, size_t point, unsigned block,
                  size_t *order)
{
    const struct group first = {0, workload, point};
    for (size_t m = 0; m < p->model_count; m++)
        order[m] = m;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    if (!random)
        return;
    /* Blocks are not made in a fixed order: each has a seed of its own. */
    gsl_rng_set(random, p->seed * 1000003 + plan_group_index(p, first) * 1009 + block);
    gsl_ran_shuffle(random, order, p->model_count, sizeof *order);
    gsl_rng_free(random);
}

double plan_block_s(const struct plan *p, size_t workload, size_t point, bool preview)
{
    struct workload at = plan_workload_at(p, workload, point, preview);
    size_t served = 0;
    for (size_t m = 0; m < p->model_count; m++)
        served += plan_serves(p, m, workload, point);
    return (double)served * workload_cell_s(&at);
}
