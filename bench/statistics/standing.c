#include "bench/statistics/standing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double LEVEL = 0.05;

/* The models that take part, and each against each. */
struct column {
    const struct headline *headline;
    double margin;
    size_t count;
    size_t *models;
    struct side *sides;
    struct estimate *estimates;
    struct shift *shifts; /* of i to k at [i * count + k], for k above i */
};

static void column_free(struct column *c)
{
    free(c->models);
    free(c->sides);
    free(c->estimates);
    free(c->shifts);
}

static int column_alloc(struct column *c, size_t models)
{
    c->models = calloc(models + 1, sizeof *c->models);
    c->sides = calloc(models + 1, sizeof *c->sides);
    c->estimates = calloc(models + 1, sizeof *c->estimates);
    c->shifts = calloc(models * models + 1, sizeof *c->shifts);
    return c->models && c->sides && c->estimates && c->shifts ? 0 : -1;
}

/* --- who takes part --------------------------------------------------------------------------- */

static void add_side(struct column *c, const struct results *r, struct group g, struct place *place)
{
    struct side s = {r, g, r->plan.models[g.model]};
    if (side_refused(&s, c->headline, place->reason, sizeof place->reason))
        return;
    c->models[c->count] = g.model;
    c->sides[c->count] = s;
    c->estimates[c->count++] = group_estimate(r, g, metric_find(c->headline->metric));
}

/* Who has half as many blocks as others would keep the whole column waiting. */
static void leave_out_the_rarely_measured(struct column *c, struct place *places)
{
    size_t most = 0, kept = 0;
    for (size_t i = 0; i < c->count; i++)
        most = c->estimates[i].count > most ? c->estimates[i].count : most;
    for (size_t i = 0; i < c->count; i++) {
        struct place *place = &places[c->models[i]];
        if (2 * c->estimates[i].count <= most && most > 2) {
            snprintf(place->reason, sizeof place->reason, "%s: measured in %zu of %zu blocks",
                     c->sides[i].name, c->estimates[i].count, most);
            continue;
        }
        c->models[kept] = c->models[i];
        c->sides[kept] = c->sides[i];
        c->estimates[kept++] = c->estimates[i];
    }
    c->count = kept;
}

static void compare_all(struct column *c)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = i + 1; k < c->count; k++)
            c->shifts[i * c->count + k] = contest_shift(&c->sides[k], &c->sides[i], c->headline);
}

/* --- each against each ------------------------------------------------------------------------ */

/* The logarithm of i's figure to k's. */
static struct shift shift_between(const struct column *c, size_t i, size_t k)
{
    struct shift s = c->shifts[i < k ? i * c->count + k : k * c->count + i];
    s.log_ratio = i < k ? s.log_ratio : -s.log_ratio;
    return s;
}

/* With so many more blocks: is i shown to be better than k by more than `least` (a logarithm; below
 * 0: shown not to be worse by more than that)? */
static bool beats(const struct column *c, size_t i, size_t k, double least, double level,
                  unsigned more)
{
    if (!can_be_better(c->headline, c->estimates[i], c->estimates[k]))
        return false;
    struct shift s = shift_between(c, i, k);
    double advantage = c->headline->more_is_better ? s.log_ratio : -s.log_ratio;
    return advantage - shift_reach(shift_later(s, more), level) > least;
}

static bool beats_all(const struct column *c, size_t i, double least, unsigned more)
{
    for (size_t k = 0; k < c->count; k++)
        if (k != i && !beats(c, i, k, least, LEVEL, more))
            return false;
    return true;
}

static bool is_beaten(const struct column *c, size_t i, unsigned more)
{
    for (size_t k = 0; k < c->count; k++)
        if (k != i && beats(c, k, i, 0, LEVEL / (double)(c->count - 1), more))
            return true;
    return false;
}

static enum standing judge(const struct column *c, size_t i, unsigned more)
{
    if (beats_all(c, i, 0, more))
        return STANDING_BEST;
    if (beats_all(c, i, -log1p(c->margin), more))
        return STANDING_EQUIVALENT;
    return is_beaten(c, i, more) ? STANDING_WORSE : STANDING_NOT_SHOWN;
}

/* --- places ----------------------------------------------------------------------------------- */

/* The one with the best figure. */
static size_t leader(const struct column *c)
{
    size_t best = 0;
    for (size_t i = 1; i < c->count; i++)
        if (c->headline->more_is_better ? c->estimates[i].median > c->estimates[best].median
                                        : c->estimates[i].median < c->estimates[best].median)
            best = i;
    return best;
}

static void measure_distance(const struct column *c, size_t i, size_t best, struct place *p)
{
    if (i == best) {
        p->ratio = p->low = p->high = 1;
        return;
    }
    double least = c->headline->least;
    p->ratio = fmax(c->estimates[i].median, least) / fmax(c->estimates[best].median, least);
    struct shift s = shift_between(c, i, best);
    double reach = shift_reach(s, LEVEL / 2);
    if (!isfinite(reach))
        return;
    p->low = fmin(exp(s.log_ratio - reach), p->ratio);
    p->high = fmax(exp(s.log_ratio + reach), p->ratio);
}

/* No number of blocks shows it where a lower bound may be far more. */
static void name_bound(const struct column *c, size_t i, struct place *p)
{
    for (size_t k = 0; k < c->count; k++)
        if (k != i && !can_be_better(c->headline, c->estimates[i], c->estimates[k]))
            snprintf(p->reason, sizeof p->reason, "%s: a lower bound, the truth may be far more",
                     c->sides[c->estimates[i].at_least ? i : k].name);
}

static void count_blocks_more(const struct column *c, size_t i, struct place *p)
{
    if (c->estimates[i].count < 2) {
        p->blocks_more = SHIFT_BLOCKS_LEAST - (unsigned)c->estimates[i].count;
        return;
    }
    while (p->blocks_more <= BLOCKS_MORE_MOST && judge(c, i, p->blocks_more) == STANDING_NOT_SHOWN)
        p->blocks_more++;
    if (p->blocks_more > BLOCKS_MORE_MOST)
        name_bound(c, i, p);
}

static void decide(const struct column *c, struct place *places)
{
    size_t best = leader(c);
    for (size_t i = 0; i < c->count; i++) {
        struct place *p = &places[c->models[i]];
        measure_distance(c, i, best, p);
        p->standing = judge(c, i, 0);
        if (p->standing == STANDING_NOT_SHOWN)
            count_blocks_more(c, i, p);
    }
}

int standings_of(const struct results *r, size_t workload, size_t point, const struct headline *h,
                 double margin, struct place *places)
{
    struct column c = {.headline = h, .margin = margin};
    int result = column_alloc(&c, r->plan.model_count);
    for (size_t m = 0; m < r->plan.model_count; m++) {
        places[m] = (struct place){.ratio = NAN, .low = NAN, .high = NAN};
        if (result == 0)
            add_side(&c, r, (struct group){m, workload, point}, &places[m]);
    }
    leave_out_the_rarely_measured(&c, places);
    if (result == 0 && c.count == 1)
        snprintf(places[c.models[0]].reason, sizeof places->reason,
                 "%s: there is no other to compare it with", c.sides[0].name);
    if (result == 0 && c.count > 1) {
        compare_all(&c);
        decide(&c, places);
    }
    column_free(&c);
    return result;
}
