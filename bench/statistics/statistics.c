#include "bench/statistics/statistics.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

/* --- estimates -------------------------------------------------------------------------------- */

enum { RESAMPLES = 2000, LEFT_OUT = RESAMPLES / 40 /* 2.5 % */, SEED = 1 };

static void resample(gsl_rng *random, unsigned *weights, size_t count)
{
    for (size_t i = 0; i < count; i++)
        weights[i] = 0;
    for (size_t i = 0; i < count; i++)
        weights[gsl_rng_uniform_int(random, count)]++;
}

struct estimate estimate_bootstrap(resample_statistic *statistic, const void *data, size_t count)
{
    unsigned weights[ESTIMATE_MOST];
    double found[RESAMPLES];
    count = count < ESTIMATE_MOST ? count : ESTIMATE_MOST;
    if (count == 0)
        return (struct estimate){.count = 0};
    for (size_t i = 0; i < count; i++)
        weights[i] = 1;
    double median = statistic(data, weights, count);
    struct estimate e = {.median = median, .low = median, .high = median, .count = count};
    gsl_rng *random = count > 1 ? gsl_rng_alloc(gsl_rng_mt19937) : NULL;
    if (!random)
        return e;
    gsl_rng_set(random, SEED);
    for (size_t i = 0; i < RESAMPLES; i++) {
        resample(random, weights, count);
        found[i] = statistic(data, weights, count);
    }
    gsl_rng_free(random);
    gsl_sort(found, 1, RESAMPLES);
    /* A percentile can leap: an interval that leaves out the estimate itself would puzzle. */
    e.low = fmin(found[LEFT_OUT - 1], median);
    e.high = fmax(found[RESAMPLES - LEFT_OUT], median);
    return e;
}

/* The median of sorted values, each of which counts `weights` times; they add up to `count`. */
static double median_of_weighted(const void *data, const unsigned *weights, size_t count)
{
    const double *sorted = data;
    size_t i = 0, upto = weights[0];
    while (upto < (count + 1) / 2)
        upto += weights[++i];
    double lower = sorted[i];
    while (upto < count / 2 + 1)
        upto += weights[++i];
    return (lower + sorted[i]) / 2;
}

struct estimate estimate_of(double *values, size_t count)
{
    size_t finite = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[finite++] = values[i];
    gsl_sort(values, 1, finite);
    bool alike = finite > 0 && values[0] == values[finite - 1];
    if (!alike)
        return estimate_bootstrap(median_of_weighted, values, finite);
    return (struct estimate){
        .median = values[0], .low = values[0], .high = values[0], .count = finite};
}

/* --- halves ----------------------------------------------------------------------------------- */

enum { ENUMERATED_MOST = 12 }; /* trials: 924 ways to keep half */

static int add_half(resample_statistic *statistic, const void *data, const unsigned *weights,
                    struct halved *h)
{
    double value = log(statistic(data, weights, h->trials));
    h->halves[h->count++] = value;
    return isfinite(value) ? 0 : -1;
}

static int enumerate_halves(resample_statistic *statistic, const void *data, struct halved *h)
{
    size_t kept = h->trials - h->trials / 2;
    int result = 0;
    for (unsigned set = 0; set < 1U << h->trials && result == 0; set++) {
        unsigned weights[ENUMERATED_MOST] = {0};
        if ((size_t)__builtin_popcount(set) != kept)
            continue;
        for (size_t i = 0; i < h->trials; i++)
            weights[i] = set >> i & 1;
        result = add_half(statistic, data, weights, h);
    }
    return result;
}

static int draw_halves(resample_statistic *statistic, const void *data, struct halved *h)
{
    unsigned weights[ESTIMATE_MOST];
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    int result = random ? 0 : -1;
    if (random)
        gsl_rng_set(random, SEED);
    while (result == 0 && h->count < HALVES_MOST) {
        for (size_t i = 0; i < h->trials; i++)
            weights[i] = i < h->trials / 2 ? 0 : 1;
        gsl_ran_shuffle(random, weights, h->trials, sizeof *weights);
        result = add_half(statistic, data, weights, h);
    }
    if (random)
        gsl_rng_free(random);
    return result;
}

int halve(resample_statistic *statistic, const void *data, size_t count, struct halved *h)
{
    unsigned weights[ESTIMATE_MOST];
    h->trials = count < ESTIMATE_MOST ? count : ESTIMATE_MOST;
    h->count = 0;
    for (size_t i = 0; i < h->trials; i++)
        weights[i] = 1;
    h->all = log(statistic(data, weights, h->trials));
    if (!isfinite(h->all))
        return -1;
    return h->trials <= ENUMERATED_MOST ? enumerate_halves(statistic, data, h)
                                        : draw_halves(statistic, data, h);
}

/* Squared standard error of B - A, or of B alone where A is NULL. It is counted from the figure of
 * all trials and not from the mean of the halves: that is the larger of the two where a figure
 * leaps, and simulated comparisons of nothing keep their rate with it. */
static double squared_error(const struct halved *a, const struct halved *b)
{
    size_t half = b->trials / 2;
    double out = (double)half, sum = 0, all = b->all - (a ? a->all : 0);
    for (size_t i = 0; i < b->count; i++) {
        double off = b->halves[i] - (a ? a->halves[i] : 0) - all;
        sum += off * off;
    }
    return ((double)b->trials - out) / out * sum / (double)b->count;
}

/* --- comparisons ------------------------------------------------------------------------------ */

static const struct comparison UNKNOWN = {NAN, NAN, NAN, NAN};

