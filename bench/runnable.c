#include "bench/runnable.h"

#include "bench/child.h"

#include <stdio.h>
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
    size_t kept = 0;
    for (size_t i = 0; i < p->model_count; i++) {
        bool unavailable;
        struct reason reason;
        if (try_model(p->models[i], places, &unavailable, &reason, error) != 0)
            return -1;
        if (unavailable)
            plan_leave_out(p, "server-%s was not measured: %s", p->models[i], reason.text);
        else
            memmove(p->models[kept++], p->models[i], sizeof *p->models);
    }
    p->model_count = kept;
    return kept > 0 ? 0 : error_set(error, "none of the chosen servers can run here");
}
