#include "bench/run/run.h"

#include "bench/base/json.h"
#include "bench/base/stop.h"
#include "bench/journal/disturbance.h"
#include "bench/journal/journal.h"
#include "bench/journal/results.h"
#include "bench/plan/list.h"
#include "bench/run/backend.h"
#include "bench/run/ceiling.h"
#include "bench/run/cell.h"
#include "bench/run/environment.h"
#include "bench/run/folder.h"
#include "bench/run/progress.h"
#include "bench/run/runnable.h"
#include "common/clock.h"
#include "common/units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what to measure -------------------------------------------------------------------------- */

/* Keeps of the `count` elements, each of which begins with its name at `name_offset`, those that
 * are listed. -1: the list names something that is not there. */
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

/* Puts the targets that are asked for behind the models. */
static enum run_result choose_targets(const struct run_request *r, const struct places *places,
                                      struct plan *p, struct error *error)
{
    if (!r->targets)
        return RUN_COMPLETE;
    if (places_targets(places, &p->targets, &p->target_count, error) != 0)
        return RUN_FAILED;
    _Static_assert(offsetof(struct target, name) == 0, "keep_listed looks for it there");
    if (keep_listed(r->targets, "target", p->targets, sizeof *p->targets, &p->target_count,
                    error) != 0)
        return RUN_REFUSED;
    void *larger = realloc(p->models, (p->model_count + p->target_count) * sizeof *p->models);
    if (!larger) {
        error_set(error, "no memory");
        return RUN_FAILED;
    }
    p->models = larger;
    for (size_t i = 0; i < p->target_count; i++) {
        for (size_t m = 0; m < p->model_count - i; m++)
            if (strcmp(p->models[m], p->targets[i].name) == 0) {
                error_set(error, "--targets: %s is the name of a model, too", p->models[m]);
                return RUN_REFUSED;
            }
        memcpy(p->models[p->model_count++], p->targets[i].name, sizeof *p->models);
    }
    return RUN_COMPLETE;
}

enum run_result run_choose(const struct run_request *r, const struct places *places, struct plan *p,
                           struct error *error)
{
    enum run_result result = RUN_FAILED;
    *p = (struct plan){.seed = r->seed};
    strcpy(p->profile, r->profile->name);
    if (places_models(places, &p->models, &p->model_count, error) != 0 ||
        places_workloads(places, r->profile, &p->workloads, &p->workload_count, error) != 0)
        goto fail;
    result = RUN_REFUSED;
    _Static_assert(offsetof(struct workload, name) == 0, "keep_listed looks for it there");
    if (keep_listed(r->models, "model", p->models, sizeof *p->models, &p->model_count, error) !=
            0 ||
        keep_listed(r->workloads, "workload", p->workloads, sizeof *p->workloads,
                    &p->workload_count, error) != 0)
        goto fail;
    result = choose_targets(r, places, p, error);
    if (result != RUN_COMPLETE)
        goto fail;
    for (size_t i = 0; r->trials > 0 && i < p->workload_count; i++)
        p->workloads[i].trials = p->workloads[i].trials_most = r->trials;
    return RUN_COMPLETE;
fail:
    plan_free(p);
    return result;
}

static size_t count_cpus(const char *list)
{
    size_t count = *list != '\0';
    for (; *list; list++)
        count += *list == ',';
    return count;
}

void run_fit_cores(struct plan *p, bool say)
{
    environment_order_cpus(p->server_cpus, p->loadgen_cpus, p->cpus, sizeof p->cpus);
    size_t most = count_cpus(p->cpus), kept = 0;
    for (size_t i = 0; i < p->workload_count; i++) {
        struct workload w = p->workloads[i];
        size_t points = workload_points(&w);
        size_t left = workload_limit_cores(&w, (unsigned)most);
        if (left < points && say)
            plan_leave_out(p, "%s: %zu of %zu points want more than the %zu CPUs that there are",
                           w.name, points - left, points, most);
        if (left > 0)
            p->workloads[kept++] = w;
    }
    p->workload_count = kept;
}

/* --- the folder ------------------------------------------------------------------------------- */

