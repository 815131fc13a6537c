#include "bench/run/cell.h"

#include "bench/run/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above warm-up, window and the age at which a request is given up: start, farewell, report. */
static const double GRACE_S = 15;

/* A window of a search is longer than planned where requests are few. */
static const double LONGEST_STEP = 5;

/* Its last line says most; all of it can be long. */
static const char *tail_of(char *messages)
{
    enum { TAIL_SIZE = 1000 };
    size_t length = strlen(messages);
    while (length > 0 && (messages[length - 1] == '\n' || messages[length - 1] == ' '))
        messages[--length] = '\0';
    return length > TAIL_SIZE ? messages + length - TAIL_SIZE : messages;
}

static json_t *failure(const char *what, struct outcome *o, const struct command *c)
{
    char *text_of_command = command_text(c);
    const char *said = o->messages ? tail_of(o->messages) : "";
    json_t *run = json_pack("{s:b, s:b}", "valid", 0, "interrupted", 0);
    struct error text;
    error_set(&text, "%s%s%s", what, *said ? ": " : "", said);
    /* What another program wrote need not be UTF-8, which JSON must be. */
    json_t *message = json_string(text.text);
    json_object_set_new(run, "error", message ? message : json_string(what));
    json_object_set_new(run, "command",
                        text_of_command ? json_string(text_of_command) : json_null());
    free(text_of_command);
    return run;
}

/* In runs.jsonl `workload` is a name: what loadgen says of its own settings moves aside. */
static void set_settings_aside(json_t *run)
{
    json_t *settings = json_object_get(run, "workload");
    if (settings)
        json_object_set(run, "settings", settings);
    json_object_del(run, "workload");
}

static json_t *result_of(struct outcome *o, double limit_s, const struct command *c)
{
    struct error what;
    json_error_t reason;
    if (o->timed_out)
        error_set(&what, "loadgen had not ended after %.0f s and was killed", limit_s);
    else if (o->signal != 0)
        error_set(&what, "loadgen was ended by signal %d (%s)", o->signal, strsignal(o->signal));
    else
        error_set(&what, "loadgen gave no result object (exit %d)", o->exit_code);
    json_t *run = json_loadb(o->output, o->output_size, JSON_DISABLE_EOF_CHECK, &reason);
    /* Killed after the object was whole: the measurement itself was finished. */
    if (json_is_object(run)) {
        set_settings_aside(run);
        return run;
    }
    json_decref(run);
    return failure(what.text, o, c);
}

json_t *cell_measure(const struct cell_order *order)
{
    struct command command;
    struct outcome o;
    struct error error;
    const struct workload *w = order->workload;
    double limit_s = LONGEST_STEP * workload_cell_s(w) + w->timeout_s + GRACE_S;
    json_t *run = NULL;
    command_compose(&command, order);
    o = (struct outcome){.exit_code = -1};
    const struct child_order child = {
        .argv = (const char *const *)command.at, .folder = order->folder, .limit_s = limit_s};
    if (command.failed || command_prepare(order, &error) != 0 ||
        child_run(&child, &o, &error) != 0) {
        run = failure(command.failed ? "the command line is too long" : error.text, &o, &command);
    } else if (!o.interrupted) {
        run = result_of(&o, limit_s, &command);
        json_object_set_new(run, "exit_code", json_integer(o.exit_code));
        json_object_set_new(run, "cell_s", json_real(o.elapsed_s));
    }
    /* Somebody else can have told loadgen to end, too. */
    if (json_is_true(json_object_get(run, "interrupted"))) {
        json_decref(run);
        run = NULL;
    }
    outcome_free(&o);
    command_free(&command);
    return run;
}
