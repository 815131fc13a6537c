#include "common/threshold.h"

#include <math.h>
#include <stdlib.h>

/* The grid. Steps of theta are half a per cent; quantiles are interpolated between them. */
static const double LN_STEP = 0.005;
static const double slopes[] = {0.01, 0.02, 0.04, 0.08, 0.16};
static const double lapses[] = {0.01, 0.05, 0.15};
enum {
    SLOPES = sizeof slopes / sizeof *slopes,
    LAPSES = sizeof lapses / sizeof *lapses,
    SHAPES = SLOPES * LAPSES
};

/* Theta is taken to be no further beyond the windows' rates than this factor. Where its interval
 * reaches more than half of that way (as the logarithm goes), it is the grid that ends it, and not
 * the windows. */
static const double BEYOND = 2;

/* A likelihood that is smaller than the greatest by more than exp(-this) adds nothing. */
static const double LN_NEGLIGIBLE = -30;

/* So many slopes from the threshold, the response is what it is at any distance (exp(-36) is
 * 2e-16). */
static const double FAR = 36;

static const double QUANTILE_LOW = 0.025, QUANTILE_HIGH = 0.975;

struct threshold {
    double ln_first;              /* of the grid's thetas */
    double ln_lowest, ln_highest; /* of the windows' rates */
    double highest_held_rps;      /* 0: none */
    size_t thetas, blocks;
    double *table;   /* [block][shape][theta]: logarithms of likelihoods */
    double *sum;     /* [shape][theta], of the weighted blocks */
    double *density; /* [theta], not normalised */
};

/* --- the grid --------------------------------------------------------------------------------- */

/* The logarithms of the logistic function of x, and of 1 - (1 - lapse) times it. Most cells are far
 * from the threshold, where both are simple. */
static double ln_holds(double x)
{
    return x > FAR ? 0 : x < -FAR ? x : -log1p(exp(-x));
}

static double ln_fails(double x, double lapse)
{
    return x > FAR ? log(lapse) : x < -FAR ? 0 : log1p(-(1 - lapse) / (1 + exp(-x)));
}

static void add_window(struct threshold *t, const struct threshold_window *w)
{
    double *cells = t->table + (size_t)w->block * SHAPES * t->thetas;
    double ln_rate = log(w->rate_rps);
    for (size_t shape = 0; shape < SHAPES; shape++) {
        double slope = slopes[shape / LAPSES], lapse = lapses[shape % LAPSES];
        double ln_no_lapse = log1p(-lapse);
        for (size_t i = 0; i < t->thetas; i++, cells++) {
            double x = (t->ln_first + (double)i * LN_STEP - ln_rate) / slope;
            *cells += w->held ? ln_no_lapse + ln_holds(x) : ln_fails(x, lapse);
        }
    }
}

struct threshold *threshold_fit(const struct threshold_window *windows, size_t count, size_t blocks)
{
    struct threshold *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    double lowest_rps = INFINITY, highest_rps = 0;
    for (size_t i = 0; i < count; i++) {
        lowest_rps = fmin(lowest_rps, windows[i].rate_rps);
        highest_rps = fmax(highest_rps, windows[i].rate_rps);
        if (windows[i].held)
            t->highest_held_rps = fmax(t->highest_held_rps, windows[i].rate_rps);
    }
    t->ln_lowest = log(lowest_rps);
    t->ln_highest = log(highest_rps);
    t->ln_first = t->ln_lowest - log(BEYOND);
    t->thetas = 1 + (size_t)ceil((t->ln_highest + log(BEYOND) - t->ln_first) / LN_STEP);
    t->blocks = blocks;
    t->table = calloc(blocks * SHAPES * t->thetas, sizeof *t->table);
    t->sum = calloc(SHAPES * t->thetas, sizeof *t->sum);
    t->density = calloc(t->thetas, sizeof *t->density);
    if (!t->table || !t->sum || !t->density) {
        threshold_free(t);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        add_window(t, &windows[i]);
    return t;
}

void threshold_free(struct threshold *t)
{
    if (!t)
        return;
    free(t->table);
    free(t->sum);
    free(t->density);
    free(t);
}

/* --- the distribution of theta ---------------------------------------------------------------- */

static void combine(struct threshold *t, const unsigned *weights)
{
    size_t cells = SHAPES * t->thetas;
    double most = -INFINITY;
    for (size_t i = 0; i < cells; i++)
        t->sum[i] = 0;
    for (size_t b = 0; b < t->blocks; b++) {
        double weight = weights ? weights[b] : 1;
        const double *block = t->table + b * cells;
        for (size_t i = 0; weight > 0 && i < cells; i++)
            t->sum[i] += weight * block[i];
    }
    for (size_t i = 0; i < cells; i++)
        most = t->sum[i] > most ? t->sum[i] : most;
    for (size_t i = 0; i < t->thetas; i++)
        t->density[i] = 0;
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t i = 0; i < t->thetas; i++) {
            double ln = t->sum[s * t->thetas + i] - most;
            t->density[i] += ln > LN_NEGLIGIBLE ? exp(ln) : 0;
        }
}

