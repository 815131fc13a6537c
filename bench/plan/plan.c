#include "bench/plan/plan.h"

#include "bench/base/files.h"
#include "bench/base/json.h"

#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const SCHEMA = "switchpoint.plan/1";

void plan_free(struct plan *p)
{
    free(p->models);
    free(p->targets);
    free(p->workloads);
    free(p->cells);
    json_decref(p->left_out);
    *p = (struct plan){.seed = 0};
}

size_t plan_group_count(const struct plan *p)
{
    size_t points = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        points += workload_points(&p->workloads[w]);
    return points * p->model_count;
}

size_t plan_group_index(const struct plan *p, struct group g)
{
    size_t points = g.point;
    for (size_t w = 0; w < g.workload; w++)
        points += workload_points(&p->workloads[w]);
    return points * p->model_count + g.model;
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

static size_t count_cells(const struct plan *p)
{
    size_t count = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        count += workload_points(&p->workloads[w]) * (size_t)p->workloads[w].trials_most;
    return count * p->model_count;
}

/* One point of one workload, measured once with every model. */
struct stop_over {
    size_t workload, point;
};

/* The points of the workloads that take part in this trial. */
static size_t points_of_trial(const struct plan *p, unsigned trial, struct stop_over *points)
{
    size_t count = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t i = 0; i < workload_points(&p->workloads[w]); i++)
            if (trial <= (unsigned)p->workloads[w].trials_most)
                points[count++] = (struct stop_over){w, i};
    return count;
}

static unsigned most_trials(const struct plan *p)
{
    unsigned most = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        if ((unsigned)p->workloads[w].trials_most > most)
            most = (unsigned)p->workloads[w].trials_most;
    return most;
}

int plan_expand(struct plan *p, struct error *error)
{
    size_t expected = count_cells(p), count = 0;
    struct cell *cells = calloc(expected + 1, sizeof *cells);
    struct stop_over *points = calloc(expected + 1, sizeof *points);
    size_t *models = calloc(p->model_count + 1, sizeof *models);
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    int result = -1;
    if (!cells || !points || !models || !random)
        goto end;
    gsl_rng_set(random, p->seed);
    for (unsigned trial = 1; trial <= most_trials(p); trial++) {
        size_t point_count = points_of_trial(p, trial, points);
        gsl_ran_shuffle(random, points, point_count, sizeof *points);
        for (size_t i = 0; i < point_count; i++) {
            for (size_t m = 0; m < p->model_count; m++)
                models[m] = m;
            gsl_ran_shuffle(random, models, p->model_count, sizeof *models);
            for (size_t m = 0; m < p->model_count; m++)
                if (plan_serves(p, models[m], points[i].workload, points[i].point))
                    cells[count++] =
                        (struct cell){models[m], points[i].workload, points[i].point, trial};
        }
    }
    p->cells = cells;
    p->cell_count = count;
    cells = NULL;
    result = 0;
end:
    if (random)
        gsl_rng_free(random);
    free(models);
    free(points);
    free(cells);
    return result == 0 ? 0 : error_set(error, "no memory for a plan of %zu cells", expected);
}

double plan_seconds(const struct plan *p, size_t first)
{
    double seconds = 0;
    for (size_t i = first; i < p->cell_count; i++)
        seconds += workload_cell_s(&p->workloads[p->cells[i].workload]);
    return seconds;
}

size_t plan_least(const struct plan *p, double *seconds)
{
    size_t count = 0;
    double sum = 0;
    for (size_t i = 0; i < p->cell_count; i++) {
        const struct workload *w = &p->workloads[p->cells[i].workload];
        if (p->cells[i].trial > (unsigned)w->trials)
            continue;
        count++;
        sum += workload_cell_s(w);
    }
    if (seconds)
        *seconds = sum;
    return count;
}

struct point_name point_name_of(const struct workload *w, size_t point)
{
    struct point_name name = {"-"};
    if (w->variant_count > 0)
        snprintf(name.text, sizeof name.text, "%s", w->variants[point].name);
    else if (w->value_count > 0)
        snprintf(name.text, sizeof name.text, "%.10g", w->values[point]);
    return name;
}

/* --- identity --------------------------------------------------------------------------------- */

