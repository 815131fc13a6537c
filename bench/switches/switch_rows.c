#include "bench/switches/switch_rows.h"

#include "bench/base/json.h"

#include <math.h>
#include <string.h>

int switch_rows_add(struct switch_rows *r, const char *lines, struct error *error)
{
    json_t *trial = json_array();
    json_error_t fault;
    for (const char *line = lines; *line;) {
        size_t length = strcspn(line, "\n");
        json_t *object = json_loadb(line, length, 0, &fault);
        if (!json_is_object(object)) {
            json_decref(object);
            json_decref(trial);
            return error_set(error, "switches has written what is no JSON object: %.*s",
                             (int)length, line);
        }
        json_array_append_new(trial, object);
        line += length + (line[length] == '\n');
    }
    if (!r->trials)
        r->trials = json_array();
    return json_array_append_new(r->trials, trial) == 0 ? 0 : error_set(error, "no memory");
}

void switch_rows_free(struct switch_rows *r)
{
    json_decref(r->trials);
    r->trials = NULL;
}

/* --- looking up ------------------------------------------------------------------------------- */

static bool says(const json_t *line, const char *member, const char *text)
{
    const char *said = json_string_value(json_object_get(line, member));
    return said && strcmp(said, text) == 0;
}

static bool is_cell(const json_t *line, const struct switch_cell *c)
{
    return says(line, "part", "ring") && says(line, "kind", c->kind) && says(line, "cpu", c->cpu) &&
           says(line, "io", c->io) && json_number_at(line, "tasks") == c->tasks &&
           json_number_at(line, "working_bytes") == (double)c->working_bytes;
}

static const json_t *find_cell(const struct switch_rows *r, size_t trial,
                               const struct switch_cell *c)
{
    size_t index;
    json_t *line;
    json_array_foreach (json_array_get(r->trials, trial), index, line)
        if (is_cell(line, c))
            return line;
    return NULL;
}

static const json_t *find_part(const struct switch_rows *r, size_t trial, const char *part,
                               const char *kind)
{
    size_t index;
    json_t *line;
    json_array_foreach (json_array_get(r->trials, trial), index, line)
        if (says(line, "part", part) && says(line, "kind", kind))
            return line;
    return NULL;
}

bool switch_was_asked(const struct switch_rows *r, const struct switch_cell *c)
{
    return find_cell(r, 0, c) != NULL;
}

const char *switch_reason(const struct switch_rows *r, const struct switch_cell *c)
{
    const char *reason = NULL;
    for (size_t trial = 0; trial < json_array_size(r->trials) && !reason; trial++)
        reason = json_string_value(json_object_get(find_cell(r, trial, c), "reason"));
    return reason;
}

/* --- figures of a trial ----------------------------------------------------------------------- */

double switch_hop_ns(const struct switch_rows *r, size_t trial, const struct switch_cell *c)
{
    return json_number_at(find_cell(r, trial, c), "ns_per_hop");
}

double switch_count(const struct switch_rows *r, size_t trial, const struct switch_cell *c)
{
    const json_t *line = find_cell(r, trial, c);
    return json_number_at(line, "voluntary_per_turn") +
           json_number_at(line, "involuntary_per_turn");
}

double switch_ns(const struct switch_rows *r, size_t trial, const struct switch_cell *c)
{
    double count = switch_count(r, trial, c), hop_ns = switch_hop_ns(r, trial, c);
    return count > 1 ? hop_ns / count : hop_ns;
}

static struct switch_cell one_for(const struct switch_cell *c)
{
    return (struct switch_cell){.kind = "one",
                                .cpu = "same",
                                .io = c->io,
                                .tasks = c->tasks,
                                .working_bytes = c->working_bytes};
}

double switch_beyond_one_ns(const struct switch_rows *r, size_t trial, const struct switch_cell *c)
{
    struct switch_cell one = one_for(c);
    return switch_hop_ns(r, trial, c) - switch_hop_ns(r, trial, &one);
}

double switch_indirect_ns(const struct switch_rows *r, size_t trial, const struct switch_cell *c)
{
    struct switch_cell without = *c;
    without.working_bytes = 0;
    return switch_beyond_one_ns(r, trial, c) - switch_beyond_one_ns(r, trial, &without);
}

double switch_crowding_ns(const struct switch_rows *r, size_t trial, const struct switch_cell *c)
{
    struct switch_cell all = one_for(c), single = all;
    single.tasks = 1;
    return switch_hop_ns(r, trial, &all) - switch_hop_ns(r, trial, &single);
}

/* --- over trials ------------------------------------------------------------------------------ */

static size_t trial_count(const struct switch_rows *r)
{
    size_t count = json_array_size(r->trials);
    return count < SWITCH_TRIALS_MOST ? count : SWITCH_TRIALS_MOST;
}

struct estimate switch_estimate(const struct switch_rows *r, switch_figure *figure,
                                const struct switch_cell *c)
{
    double values[SWITCH_TRIALS_MOST];
    for (size_t trial = 0; trial < trial_count(r); trial++)
        values[trial] = figure(r, trial, c);
    return estimate_of(values, trial_count(r));
}

struct estimate switch_ratio(const struct switch_rows *r, switch_figure *figure,
                             const struct switch_cell *a, const struct switch_cell *b)
{
    double values[SWITCH_TRIALS_MOST];
    for (size_t trial = 0; trial < trial_count(r); trial++)
        values[trial] = figure(r, trial, a) / figure(r, trial, b);
    return estimate_of(values, trial_count(r));
}

static double sum_of(const json_t *line, const char *members)
{
    double sum = 0;
    char name[64];
    while (*members) {
        size_t length = strcspn(members, "+");
        if (length >= sizeof name)
            return NAN;
        memcpy(name, members, length);
        name[length] = '\0';
        sum += json_number_at(line, name);
        members += length + (members[length] == '+');
    }
    return sum;
}

struct estimate switch_estimate_of(const struct switch_rows *r, const char *part, const char *kind,
                                   const char *members)
{
    double values[SWITCH_TRIALS_MOST];
    for (size_t trial = 0; trial < trial_count(r); trial++)
        values[trial] = sum_of(find_part(r, trial, part, kind), members);
    return estimate_of(values, trial_count(r));
}
