/* Percentiles of several trials: those of all requests together. */
#include "bench/statistics/merged.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TRIALS = 4, MOST = 3000 };

/* Trials of different sizes and scales: their percentiles have little in common. */
struct trials {
    struct histogram *histograms[TRIALS];
    double us[TRIALS][MOST];
    size_t counts[TRIALS];
    struct merged *merged;
};

static struct trials *trials_of(unsigned long seed)
{
    static const size_t counts[TRIALS] = {3000, 500, 1, 1200};
    struct trials *t = calloc(1, sizeof *t);
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, seed);
    for (size_t i = 0; i < TRIALS; i++) {
        t->histograms[i] = histogram_new();
        t->counts[i] = counts[i];
        for (size_t k = 0; k < counts[i]; k++) {
            uint64_t ns = (uint64_t)gsl_ran_exponential(random, 1e5 * (double)(1 + 7 * i)) + 1;
            histogram_record(t->histograms[i], ns);
            t->us[i][k] = (double)ns / 1e3;
        }
    }
    gsl_rng_free(random);
    t->merged = merged_of(t->histograms, TRIALS);
    return t;
}

static void trials_free(struct trials *t)
{
    merged_free(t->merged);
    for (size_t i = 0; i < TRIALS; i++)
        histogram_free(t->histograms[i]);
    free(t);
}

/* The value of that rank among all values of all trials, each as often as its trial counts. */
static double sorted_quantile(const struct trials *t, const unsigned *weights, double quantile)
{
    static double all[4 * TRIALS * MOST];
    size_t count = 0;
    for (size_t i = 0; i < TRIALS; i++)
        for (unsigned w = 0; w < weights[i]; w++)
            for (size_t k = 0; k < t->counts[i]; k++)
                all[count++] = t->us[i][k];
    gsl_sort(all, 1, count);
    double rank = fmax(ceil(quantile * (double)count), 1);
    return all[(size_t)rank - 1];
}

static struct estimate merged_estimate(const struct merged *m, double quantile)
{
    struct halved h;
    assert_int_equal(merged_halve(m, quantile, &h), 0);
    return halved_estimate(&h);
}

static void a_percentile_is_that_of_all_values_together(void **state)
{
    (void)state;
    static const unsigned weightings[][TRIALS] = {{1, 1, 1, 1}, {2, 0, 1, 1}, {0, 4, 0, 0},
                                                  {1, 0, 3, 0}, {0, 1, 0, 3}, {0, 0, 4, 0}};
    static const double quantiles[] = {0, 0.001, 0.5, 0.9, 0.99, 0.999, 1};
    struct trials *t = trials_of(1);
    for (size_t w = 0; w < sizeof weightings / sizeof *weightings; w++)
        for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++) {
            double found = merged_quantile_us(t->merged, weightings[w], quantiles[q]);
            double exact = sorted_quantile(t, weightings[w], quantiles[q]);
            assert_true(fabs(found - exact) <= exact / 2048 + 0.001);
        }
    trials_free(t);
}

static void it_is_not_the_mean_of_the_trials_percentiles(void **state)
{
    (void)state;
    struct histogram *histograms[2] = {histogram_new(), histogram_new()};
    for (int i = 0; i < 1000; i++)
        histogram_record(histograms[0], 1000);
    for (int i = 0; i < 5; i++)
        histogram_record(histograms[1], 9000000);
    struct merged *m = merged_of(histograms, 2);
    /* Five of 1,005 are slow: the 99th percentile is one of the quick ones. */
    assert_true(fabs(merged_estimate(m, 0.99).median - 1) < 1e-9);
    merged_free(m);
    histogram_free(histograms[0]);
    histogram_free(histograms[1]);
}

static void the_interval_of_two_blocks_is_from_one_to_the_other(void **state)
{
    (void)state;
    struct trials *t = trials_of(2);
    struct merged *m = merged_of(t->histograms, 2);
    struct estimate e = merged_estimate(m, 0.9);
    const unsigned one[] = {1, 0}, other[] = {0, 1};
    assert_int_equal(e.count, 2);
    assert_true(fabs(e.low - merged_quantile_us(m, one, 0.9)) < 1e-6);
    assert_true(fabs(e.high - merged_quantile_us(m, other, 0.9)) < 1e-6);
    assert_true(e.low < e.median && e.median < e.high);
    assert_int_equal(merged_count(m), 3500);
    merged_free(m);
    trials_free(t);
}