static json_t *point_to_json(const struct workload *w, size_t point)
{
    if (w->variant_count > 0)
        return json_string(w->variants[point].name);
    return w->value_count > 0 ? json_number_of(w->values[point]) : json_null();
}

void plan_identify(const struct plan *p, const struct cell *c, json_t *run)
{
    const struct workload *w = &p->workloads[c->workload];
    json_object_set_new(run, "model", json_string(p->models[c->model]));
    json_object_set_new(run, "workload", json_string(w->name));
    json_object_set_new(run, "point", point_to_json(w, c->point));
    json_object_set_new(run, "trial", json_integer(c->trial));
}

static size_t find_model(const struct plan *p, const char *name)
{
    size_t i = 0;
    while (i < p->model_count && (!name || strcmp(p->models[i], name) != 0))
        i++;
    return i;
}

static size_t find_workload(const struct plan *p, const char *name)
{
    size_t i = 0;
    while (i < p->workload_count && (!name || strcmp(p->workloads[i].name, name) != 0))
        i++;
    return i;
}

static size_t find_point(const struct workload *w, const json_t *value)
{
    size_t i = 0;
    const char *name = json_string_value(value);
    while (i < w->variant_count && (!name || strcmp(w->variants[i].name, name) != 0))
        i++;
    if (w->variant_count > 0)
        return i;
    while (i < w->value_count && !(w->values[i] == json_number_value(value)))
        i++;
    return w->value_count == 0 && !json_is_null(value) ? 1 : i;
}

bool plan_find(const struct plan *p, const json_t *line, struct group *g)
{
    g->model = find_model(p, json_string_value(json_object_get(line, "model")));
    g->workload = find_workload(p, json_string_value(json_object_get(line, "workload")));
    if (g->model == p->model_count || g->workload == p->workload_count)
        return false;
    const struct workload *w = &p->workloads[g->workload];
    g->point = find_point(w, json_object_get(line, "point"));
    return g->point < workload_points(w);
}

/* Cell from its identity; false where the plan has no such thing. */
static bool cell_from_json(const struct plan *p, const json_t *json, struct cell *c)
{
    json_int_t trial = json_integer_value(json_object_get(json, "trial"));
    struct group g;
    if (!plan_find(p, json, &g) || trial < 1 || trial > 1000000)
        return false;
    *c = (struct cell){g.model, g.workload, g.point, (unsigned)trial};
    return true;
}

size_t plan_find_cell(const struct plan *p, const json_t *run)
{
    struct cell c;
    if (!cell_from_json(p, run, &c))
        return p->cell_count;
    size_t i = 0;
    while (i < p->cell_count &&
           (p->cells[i].model != c.model || p->cells[i].point != c.point ||
            p->cells[i].workload != c.workload || p->cells[i].trial != c.trial))
        i++;
    return i;
}

/* --- plan.json -------------------------------------------------------------------------------- */

static json_t *cells_to_json(const struct plan *p)
{
    json_t *cells = json_array();
    for (size_t i = 0; i < p->cell_count; i++) {
        json_t *cell = json_object();
        plan_identify(p, &p->cells[i], cell);
        json_array_append_new(cells, cell);
    }
    return cells;
}

json_t *plan_to_json(const struct plan *p)
{
    json_t *models = json_array(), *targets = json_array(), *workloads = json_array();
    for (size_t i = 0; i < p->model_count; i++)
        json_array_append_new(models, json_string(p->models[i]));
    for (size_t i = 0; i < p->target_count; i++)
        json_array_append_new(targets, target_to_json(&p->targets[i]));
    for (size_t i = 0; i < p->workload_count; i++)
        json_array_append_new(workloads, workload_to_json(&p->workloads[i]));
    return json_pack("{s:s, s:s, s:I, s:f, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:o, s:O*}", "schema",
                     SCHEMA, "profile", p->profile, "seed", (json_int_t)p->seed, "compute_rate",
                     p->compute_rate, "server_cpus", p->server_cpus, "loadgen_cpus",
                     p->loadgen_cpus, "cpus", p->cpus, "planned_s", plan_seconds(p, 0), "models",
                     models, "targets", targets, "workloads", workloads, "cells", cells_to_json(p),
                     "left_out", p->left_out);
}