/* Copies a mix to inputs/NAME.mix, and names it there. */
static int copy_mix(char *mix, size_t size, const char *name, const char *folder,
                    struct error *error)
{
    size_t bytes;
    char *text = file_read(mix, &bytes);
    if (!text)
        return error_set(error, "cannot read %s: %s", mix, strerror(errno));
    struct path copy = path_of("%s/inputs/%s.mix", folder, name);
    int result = folder_ensure(path_of("%s/inputs", folder).text, error);
    if (result == 0)
        result = file_replace(copy.text, text, bytes, error);
    free(text);
    snprintf(mix, size, "inputs/%s.mix", name);
    return result;
}

/* The mixes go into the folder: the run can be resumed and understood without the workloads. */
static int copy_mixes(struct plan *p, const char *folder, struct error *error)
{
    for (size_t i = 0; i < p->workload_count; i++) {
        struct workload *w = &p->workloads[i];
        if (*w->mix && copy_mix(w->mix, sizeof w->mix, w->name, folder, error) != 0)
            return -1;
        for (size_t k = 0; k < w->variant_count; k++) {
            struct variant *v = &w->variants[k];
            char *mix = variant_value(v, "mix"), name[2 * NAME_SIZE];
            snprintf(name, sizeof name, "%s-%s", w->name, v->name);
            if (mix && copy_mix(mix, sizeof v->changes[0].value, name, folder, error) != 0)
                return -1;
        }
    }
    return 0;
}

/* The files that servers serve: made for the run, removed after it. */
static int make_served_file(const struct workload *w, const char *folder, struct error *error)
{
    size_t size = (size_t)w->file_bytes;
    struct path root = path_of("%s/root", folder), own = path_of("%s/%s", root.text, w->name);
    char *bytes = malloc(size + 1);
    if (!bytes)
        return error_set(error, "no memory for a file of %zu bytes", size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i % 64 == 63 ? '\n' : 'a' + i % 23);
    int result = folder_ensure(root.text, error);
    if (result == 0)
        result = folder_ensure(own.text, error);
    if (result == 0)
        result = file_replace(path_of("%s/%s", own.text, w->path + strlen("/files/")).text, bytes,
                              size, error);
    free(bytes);
    return result;
}

static int make_served_files(const struct plan *p, const char *folder, struct error *error)
{
    for (size_t i = 0; i < p->workload_count; i++)
        if (p->workloads[i].file_bytes > 0 &&
            make_served_file(&p->workloads[i], folder, error) != 0)
            return -1;
    return 0;
}

static int make_subfolders(const struct plan *p, const char *folder, struct error *error)
{
    if (folder_ensure(path_of("%s/hgrm", folder).text, error) != 0 ||
        folder_ensure(path_of("%s/timeline", folder).text, error) != 0)
        return -1;
    return make_served_files(p, folder, error);
}

/* Where targets work: not in the run's folder, since a server that root starts gives its workers
 * another user, who may not reach that; and where backends are: a socket's path must be short.
 * Nothing is made without either. */
static int make_scratch(const struct plan *p, struct path *scratch, struct error *error)
{
    const char *temporary = getenv("TMPDIR");
    if (p->target_count == 0 && !backend_is_needed(p))
        return 0;
    *scratch = path_of("%s/switchpoint-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(scratch->text)) {
        *scratch = path_of("%s", "");
        return error_set(error, "cannot make a temporary folder: %s", strerror(errno));
    }
    mode_t before = umask(022);
    chmod(scratch->text, 0755);
    int result = folder_ensure(path_of("%s/root", scratch->text).text, error);
    if (result == 0)
        result = make_served_files(p, scratch->text, error);
    umask(before);
    return result;
}

