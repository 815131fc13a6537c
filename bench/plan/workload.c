#include "bench/plan/workload.h"

#include "bench/base/files.h"
#include "bench/plan/ini_reader.h"
#include "bench/plan/list.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { TEXT, CHOICE, FLAG, WHOLE, NUMBER, LIST };

/* One thing a person can set. */
struct setting {
    const char *key;
    enum kind kind;
    size_t offset;
    double least, most;  /* numbers */
    const char *choices; /* CHOICE: separated by blanks */
};

#define AT(member) offsetof(struct workload, member)
static const struct setting settings[] = {
    {"title", TEXT, AT(title), 0, 0, NULL},
    {"question", TEXT, AT(question), 0, 0, NULL},
    {"order", WHOLE, AT(order), 0, 1e6, NULL},
    {"core", FLAG, AT(core), 0, 0, NULL},
    {"core_points", TEXT, AT(core_points), 0, 0, NULL},
    {"headline", CHOICE, AT(headline), 0, 0,
     "capacity throughput response_p50 response_p99 cpu_per_request switches_per_request "
     "memory_pss"},
    {"mode", CHOICE, AT(mode), 0, 0, "closed open capacity"},
    {"connections", WHOLE, AT(connections), 1, 1e6, NULL},
    {"rate_rps", NUMBER, AT(rate_rps), 0.001, 1e8, NULL},
    {"arrivals", CHOICE, AT(arrivals), 0, 0, "poisson constant"},
    {"think_ms", NUMBER, AT(think_ms), 0, 3.6e6, NULL},
    {"method", TEXT, AT(method), 0, 0, NULL},
    {"path", TEXT, AT(path), 0, 0, NULL},
    {"mix", TEXT, AT(mix), 0, 0, NULL},
    {"close", FLAG, AT(close), 0, 0, NULL},
    {"http", CHOICE, AT(http), 0, 0, "1.0 1.1"},
    {"pipeline", WHOLE, AT(pipeline), 1, 1e4, NULL},
    {"threads", WHOLE, AT(threads), 1, 1024, NULL},
    {"timeout_s", NUMBER, AT(timeout_s), 0.001, 3600, NULL},
    {"idle", WHOLE, AT(idle), 0, 1e6, NULL},
    {"slow", WHOLE, AT(slow), 0, 1e6, NULL},
    {"cores", WHOLE, AT(cores), 1, 1024, NULL},
    {"backend", CHOICE, AT(backend), 0, 0, "redis sqlite"},
    {"file_bytes", WHOLE, AT(file_bytes), 0, 1e9, NULL},
    {"timeline_s", NUMBER, AT(timeline_s), 0, 3600, NULL},
    {"warmup_s", NUMBER, AT(warmup_s), 0, 3600, NULL},
    {"duration_s", NUMBER, AT(duration_s), 0.01, 86400, NULL},
    {"slo", TEXT, AT(slo), 0, 0, NULL},
    {"step_s", NUMBER, AT(step_s), 0.1, 600, NULL},
    {"steps", WHOLE, AT(steps), 1, 1000, NULL},
    {"sweep", CHOICE, AT(sweep), 0, 0,
     "total connections idle slow rate_rps think_ms pipeline threads cores"},
    {"values", LIST, AT(values), 0, 0, NULL},
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

static const struct setting *setting_find(const char *key)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

static size_t text_size(const struct setting *s)
{
    bool is_short = s->kind == CHOICE || s->offset == AT(method) || s->offset == AT(mix);
    return is_short ? NAME_SIZE : TEXT_SIZE;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Each of these returns NULL, or what was expected instead of the value. */

static const char *set_text(char *place, size_t size, const char *value)
{
    if (strlen(value) >= size)
        return "a shorter text";
    strcpy(place, value);
    return NULL;
}

static const char *set_choice(char *place, const char *choices, const char *value)
{
    if (!is_listed(choices, value))
        return choices;
    strcpy(place, value);
    return NULL;
}

static const char *set_flag(bool *place, const char *value)
{
    *place = strcmp(value, "yes") == 0;
    return *place || strcmp(value, "no") == 0 ? NULL : "yes or no";
}

static const char *set_number(double *place, const struct setting *s, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(number))
        return "a number";
    if (s->kind == WHOLE && number != floor(number))
        return "a whole number";
    if (number < s->least || number > s->most)
        return "a number within the limits that docs/workloads.md gives";
    *place = number;
    return NULL;
}

static const char *set_list(struct workload *w, const char *value)
{
    w->value_count = 0;
    for (const char *at = value; *at; at += strspn(at, ", \t")) {
        char *end;
        double number = strtod(at, &end);
        if (end == at || !isfinite(number) || (*end && !strchr(", \t", *end)))
            return "numbers separated by blanks";
        if (w->value_count == VALUES_LIMIT)
            return "at most 64 numbers";
        w->values[w->value_count++] = number;
        at = end;
    }
    return w->value_count > 0 ? NULL : "at least one number";
}

static const char *setting_apply(struct workload *w, const struct setting *s, const char *value)
{
    char *place = (char *)w + s->offset;
    switch (s->kind) {
    case TEXT: return set_text(place, text_size(s), value);
    case CHOICE: return set_choice(place, s->choices, value);
    case FLAG: return set_flag((bool *)place, value);
    case WHOLE:
    case NUMBER: return set_number((double *)place, s, value);
    case LIST: return set_list(w, value);
    }
    return NULL;
}

/* --- the file --------------------------------------------------------------------------------- */

struct parsing {
    struct workload *workload, unused; /* `unused` checks what named points change */
    bool seen[SETTING_COUNT];
    char section[NAME_SIZE];
    struct ini_reader reader;
};

static int parsing_fail(struct parsing *p, const char *what, const char *value, const char *wanted)
{
    return ini_reader_fail(&p->reader, what, value, wanted);
}

/* What a named point changes is checked now and applied when the workload is put there. */
static int set_variant(struct parsing *p, const char *name, const char *key, const char *value)
{
    struct workload *w = p->workload;
    const struct setting *s = setting_find(key);
    static const char *const not_here =
        "anything but title, question, order, core, headline, file_bytes and the sweep";
    if (!s || s->kind == LIST || s->offset == AT(title) || s->offset == AT(question) ||
        s->offset == AT(order) || s->offset == AT(core) || s->offset == AT(core_points) ||
        s->offset == AT(headline) || s->offset == AT(file_bytes) || s->offset == AT(sweep))
        return parsing_fail(p, "a point cannot change", key, not_here);
    const char *wanted = setting_apply(&p->unused, s, value);
    if (wanted)
        return parsing_fail(p, key, value, wanted);
    bool same = w->variant_count > 0 && strcmp(w->variants[w->variant_count - 1].name, name) == 0;
    if (!*name || strlen(name) >= NAME_SIZE ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") < strlen(name))
        return parsing_fail(p, "a point's name is made of a-z, 0-9 and -, not", name, NULL);
    if (!same && w->variant_count == VARIANTS_LIMIT)
        return parsing_fail(p, "too many points at", name, "at most 16");
    for (size_t i = 0; !same && i < w->variant_count; i++)
        if (strcmp(w->variants[i].name, name) == 0)
            return parsing_fail(p, "there is a point already of the name", name, NULL);
    struct variant *v = &w->variants[same ? w->variant_count - 1 : w->variant_count++];
    if (!same)
        *v = (struct variant){.change_count = 0};
    strcpy(v->name, name);
    if (v->change_count == CHANGES_LIMIT || strlen(value) >= sizeof v->changes[0].value)
        return parsing_fail(p, "too much for one point:", value, "less");
    strcpy(v->changes[v->change_count].key, key);
    strcpy(v->changes[v->change_count++].value, value);
    return 1;
}

static int set_server(struct parsing *p, const char *model, const char *key, const char *value)
{
    struct workload *w = p->workload;
    if (strcmp(key, "options") != 0)
        return parsing_fail(p, "unknown setting", key, "options");
    if (w->server_count == SERVERS_LIMIT || strlen(model) >= NAME_SIZE ||
        strlen(value) >= TEXT_SIZE)
        return parsing_fail(p, "too much for one workload:", value, "less");
    strcpy(w->servers[w->server_count].model, model);
    strcpy(w->servers[w->server_count++].options, value);
    return 1;
}

static int continue_text(struct parsing *p, const struct setting *s, struct workload *w,
                         const char *value)
{
    char *text = (char *)w + s->offset;
    size_t length = strlen(text);
    if (s->kind != TEXT || length + 1 + strlen(value) >= text_size(s))
        return parsing_fail(p, "cannot continue", s->key, "one line");
    snprintf(text + length, text_size(s) - length, " %s", value);
    return 1;
}

static int take(void *arg, const char *section, const char *key, const char *value)
{
    struct parsing *p = arg;
    if (strcmp(section, p->section) != 0) {
        snprintf(p->section, sizeof p->section, "%s", section);
        memset(p->seen, 0, sizeof p->seen);
    }
    if (strcmp(section, "server") == 0)
        return set_server(p, "", key, value);
    if (strncmp(section, "server.", 7) == 0)
        return set_server(p, section + 7, key, value);
    if (strncmp(section, "point.", 6) == 0)
        return set_variant(p, section + 6, key, value);

    struct workload *w = p->workload;
    if (*section)
        return parsing_fail(p, "unknown section", section, "point.NAME, server, server.MODEL");
    const struct setting *s = setting_find(key);
    if (!s)
        return parsing_fail(p, "unknown setting", key, "one that docs/workloads.md lists");
    bool *seen = &p->seen[s - settings];
    if (*seen && p->reader.indented)
        return continue_text(p, s, w, value);
    if (*seen)
        return parsing_fail(p, "set twice:", key, NULL);
    *seen = true;
    const char *wanted = setting_apply(w, s, value);
    if (!wanted)
        return 1;
    char what[NAME_SIZE + 8];
    snprintf(what, sizeof what, "%s is", key);
    return parsing_fail(p, what, value, wanted);
}

/* --- a workload as a whole -------------------------------------------------------------------- */

static int check_sweep(const struct workload *w, const char *file, struct error *error)
{
    if (!*w->sweep != (w->value_count == 0))
        return error_set(error, "%s: a sweep needs both, sweep and values", file);
    for (size_t i = 0; i < w->value_count; i++) {
        const struct setting *s =
            setting_find(strcmp(w->sweep, "total") == 0 ? "connections" : w->sweep);
        struct workload unused;
        char value[NAME_SIZE];
        snprintf(value, sizeof value, "%.17g", w->values[i]);
        const char *wanted = setting_apply(&unused, s, value);
        if (wanted)
            return error_set(error, "%s: %s cannot be %g; expected: %s", file, w->sweep,
                             w->values[i], wanted);
        for (size_t j = 0; j < i; j++)
            if (w->values[j] == w->values[i])
                return error_set(error, "%s: %g stands twice in values", file, w->values[i]);
    }
    return 0;
}

static int check(const struct workload *w, const char *file, struct error *error)
{
    bool rated = w->rate_rps > 0 || strcmp(w->sweep, "rate_rps") == 0;
    if (!*w->title || !*w->question)
        return error_set(error, "%s: title and question are missing: what does it ask?", file);
    if (!*w->path == !*w->mix)
        return error_set(error, "%s: needs either path or mix", file);
    if (*w->path && *w->path != '/')
        return error_set(error, "%s: path must begin with /", file);
    if (w->file_bytes > 0 && strncmp(w->path, "/files/", 7) != 0)
        return error_set(error, "%s: file_bytes needs a path below /files/", file);
    if (w->open && !rated)
        return error_set(error, "%s: mode = open needs rate_rps", file);
    if (!w->open && !w->capacity && rated)
        return error_set(error, "%s: rate_rps needs mode = open", file);
    if (w->capacity != (*w->slo != '\0'))
        return error_set(error, "%s: mode = capacity and slo need each other", file);
    if (strchr(w->mix, '/'))
        return error_set(error, "%s: a mix stands beside the workload's file: give its name alone",
                         file);
    return 0;
}

/* As a whole, and at each of its named points. */
static int check_all(const struct workload *w, const char *file, struct error *error)
{
    if (w->variant_count == 0)
        return check(w, file, error) == 0 ? check_sweep(w, file, error) : -1;
    if (*w->sweep || w->value_count > 0)
        return error_set(error, "%s: a workload has a sweep or named points, not both", file);
    for (size_t i = 0; i < w->variant_count; i++) {
        struct workload at = workload_at(w, i);
        if (check(&at, file, error) != 0)
            return -1;
    }
    return 0;
}

/* What follows from the settings. */
static void derive(struct workload *w)
{
    w->open = strcmp(w->mode, "open") == 0;
    w->capacity = strcmp(w->mode, "capacity") == 0;
    if (!*w->headline)
        strcpy(w->headline, w->capacity ? "capacity" : w->open ? "response_p99" : "throughput");
}

int workload_parse(struct workload *w, const char *file, const char *text, struct error *error)
{
    *w = (struct workload){
        .mode = "closed",
        .arrivals = "poisson",
        .http = "1.1",
        .method = "GET",
        .connections = 64,
        .pipeline = 1,
        .threads = 1,
        .timeout_s = 10,
        .step_s = 0.4,
        .steps = 6,
        .warmup_s = NAN,
        .duration_s = NAN,
    };
    struct parsing p = {.workload = w, .reader = {.file = file, .rest = text, .error = error}};
    if (ini_name_of_file(w->name, sizeof w->name, file, "workload", error) != 0 ||
        ini_reader_parse(&p.reader, take, &p) != 0)
        return -1;
    derive(w);
    return check_all(w, file, error);
}

/* Mixes are read by the load generator, but a missing one is found before anything is measured. */
static int verify_mix(const char *mix, const char *file, struct error *error)
{
    const char *slash = strrchr(file, '/');
    struct path path = path_of("%.*s%s", slash ? (int)(slash + 1 - file) : 0, file, mix ? mix : "");
    if (mix && *mix && access(path.text, R_OK) != 0)
        return error_set(error, "%s: cannot read its mix %s: %s", file, mix, strerror(errno));
    return 0;
}

int workload_read(struct workload *w, const char *file, struct error *error)
{
    char *text = file_read(file, NULL);
    if (!text)
        return error_set(error, "cannot read %s: %s", file, strerror(errno));
    int result = workload_parse(w, file, text, error);
    free(text);
    for (size_t i = 0; result == 0 && i < workload_points(w); i++)
        result = verify_mix(workload_at(w, i).mix, file, error);
    return result;
}

void workload_set_windows(struct workload *w, double warmup_s, double duration_s)
{
    if (isnan(w->warmup_s))
        w->warmup_s = warmup_s;
    if (isnan(w->duration_s))
        w->duration_s = duration_s;
}

/* Whether a setting is part of what servers meet, and not of how it is called or measured. */
static bool is_of_load(const struct setting *s)
{
    return !is_listed(
        "title question order core core_points headline timeline_s warmup_s duration_s step_s "
        "steps sweep values",
        s->key);
}

static bool is_same(const struct setting *s, const char *a, const char *b)
{
    switch (s->kind) {
    case TEXT:
    case CHOICE: return strcmp(a, b) == 0;
    case FLAG: return *(const bool *)a == *(const bool *)b;
    case WHOLE:
    case NUMBER: return *(const double *)a == *(const double *)b;
    case LIST: return true;
    }
    return false;
}

bool workload_same_load(const struct workload *a, const struct workload *b)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &settings[i];
        if (is_of_load(s) && !is_same(s, (const char *)a + s->offset, (const char *)b + s->offset))
            return false;
    }
    return true;
}

/* --- at a point ------------------------------------------------------------------------------- */

struct workload workload_at(const struct workload *w, size_t point)
{
    struct workload at = *w;
    if (w->variant_count > 0) {
        const struct variant *v = &w->variants[point];
        for (size_t i = 0; i < v->change_count; i++)
            setting_apply(&at, setting_find(v->changes[i].key), v->changes[i].value);
        derive(&at);
    } else if (strcmp(w->sweep, "total") == 0) {
        /* So many connections in all: the active ones first, idle ones for the rest. */
        at.connections = fmin(w->connections, w->values[point]);
        at.idle = w->values[point] - at.connections;
    } else if (w->value_count > 0) {
        memcpy((char *)&at + setting_find(w->sweep)->offset, &w->values[point], sizeof(double));
    }
    return at;
}
