#include "bench/switches/switch_rows.h"

#include "bench/base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what is computed ------------------------------------------------------------------------- */

static double value_of(const struct switch_rows *r, const char *metric, const struct switch_key *k,
                       size_t trial)
{
    const struct switch_row *row = switch_rows_find(r, metric, k);
    return row ? row->values[trial] : NAN;
}

/* The task that never switches and touches as much in the same order. */
static struct switch_key one_for(const struct switch_key *k)
{
    return (struct switch_key){"one", "same", k->io, k->tasks, k->working_bytes};
}

/* A hop's share, where the kernel counted more than one switch in it. */
static double switch_ns(const struct switch_rows *r, const struct switch_key *k, size_t trial)
{
    return value_of(r, "hop", k, trial) / fmax(value_of(r, "switches_per_hop", k, trial), 1);
}

static double beyond_one_ns(const struct switch_rows *r, const struct switch_key *k, size_t trial)
{
    struct switch_key one = one_for(k);
    return value_of(r, "hop", k, trial) - value_of(r, "hop", &one, trial);
}

/* Less the same without working sets. */
static double indirect_ns(const struct switch_rows *r, const struct switch_key *k, size_t trial)
{
    struct switch_key without = *k;
    without.working_bytes = 0;
    return beyond_one_ns(r, k, trial) - beyond_one_ns(r, &without, trial);
}

/* All working sets in turn, less one of them again and again. */
static double crowding_ns(const struct switch_rows *r, const struct switch_key *k, size_t trial)
{
    struct switch_key single = *k;
    single.tasks = 1;
    return value_of(r, "hop", k, trial) - value_of(r, "hop", &single, trial);
}

/* In the order of switches.tsv. */
static const struct switch_metric metrics[] = {
    {"ring", "hop", "ns", .members = {"ns_per_hop"}},
    {"ring", "switches_per_hop", "1", .members = {"voluntary_per_turn", "involuntary_per_turn"}},
    {"ring", "switch", "ns", .figure = switch_ns},
    {"ring", "beyond_one", "ns", .figure = beyond_one_ns},
    {"ring", "indirect", "ns", .figure = indirect_ns, .of_sets = true},
    {"ring", "crowding", "ns", .figure = crowding_ns, .of_sets = true, .of_one = true},
    {"lifecycle", "create", "ns", .members = {"create_ns"}},
    {"lifecycle", "whole", "ns", .members = {"whole_ns"}},
    {"memory", "user", "bytes", .members = {"user_bytes"}},
    {"memory", "kernel_stack", "bytes", .members = {"kernel_stack_bytes"}},
    {"memory", "page_table", "bytes", .members = {"page_table_bytes"}},
    {"memory", "slab", "bytes", .members = {"slab_bytes"}},
    {"memory", "kernel", "bytes",
     .members = {"kernel_stack_bytes", "page_table_bytes", "slab_bytes"}},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

/* --- rows ------------------------------------------------------------------------------------- */

static bool is_same(const struct switch_key *a, const struct switch_key *b)
{
    return a->tasks == b->tasks && a->working_bytes == b->working_bytes &&
           strcmp(a->kind, b->kind) == 0 && strcmp(a->cpu, b->cpu) == 0 &&
           strcmp(a->io, b->io) == 0;
}

const struct switch_row *switch_rows_find(const struct switch_rows *r, const char *metric,
                                          const struct switch_key *key)
{
    const struct switch_row *row = NULL;
    while ((row = switch_rows_next(r, metric, row)))
        if (is_same(&row->key, key))
            return row;
    return NULL;
}

const struct switch_row *switch_rows_next(const struct switch_rows *r, const char *metric,
                                          const struct switch_row *row)
{
    for (row = row ? row + 1 : r->at; row < r->at + r->count; row++)
        if (strcmp(row->metric->name, metric) == 0)
            return row;
    return NULL;
}

/* The row, a new one if need be; NULL without memory. */
static struct switch_row *row_for(struct switch_rows *r, const struct switch_metric *metric,
                                  const struct switch_key *key)
{
    const struct switch_row *known = switch_rows_find(r, metric->name, key);
    if (known)
        return &r->at[known - r->at];
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 256;
        struct switch_row *at = realloc(r->at, capacity * sizeof *at);
        if (!at)
            return NULL;
        r->at = at;
        r->capacity = capacity;
    }
    struct switch_row *row = &r->at[r->count++];
    *row = (struct switch_row){.metric = metric, .key = *key};
    for (size_t trial = 0; trial < SWITCH_TRIALS_MOST; trial++)
        row->values[trial] = NAN;
    return row;
}

static const char *text_at(const json_t *line, const char *member)
{
    const char *text = json_string_value(json_object_get(line, member));
    return text ? text : "-";
}

static struct switch_key key_of(const json_t *line)
{
    struct switch_key key = {
        .kind = text_at(line, "kind"), .cpu = text_at(line, "cpu"), .io = text_at(line, "io")};
    if (strcmp(text_at(line, "part"), "ring") == 0) {
        key.tasks = (unsigned)json_number_at(line, "tasks");
        key.working_bytes = (size_t)json_number_at(line, "working_bytes");
    }
    return key;
}