/* Logarithms closer together than this differ by how a computer rounds, not by what was measured.
 */
static const double NO_SCATTER = 1e-9;

/* `difference` of logarithms, its standard error, and the degrees of freedom of that. */
static struct comparison compare_by_t(double difference, double error, double freedom, size_t count)
{
    struct comparison c = {
        .ratio = exp(difference), .low = exp(difference), .high = exp(difference)};
    if (error < NO_SCATTER) {
        c.p = fabs(difference) < NO_SCATTER ? 1 : count >= 3 ? 0 : NAN;
        return c;
    }
    double reach = gsl_cdf_tdist_Pinv(1 - SIGNIFICANCE / 2, freedom) * error;
    c.low = exp(difference - reach);
    c.high = exp(difference + reach);
    c.p = 2 * gsl_cdf_tdist_Q(fabs(difference) / error, freedom);
    return c;
}

/* Of two sides that are rounded independently. */
static double with_rounding(double error, double rounding)
{
    return hypot(error, M_SQRT2 * rounding);
}

struct comparison compare_paired(const double *log_ratios, size_t count, double rounding)
{
    struct comparison c = UNKNOWN;
    if (count == 0)
        return c;
    double mean = gsl_stats_mean(log_ratios, 1, count);
    c.ratio = exp(mean);
    if (count < 2)
        return c;
    double deviation = gsl_stats_sd_m(log_ratios, 1, count, mean);
    double error = with_rounding(deviation / sqrt((double)count), rounding);
    return compare_by_t(mean, error, (double)count - 1, count);
}

/* What one side has to say of a difference: a squared standard error, from so many values. */
struct part {
    double squared_error;
    size_t count;
};

/* With B. L. Welch's degrees of freedom (1947). */
static struct comparison compare_by_welch(double difference, struct part a, struct part b,
                                          double rounding)
{
    double sum = a.squared_error + b.squared_error;
    size_t fewer = a.count < b.count ? a.count : b.count;
    double freedom = sum * sum /
                     (a.squared_error * a.squared_error / ((double)a.count - 1) +
                      b.squared_error * b.squared_error / ((double)b.count - 1));
    return compare_by_t(difference, with_rounding(sqrt(sum), rounding),
                        sum > 0 ? freedom : (double)fewer - 1, fewer);
}

struct comparison compare_unpaired(const double *log_a, size_t count_a, const double *log_b,
                                   size_t count_b, double rounding)
{
    struct comparison c = UNKNOWN;
    if (count_a == 0 || count_b == 0)
        return c;
    double difference = gsl_stats_mean(log_b, 1, count_b) - gsl_stats_mean(log_a, 1, count_a);
    c.ratio = exp(difference);
    if (count_a < 2 || count_b < 2)
        return c;
    return compare_by_welch(
        difference, (struct part){gsl_stats_variance(log_a, 1, count_a) / (double)count_a, count_a},
        (struct part){gsl_stats_variance(log_b, 1, count_b) / (double)count_b, count_b}, rounding);
}

struct comparison compare_halved(const struct halved *a, const struct halved *b, bool paired,
                                 double rounding)
{
    double difference = b->all - a->all;
    if (!paired)
        return compare_by_welch(difference, (struct part){squared_error(NULL, a), a->trials},
                                (struct part){squared_error(NULL, b), b->trials}, rounding);
    double error = with_rounding(sqrt(squared_error(a, b)), rounding);
    return compare_by_t(difference, error, (double)a->trials - 1, a->trials);
}

int holm_correct(double *p, size_t count)
{
    size_t *places = calloc(count + 1, sizeof *places);
    double *family = calloc(count + 1, sizeof *family);
    size_t *order = calloc(count + 1, sizeof *order), size = 0;
    int result = places && family && order ? 0 : -1;
    for (size_t i = 0; result == 0 && i < count; i++)
        if (!isnan(p[i])) {
            places[size] = i;
            family[size++] = p[i];
        }
    if (result == 0)
        gsl_sort_index(order, family, 1, size);
    double least = 0; /* none can be shown before a smaller one is */
    for (size_t k = 0; result == 0 && k < size; k++) {
        least = fmax(least, fmin(1, (double)(size - k) * family[order[k]]));
        p[places[order[k]]] = least;
    }
    free(order);
    free(family);
    free(places);
    return result;
}

size_t compare_resampled(const double *a, const double *b, size_t blocks, size_t comparisons,
                         unsigned long seed)
{
    double log_ratios[ESTIMATE_MOST];
    size_t different = 0;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    blocks = blocks < ESTIMATE_MOST ? blocks : ESTIMATE_MOST;
    if (!random)
        return 0;
    gsl_rng_set(random, seed);
    for (size_t i = 0; i < comparisons; i++) {
        for (size_t k = 0; k < blocks; k++)
            log_ratios[k] = log(b[k] / a[k]) * (gsl_rng_uniform_int(random, 2) ? 1 : -1);
        different += compare_paired(log_ratios, blocks, 0).p < SIGNIFICANCE;
    }
    gsl_rng_free(random);
    return different;
}

/* --- lines ------------------------------------------------------------------------------------ */

double least_squares_slope(const double *x, const double *y, size_t count)
{
    double lowest = INFINITY, highest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        lowest = fmin(lowest, x[i]);
        highest = fmax(highest, x[i]);
    }
    if (count < 2 || !(highest > lowest))
        return NAN;
    double intercept, slope, cov00, cov01, cov11, residuals;
    gsl_fit_linear(x, 1, y, 1, count, &intercept, &slope, &cov00, &cov01, &cov11, &residuals);
    return slope;
}
