#include "bench/run/command.h"

#include "bench/base/files.h"
#include "common/units.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void add(struct command *a, const char *format, ...)
{
    char *text = NULL;
    va_list values;
    va_start(values, format);
    int length = a->count < ARGUMENT_LIMIT ? vasprintf(&text, format, values) : -1;
    va_end(values);
    a->failed |= length < 0;
    if (length >= 0)
        a->at[a->count++] = text;
}

static void add_option(struct command *a, const char *option, double value)
{
    add(a, "%s", option);
    add(a, "%.10g", value);
}

static void add_text(struct command *a, const char *option, const char *value)
{
    if (!*value)
        return;
    add(a, "%s", option);
    add(a, "%s", value);
}

/* Calls `add_one` for each word of the text. */
static void for_each_word(struct command *a, const char *words,
                          void (*add_one)(struct command *, const char *word, const void *),
                          const void *argument)
{
    char *copy = strdup(words), *rest = NULL;
    a->failed |= !copy;
    for (char *word = copy ? strtok_r(copy, " \t", &rest) : NULL; word;
         word = strtok_r(NULL, " \t", &rest))
        add_one(a, word, argument);
    free(copy);
}

static void add_word(struct command *a, const char *word, const void *option)
{
    if (option)
        add(a, "%s", (const char *)option);
    add(a, "%s", word);
}

static void add_words(struct command *a, const char *words)
{
    for_each_word(a, words, add_word, NULL);
}

void command_free(struct command *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->at[i]);
}

static void add_search(struct command *a, const struct cell_order *o)
{
    const struct workload *w = o->workload;
    add(a, "--find-capacity");
    add_option(a, "--step", w->step_s);
    add_option(a, "--steps", w->steps);
    for_each_word(a, w->slo, add_word, "--slo");
    if (o->capacity_low_rps > 0 && o->capacity_high_rps > o->capacity_low_rps) {
        add(a, "--capacity-between");
        add(a, "%.6g:%.6g", o->capacity_low_rps, o->capacity_high_rps);
    }
}

static void add_clients(struct command *a, const struct cell_order *o)
{
    const struct workload *w = o->workload;
    add_option(a, "--connections", w->connections);
    if (w->open || w->rate_rps > 0)
        add_option(a, "--rate", w->rate_rps);
    if (w->open || w->capacity)
        add_text(a, "--arrivals", w->arrivals);
    if (w->capacity)
        add_search(a, o);
    if (w->think_ms > 0)
        add_option(a, "--think-ms", w->think_ms);
    if (w->threads != 1)
        add_option(a, "--threads", w->threads);
    if (w->close)
        add(a, "--close");
    if (strcmp(w->http, "1.1") != 0)
        add_text(a, "--http", w->http);
    if (w->pipeline != 1)
        add_option(a, "--pipeline", w->pipeline);
    if (w->idle > 0)
        add_option(a, "--idle", w->idle);
    if (w->slow > 0)
        add_option(a, "--slow", w->slow);
    if (strcmp(w->method, "GET") != 0)
        add_text(a, "-X", w->method);
    if (*w->mix) {
        add(a, "--mix");
        add(a, "%s/%s", o->inputs, w->mix);
    }
    add_option(a, "--timeout", w->timeout_s);
    add_option(a, "--warmup", w->warmup_s);
    add_option(a, "--duration", w->duration_s);
}

/* --- targets ---------------------------------------------------------------------------------- */

/* What its placeholders stand for, and the texts that these point to. */
struct staging {
    struct target_values values;
    struct path folder, root, program;
    char cpus[TEXT_SIZE];
};

static void stage(struct staging *s, const struct cell_order *o)
{
    cpu_set_t allowed;
    struct error unused;
    bool pinned = *o->server_cpus && parse_cpu_list(o->server_cpus, &allowed);
    if (!pinned)
        sched_getaffinity(0, sizeof allowed, &allowed);
    target_is_installed(o->target, s->program.text, sizeof s->program.text, &unused);
    s->folder = path_of("%s/%s", o->target_folder, o->target->name);
    s->root = o->workload->file_bytes > 0
                  ? path_of("%s/root/%s", o->target_folder, o->workload->name)
                  : path_of("%s/root", o->target_folder);
    snprintf(s->cpus, sizeof s->cpus, "%s", o->server_cpus);
    if (!pinned)
        format_cpu_list(&allowed, s->cpus, sizeof s->cpus);
    s->values = (struct target_values){.folder = s->folder.text,
                                       .here = o->target->here,
                                       .root = s->root.text,
                                       .cpus = s->cpus,
                                       .bin = o->programs,
                                       .program = s->program.text,
                                       .workers = (unsigned)CPU_COUNT(&allowed),
                                       .compute_rate = o->compute_rate};
}

