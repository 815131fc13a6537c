#include "bench/plan/workload.h"

#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/plan/ini_reader.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct profile profiles[] = {
    {"quick", "a first look: the shapes, not the figures", 1, 1, 0.2, 0.7},
    {"standard", "a comparison for a lecture", 6, 6, 0.25, 0.8},
    {"full", "figures for a publication", 6, 30, 2, 10},
};
const size_t profile_count = sizeof profiles / sizeof *profiles;

/* What a cell costs besides its window: two processes that start and stop. Measured, rounded. */
static const double CELL_OVERHEAD_S = 0.3;

/* Steps of a search for the capacity before it is confirmed: some doublings, some halvings. */
enum { SEARCH_STEPS = 12 };

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
    {"trials", WHOLE, AT(trials), 1, 1000, NULL},
    {"trials_most", WHOLE, AT(trials_most), 1, 1000, NULL},
    {"sweep", CHOICE, AT(sweep), 0, 0,
     "total connections idle slow rate_rps think_ms pipeline threads cores file_bytes"},
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
    return s->kind == CHOICE || s->offset == AT(method) ? NAME_SIZE : TEXT_SIZE;
}

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < profile_count; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
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
    size_t length = strlen(value);
    for (const char *c = choices; *c; c += strspn(c, " ")) {
        size_t choice_length = strcspn(c, " ");
        if (length > 0 && choice_length == length && strncmp(c, value, length) == 0) {
            strcpy(place, value);
            return NULL;
        }
        c += choice_length;
    }
    return choices;
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
    struct workload *workload, unused; /* `unused` checks the sections of other profiles */
    const char *profile;
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
    static const char *const not_here = "anything but title, question, order, trials and the sweep";
    if (!s || s->kind == LIST || s->offset == AT(title) || s->offset == AT(question) ||
        s->offset == AT(order) || s->offset == AT(trials) || s->offset == AT(sweep))
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
    bool profiled = strncmp(section, "profile.", 8) == 0;
    if (*section && (!profiled || !profile_find(section + 8)))
        return parsing_fail(p, "unknown section", section,
                            "profile.quick, profile.standard, profile.full, point.NAME, server, "
                            "server.MODEL");
    if (profiled && strcmp(section + 8, p->profile) != 0)
        w = &p->unused;

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

/* A mix stands beside the workload's file and is named relative to it. */
static int resolve_mix(char *mix, size_t size, const char *file, struct error *error)
{
    const char *slash = strrchr(file, '/');
    if (!*mix || *mix == '/' || !slash)
        return 0;
    struct path path = path_of("%.*s/%s", (int)(slash - file), file, mix);
    if (set_text(mix, size, path.text))
        return error_set(error, "%s: the path of the mix is too long", file);
    return 0;
}

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

/* Who says how many trials there are means just as many. */
static void settle_trials(struct workload *w, const struct profile *profile)
{
    bool own = w->trials > 0;
    if (w->trials_most == 0)
        w->trials_most = own ? w->trials : profile->trials_most;
    if (!own)
        w->trials = fmin(profile->trials, w->trials_most);
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
    if (w->trials_most < w->trials)
        return error_set(error, "%s: trials_most is less than trials", file);
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
}

int workload_parse(struct workload *w, const char *file, const char *text,
                   const struct profile *profile, struct error *error)
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
        .step_s = 1,
        .warmup_s = profile->warmup_s,
        .duration_s = profile->duration_s,
    };
    struct parsing p = {.workload = w,
                        .profile = profile->name,
                        .reader = {.file = file, .rest = text, .error = error}};
    if (ini_name_of_file(w->name, sizeof w->name, file, "workload", error) != 0 ||
        ini_reader_parse(&p.reader, take, &p) != 0)
        return -1;
    derive(w);
    settle_trials(w, profile);
    if (resolve_mix(w->mix, sizeof w->mix, file, error) != 0)
        return -1;
    for (size_t i = 0; i < w->variant_count; i++) {
        char *mix = variant_value(&w->variants[i], "mix");
        if (mix && resolve_mix(mix, sizeof w->variants[i].changes[0].value, file, error) != 0)
            return -1;
    }
    return check_all(w, file, error);
}

static int verify_mix(const char *mix, const char *file, struct error *error)
{
    if (mix && *mix && access(mix, R_OK) != 0)
        return error_set(error, "%s: cannot read its mix %s: %s", file, mix, strerror(errno));
    return 0;
}