static double sum_of(const json_t *line, const struct switch_metric *m)
{
    double sum = 0;
    for (size_t i = 0; i < sizeof m->members / sizeof *m->members && m->members[i]; i++)
        sum += json_number_at(line, m->members[i]);
    return sum;
}

static int add_line(struct switch_rows *r, const json_t *line, struct error *error)
{
    struct switch_key key = key_of(line);
    for (const struct switch_metric *m = metrics; m < metrics + METRICS; m++) {
        if (m->figure || strcmp(m->part, text_at(line, "part")) != 0)
            continue;
        struct switch_row *row = row_for(r, m, &key);
        if (!row)
            return error_set(error, "no memory");
        row->values[r->trials] = sum_of(line, m);
        if (!row->reason)
            row->reason = json_string_value(json_object_get(line, "reason"));
    }
    return 0;
}

int switch_rows_add(struct switch_rows *r, const char *lines, struct error *error)
{
    char *text = strdup(lines), *rest = text, *line;
    int result = r->trials < SWITCH_TRIALS_MOST ? 0 : error_set(error, "too many trials");
    if (!r->lines)
        r->lines = json_array();
    while (result == 0 && (line = strsep(&rest, "\n"))) {
        json_t *object = *line ? json_loads(line, 0, NULL) : NULL;
        if (json_is_object(object)) {
            json_object_set_new(object, "trial", json_integer((json_int_t)r->trials + 1));
            json_array_append(r->lines, object);
            result = add_line(r, object, error);
        } else if (*line)
            result = error_set(error, "switches has written what is no JSON object: %s", line);
        json_decref(object);
    }
    r->trials += result == 0;
    free(text);
    return result;
}

void switch_rows_free(struct switch_rows *r)
{
    json_decref(r->lines);
    free(r->at);
    *r = (struct switch_rows){.lines = NULL};
}

/* --- in order --------------------------------------------------------------------------------- */

static size_t rank_of(const char *kind)
{
    static const char *const kinds[] = {"process",  "thread",     "coroutine", "coroutine-cold",
                                        "callback", "connection", "one"};
    size_t rank = 0;
    while (rank < sizeof kinds / sizeof *kinds && strcmp(kinds[rank], kind) != 0)
        rank++;
    return rank;
}

static int compare_numbers(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_rows(const void *x, const void *y)
{
    const struct switch_row *a = x, *b = y;
    int order = -strcmp(a->metric->part, b->metric->part);
    if (order == 0)
        order = compare_numbers(rank_of(a->key.kind), rank_of(b->key.kind));
    if (order == 0)
        order = -strcmp(a->key.cpu, b->key.cpu);
    if (order == 0)
        order = strcmp(a->key.io, b->key.io);
    if (order == 0)
        order = compare_numbers(a->key.tasks, b->key.tasks);
    if (order == 0)
        order = compare_numbers(a->key.working_bytes, b->key.working_bytes);
    return order ? order : a->metric < b->metric ? -1 : a->metric > b->metric;
}

/* What follows from a hop and other rows. */
static int compute(struct switch_rows *r, const struct switch_row hop, struct error *error)
{
    bool is_one = strcmp(hop.key.kind, "one") == 0;
    for (const struct switch_metric *m = metrics; m < metrics + METRICS; m++) {
        if (!m->figure || is_one != m->of_one || (m->of_sets && hop.key.working_bytes == 0))
            continue;
        struct switch_row *row = row_for(r, m, &hop.key);
        if (!row)
            return error_set(error, "no memory");
        row->reason = hop.reason;
        for (size_t trial = 0; trial < r->trials; trial++)
            row->values[trial] = m->figure(r, &hop.key, trial);
    }
    return 0;
}

int switch_rows_finish(struct switch_rows *r, struct error *error)
{
    size_t measured = r->count;
    for (size_t i = 0; i < measured; i++)
        if (strcmp(r->at[i].metric->name, "hop") == 0 && compute(r, r->at[i], error) != 0)
            return -1;
    qsort(r->at, r->count, sizeof *r->at, compare_rows);
    return 0;
}

/* --- over trials ------------------------------------------------------------------------------ */

struct estimate switch_ratio(const struct switch_rows *r, const struct switch_row *row,
                             const struct switch_row *over)
{
    double values[SWITCH_TRIALS_MOST];
    for (size_t trial = 0; trial < r->trials; trial++)
        values[trial] = row && over ? row->values[trial] / over->values[trial] : NAN;
    return estimate_of(values, r->trials);
}

struct estimate switch_estimate(const struct switch_rows *r, const struct switch_row *row)
{
    double values[SWITCH_TRIALS_MOST];
    for (size_t trial = 0; trial < r->trials; trial++)
        values[trial] = row ? row->values[trial] : NAN;
    return estimate_of(values, r->trials);
}