int command_prepare(const struct cell_order *o, struct error *error)
{
    struct staging s;
    if (!o->target)
        return 0;
    stage(&s, o);
    return target_prepare(o->target, &s.values, error);
}

/* What loadgen has to know of how this one is started and stopped. */
static void add_target_options(struct command *a, const struct cell_order *o)
{
    const struct target *t = o->target;
    add_text(a, "--ready", t->ready);
    add_text(a, "--stop-signal", t->stop);
    add_text(a, "--server-cpus", o->server_cpus);
    if (*t->config) {
        add(a, "--template");
        add(a, "%s/%s/config.in", o->target_folder, t->name);
    }
}

static void add_expanded(struct command *a, const char *word, const void *values)
{
    char *expanded = target_expand(word, values);
    add(a, "%s", expanded ? expanded : "");
    a->failed |= !expanded;
    free(expanded);
}

static void add_target_command(struct command *a, const struct cell_order *o)
{
    struct staging s;
    stage(&s, o);
    for_each_word(a, o->target->command, add_expanded, &s.values);
}

/* --- the command line ------------------------------------------------------------------------- */

static void add_backend(struct command *a, const struct cell_order *o)
{
    if (strcmp(o->workload->backend, "redis") == 0) {
        add(a, "--redis");
        add(a, "unix:%s", backend_redis_socket(o->backend).text);
    }
    if (strcmp(o->workload->backend, "sqlite") == 0)
        add_text(a, "--database", backend_database(o->backend).text);
}

static void add_own_server(struct command *a, const struct cell_order *o)
{
    const struct workload *w = o->workload;
    add(a, "%s/server-%s", o->programs, o->model);
    add_text(a, "--listen", "127.0.0.1:0");
    add_option(a, "--compute-rate", o->compute_rate);
    add_text(a, "--cpus", o->server_cpus);
    if (w->file_bytes > 0) {
        add(a, "--root");
        add(a, "root/%s", w->name);
    }
    add_backend(a, o);
}

static void add_server(struct command *a, const struct cell_order *o)
{
    const struct workload *w = o->workload;
    const char *name = o->target ? o->target->name : o->model;
    add(a, "--");
    if (!name) {
        add(a, "%s/specimen", o->programs);
        add_text(a, "--cpus", o->server_cpus);
        add_words(a, o->specimen ? o->specimen : "");
        return;
    }
    if (o->target)
        add_target_command(a, o);
    else
        add_own_server(a, o);
    /* What every model is told, a target may not understand. */
    for (size_t i = 0; i < w->server_count; i++)
        if (*w->servers[i].model ? strcmp(w->servers[i].model, name) == 0 : !o->target)
            add_words(a, w->servers[i].options);
}

void command_compose(struct command *a, const struct cell_order *o)
{
    const struct workload *w = o->workload;
    *a = (struct command){.count = 0};
    add(a, "%s/loadgen", o->programs);
    add_text(a, "--json", "-");
    add(a, "--histograms");
    if (o->label) {
        add(a, "--timeline");
        add(a, "timeline/%s.tsv", o->label);
        add_option(a, "--interval", w->timeline_s > 0 ? w->timeline_s : 0.1);
    }
    add(a, "--seed");
    add(a, "%lu", o->seed);
    add_text(a, "--cpus", o->loadgen_cpus);
    if (strcmp(w->backend, "redis") == 0)
        add_option(a, "--backend-pid", (double)backend_redis_pid(o->backend));
    add_clients(a, o);
    add_words(a, o->loadgen_options ? o->loadgen_options : "");
    char path[TEXT_SIZE];
    if (o->target)
        add_target_options(a, o);
    if (!o->target || !target_path(o->target, w, path, sizeof path))
        snprintf(path, sizeof path, "%s", w->path);
    add(a, "http://127.0.0.1:0%s", *path ? path : "/");
    add_server(a, o);
}

/* Quoted for a shell where it has to be. */
static void print_word(FILE *out, const char *word)
{
    if (!word[strcspn(word, " \t\n\"'\\$&|;<>(){}*?[]~#`!")]) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}

char *command_text(const struct command *a)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; out && i < a->count; i++) {
        if (i > 0)
            fputc(' ', out);
        print_word(out, a->at[i]);
    }
    if (out)
        fclose(out);
    return text;
}