int workload_read(struct workload *w, const char *file, const struct profile *profile,
                  struct error *error)
{
    char *text = file_read(file, NULL);
    if (!text)
        return error_set(error, "cannot read %s: %s", file, strerror(errno));
    int result = workload_parse(w, file, text, profile, error);
    free(text);
    if (result == 0)
        result = verify_mix(w->mix, file, error);
    for (size_t i = 0; i < w->variant_count && result == 0; i++)
        result = verify_mix(variant_value(&w->variants[i], "mix"), file, error);
    return result;
}

bool workload_needs(const struct workload *w, const char *backend)
{
    for (size_t i = 0; i < workload_points(w); i++)
        if (strcmp(workload_at(w, i).backend, backend) == 0)
            return true;
    return false;
}

size_t workload_points(const struct workload *w)
{
    size_t points = w->variant_count > 0 ? w->variant_count : w->value_count;
    return points > 0 ? points : 1;
}

bool workload_has_points(const struct workload *w)
{
    return w->variant_count > 0 || w->value_count > 0;
}

const char *workload_varies(const struct workload *w)
{
    if (w->variant_count > 0)
        return "kind of request";
    return strcmp(w->sweep, "total") == 0 ? "connections" : w->sweep;
}

char *variant_value(struct variant *v, const char *key)
{
    for (size_t i = 0; i < v->change_count; i++)
        if (strcmp(v->changes[i].key, key) == 0)
            return v->changes[i].value;
    return NULL;
}

static void apply_variant(struct workload *w, const struct variant *v)
{
    for (size_t i = 0; i < v->change_count; i++)
        setting_apply(w, setting_find(v->changes[i].key), v->changes[i].value);
    derive(w);
}

struct workload workload_at(const struct workload *w, size_t point)
{
    struct workload at = *w;
    if (w->variant_count > 0)
        apply_variant(&at, &w->variants[point]);
    if (w->value_count == 0)
        return at;
    double value = w->values[point];
    if (strcmp(w->sweep, "total") == 0) {
        /* So many connections in all: the active ones first, idle ones for the rest. */
        at.connections = fmin(w->connections, value);
        at.idle = value - at.connections;
        return at;
    }
    const struct setting *s = setting_find(w->sweep);
    memcpy((char *)&at + s->offset, &value, sizeof value);
    return at;
}

bool workload_same_load(const struct workload *a, const struct workload *b)
{
    return a->open == b->open && a->capacity == b->capacity && a->close == b->close &&
           strcmp(a->mode, b->mode) == 0 && strcmp(a->arrivals, b->arrivals) == 0 &&
           strcmp(a->http, b->http) == 0 && strcmp(a->method, b->method) == 0 &&
           strcmp(a->path, b->path) == 0 && strcmp(a->backend, b->backend) == 0 &&
           strcmp(a->slo, b->slo) == 0 && a->connections == b->connections && a->idle == b->idle &&
           a->slow == b->slow && a->pipeline == b->pipeline && a->threads == b->threads &&
           a->rate_rps == b->rate_rps && a->think_ms == b->think_ms &&
           a->timeout_s == b->timeout_s && a->cores == b->cores && a->file_bytes == b->file_bytes &&
           !*a->mix == !*b->mix;
}

size_t workload_limit_cores(struct workload *w, unsigned most)
{
    size_t kept = 0;
    if (strcmp(w->sweep, "cores") != 0) {
        for (size_t i = 0; i < workload_points(w); i++)
            if (workload_at(w, i).cores > most)
                return 0;
        return workload_points(w);
    }
    for (size_t i = 0; i < w->value_count; i++)
        if (w->values[i] <= most)
            w->values[kept++] = w->values[i];
    w->value_count = kept;
    return kept;
}

double workload_cell_s(const struct workload *w)
{
    double steps_s = w->capacity ? SEARCH_STEPS * (w->warmup_s + w->step_s) : 0;
    return w->warmup_s + w->duration_s + steps_s + CELL_OVERHEAD_S;
}

/* --- plan.json -------------------------------------------------------------------------------- */

static json_t *list_to_json(const struct workload *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->value_count; i++)
        json_array_append_new(list, json_number_of(w->values[i]));
    return list;
}

static json_t *servers_to_json(const struct workload *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->server_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "model", w->servers[i].model, "options",
                                              w->servers[i].options));
    return list;
}

static json_t *variants_to_json(const struct workload *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->variant_count; i++) {
        const struct variant *v = &w->variants[i];
        json_t *changes = json_object();
        for (size_t k = 0; k < v->change_count; k++)
            json_object_set_new(changes, v->changes[k].key, json_string(v->changes[k].value));
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", v->name, "changes", changes));
    }
    return list;
}