static bool copy_name(char *place, const json_t *json)
{
    const char *text = json_string_value(json);
    if (!text || strlen(text) >= NAME_SIZE)
        return false;
    strcpy(place, text);
    return true;
}

static int models_from_json(struct plan *p, const json_t *list, struct error *error)
{
    size_t count = json_array_size(list);
    p->models = calloc(count + 1, sizeof *p->models);
    if (!p->models)
        return error_set(error, "no memory");
    for (; p->model_count < count; p->model_count++)
        if (!copy_name(p->models[p->model_count], json_array_get(list, p->model_count)))
            return error_set(error, "a model has no name");
    return count > 0 ? 0 : error_set(error, "it has no models");
}

/* Plans of version 0.1 have none. */
static int targets_from_json(struct plan *p, const json_t *list, struct error *error)
{
    size_t count = json_array_size(list);
    p->targets = calloc(count + 1, sizeof *p->targets);
    if (!p->targets)
        return error_set(error, "no memory");
    for (; p->target_count < count; p->target_count++)
        if (target_from_json(&p->targets[p->target_count], json_array_get(list, p->target_count),
                             error) != 0)
            return -1;
    return count < p->model_count || count == 0 ? 0 : error_set(error, "targets are no models");
}

static int workloads_from_json(struct plan *p, const json_t *list, struct error *error)
{
    size_t count = json_array_size(list);
    p->workloads = calloc(count + 1, sizeof *p->workloads);
    if (!p->workloads)
        return error_set(error, "no memory");
    for (; p->workload_count < count; p->workload_count++)
        if (workload_from_json(&p->workloads[p->workload_count],
                               json_array_get(list, p->workload_count), error) != 0)
            return -1;
    return count > 0 ? 0 : error_set(error, "it has no workloads");
}

static int cells_from_json(struct plan *p, const json_t *list, struct error *error)
{
    size_t count = json_array_size(list);
    p->cells = calloc(count + 1, sizeof *p->cells);
    if (!p->cells)
        return error_set(error, "no memory");
    for (; p->cell_count < count; p->cell_count++)
        if (!cell_from_json(p, json_array_get(list, p->cell_count), &p->cells[p->cell_count]))
            return error_set(error, "cell %zu is none of this plan", p->cell_count + 1);
    return 0;
}

int plan_from_json(struct plan *p, const json_t *json, struct error *error)
{
    *p = (struct plan){.seed = (unsigned long)json_integer_value(json_object_get(json, "seed")),
                       .compute_rate = json_number_value(json_object_get(json, "compute_rate"))};
    const char *schema = json_string_value(json_object_get(json, "schema"));
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return error_set(error, "its schema is not %s", SCHEMA);
    if (!copy_name(p->profile, json_object_get(json, "profile")) ||
        !copy_name(p->server_cpus, json_object_get(json, "server_cpus")) ||
        !copy_name(p->loadgen_cpus, json_object_get(json, "loadgen_cpus")))
        return error_set(error, "profile, server_cpus or loadgen_cpus is missing");
    const char *cpus = json_string_value(json_object_get(json, "cpus")); /* new, too */
    snprintf(p->cpus, sizeof p->cpus, "%s", cpus ? cpus : "");
    if (models_from_json(p, json_object_get(json, "models"), error) == 0 &&
        targets_from_json(p, json_object_get(json, "targets"), error) == 0 &&
        workloads_from_json(p, json_object_get(json, "workloads"), error) == 0 &&
        cells_from_json(p, json_object_get(json, "cells"), error) == 0) {
        p->left_out = json_incref(json_object_get(json, "left_out"));
        return 0;
    }
    plan_free(p);
    return -1;
}

int plan_read(struct plan *p, const char *folder, struct error *error)
{
    struct path path = path_of("%s/plan.json", folder);
    json_error_t reason;
    json_t *json = json_load_file(path.text, 0, &reason);
    if (!json)
        return error_set(error, "%s is no run's folder: plan.json: %s", folder, reason.text);
    struct error inner;
    int result = plan_from_json(p, json, &inner);
    json_decref(json);
    return result == 0 ? 0 : error_set(error, "cannot use %s: %s", path.text, inner.text);
}
