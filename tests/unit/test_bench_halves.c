/* Standard errors from halves of the blocks, and what comparisons make of them. */
#include "bench/statistics/halves.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static gsl_rng *random_of(unsigned long seed)
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, seed);
    return random;
}

static void is_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9g instead of %.9g", value, expected);
}

static double mean_of(const void *data, const unsigned *weights, size_t count)
{
    const double *values = data;
    double sum = 0, weight = 0;
    for (size_t i = 0; i < count; i++) {
        sum += weights[i] * values[i];
        weight += weights[i];
    }
    return sum / weight;
}

/* For a mean, leaving out half of the blocks gives the standard error of the textbooks; drawn
 * halves (30 blocks) do so nearly. */
static void of_a_mean_halves_give_the_textbook_s_error(void **state)
{
    (void)state;
    static const size_t counts[] = {2, 5, 6, 10, 30};
    gsl_rng *random = random_of(8);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t n = counts[i];
        double a[30], b[30], differences[30];
        for (size_t k = 0; k < n; k++) {
            a[k] = gsl_ran_gaussian(random, 1);
            b[k] = gsl_ran_gaussian(random, 1) + 0.5;
            differences[k] = b[k] - a[k];
        }
        struct halved of_a, of_b;
        assert_int_equal(halve(mean_of, a, n, &of_a), 0);
        assert_int_equal(halve(mean_of, b, n, &of_b), 0);
        struct shift s = shift_of(&of_a, &of_b, true);
        double error = gsl_stats_sd(differences, 1, n) / sqrt((double)n);
        is_near(s.error, error, n > 10 ? 0.2 * error : 1e-9);
        is_near(s.log_ratio, gsl_stats_mean(differences, 1, n), 1e-9);
        is_near(s.freedom, (double)n - 1, 0);
    }
    gsl_rng_free(random);
}

/* By hand: A 1 2 3 has mean 2 and variance 1, B 4 6 8 mean 6 and variance 4. Squared errors 1/3 and
 * 4/3, degrees of freedom (25/9)/((1/9)/2 + (16/9)/2) = 50/17. */
static void without_common_blocks_the_freedom_is_welch_s(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3}, b[] = {4, 6, 8};
    struct halved of_a, of_b;
    assert_int_equal(halve(mean_of, a, 3, &of_a), 0);
    assert_int_equal(halve(mean_of, b, 3, &of_b), 0);
    struct shift s = shift_of(&of_a, &of_b, false);
    is_near(s.log_ratio, 4, 1e-12);
    is_near(s.error, sqrt(5.0 / 3), 1e-9);
    is_near(s.freedom, 50.0 / 17, 1e-9);
}

static void the_middle_of_ratios_is_the_median_of_the_means_of_pairs(void **state)
{
    (void)state;
    /* Ratios 1, 2, 16, logarithms 0 1 4 (to base 2): means of pairs 0 0.5 1 2 2.5 4, median 1.5. */
    const double a[] = {1, 1, 1}, b[] = {1, 2, 16};
    is_near(shift_paired(a, b, 3).log_ratio, 1.5 * log(2), 1e-12);
    is_near(shift_paired(b, a, 3).log_ratio, -1.5 * log(2), 1e-12);
}

static void three_equal_values_are_no_proof(void **state)
{
    (void)state;
    const double a[] = {1000, 1000, 1000}, b[] = {1001, 1001, 1001}, c[] = {1100, 1100, 1100};
    struct shift near = shift_paired(a, b, 3), far = shift_paired(a, c, 3);
    assert_true(near.log_ratio < shift_reach(near, 0.025));
    assert_true(far.log_ratio > shift_reach(far, 0.025));
    is_near(shift_reach(near, 0.025), 0.001 * gsl_cdf_tdist_Pinv(0.975, 2), 1e-9);
    assert_true(isinf(shift_reach(shift_paired(a, c, 2), 0.025))); /* two agree too easily */
    assert_true(isinf(shift_reach(shift_paired(a, c, 1), 0.025)));
    struct shift apart = shift_unpaired(a, 3, b, 3);
    assert_true(apart.log_ratio < shift_reach(apart, 0.025));
}

static void a_value_of_0_has_no_ratio(void **state)
{
    (void)state;
    const double a[] = {1, 1, 1}, b[] = {1, 0, 1};
    assert_int_equal(shift_paired(a, b, 3).blocks, 0);
    assert_true(isinf(shift_reach(shift_paired(a, b, 3), 0.025)));
    assert_int_equal(shift_paired(a, b, 0).blocks, 0);
}

static void more_blocks_bring_a_shorter_reach(void **state)
{
    (void)state;
    const double a[] = {1, 1, 1, 1, 1, 1}, b[] = {1, 1.1, 1.2, 1.1, 1, 1.1};
    struct shift s = shift_paired(a, b, 6), later = shift_later(s, 18);
    is_near(later.error, s.error / 2, 1e-12);
    is_near(later.freedom, 23, 1e-9);
    is_near(shift_later(s, 0).error, s.error, 0);
}

