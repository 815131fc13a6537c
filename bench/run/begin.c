#include "bench/run/begin.h"

#include "bench/base/stop.h"
#include "bench/run/backend.h"
#include "bench/run/calibrate.h"
#include "bench/run/ceiling.h"
#include "bench/run/cell.h"
#include "bench/run/cpus.h"
#include "bench/run/environment.h"
#include "bench/run/folder.h"
#include "bench/run/runnable.h"
#include "bench/run/stage.h"

#include <string.h>

/* The server that is least likely to be the limit: of those that have proved to be fast the first
 * that takes part. */
static const char *fastest_of(const struct plan *p)
{
    static const char *const fast[] = {"uring", "epoll", "multi-epoll", "coroutine"};
    for (size_t i = 0; i < sizeof fast / sizeof *fast; i++)
        for (size_t m = 0; m < p->model_count - p->target_count; m++)
            if (strcmp(p->models[m], fast[i]) == 0)
                return fast[i];
    return p->models[p->model_count - p->target_count - 1];
}

static int write_environment(const struct places *places, const struct plan *p, const char *folder,
                             struct error *error)
{
    const struct cell_order order = {
        .programs = places->programs.text,
        .folder = folder,
        .model = fastest_of(p),
        .server_cpus = p->server_cpus,
        .loadgen_cpus = p->loadgen_cpus,
        .compute_rate = p->compute_rate,
        .seed = p->seed,
    };
    json_t *ceilings = ceilings_measure(&order);
    if (!ceilings)
        return error_set(error, "interrupted while measuring the generator's ceiling");
    json_t *e = environment_describe(places->programs.text);
    json_object_set_new(e, "generator_ceilings", ceilings);
    json_object_set_new(e, "compute_rate", json_real(p->compute_rate));
    json_object_set_new(e, "server_cpus",
                        *p->server_cpus ? json_string(p->server_cpus) : json_null());
    json_object_set_new(e, "loadgen_cpus",
                        *p->loadgen_cpus ? json_string(p->loadgen_cpus) : json_null());
    json_object_set_new(e, "redis", backend_describe(p));
    json_object_set_new(e, "pinned", json_boolean(*p->server_cpus && *p->loadgen_cpus));
    int result = folder_write_json(folder, "environment.json", e, error);
    json_decref(e);
    return result;
}

/* Takes out of the plan what cannot be measured here. */
static int fit_to_machine(const struct run_request *r, const struct places *places, struct plan *p,
                          struct error *error)
{
    struct path scratch;
    if (cpus_choose(r->server_cpus, r->loadgen_cpus, p->server_cpus, p->loadgen_cpus, NAME_SIZE,
                    error) != 0)
        return -1;
    cpus_order(p->server_cpus, p->loadgen_cpus, p->cpus, sizeof p->cpus);
    choose_by_cores(p);
    if (p->workload_count == 0)
        return error_set(error, "none of the chosen workloads can be measured on this machine");
    if (runnable_models(p, places, error) != 0 || backend_leave_out(p, error) != 0)
        return -1;
    int result = stage_make_scratch(p, &scratch, error);
    if (result == 0)
        result = runnable_targets(p, places, scratch.text, error);
    stage_remove("", scratch.text);
    return result;
}

static int fill_folder(const struct run_request *r, const struct places *places,
                       const struct plan *p, const char *folder, struct error *error)
{
    /* The plan last: with it a folder is a run that can go on. */
    if (write_environment(places, p, folder, error) != 0 ||
        plan_write(p, folder, places->workloads.text, places->targets.text, error) != 0)
        return -1;
    return r->out ? 0 : link_replace("results/latest", strrchr(folder, '/') + 1, error);
}

enum run_result begin_new(const struct run_request *r, const struct places *places,
                          struct path *folder, struct journal *journal, struct error *error)
{
    struct plan p;
    enum choice_result chosen = choose(&r->choice, places, &p, error);
    if (chosen != CHOICE_MADE)
        return chosen == CHOICE_REFUSED ? RUN_REFUSED : RUN_FAILED;
    enum run_result result = RUN_FAILED;
    if (fit_to_machine(r, places, &p, error) == 0 &&
        calibrate(places->programs.text, p.models[0], p.server_cpus, &p.compute_rate, error) == 0 &&
        folder_choose(r->out, p.profile->name, folder, error) == 0 &&
        journal_open(journal, folder->text, error) == 0) {
        result = fill_folder(r, places, &p, folder->text, error) == 0 ? RUN_COMPLETE : RUN_FAILED;
        if (result != RUN_COMPLETE)
            journal_close(journal);
    }
    plan_free(&p);
    return result == RUN_FAILED && bench_stop > 0 ? RUN_INTERRUPTED : result;
}