static void the_same_trials_give_the_same_interval(void **state)
{
    (void)state;
    struct trials *one = trials_of(3), *same = trials_of(3);
    struct estimate a = merged_estimate(one->merged, 0.99), b = merged_estimate(same->merged, 0.99);
    assert_true(a.median == b.median && a.low == b.low && a.high == b.high);
    trials_free(one);
    trials_free(same);
}

static void halves_are_percentiles_of_half_of_the_trials(void **state)
{
    (void)state;
    struct trials *t = trials_of(4);
    struct halved h;
    const unsigned all[TRIALS] = {1, 1, 1, 1}, first_two[TRIALS] = {1, 1, 0, 0};
    assert_int_equal(merged_halve(t->merged, 0.5, &h), 0);
    assert_int_equal(h.count, 6); /* 4 over 2 */
    assert_true(h.all == log(merged_quantile_us(t->merged, all, 0.5)));
    assert_true(h.halves[0] == log(merged_quantile_us(t->merged, first_two, 0.5)));
    trials_free(t);
}

enum { BLOCKS = 6, REQUESTS = 400 };

/* Of blocks with a drift of their own, each trial with noise of 3 %; in one of five trials one
 * request in fifty meets a stall that is a hundred times as long as it. */
static struct merged *stalling_server(gsl_rng *random, const double *drift)
{
    struct histogram *h[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        h[i] = histogram_new();
        bool stalls = gsl_rng_uniform(random) < 0.2;
        double scale = drift[i] * exp(gsl_ran_gaussian(random, 0.03));
        for (size_t k = 0; k < REQUESTS; k++) {
            double ns = gsl_ran_lognormal(random, log(1e5), 0.4) * scale;
            bool stalled = stalls && gsl_rng_uniform(random) < 0.02;
            histogram_record(h[i], (uint64_t)(stalled ? ns + 1e7 : ns));
        }
    }
    struct merged *m = merged_of(h, BLOCKS);
    for (size_t i = 0; i < BLOCKS; i++)
        histogram_free(h[i]);
    return m;
}

/* At 5 %: 30 of 600 expected, standard error 5.3; three of those allowed. Leaving out a trial at a
 * time shows five times as many for the p99.9. */
static void a_server_that_stalls_is_not_shown_to_differ_from_itself(void **state)
{
    (void)state;
    static const double quantiles[] = {0.5, 0.99, 0.999};
    size_t shown[3] = {0};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 5);
    for (int n = 0; n < 600; n++) {
        double drift[BLOCKS];
        for (size_t i = 0; i < BLOCKS; i++)
            drift[i] = exp(gsl_ran_gaussian(random, 0.1));
        struct merged *a = stalling_server(random, drift), *b = stalling_server(random, drift);
        for (size_t q = 0; q < 3; q++) {
            struct halved of_a, of_b;
            assert_int_equal(merged_halve(a, quantiles[q], &of_a), 0);
            assert_int_equal(merged_halve(b, quantiles[q], &of_b), 0);
            struct shift s = shift_of(&of_a, &of_b, true);
            shown[q] += fabs(s.log_ratio) > shift_reach(s, 0.025);
        }
        merged_free(a);
        merged_free(b);
    }
    gsl_rng_free(random);
    for (size_t q = 0; q < 3; q++)
        assert_in_range(shown[q], 0, 46);
    assert_true(shown[0] > 0);
}

static void trials_without_a_value_have_no_percentile(void **state)
{
    (void)state;
    struct histogram *empty[2] = {histogram_new(), histogram_new()};
    struct merged *m = merged_of(empty, 2);
    const unsigned both[2] = {1, 1};
    assert_non_null(m);
    assert_true(isnan(merged_quantile_us(m, both, 0.5)));
    merged_free(m);
    histogram_free(empty[0]);
    histogram_free(empty[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_percentile_is_that_of_all_values_together),
        cmocka_unit_test(it_is_not_the_mean_of_the_trials_percentiles),
        cmocka_unit_test(the_interval_of_two_blocks_is_from_one_to_the_other),
        cmocka_unit_test(the_same_trials_give_the_same_interval),
        cmocka_unit_test(halves_are_percentiles_of_half_of_the_trials),
        cmocka_unit_test(a_server_that_stalls_is_not_shown_to_differ_from_itself),
        cmocka_unit_test(trials_without_a_value_have_no_percentile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