/* Noise of 2 % of each side and a drift of the machine that meets both alike. Of 1,500 comparisons,
 * in how many the 95 % interval leaves out 1. */
static double share_shown(size_t blocks, double ratio, double drift)
{
    gsl_rng *random = random_of(blocks);
    size_t shown = 0;
    for (int i = 0; i < 1500; i++) {
        double a[20], b[20];
        for (size_t k = 0; k < blocks; k++) {
            double common = 1000 * exp(gsl_ran_gaussian(random, 1) * drift);
            a[k] = common * exp(gsl_ran_gaussian(random, 0.02));
            b[k] = common * exp(gsl_ran_gaussian(random, 0.02)) * ratio;
        }
        struct shift s = shift_paired(a, b, blocks);
        shown += fabs(s.log_ratio) > shift_reach(s, 0.025);
    }
    gsl_rng_free(random);
    return (double)shown / 1500;
}

static void what_is_5_percent_dearer_is_found_in_six_blocks(void **state)
{
    (void)state;
    assert_true(share_shown(6, 1.05, 0) >= 0.8);
    assert_true(share_shown(6, 1.05, 0.1) >= 0.8);
    assert_true(share_shown(12, 1.05, 0.1) >= 0.99);
}

/* At 5 %, standard error 0.56 %; three of those allowed. */
static void of_two_that_are_one_a_difference_is_shown_as_rarely_as_stated(void **state)
{
    (void)state;
    static const size_t counts[] = {3, 4, 6, 9, 12};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double share = share_shown(counts[i], 1, 0.1);
        if (!(share > 0.02 && share < 0.067))
            fail_msg("%zu blocks: %g", counts[i], share);
    }
}

static void an_interval_of_halves_is_that_of_student_s_t(void **state)
{
    (void)state;
    const double logs[] = {0.1, 0.2, 0.3, 0.4};
    struct halved h;
    assert_int_equal(halve(mean_of, logs, 4, &h), 0);
    struct estimate e = halved_estimate(&h);
    is_near(log(e.median), 0.25, 1e-12);
    is_near(log(e.low), 0.25 - 3.182446 * 0.0645497, 1e-6);
    is_near(log(e.high), 0.25 + 3.182446 * 0.0645497, 1e-6);
    assert_int_equal(halve(mean_of, logs, 2, &h), 0);
    e = halved_estimate(&h);
    is_near(log(e.low), 0.1, 1e-12);
    is_near(log(e.high), 0.2, 1e-12);
    is_near(e.confidence, 0.5, 0);
}

/* Six blocks of which half have a stall: t would reach from microseconds to hours. */
static void an_interval_stays_near_what_halves_of_the_blocks_give(void **state)
{
    (void)state;
    const double logs[] = {0, 0, 0, 6, 6, 6};
    struct halved h;
    assert_int_equal(halve(mean_of, logs, 6, &h), 0);
    struct estimate e = halved_estimate(&h);
    assert_true(log(e.low) >= 3 - 1.5 * 3 - 1e-9 && log(e.high) <= 3 + 1.5 * 3 + 1e-9);
}

static void that_costs_an_interval_hardly_any_coverage(void **state)
{
    (void)state;
    enum { SAMPLES = 3000, BLOCKS = 6 };
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    size_t covered = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        double logs[BLOCKS];
        struct halved h;
        for (size_t k = 0; k < BLOCKS; k++)
            logs[k] = gsl_ran_gaussian(random, 0.1);
        assert_int_equal(halve(mean_of, logs, BLOCKS, &h), 0);
        struct estimate e = halved_estimate(&h);
        covered += e.low <= 1 && 1 <= e.high;
    }
    gsl_rng_free(random);
    if (covered < 0.92 * SAMPLES)
        fail_msg("%zu of %d intervals hold the true mean", covered, SAMPLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_mean_halves_give_the_textbook_s_error),
        cmocka_unit_test(without_common_blocks_the_freedom_is_welch_s),
        cmocka_unit_test(the_middle_of_ratios_is_the_median_of_the_means_of_pairs),
        cmocka_unit_test(three_equal_values_are_no_proof),
        cmocka_unit_test(a_value_of_0_has_no_ratio),
        cmocka_unit_test(more_blocks_bring_a_shorter_reach),
        cmocka_unit_test(what_is_5_percent_dearer_is_found_in_six_blocks),
        cmocka_unit_test(of_two_that_are_one_a_difference_is_shown_as_rarely_as_stated),
        cmocka_unit_test(an_interval_of_halves_is_that_of_student_s_t),
        cmocka_unit_test(an_interval_stays_near_what_halves_of_the_blocks_give),
        cmocka_unit_test(that_costs_an_interval_hardly_any_coverage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