static int write_environment(const struct places *places, const struct plan *p, const char *folder,
                             struct error *error)
{
    const struct cell_order order = {
        .programs = places->programs.text,
        .folder = folder,
        /* The last of the lesson is the quickest. */
        .model = p->models[p->model_count - p->target_count - 1],
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

static int write_plan(const struct plan *p, const char *folder, struct error *error)
{
    json_t *json = plan_to_json(p);
    if (!json)
        return error_set(error, "no memory for plan.json");
    int result = folder_write_json(folder, "plan.json", json, error);
    json_decref(json);
    return result;
}

static int link_latest(const struct run_request *r, const char *folder, struct error *error)
{
    return r->out ? 0 : link_replace("results/latest", strrchr(folder, '/') + 1, error);
}

/* A new run's folder with all but measurements in it; the journal is open, and ours. */
static enum run_result begin(const struct run_request *r, const struct places *places,
                             struct plan *p, struct path *folder, struct path *scratch,
                             struct journal *journal, struct error *error)
{
    enum run_result chosen = run_choose(r, places, p, error);
    if (chosen != RUN_COMPLETE)
        return chosen;
    if (environment_choose_cpus(r->server_cpus, r->loadgen_cpus, p->server_cpus, p->loadgen_cpus,
                                NAME_SIZE, error) != 0)
        goto fail;
    run_fit_cores(p, true);
    if (runnable_models(p, places, error) != 0 || backend_leave_out(p, error) != 0 ||
        make_scratch(p, scratch, error) != 0 ||
        runnable_targets(p, places, scratch->text, error) != 0 ||
        cell_calibrate(places->programs.text, p->models[0], p->server_cpus, &p->compute_rate,
                       error) != 0 ||
        plan_expand(p, error) != 0 || folder_choose(r->out, r->profile->name, folder, error) != 0 ||
        journal_open(journal, folder->text, error) != 0)
        goto fail;
    if (copy_mixes(p, folder->text, error) == 0 &&
        write_environment(places, p, folder->text, error) == 0 &&
        write_plan(p, folder->text, error) == 0 && link_latest(r, folder->text, error) == 0)
        return RUN_COMPLETE;
    journal_close(journal);
fail:
    plan_free(p);
    return bench_stop > 0 ? RUN_INTERRUPTED : RUN_FAILED;
}

/* --- measuring -------------------------------------------------------------------------------- */

/* Which cells have a result already; to be freed by the caller, NULL on failure. */
static bool *find_done(const struct plan *p, const char *folder, size_t *count, struct error *error)
{
    json_t *runs = journal_read(folder, error);
    bool *done = runs ? calloc(p->cell_count + 1, sizeof *done) : NULL;
    size_t index;
    json_t *line;
    *count = 0;
    if (!done && runs)
        error_set(error, "no memory");
    if (done) {
        json_array_foreach (runs, index, line) {
            size_t cell = plan_find(p, line);
            *count += cell < p->cell_count && !done[cell];
            done[cell] = true;
        }
    }
    json_decref(runs);
    return done;
}

struct label {
    char text[4 * NAME_SIZE];
};

/* Unique in the run, and fit for a file's name: model-workload[-point]-trial. */
static struct label label_of(const struct plan *p, const struct cell *c, const char *between)
{
    const struct workload *w = &p->workloads[c->workload];
    struct label label;
    bool swept = workload_has_points(w);
    snprintf(label.text, sizeof label.text, "%s%s%s%s%s%s%s%u", p->models[c->model], between,
             w->name, swept ? between : "", swept ? point_name_of(w, c->point).text : "", between,
             *between == ' ' ? "trial " : "", c->trial);
    return label;
}

/* What a person who watches should know about a result. NULL: nothing. */
static const char *note_on(const json_t *result, struct error *space)
{
    /* Where each request has a connection of its own, a connection unserved is a request. */
    bool close = json_is_true(json_at(result, "settings.close"));
    const char *message = json_string_value(json_at(result, "error"));
    double served = json_number_at(result, "connections.served");
    double unserved = json_number_at(result, "connections.unserved");
    if (message)
        error_set(space, "failed: %s", message);
    else if (json_number_at(result, "requests.completed") == 0)
        error_set(space, "no request was answered");
    else if (unserved > 0 && !close)
        error_set(space, "served %.0f of %.0f connections", served, served + unserved);
    else if (is_disturbed(result))
        error_set(space, "disturbed: %s", first_disturbance(result));
    else
        return NULL;
    space->text[strcspn(space->text, "\n")] = '\0';
    return space->text;
}

/* `workload` is the name in runs.jsonl: what loadgen says of its own settings moves aside. */
static json_t *identified(const struct plan *p, const struct cell *c, unsigned attempt,
                          json_t *result)
{
    json_t *run = json_object();
    plan_identify(p, c, run);
    json_object_set_new(run, "attempt", json_integer(attempt));
    json_object_set_new(run, "disturbed", disturbance_of(result));
    json_object_update(run, result);
    json_decref(result);
    return run;
}

static int keep(struct journal *journal, json_t *line, struct error *error)
{
    int result = journal_append(journal, line, error);
    if (result != 0) {
        fputs("bench: this result is not saved:\n", stderr);
        json_dumpf(line, stderr, JSON_COMPACT);
        fputc('\n', stderr);
    }
    return result;
}

struct work {
    const struct places *places;
    const struct plan *plan;
    const char *folder, *scratch;
    struct journal *journal;
    struct backend backend;
    unsigned attempts_most; /* at a cell, until it is undisturbed */
    struct progress progress;
    struct results *results; /* what is measured so far, where precision decides; NULL elsewhere */
};

/* The file of an attempt that counts takes the place of the one before it; others are removed. */
static void settle_file(const char *folder, const char *label, const char *tried, bool counts)
{
    struct path from = path_of("%s/timeline/%s.tsv", folder, tried);
    struct path to = path_of("%s/timeline/%s.tsv", folder, label);
    if (!counts || rename(from.text, to.text) != 0)
        unlink(from.text);
}

/* Where the server has so many cores that the load generator's is among them. */
static void warn_of_shared_cpus(json_t *result, const struct cpu_list *server, const struct plan *p)
{
    const char *loadgen = *p->loadgen_cpus ? p->loadgen_cpus : p->cpus;
    cpu_set_t of_server, of_loadgen, shared;
    if (!parse_cpu_list(server->text, &of_server) || !parse_cpu_list(loadgen, &of_loadgen))
        return;
    CPU_AND(&shared, &of_server, &of_loadgen);
    if (CPU_COUNT(&shared) == 0)
        return;
    json_t *warnings = json_object_get(result, "warnings");
    if (!warnings)
        json_object_set_new(result, "warnings", warnings = json_array());
    json_array_append_new(
        warnings, json_sprintf("the server (CPUs %s) and the load generator (CPUs %s) shared CPUs, "
                               "since this machine has too few for both: the figures are those of "
                               "the two together",
                               server->text, loadgen));
}

/* One attempt at a cell; `line` receives what goes into runs.jsonl. */
static enum run_result attempt(struct work *work, const struct cell *c, unsigned number,
                               json_t **line, struct error *error)
{
    const struct plan *p = work->plan;
    struct workload w = workload_at(&p->workloads[c->workload], c->point);
    struct label label = label_of(p, c, "-"), tried = label;
    if (number > 1) /* if it is interrupted, the files of the one before it are still whole */
        snprintf(tried.text, sizeof tried.text, "%.*s-again", 3 * NAME_SIZE, label.text);
    const struct target *target = plan_target(p, c->model);
    struct cpu_list server_cpus = plan_server_cpus(p, &w);
    const struct cell_order order = {
        .programs = work->places->programs.text,
        .folder = work->folder,
        .model = target ? NULL : p->models[c->model],
        .target = target,
        .target_folder = work->scratch,
        .backend = &work->backend,
        .workload = &w,
        .label = tried.text,
        .server_cpus = server_cpus.text,
        .loadgen_cpus = p->loadgen_cpus,
        .compute_rate = p->compute_rate,
        /* The same requests for every model of a trial, others in the next trial. */
        .seed = p->seed + c->trial - 1,
    };
    if (backend_ensure(&work->backend, &w, p->loadgen_cpus, error) != 0)
        return bench_stop > 0 ? RUN_INTERRUPTED : RUN_FAILED;
    json_t *result = cell_measure(&order);
    if (result && w.cores >= 1)
        warn_of_shared_cpus(result, &server_cpus, p);
    if (result)
        *line = identified(p, c, number, result);
    if (number > 1)
        settle_file(work->folder, label.text, tried.text, result && !json_at(*line, "error"));
    if (!result)
        return RUN_INTERRUPTED;
    return keep(work->journal, *line, error) == 0 ? RUN_COMPLETE : RUN_FAILED;
}

/* Attempts at a cell until one is undisturbed, or there were enough of them. All are kept. To the
 * time left they count as one measurement that took so much longer. */
static enum run_result measure(struct work *work, const struct cell *c, struct error *error)
{
    struct label spoken = label_of(work->plan, c, " ");
    const struct workload *w = &work->plan->workloads[c->workload];
    uint64_t start_ns = clock_now_ns();
    for (unsigned number = 1;; number++) {
        json_t *line = NULL;
        struct error space;
        progress_show(&work->progress, spoken.text);
        enum run_result result = attempt(work, c, number, &line, error);
        bool again = result == RUN_COMPLETE && is_disturbed(line) && number < work->attempts_most &&
                     bench_stop == 0;
        if (again)
            progress_again(&work->progress, spoken.text, first_disturbance(line));
        else if (result == RUN_COMPLETE)
            progress_done(&work->progress, spoken.text, note_on(line, &space), workload_cell_s(w),
                          (double)(clock_now_ns() - start_ns) / (double)NS_PER_S);
        if (!again && result == RUN_COMPLETE && work->results)
            results_take(work->results, line);
        json_decref(line);
        if (!again)
            return result;
    }
}

/* Decided by the trials before, so that a point gets a trial of every model or of none, and a
 * resumed run decides as the interrupted one would have done. */
static bool is_needless(const struct work *work, const struct cell *c)
{
    return work->results && results_precise(work->results, c->workload, c->point, c->trial);
}

static enum run_result measure_all(struct work *work, struct error *error)
{
    const struct plan *p = work->plan;
    size_t done_count;
    bool *done = find_done(p, work->folder, &done_count, error);
    if (!done)
        return RUN_FAILED;
    double planned_s = 0;
    for (size_t i = 0; i < p->cell_count; i++)
        planned_s += done[i] ? 0 : workload_cell_s(&p->workloads[p->cells[i].workload]);
    const char *at_most = work->results ? "at most " : "";
    work->progress = progress_start(p->cell_count - done_count, planned_s, work->results != NULL);
    fprintf(stderr, "bench: %s%zu measurements in %s, %s%s\n", at_most, p->cell_count - done_count,
            work->folder, *at_most ? at_most : "about ", span_of(planned_s).text);
    enum run_result result = RUN_COMPLETE;
    for (size_t i = 0; result == RUN_COMPLETE && i < p->cell_count; i++)
        if (!done[i] && is_needless(work, &p->cells[i]))
            progress_skip(&work->progress, workload_cell_s(&p->workloads[p->cells[i].workload]));
        else if (!done[i])
            result = bench_stop > 0 ? RUN_INTERRUPTED : measure(work, &p->cells[i], error);
    progress_end(&work->progress);
    free(done);
    return result;
}

static enum run_result go_on(const struct run_request *r, struct plan *p, struct path *folder,
                             struct path *scratch, struct journal *journal, struct error *error)
{
    if (plan_read(p, r->resume, error) != 0)
        return RUN_FAILED;
    *folder = path_of("%s", r->resume);
    if (make_scratch(p, scratch, error) == 0 && journal_open(journal, r->resume, error) == 0)
        return RUN_COMPLETE;
    plan_free(p);
    return RUN_FAILED;
}

static enum run_result measure_plan(const struct run_request *r, const struct places *places,
                                    const struct plan *plan, const char *folder,
                                    const char *scratch, struct journal *journal,
                                    struct error *error)
{
    struct error unused;
    struct results so_far = {.runs = NULL};
    bool adaptive = plan_least(plan, NULL) < plan->cell_count;
    struct work work = {.places = places,
                        .plan = plan,
                        .journal = journal,
                        .attempts_most = r->no_repeat ? 1 : ATTEMPTS_MOST,
                        .folder = folder,
                        .scratch = scratch,
                        .backend = {.folder = scratch},
                        .results = adaptive ? &so_far : NULL};
    bool ready = make_subfolders(plan, folder, error) == 0 &&
                 (!adaptive || results_read(&so_far, folder, error) == 0);
    enum run_result result = ready ? measure_all(&work, error) : RUN_FAILED;
    backend_end(&work.backend);
    results_free(&so_far);
    folder_remove(path_of("%s/root", folder).text, &unused);
    return result;
}

enum run_result run_measure(const struct run_request *r, const struct places *places,
                            struct path *folder, struct error *error)
{
    struct plan plan;
    struct journal journal;
    struct path scratch = {""};
    struct error left;
    enum run_result result = r->resume ? go_on(r, &plan, folder, &scratch, &journal, error)
                                       : begin(r, places, &plan, folder, &scratch, &journal, error);
    if (result == RUN_COMPLETE) {
        result = measure_plan(r, places, &plan, folder->text, scratch.text, &journal, error);
        journal_close(&journal);
        plan_free(&plan);
    }
    if (*scratch.text && folder_remove(scratch.text, &left) != 0)
        fprintf(stderr, "bench: warning: %s\n", left.text);
    return result;
}
