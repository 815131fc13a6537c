#include "bench/plan/choice.h"

#include "bench/plan/list.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Keeps of the `count` elements, each of which begins with its name, those that are listed. -1: the
 * list names something that is not there. */
static int keep_listed(const char *list, const char *what, void *elements, size_t size,
                       size_t *count, struct error *error)
{
    if (!list)
        return 0;
    if (list_verify(list, what, elements, size, *count, error) != 0)
        return -1;
    char *at = elements;
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (is_listed(list, at + i * size))
            memmove(at + kept++ * size, at + i * size, size);
    *count = kept;
    return kept > 0 ? 0 : error_set(error, "--%ss: the list is empty", what);
}

/* Keeps the core workloads, and of these the core points. */
static int keep_core(struct plan *p, struct error *error)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->workload_count; i++) {
        struct workload *w = &p->workloads[i];
        if (!w->core)
            continue;
        if (*w->core_points && workload_keep_points(w, w->core_points) == 0)
            return error_set(error, "%s: core_points names none of its points", w->name);
        memmove(&p->workloads[kept++], w, sizeof *w);
    }
    p->workload_count = kept;
    return kept > 0 ? 0
                    : error_set(error, "no workload has core = yes: name some with --workloads");
}

static enum choice_result choose_workloads(const struct choice *c, struct plan *p,
                                           struct error *error)
{
    _Static_assert(offsetof(struct workload, name) == 0, "keep_listed looks for it there");
    if (!c->workloads || strcmp(c->workloads, "core") == 0)
        return keep_core(p, error) == 0 ? CHOICE_MADE : CHOICE_REFUSED;
    if (strcmp(c->workloads, "all") == 0)
        return CHOICE_MADE;
    return keep_listed(c->workloads, "workload", p->workloads, sizeof *p->workloads,
                       &p->workload_count, error) == 0
               ? CHOICE_MADE
               : CHOICE_REFUSED;
}

/* Puts the targets that are asked for behind the models. */
static enum choice_result choose_targets(const struct choice *c, const struct places *places,
                                         struct plan *p, struct error *error)
{
    _Static_assert(offsetof(struct target, name) == 0, "keep_listed looks for it there");
    if (!c->targets)
        return CHOICE_MADE;
    if (places_targets(places, &p->targets, &p->target_count, error) != 0)
        return CHOICE_FAILED;
    const char *list = strcmp(c->targets, "all") == 0 ? NULL : c->targets;
    if (keep_listed(list, "target", p->targets, sizeof *p->targets, &p->target_count, error) != 0)
        return CHOICE_REFUSED;
    void *larger = realloc(p->models, (p->model_count + p->target_count) * sizeof *p->models);
    if (!larger) {
        error_set(error, "no memory");
        return CHOICE_FAILED;
    }
    p->models = larger;
    for (size_t i = 0; i < p->target_count; i++) {
        for (size_t m = 0; m < p->model_count - i; m++)
            if (strcmp(p->models[m], p->targets[i].name) == 0) {
                error_set(error, "--targets: %s is the name of a model, too", p->models[m]);
                return CHOICE_REFUSED;
            }
        memcpy(p->models[p->model_count++], p->targets[i].name, sizeof *p->models);
    }
    return CHOICE_MADE;
}

enum choice_result choose(const struct choice *c, const struct places *places, struct plan *p,
                          struct error *error)
{
    enum choice_result result = CHOICE_FAILED;
    *p = (struct plan){.profile = c->profile,
                       .seed = c->seed,
                       .trials = c->trials,
                       .margin = c->margin > 0 ? c->margin : MARGIN_DEFAULT};
    if (places_models(places, &p->models, &p->model_count, error) != 0 ||
        places_workloads(places, &p->workloads, &p->workload_count, error) != 0)
        goto fail;
    result = CHOICE_REFUSED;
    if (keep_listed(c->models, "model", p->models, sizeof *p->models, &p->model_count, error) != 0)
        goto fail;
    result = choose_workloads(c, p, error);
    if (result == CHOICE_MADE)
        result = choose_targets(c, places, p, error);
    if (result == CHOICE_MADE)
        return result;
fail:
    plan_free(p);
    return result;
}

void choose_by_cores(struct plan *p)
{
    size_t most = *p->cpus != '\0', kept = 0;
    for (const char *at = p->cpus; *at; at++)
        most += *at == ',';
    for (size_t i = 0; i < p->workload_count; i++) {
        struct workload w = p->workloads[i];
        size_t points = workload_points(&w);
        size_t left = workload_limit_cores(&w, (unsigned)most);
        if (left < points)
            plan_leave_out(p, "%s: %zu of %zu points want more than the %zu CPUs that there are",
                           w.name, points - left, points, most);
        if (left > 0)
            p->workloads[kept++] = w;
    }
    p->workload_count = kept;
}
