#include "bench/statistics/halves.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RESOLUTION = 0.001;

/* --- halves ----------------------------------------------------------------------------------- */

enum { ENUMERATED_MOST = 10, SEED = 1 };

static int add_half(blocks_statistic *statistic, const void *data, const unsigned *weights,
                    struct halved *h)
{
    h->halves[h->count] = statistic(data, weights, h->blocks);
    return isfinite(h->halves[h->count++]) ? 0 : -1;
}

static int enumerate_halves(blocks_statistic *statistic, const void *data, struct halved *h)
{
    size_t kept = h->blocks - h->blocks / 2;
    int result = 0;
    for (unsigned set = 0; set < 1U << h->blocks && result == 0; set++) {
        unsigned weights[ENUMERATED_MOST] = {0};
        if ((size_t)__builtin_popcount(set) != kept)
            continue;
        for (size_t i = 0; i < h->blocks; i++)
            weights[i] = set >> i & 1;
        result = add_half(statistic, data, weights, h);
    }
    return result;
}

static int draw_halves(blocks_statistic *statistic, const void *data, struct halved *h)
{
    unsigned weights[ESTIMATE_MOST];
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    int result = random ? 0 : -1;
    if (random)
        gsl_rng_set(random, SEED);
    while (result == 0 && h->count < HALVES_MOST) {
        for (size_t i = 0; i < h->blocks; i++)
            weights[i] = i < h->blocks / 2 ? 0 : 1;
        gsl_ran_shuffle(random, weights, h->blocks, sizeof *weights);
        result = add_half(statistic, data, weights, h);
    }
    if (random)
        gsl_rng_free(random);
    return result;
}

int halve(blocks_statistic *statistic, const void *data, size_t blocks, struct halved *h)
{
    unsigned weights[ESTIMATE_MOST] = {0};
    for (size_t i = 0; i < blocks; i++)
        weights[i] = 1;
    *h = (struct halved){.blocks = blocks, .all = statistic(data, weights, blocks)};
    if (!isfinite(h->all))
        return -1;
    return blocks <= ENUMERATED_MOST ? enumerate_halves(statistic, data, h)
                                     : draw_halves(statistic, data, h);
}

/* Of B - A, or of B alone where A is NULL. It is counted from the figure of all blocks and not from
 * the mean of the halves: that is the larger of the two where a figure leaps, and simulated
 * comparisons of nothing keep their rate with it. */
static double variance_of(const struct halved *a, const struct halved *b)
{
    size_t half = b->blocks / 2;
    double out = (double)half, sum = 0, all = b->all - (a ? a->all : 0);
    if (b->blocks < 2)
        return NAN;
    for (size_t i = 0; i < b->count; i++) {
        double off = b->halves[i] - (a ? a->halves[i] : 0) - all;
        sum += off * off;
    }
    return ((double)b->blocks - out) / out * sum / (double)b->count;
}

/* How far beyond the figure an interval may reach on that side (1: above, -1: below), in
 * logarithms. Where a figure is one thing or another (with a stall, without), t reaches far beyond
 * both. Halves of six blocks scatter by 1.7 standard errors at most on the average, and t
 * takes 2.6: half as much again. With fewer blocks they say too little. */
static double reach_of_halves(const struct halved *h, int side)
{
    static const double BEYOND = 1.5;
    double farthest = 0;
    if (h->blocks < 6)
        return INFINITY;
    for (size_t i = 0; i < h->count; i++)
        farthest = fmax(farthest, side * (h->halves[i] - h->all));
    return BEYOND * farthest;
}

struct estimate halved_estimate(const struct halved *h)
{
    double figure = exp(h->all);
    struct estimate e = {.median = figure, .low = figure, .high = figure, .count = h->blocks};
    if (h->blocks == 2) {
        e.low = exp(fmin(h->halves[0], h->halves[1]));
        e.high = exp(fmax(h->halves[0], h->halves[1]));
        e.confidence = 0.5;
    } else if (h->blocks > 2) {
        double reach =
            gsl_cdf_tdist_Qinv(0.025, (double)h->blocks - 1) * sqrt(variance_of(NULL, h));
        e.low = exp(h->all - fmin(reach, reach_of_halves(h, -1)));
        e.high = exp(h->all + fmin(reach, reach_of_halves(h, 1)));
        e.confidence = 0.95;
    }
    return e;
}

/* --- the middle of a few values --------------------------------------------------------------- */

