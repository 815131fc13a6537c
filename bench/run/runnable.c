#include "bench/run/runnable.h"

#include "bench/base/child.h"
#include "bench/base/json.h"
#include "bench/run/cell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Calibrating and opening a listening socket takes a tenth of a second. */
static const double LIMIT_S = 30;

struct reason {
    char text[256];
};

/* What the server said of itself: its last line, without its name in front. */
static struct reason last_line(const char *messages, const char *program)
{
    struct reason reason = {"it does not say why"};
    size_t name_length = strlen(program);
    for (const char *at = messages; *at; at += *at == '\n') {
        size_t length = strcspn(at, "\n");
        if (strncmp(at, program, name_length) == 0 && strncmp(at + name_length, ": ", 2) == 0) {
            at += name_length + 2;
            length -= name_length + 2;
        }
        if (length > 0)
            snprintf(reason.text, sizeof reason.text, "%.*s", (int)length, at);
        at += length;
    }
    return reason;
}

/* Starts the model's server and ends it as soon as it is ready. 0 with `unavailable` and, if that
 * is so, the reason; -1: interrupted. A server that fails in another way is a matter of its cells:
 * there its failure is recorded. */
static int try_model(const char *model, const struct places *places, bool *unavailable,
                     struct reason *reason, struct error *error)
{
    char name[NAME_SIZE + 8];
    snprintf(name, sizeof name, "server-%s", model);
    struct path program = path_of("%s/%s", places->programs.text, name);
    const char *const argv[] = {program.text,     "--listen", "127.0.0.1:0",
                                "--compute-rate", "1",        NULL};
    const struct child_order order = {.argv = argv, .limit_s = LIMIT_S, .one_line = true};
    struct outcome outcome;
    *unavailable = false;
    if (child_run(&order, &outcome, error) != 0)
        return 0;
    bool interrupted = outcome.interrupted;
    *unavailable = outcome.exit_code == EX_UNAVAILABLE;
    if (*unavailable)
        *reason = last_line(outcome.messages, name);
    outcome_free(&outcome);
    return interrupted ? error_set(error, "interrupted while the servers were tried") : 0;
}

int runnable_models(struct plan *p, const struct places *places, struct error *error)
{
    size_t ours = p->model_count - p->target_count, kept = 0;
    for (size_t i = 0; i < ours; i++) {
        bool unavailable;
        struct reason reason;
        if (try_model(p->models[i], places, &unavailable, &reason, error) != 0)
            return -1;
        if (unavailable)
            plan_leave_out(p, "server-%s was not measured: %s", p->models[i], reason.text);
        else
            memmove(p->models[kept++], p->models[i], sizeof *p->models);
    }
    memmove(p->models[kept], p->models[ours], p->target_count * sizeof *p->models);
    p->model_count = kept + p->target_count;
    return kept > 0 ? 0 : error_set(error, "none of the chosen servers can run here");
}

/* --- targets ---------------------------------------------------------------------------------- */

/* Of what the target serves the first, as little of it as there can be; false: it serves nothing.
 */
static bool least_workload(const struct plan *p, const struct target *t, struct workload *least)
{
    char path[TEXT_SIZE];
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t i = 0; i < workload_points(&p->workloads[w]); i++) {
            struct workload at = workload_at(&p->workloads[w], i);
            if (!target_path(t, &at, path, sizeof path))
                continue;
            *least = at;
            least->open = least->capacity = false;
            least->rate_rps = least->idle = least->slow = least->think_ms = least->warmup_s = 0;
            least->connections = least->threads = least->pipeline = 1;
            least->duration_s = 0.02;
            return true;
        }
    return false;
}

/* Why it cannot be measured; "" where it can. If loadgen could not start it, the last warning says
 * why. A server that answers nothing in this short time may be slow; one that answers with errors
 * is not what its file says. */
static void judge(const json_t *run, const char *path, struct error *reason)
{
    const json_t *warnings = json_at(run, "warnings");
    const char *error = json_string_value(json_at(run, "error")), *kind;
    const char *last = json_string_value(json_array_get(warnings, json_array_size(warnings) - 1));
    double completed = json_number_at(run, "requests.completed");
    json_t *count;
    *reason->text = '\0';
    if (error || isnan(completed))
        error_set(reason, "%s", error ? error : last ? last : "it could not be started");
    if (error || isnan(completed) || completed > 0)
        return;
    json_object_foreach (json_at(run, "requests.errors"), kind, count)
        if (json_integer_value(count) > 0)
            error_set(reason,
                      "no request of %s was answered correctly (errors of the kind \"%s\": see "
                      "docs/loadgen.md)",
                      path, kind);
}

/* 0 with the reason why it cannot run ("" if it can), or -1: interrupted. */
static int try_target(const struct plan *p, const struct target *t, const struct places *places,
                      const char *scratch, struct error *reason, struct error *error)
{
    struct workload w;
    struct path program;
    *reason->text = '\0';
    if (!target_is_installed(t, program.text, sizeof program.text, reason))
        return 0;
    if (!least_workload(p, t, &w)) {
        error_set(reason, "it answers what none of the chosen workloads asks");
        return 0;
    }
    const struct cell_order order = {.programs = places->programs.text,
                                     .folder = scratch,
                                     .target = t,
                                     .target_folder = scratch,
                                     .workload = &w,
                                     .server_cpus = p->server_cpus,
                                     .loadgen_cpus = p->loadgen_cpus,
                                     .compute_rate = 1,
                                     .seed = 1};
    json_t *run = cell_measure(&order);
    if (!run)
        return error_set(error, "interrupted while the targets were tried");
    char path[TEXT_SIZE];
    target_path(t, &w, path, sizeof path);
    judge(run, *path ? path : "the mix", reason);
    json_decref(run);
    return 0;
}

/* Which workloads it does not answer, or not at all their points. */
static void say_what_is_not_served(struct plan *p, size_t model)
{
    char *list = NULL;
    size_t size;
    FILE *out = open_memstream(&list, &size);
    for (size_t w = 0; out && w < p->workload_count; w++) {
        size_t points = workload_points(&p->workloads[w]), missing = 0;
        for (size_t i = 0; i < points; i++)
            missing += !plan_serves(p, model, w, i);
        if (missing > 0)
            fprintf(out, " %s%s", p->workloads[w].name, missing < points ? " (in part)" : "");
    }
    if (!out || fclose(out) != 0)
        return;
    if (*list)
        plan_leave_out(p, "%s does not answer what these ask, and is not in them:%s",
                       p->models[model], list);
    free(list);
}

int runnable_targets(struct plan *p, const struct places *places, const char *scratch,
                     struct error *error)
{
    size_t ours = p->model_count - p->target_count, kept = 0;
    for (size_t i = 0; i < p->target_count; i++) {
        struct error reason;
        if (try_target(p, &p->targets[i], places, scratch, &reason, error) != 0)
            return -1;
        if (*reason.text) {
            plan_leave_out(p, "%s was not measured: %s", p->targets[i].name, reason.text);
            continue;
        }
        p->targets[kept] = p->targets[i];
        memmove(p->models[ours + kept++], p->targets[i].name, sizeof *p->models);
    }
    p->target_count = kept;
    p->model_count = ours + kept;
    for (size_t i = 0; i < kept; i++)
        say_what_is_not_served(p, ours + i);
    return 0;
}
