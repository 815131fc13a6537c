/* A plan on disk: plan.json has the choices, inputs/ the files that they were made from. */
#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/plan/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const SCHEMA = "switchpoint.plan/2";

/* --- names ------------------------------------------------------------------------------------ */

static json_t *point_to_json(const struct workload *w, size_t point)
{
    if (w->variant_count > 0)
        return json_string(w->variants[point].name);
    return w->value_count > 0 ? json_number_of(w->values[point]) : json_null();
}

void plan_identify(const struct plan *p, struct group g, json_t *line)
{
    const struct workload *w = &p->workloads[g.workload];
    json_object_set_new(line, "model", json_string(p->models[g.model]));
    json_object_set_new(line, "workload", json_string(w->name));
    json_object_set_new(line, "point", point_to_json(w, g.point));
}

/* The place of a name among `count` texts, each `stride` bytes after the one before; `count`: it is
 * not among them. */
static size_t place_of(const char *name, const void *names, size_t stride, size_t count)
{
    size_t i = 0;
    while (i < count && (!name || strcmp((const char *)names + i * stride, name) != 0))
        i++;
    return i;
}

bool plan_find(const struct plan *p, const json_t *line, struct group *g)
{
    const char *model = json_string_value(json_object_get(line, "model"));
    const char *workload = json_string_value(json_object_get(line, "workload"));
    g->model = place_of(model, p->models, sizeof *p->models, p->model_count);
    g->workload = place_of(workload, p->workloads, sizeof *p->workloads, p->workload_count);
    if (g->model == p->model_count || g->workload == p->workload_count)
        return false;
    const struct workload *w = &p->workloads[g->workload];
    for (g->point = 0; g->point < workload_points(w); g->point++) {
        json_t *point = point_to_json(w, g->point);
        bool same = json_equal(point, json_object_get(line, "point"));
        json_decref(point);
        if (same)
            return true;
    }
    return false;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int copy_file(const char *from_folder, const char *to_folder, const char *name,
                     struct error *error)
{
    size_t bytes;
    struct path from = path_of("%s/%s", from_folder, name);
    char *text = file_read(from.text, &bytes);
    if (!text)
        return error_set(error, "cannot read %s: %s", from.text, strerror(errno));
    int result = file_replace(path_of("%s/%s", to_folder, name).text, text, bytes, error);
    free(text);
    return result;
}

static int copy_workload(const struct workload *w, const char *from, const char *inputs,
                         struct error *error)
{
    if (copy_file(from, inputs, path_of("%s.conf", w->name).text, error) != 0)
        return -1;
    for (size_t i = 0; i < workload_points(w); i++) {
        struct workload at = workload_at(w, i);
        if (*at.mix && copy_file(from, inputs, at.mix, error) != 0)
            return -1;
    }
    return 0;
}

static int copy_inputs(const struct plan *p, const char *folder, const char *workloads,
                       const char *targets, struct error *error)
{
    struct path inputs = path_of("%s/inputs", folder);
    struct path its_targets = path_of("%s/targets", inputs.text);
    if (folder_ensure(inputs.text, error) != 0)
        return -1;
    for (size_t i = 0; i < p->workload_count; i++)
        if (copy_workload(&p->workloads[i], workloads, inputs.text, error) != 0)
            return -1;
    if (p->target_count > 0 && folder_ensure(its_targets.text, error) != 0)
        return -1;
    for (size_t i = 0; i < p->target_count; i++)
        if (copy_file(targets, its_targets.text, path_of("%s.conf", p->targets[i].name).text,
                      error) != 0)
            return -1;
    return 0;
}

static json_t *workload_to_json(const struct workload *w)
{
    json_t *points = json_array();
    for (size_t i = 0; i < workload_points(w); i++)
        json_array_append_new(points, json_string(point_name_of(w, i).text));
    return json_pack("{s:s, s:o}", "name", w->name, "points", points);
}

static json_t *plan_to_json(const struct plan *p)
{
    json_t *models = json_array(), *targets = json_array(), *workloads = json_array();
    for (size_t i = 0; i < p->model_count - p->target_count; i++)
        json_array_append_new(models, json_string(p->models[i]));
    for (size_t i = 0; i < p->target_count; i++) /* `here`: where its own files are */
        json_array_append_new(targets, json_pack("{s:s, s:s}", "name", p->targets[i].name, "here",
                                                 p->targets[i].here));
    for (size_t i = 0; i < p->workload_count; i++)
        json_array_append_new(workloads, workload_to_json(&p->workloads[i]));
    return json_pack("{s:s, s:s, s:I, s:i, s:f, s:f, s:s, s:s, s:s, s:o, s:o, s:o, s:O*}", "schema",
                     SCHEMA, "profile", p->profile->name, "seed", (json_int_t)p->seed, "trials",
                     (int)p->trials, "margin", p->margin, "compute_rate", p->compute_rate,
                     "server_cpus", p->server_cpus, "loadgen_cpus", p->loadgen_cpus, "cpus",
                     p->cpus, "models", models, "targets", targets, "workloads", workloads,
                     "left_out", p->left_out);
}

int plan_write(const struct plan *p, const char *folder, const char *workloads, const char *targets,
               struct error *error)
{
    if (copy_inputs(p, folder, workloads, targets, error) != 0)
        return -1;
    json_t *json = plan_to_json(p);
    char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(json);
    return file_replace_with(path_of("%s/plan.json", folder).text, text, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int copy_text(char *place, size_t size, const json_t *json, const char *key,
                     struct error *error)
{
    const char *text = json_string_value(json_object_get(json, key));
    if (!text || strlen(text) >= size)
        return error_set(error, "bad or missing %s", key);
    strcpy(place, text);
    return 0;
}

static int read_workload(struct workload *w, const json_t *json, const char *folder,
                         struct error *error)
{
    char name[NAME_SIZE], list[TEXT_SIZE] = "";
    size_t index, length = 0;
    json_t *point;
    if (copy_text(name, sizeof name, json, "name", error) != 0 ||
        workload_read(w, path_of("%s/inputs/%s.conf", folder, name).text, error) != 0)
        return -1;
    json_array_foreach (json_object_get(json, "points"), index, point)
        if (json_is_string(point) && length + json_string_length(point) + 2 < sizeof list)
            length += (size_t)snprintf(list + length, sizeof list - length, "%s ",
                                       json_string_value(point));
    return workload_keep_points(w, list) > 0
               ? 0
               : error_set(error, "the workload %s has none of its points", name);
}

static int read_models(struct plan *p, const json_t *json, const char *folder, struct error *error)
{
    const json_t *models = json_object_get(json, "models");
    const json_t *targets = json_object_get(json, "targets");
    size_t ours = json_array_size(models), theirs = json_array_size(targets);
    p->models = calloc(ours + theirs + 1, sizeof *p->models);
    p->targets = calloc(theirs + 1, sizeof *p->targets);
    if (!p->models || !p->targets)
        return error_set(error, "no memory");
    for (; p->model_count < ours; p->model_count++) {
        const char *name = json_string_value(json_array_get(models, p->model_count));
        if (!name || strlen(name) >= NAME_SIZE)
            return error_set(error, "a model has no name");
        strcpy(p->models[p->model_count], name);
    }
    for (; p->target_count < theirs; p->target_count++, p->model_count++) {
        struct target *t = &p->targets[p->target_count];
        const json_t *entry = json_array_get(targets, p->target_count);
        char *name = p->models[p->model_count];
        if (copy_text(name, NAME_SIZE, entry, "name", error) != 0 ||
            target_read(t, path_of("%s/inputs/targets/%s.conf", folder, name).text, error) != 0 ||
            copy_text(t->here, sizeof t->here, entry, "here", error) != 0)
            return -1;
    }
    return p->model_count > 0 ? 0 : error_set(error, "it has no models");
}

static int read_workloads(struct plan *p, const json_t *list, const char *folder,
                          struct error *error)
{
    size_t count = json_array_size(list);
    p->workloads = calloc(count + 1, sizeof *p->workloads);
    if (!p->workloads)
        return error_set(error, "no memory");
    for (; p->workload_count < count; p->workload_count++)
        if (read_workload(&p->workloads[p->workload_count], json_array_get(list, p->workload_count),
                          folder, error) != 0)
            return -1;
    return count > 0 ? 0 : error_set(error, "it has no workloads");
}

static int plan_from_json(struct plan *p, const json_t *json, const char *folder,
                          struct error *error)
{
    const char *schema = json_string_value(json_object_get(json, "schema"));
    const char *profile = json_string_value(json_object_get(json, "profile"));
    if (!schema || strcmp(schema, SCHEMA) != 0)
        return error_set(error, "its schema is not %s: another version of bench made it", SCHEMA);
    p->profile = profile ? profile_find(profile) : NULL;
    if (!p->profile)
        return error_set(error, "bad or missing profile");
    p->seed = (unsigned long)json_integer_value(json_object_get(json, "seed"));
    p->trials = (unsigned)json_integer_value(json_object_get(json, "trials"));
    p->margin = json_number_at(json, "margin");
    p->compute_rate = json_number_at(json, "compute_rate");
    if (copy_text(p->server_cpus, sizeof p->server_cpus, json, "server_cpus", error) != 0 ||
        copy_text(p->loadgen_cpus, sizeof p->loadgen_cpus, json, "loadgen_cpus", error) != 0 ||
        copy_text(p->cpus, sizeof p->cpus, json, "cpus", error) != 0 ||
        read_models(p, json, folder, error) != 0 ||
        read_workloads(p, json_object_get(json, "workloads"), folder, error) != 0)
        return -1;
    p->left_out = json_incref(json_object_get(json, "left_out"));
    return 0;
}

int plan_read(struct plan *p, const char *folder, struct error *error)
{
    struct path path = path_of("%s/plan.json", folder);
    json_error_t reason;
    struct error inner;
    *p = (struct plan){.seed = 0};
    json_t *json = json_load_file(path.text, 0, &reason);
    if (!json)
        return error_set(error, "%s is no run's folder: plan.json: %s", folder, reason.text);
    int result = plan_from_json(p, json, folder, &inner);
    json_decref(json);
    if (result == 0)
        return 0;
    plan_free(p);
    return error_set(error, "cannot use %s: %s", path.text, inner.text);
}