/* The median of the means of all pairs, each value with itself included. */
static double middle_of(const void *data, const unsigned *weights, size_t count)
{
    const double *values = data;
    size_t kept = 0, pairs = 0;
    double *taken = calloc(count + 1, sizeof *taken);
    for (size_t i = 0; taken && i < count; i++)
        if (weights[i] > 0)
            taken[kept++] = values[i];
    double *means = taken ? calloc(kept * (kept + 1) / 2 + 1, sizeof *means) : NULL;
    for (size_t i = 0; means && i < kept; i++)
        for (size_t k = i; k < kept; k++)
            means[pairs++] = (taken[i] + taken[k]) / 2;
    double middle = median_of(means, pairs);
    free(means);
    free(taken);
    return middle;
}

/* --- comparisons ------------------------------------------------------------------------------ */

static const struct shift UNKNOWN = {NAN, NAN, NAN, NAN, 0};

struct shift shift_of(const struct halved *a, const struct halved *b, bool paired)
{
    struct shift s = {.ratio = exp(b->all - a->all),
                      .log_ratio = b->all - a->all,
                      .blocks = a->blocks < b->blocks ? a->blocks : b->blocks};
    if (paired) {
        s.error = sqrt(variance_of(a, b));
        s.freedom = (double)s.blocks - 1;
        return s;
    }
    double of_a = fmax(variance_of(NULL, a), 1e-12), of_b = fmax(variance_of(NULL, b), 1e-12);
    s.error = sqrt(of_a + of_b);
    s.freedom = pow(of_a + of_b, 2) /
                (of_a * of_a / ((double)a->blocks - 1) + of_b * of_b / ((double)b->blocks - 1));
    return s;
}

static double ratio_of_medians(const double *a, size_t blocks_a, const double *b, size_t blocks_b)
{
    double of_a[ESTIMATE_MOST], of_b[ESTIMATE_MOST];
    memcpy(of_a, a, blocks_a * sizeof *a);
    memcpy(of_b, b, blocks_b * sizeof *b);
    return median_of(of_b, blocks_b) / median_of(of_a, blocks_a);
}

struct shift shift_paired(const double *a, const double *b, size_t blocks)
{
    double ratios[ESTIMATE_MOST];
    struct halved h;
    for (size_t i = 0; i < blocks; i++)
        ratios[i] = log(b[i]) - log(a[i]);
    if (blocks == 0 || halve(middle_of, ratios, blocks, &h) != 0)
        return UNKNOWN;
    return (struct shift){ratio_of_medians(a, blocks, b, blocks), h.all,
                          sqrt(variance_of(NULL, &h)), (double)blocks - 1, blocks};
}

static int halve_values(const double *values, size_t blocks, struct halved *h)
{
    double logs[ESTIMATE_MOST];
    for (size_t i = 0; i < blocks; i++)
        logs[i] = log(values[i]);
    return blocks > 0 ? halve(middle_of, logs, blocks, h) : -1;
}

struct shift shift_unpaired(const double *a, size_t blocks_a, const double *b, size_t blocks_b)
{
    struct halved of_a, of_b;
    if (halve_values(a, blocks_a, &of_a) != 0 || halve_values(b, blocks_b, &of_b) != 0)
        return UNKNOWN;
    struct shift s = shift_of(&of_a, &of_b, false);
    s.ratio = ratio_of_medians(a, blocks_a, b, blocks_b);
    return s;
}

struct shift shift_reversed(struct shift s)
{
    s.ratio = 1 / s.ratio;
    s.log_ratio = -s.log_ratio;
    return s;
}

void shift_interval(struct shift s, double *low, double *high)
{
    double reach = shift_reach(s, 0.025);
    bool known = isfinite(reach);
    *low = known ? fmin(exp(s.log_ratio - reach), s.ratio) : NAN;
    *high = known ? fmax(exp(s.log_ratio + reach), s.ratio) : NAN;
}

struct shift shift_later(struct shift s, unsigned more)
{
    double before = (double)s.blocks;
    s.blocks += more;
    if (more == 0 || before < 2)
        return s;
    s.error *= sqrt(before / (double)s.blocks);
    s.freedom *= ((double)s.blocks - 1) / (before - 1);
    return s;
}

double shift_reach(struct shift s, double level)
{
    if (s.blocks < SHIFT_BLOCKS_LEAST || !isfinite(s.error) || !(s.freedom > 0))
        return INFINITY;
    return gsl_cdf_tdist_Qinv(level, s.freedom) * fmax(s.error, RESOLUTION);
}