static json_t *setting_to_json(const struct workload *w, const struct setting *s)
{
    const char *place = (const char *)w + s->offset;
    switch (s->kind) {
    case TEXT:
    case CHOICE: return json_string(place);
    case FLAG: return json_boolean(*(const bool *)place);
    case WHOLE:
    case NUMBER: return json_number_of(*(const double *)place);
    case LIST: return list_to_json(w);
    }
    return NULL;
}

json_t *workload_to_json(const struct workload *w)
{
    json_t *json = json_object();
    json_object_set_new(json, "name", json_string(w->name));
    for (size_t i = 0; i < SETTING_COUNT; i++)
        json_object_set_new(json, settings[i].key, setting_to_json(w, &settings[i]));
    json_object_set_new(json, "servers", servers_to_json(w));
    json_object_set_new(json, "points", variants_to_json(w));
    return json;
}

static bool list_from_json(struct workload *w, const json_t *list)
{
    if (!json_is_array(list) || json_array_size(list) > VALUES_LIMIT)
        return false;
    w->value_count = json_array_size(list);
    for (size_t i = 0; i < w->value_count; i++)
        w->values[i] = json_number_value(json_array_get(list, i));
    return true;
}

static bool text_from_json(char *place, size_t size, const json_t *json)
{
    return json_is_string(json) && !set_text(place, size, json_string_value(json));
}

static bool setting_from_json(struct workload *w, const struct setting *s, const json_t *json)
{
    char *place = (char *)w + s->offset;
    switch (s->kind) {
    case TEXT:
    case CHOICE: return text_from_json(place, text_size(s), json);
    case FLAG: *(bool *)place = json_is_true(json); return json_is_boolean(json);
    case WHOLE:
    case NUMBER: *(double *)place = json_number_value(json); return json_is_number(json);
    case LIST: return list_from_json(w, json);
    }
    return false;
}

static bool servers_from_json(struct workload *w, const json_t *list)
{
    if (!json_is_array(list) || json_array_size(list) > SERVERS_LIMIT)
        return false;
    w->server_count = json_array_size(list);
    for (size_t i = 0; i < w->server_count; i++) {
        const json_t *entry = json_array_get(list, i);
        if (!text_from_json(w->servers[i].model, NAME_SIZE, json_object_get(entry, "model")) ||
            !text_from_json(w->servers[i].options, TEXT_SIZE, json_object_get(entry, "options")))
            return false;
    }
    return true;
}

/* Plans of earlier versions have none. */
static bool variants_from_json(struct workload *w, const json_t *list)
{
    w->variant_count = json_array_size(list);
    if (w->variant_count > VARIANTS_LIMIT)
        return false;
    for (size_t i = 0; i < w->variant_count; i++) {
        const json_t *entry = json_array_get(list, i);
        struct variant *v = &w->variants[i];
        const char *key;
        json_t *value;
        if (!text_from_json(v->name, sizeof v->name, json_object_get(entry, "name")))
            return false;
        json_object_foreach (json_object_get(entry, "changes"), key, value) {
            const struct setting *s = setting_find(key);
            struct workload unused;
            if (!s || v->change_count == CHANGES_LIMIT ||
                !text_from_json(v->changes[v->change_count].value,
                                sizeof v->changes[v->change_count].value, value) ||
                setting_apply(&unused, s, json_string_value(value)))
                return false;
            strcpy(v->changes[v->change_count++].key, s->key);
        }
    }
    return true;
}

/* What plans of earlier versions do not have yet keeps its default. */
static bool is_new_setting(const struct setting *s)
{
    return s->offset == AT(slo) || s->offset == AT(step_s) || s->offset == AT(cores) ||
           s->offset == AT(backend);
}

int workload_from_json(struct workload *w, const json_t *json, struct error *error)
{
    *w = (struct workload){.name = ""};
    if (!text_from_json(w->name, sizeof w->name, json_object_get(json, "name")))
        return error_set(error, "a workload has no name");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const json_t *value = json_object_get(json, settings[i].key);
        if (!value && settings[i].offset == AT(trials_most))
            value = json_object_get(json, "trials"); /* plans of version 0.1 */
        if (!setting_from_json(w, &settings[i], value) && !is_new_setting(&settings[i]))
            return error_set(error, "workload %s: bad or missing %s", w->name, settings[i].key);
    }
    if (!servers_from_json(w, json_object_get(json, "servers")))
        return error_set(error, "workload %s: bad or missing servers", w->name);
    if (!variants_from_json(w, json_object_get(json, "points")))
        return error_set(error, "workload %s: bad points", w->name);
    derive(w);
    return 0;
}