/* The density belongs to the interval of a step around each theta. */
static double quantile_ln(const struct threshold *t, double quantile)
{
    double all = 0, below = 0;
    for (size_t i = 0; i < t->thetas; i++)
        all += t->density[i];
    size_t i = 0;
    for (; i + 1 < t->thetas && below + t->density[i] < quantile * all; i++)
        below += t->density[i];
    double part = t->density[i] > 0 ? (quantile * all - below) / t->density[i] : 0.5;
    return t->ln_first + ((double)i - 0.5 + part) * LN_STEP;
}

struct threshold_estimate threshold_estimate(struct threshold *t, const unsigned *weights)
{
    combine(t, weights);
    double low = quantile_ln(t, QUANTILE_LOW), high = quantile_ln(t, QUANTILE_HIGH);
    double reach = log(BEYOND) / 2;
    struct threshold_estimate e = {.rate_rps = exp(quantile_ln(t, 0.5)),
                                   .low_rps = exp(low),
                                   .high_rps = exp(high),
                                   .has_low = low > t->ln_lowest - reach,
                                   .has_high = high < t->ln_highest + reach};
    if (!e.has_high || t->highest_held_rps <= 0)
        e.rate_rps = fmin(e.rate_rps, t->highest_held_rps);
    return e;
}

/* --- placement -------------------------------------------------------------------------------- */

/* While all windows hold (or none does) the rate changes by this factor; where the threshold is
 * said to lie between two rates, by their ratio at first. */
static const double COARSE_STEP = 3, FINE_STEP = 1.1;

/* Where a single window failed so far above all that held, the next one repeats it: an accident
 * must not end the climb. */
static const double REPEAT_BEYOND = 1.5;

/* Windows are placed between these quantiles of theta: wide enough to come out of a series of
 * accidents, and to draw the curve. */
static const double PLACE_LOW = 0.03, PLACE_HIGH = 0.97;

static bool is_known(const struct threshold_search *s)
{
    return s->low_rps > 0 && s->high_rps > s->low_rps;
}

static double coarse_step(const struct threshold_search *s, size_t count)
{
    double ratio = is_known(s) ? fmax(s->high_rps / s->low_rps, FINE_STEP) : COARSE_STEP;
    return fmin(pow(ratio, (double)count), COARSE_STEP);
}

static double place(const struct threshold_window *windows, size_t count, double draw)
{
    struct threshold *t = threshold_fit(windows, count, 1);
    if (!t)
        return NAN;
    combine(t, NULL);
    double rate_rps = exp(quantile_ln(t, PLACE_LOW + (PLACE_HIGH - PLACE_LOW) * draw));
    threshold_free(t);
    return rate_rps;
}

/* NAN: the threshold lies between windows that held and others that did not. */
static double coarse_rate(const struct threshold_window *windows, size_t count,
                          const struct threshold_search *s)
{
    double lowest_failed_rps = INFINITY, highest_held_rps = 0, step = coarse_step(s, count);
    size_t failed_above = 0;
    for (size_t i = 0; i < count; i++)
        if (windows[i].held)
            highest_held_rps = fmax(highest_held_rps, windows[i].rate_rps);
    for (size_t i = 0; i < count; i++) {
        if (windows[i].held || windows[i].rate_rps <= highest_held_rps)
            continue;
        lowest_failed_rps = fmin(lowest_failed_rps, windows[i].rate_rps);
        failed_above++;
    }
    if (failed_above == 0)
        return highest_held_rps * step;
    if (highest_held_rps <= 0)
        return lowest_failed_rps / step;
    if (failed_above == 1 && lowest_failed_rps > REPEAT_BEYOND * highest_held_rps)
        return lowest_failed_rps;
    return NAN;
}

double threshold_next_rate(const struct threshold_window *windows, size_t count,
                           const struct threshold_search *s, double draw)
{
    double rate_rps = s->first_rps;
    if (count > 0)
        rate_rps = coarse_rate(windows, count, s);
    else if (is_known(s))
        rate_rps = s->low_rps * pow(s->high_rps / s->low_rps, draw);
    if (isnan(rate_rps))
        rate_rps = place(windows, count, draw);
    return isnan(rate_rps) ? NAN : fmin(fmax(rate_rps, s->lowest_rps), s->ceiling_rps);
}
