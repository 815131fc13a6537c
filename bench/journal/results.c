#include "bench/journal/results.h"

#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/journal/journal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct measurements blocks, preview;
    struct memo memo;
};

/* --- reading ---------------------------------------------------------------------------------- */

int results_begin(struct results *r, struct plan *p, struct error *error)
{
    *r = (struct results){.plan = *p};
    *p = (struct plan){.seed = 0};
    r->groups = calloc(plan_group_count(&r->plan) + 1, sizeof *r->groups);
    if (r->groups)
        return 0;
    plan_free(&r->plan);
    return error_set(error, "no memory for the results");
}

/* Lines that the plan does not know are none of this run's. */
static int add_all(struct results *r, const json_t *lines, struct error *error)
{
    size_t index;
    json_t *line;
    json_array_foreach (lines, index, line) {
        struct group g;
        json_int_t block = json_integer_value(json_object_get(line, "trial"));
        if (!plan_find(&r->plan, line, &g) || block < 0 || block > 1000000)
            continue;
        bool preview = json_is_true(json_object_get(line, "preview"));
        if (results_add(r, g, preview ? 0 : (unsigned)block, line) != 0)
            return error_set(error, "no memory for the results");
    }
    return 0;
}

int results_read(struct results *r, const char *folder, struct error *error)
{
    struct plan plan;
    *r = (struct results){.groups = NULL};
    if (plan_read(&plan, folder, error) != 0 || results_begin(r, &plan, error) != 0)
        return -1;
    r->environment = json_load_file(path_of("%s/environment.json", folder).text, 0, NULL);
    json_t *lines = journal_read(folder, error);
    int result = lines ? add_all(r, lines, error) : -1;
    json_decref(lines);
    if (result != 0)
        results_free(r);
    return result;
}

static void forget(struct memo *m)
{
    if (m->data)
        m->free(m->data);
    *m = (struct memo){.data = NULL};
}

static void measurements_free(struct measurements *m)
{
    for (size_t i = 0; i < m->count; i++)
        json_decref(m->at[i].line);
    free(m->at);
}

void results_free(struct results *r)
{
    for (size_t i = 0; r->groups && i < plan_group_count(&r->plan); i++) {
        measurements_free(&r->groups[i].blocks);
        measurements_free(&r->groups[i].preview);
        forget(&r->groups[i].memo);
    }
    free(r->groups);
    json_decref(r->environment);
    plan_free(&r->plan);
    *r = (struct results){.groups = NULL};
}

/* --- adding ----------------------------------------------------------------------------------- */

/* bench puts `error` where loadgen gave no result. */
static bool has_result(const json_t *line)
{
    return json_object_get(line, "error") == NULL;
}

static void replace(struct measurement *m, json_t *line)
{
    if (has_result(m->line) && !has_result(line))
        return;
    json_decref(m->line);
    m->line = json_incref(line);
}

static int make_room(struct measurements *m)
{
    if (m->count < m->room)
        return 0;
    size_t room = m->room > 0 ? 2 * m->room : 8;
    struct measurement *at = reallocarray(m->at, room, sizeof *at);
    if (!at)
        return -1;
    m->at = at;
    m->room = room;
    return 0;
}

/* Blocks are measured in their order, so the place is nearly always the end. */
static int insert(struct measurements *m, unsigned block, json_t *line)
{
    size_t place = m->count;
    while (place > 0 && m->at[place - 1].block > block)
        place--;
    if (place > 0 && m->at[place - 1].block == block) {
        replace(&m->at[place - 1], line);
        return 0;
    }
    if (make_room(m) != 0)
        return -1;
    memmove(&m->at[place + 1], &m->at[place], (m->count - place) * sizeof *m->at);
    m->at[place] = (struct measurement){block, json_incref(line)};
    m->count++;
    return 0;
}

static struct entry *entry_of(const struct results *r, struct group g)
{
    return &r->groups[plan_group_index(&r->plan, g)];
}

int results_add(struct results *r, struct group g, unsigned block, json_t *line)
{
    struct entry *e = entry_of(r, g);
    forget(&e->memo);
    return insert(block > 0 ? &e->blocks : &e->preview, block, line);
}

/* --- asking ----------------------------------------------------------------------------------- */

bool results_is_preview(const struct results *r, struct group g)
{
    const struct entry *e = entry_of(r, g);
    return e->blocks.count == 0 && e->preview.count > 0;
}

const struct measurements *results_of(const struct results *r, struct group g)
{
    const struct entry *e = entry_of(r, g);
    return e->blocks.count > 0 ? &e->blocks : &e->preview;
}

const struct measurements *results_preview_of(const struct results *r, struct group g)
{
    return &entry_of(r, g)->preview;
}

const json_t *results_run(const struct results *r, struct group g, unsigned block)
{
    const struct entry *e = entry_of(r, g);
    const struct measurements *m = block > 0 ? &e->blocks : &e->preview;
    for (size_t i = 0; i < m->count; i++)
        if (m->at[i].block == block)
            return m->at[i].line;
    return NULL;
}

size_t results_count(const struct results *r)
{
    size_t count = 0;
    for (size_t i = 0; i < plan_group_count(&r->plan); i++)
        count += r->groups[i].blocks.count + r->groups[i].preview.count;
    return count;
}

double results_ceiling_rps(const struct results *r, bool close, unsigned threads)
{
    size_t index;
    json_t *one;
    json_array_foreach (json_at(r->environment, "generator_ceilings"), index, one)
        if (json_is_true(json_object_get(one, "close")) == close &&
            json_number_at(one, "threads") == threads)
            return json_number_at(one, "requests_per_second");
    return NAN;
}

struct memo *results_memo(const struct results *r, struct group g)
{
    return &entry_of(r, g)->memo;
}
