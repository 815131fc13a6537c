#include "bench/run/block.h"

#include "bench/base/json.h"
#include "bench/base/stop.h"
#include "bench/journal/disturbance.h"
#include "bench/run/cell.h"
#include "bench/run/progress.h"
#include "bench/statistics/group.h"
#include "common/clock.h"
#include "common/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For the progress line. */
static double left_s(const struct blocks *b)
{
    uint64_t now_ns = clock_now_ns();
    if (b->end_ns == 0)
        return INFINITY;
    return now_ns < b->end_ns ? (double)(b->end_ns - now_ns) / (double)NS_PER_S : 0;
}

/* --- one measurement -------------------------------------------------------------------------- */

struct label {
    char text[4 * NAME_SIZE];
};

/* Unique in the run, and fit for a file's name: model-workload[-point]-block. */
static struct label label_of(const struct plan *p, struct group g, unsigned block)
{
    const struct workload *w = &p->workloads[g.workload];
    struct label label;
    bool has_points = workload_has_points(w);
    snprintf(label.text, sizeof label.text, "%s-%s%s%s-%u", p->models[g.model], w->name,
             has_points ? "-" : "", has_points ? point_name_of(w, g.point).text : "", block);
    return label;
}

/* What a person who watches should know about a result; false: nothing. */
static bool note_on(const json_t *line, struct error *note)
{
    /* Where each request has a connection of its own, a connection unserved is a request. */
    bool close = json_is_true(json_at(line, "settings.close"));
    const char *message = json_string_value(json_at(line, "error"));
    double served = json_number_at(line, "connections.served");
    double unserved = json_number_at(line, "connections.unserved");
    if (message)
        error_set(note, "failed: %s", message);
    else if (json_number_at(line, "requests.completed") == 0)
        error_set(note, "no request was answered");
    else if (unserved > 0 && !close)
        error_set(note, "served %.0f of %.0f connections", served, served + unserved);
    else
        return false;
    note->text[strcspn(note->text, "\n")] = '\0';
    return true;
}

/* A line of runs.jsonl. `workload` is the name there: what loadgen says of its own settings has
 * moved aside. */
static json_t *line_of(const struct plan *p, struct group g, unsigned block, json_t *result)
{
    json_t *line = json_object();
    plan_identify(p, g, line);
    json_object_set_new(line, "trial", json_integer(block));
    json_object_set_new(line, "preview", json_boolean(block == 0));
    json_object_set_new(line, "disturbed", disturbance_of(result));
    json_object_update(line, result);
    json_decref(result);
    return line;
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

static int keep(struct blocks *b, struct group g, unsigned block, json_t *line, struct error *error)
{
    if (journal_append(b->journal, line, error) != 0) {
        fputs("bench: this result is not saved:\n", stderr);
        json_dumpf(line, stderr, JSON_COMPACT);
        fputc('\n', stderr);
        return -1;
    }
    return results_add(b->results, g, block, line) == 0
               ? 0
               : error_set(error, "no memory for the results; what is measured is in the folder");
}

/* Around what earlier blocks found: the search need not begin from nothing. */
static void suggest_capacity(const struct blocks *b, struct group g, struct cell_order *order)
{
    struct estimate e = group_estimate(b->results, g, metric_find("capacity"));
    if (e.count == 0 || !(e.median > 0))
        return;
    /* A little to either side, for the machine may have changed; upwards without an end, more. */
    order->capacity_low_rps = 0.9 * e.low;
    order->capacity_high_rps = (e.at_least ? 3 : 1.1) * e.high;
}

static enum block_result measure_cell(struct blocks *b, struct group g, unsigned block,
                                      struct error *error)
{
    const struct plan *p = &b->results->plan;
    struct workload w = plan_workload_at(p, g.workload, g.point, block == 0);
    struct label label = label_of(p, g, block);
    const struct target *target = plan_target(p, g.model);
    struct cpu_list server_cpus = plan_server_cpus(p, &w);
    struct cell_order order = {
        .programs = b->places->programs.text,
        .folder = b->folder,
        .model = target ? NULL : p->models[g.model],
        .target = target,
        .target_folder = b->scratch,
        .backend = b->backend,
        .workload = &w,
        .inputs = "inputs",
        .label = w.timeline_s > 0 ? label.text : NULL,
        .server_cpus = server_cpus.text,
        .loadgen_cpus = p->loadgen_cpus,
        .compute_rate = p->compute_rate,
        /* The same requests for every model of a block, others in the next block. */
        .seed = p->seed + block,
    };
    if (w.capacity)
        suggest_capacity(b, g, &order);
    if (backend_ensure(b->backend, &w, p->loadgen_cpus, error) != 0)
        return bench_stop > 0 ? BLOCK_INTERRUPTED : BLOCK_FAILED;
    progress_show(label.text, left_s(b));
    json_t *result = cell_measure(&order);
    if (!result)
        return BLOCK_INTERRUPTED;
    if (w.cores >= 1)
        warn_of_shared_cpus(result, &server_cpus, p);
    json_t *line = line_of(p, g, block, result);
    struct error note;
    if (note_on(line, &note) && (block <= 1 || json_at(line, "error")))
        progress_note(label.text, note.text);
    int kept = keep(b, g, block, line, error);
    json_decref(line);
    return kept == 0 ? BLOCK_WHOLE : BLOCK_FAILED;
}

/* --- a block ---------------------------------------------------------------------------------- */

bool block_is_whole(const struct blocks *b, size_t workload, size_t point, unsigned block)
{
    const struct plan *p = &b->results->plan;
    for (size_t m = 0; m < p->model_count; m++)
        if (plan_serves(p, m, workload, point) &&
            !results_run(b->results, (struct group){m, workload, point}, block))
            return false;
    return true;
}

/* What of the block is not measured yet. */
static enum block_result measure_missing(struct blocks *b, size_t workload, size_t point,
                                         unsigned block, struct error *error)
{
    const struct plan *p = &b->results->plan;
    enum block_result result = BLOCK_WHOLE;
    size_t *order = calloc(p->model_count + 1, sizeof *order);
    if (!order) {
        error_set(error, "no memory");
        return BLOCK_FAILED;
    }
    plan_shuffle(p, workload, point, block, order);
    for (size_t i = 0; i < p->model_count && result == BLOCK_WHOLE; i++) {
        struct group g = {order[i], workload, point};
        if (plan_serves(p, g.model, workload, point) && !results_run(b->results, g, block))
            result = bench_stop > 0 ? BLOCK_INTERRUPTED : measure_cell(b, g, block, error);
    }
    free(order);
    return result;
}

enum block_result block_measure(struct blocks *b, size_t workload, size_t point, unsigned block,
                                double *took_s, struct error *error)
{
    const struct workload *w = &b->results->plan.workloads[workload];
    uint64_t start_ns = clock_now_ns();
    enum block_result result = measure_missing(b, workload, point, block, error);
    *took_s = (double)(clock_now_ns() - start_ns) / (double)NS_PER_S;
    if (result != BLOCK_WHOLE)
        return result;
    char what[3 * NAME_SIZE];
    snprintf(what, sizeof what, "%s%s%s: ", w->name, workload_has_points(w) ? " " : "",
             workload_has_points(w) ? point_name_of(w, point).text : "");
    size_t length = strlen(what);
    snprintf(what + length, sizeof what - length, block == 0 ? "first look" : "block %u", block);
    progress_block(what, *took_s, left_s(b));
    return BLOCK_WHOLE;
}
