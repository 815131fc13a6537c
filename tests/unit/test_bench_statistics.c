/* What is said about several trials. */
#include "bench/statistics/statistics.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_median_of_an_odd_number_is_the_middle_one(void **state)
{
    (void)state;
    double values[] = {9, 1, 5};
    struct estimate e = estimate_of(values, 3);
    assert_true(e.median == 5);
    assert_int_equal(e.count, 3);
}

static void the_median_of_an_even_number_is_between_the_middle_two(void **state)
{
    (void)state;
    double values[] = {4, 1, 100, 2};
    assert_true(estimate_of(values, 4).median == 3);
}

static void values_that_are_not_finite_are_left_out(void **state)
{
    (void)state;
    double values[] = {NAN, 7, INFINITY, -INFINITY, NAN};
    struct estimate e = estimate_of(values, 5);
    assert_int_equal(e.count, 1);
    assert_true(e.median == 7);
    assert_true(e.high == 7);
}

static void of_nothing_nothing_is_said(void **state)
{
    (void)state;
    double values[] = {NAN};
    assert_int_equal(estimate_of(values, 1).count, 0);
    assert_int_equal(estimate_of(values, 0).count, 0);
}

/* --- intervals -------------------------------------------------------------------------------- */

static gsl_rng *random_of(unsigned long seed)
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, seed);
    return random;
}

/* In how many of a thousand samples of `count` normal values (median 10) the interval has the
 * true median in it. */
static size_t covered_of_1000(size_t count, unsigned long seed)
{
    gsl_rng *random = random_of(seed);
    size_t covered = 0;
    for (int i = 0; i < 1000; i++) {
        double values[ESTIMATE_MOST];
        for (size_t k = 0; k < count; k++)
            values[k] = 10 + gsl_ran_gaussian(random, 1);
        struct estimate e = estimate_of(values, count);
        covered += e.low <= 10 && 10 <= e.high;
    }
    gsl_rng_free(random);
    return covered;
}

static void an_interval_of_95_percent_covers_the_true_median_about_as_often(void **state)
{
    (void)state;
    assert_in_range(covered_of_1000(10, 1), 880, 970);
    assert_in_range(covered_of_1000(30, 2), 900, 980);
}

/* docs/results.md gives these figures. */
static void with_few_trials_it_covers_the_median_less_often_and_the_docs_say_so(void **state)
{
    (void)state;
    assert_in_range(covered_of_1000(3, 3), 710, 790);
    assert_in_range(covered_of_1000(6, 4), 900, 960);
}

static void an_interval_is_never_wider_than_the_range_and_always_the_same(void **state)
{
    (void)state;
    double values[] = {3, 1, 4, 1.5, 5, 9}, again[] = {9, 5, 1.5, 4, 1, 3};
    struct estimate e = estimate_of(values, 6), same = estimate_of(again, 6);
    assert_true(e.median == 3.5);
    assert_true(1 <= e.low && e.low < e.median && e.median < e.high && e.high <= 9);
    assert_true(e.low == same.low && e.high == same.high);
}

static void of_one_value_no_interval_is_known(void **state)
{
    (void)state;
    double value = 7;
    struct estimate e = estimate_of(&value, 1);
    assert_int_equal(e.count, 1);
    assert_true(e.low == 7 && e.high == 7);
}

/* --- comparisons ------------------------------------------------------------------------------ */

static void is_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9g instead of %.9g", value, expected);
}

/* By hand: values 0.1 0.2 0.3 0.4, mean 0.25, squared deviations 0.0225 0.0025 0.0025 0.0225, their
 * sum 0.05, variance 0.05/3, standard error sqrt(0.05/3/4) = 0.0645497, t = 3.872983. With three
 * degrees of freedom F(t) = 1/2 + (atan(x) + x/(1 + x^2))/pi, x = t/sqrt(3) = sqrt(5):
 * two-sided p = 1 - 2/pi (1.1502620 + 0.3726780) = 0.0304666. Quantile 97.5 %: 3.182446. */
static void student_s_t_is_as_computed_by_hand(void **state)
{
    (void)state;
    const double log_ratios[] = {0.1, 0.2, 0.3, 0.4};
    struct comparison c = compare_paired(log_ratios, 4, 0);
    is_near(c.p, 0.0304666, 1e-6);
    is_near(log(c.ratio), 0.25, 1e-12);
    is_near(log(c.low), 0.25 - 3.182446 * 0.0645497, 1e-6);
    is_near(log(c.high), 0.25 + 3.182446 * 0.0645497, 1e-6);
}

/* By hand: A 1 2 3 has mean 2 and variance 1, B 4 6 8 mean 6 and variance 4. Squared errors 1/3 and
 * 4/3, t = 4/sqrt(5/3) = 3.0983867, degrees of freedom (25/9)/((1/9)/2 + (16/9)/2) = 50/17
 * = 2.9412, less than the four of equal variances. p: between those of t with 3 (0.0533627, by the
 * formula above) and with 2 degrees of freedom (1 - t/sqrt(2 + t^2) = 0.0902823), near the former.
 */
static void welch_s_t_is_as_computed_by_hand(void **state)
{
    (void)state;
    const double a[] = {1, 2, 3}, b[] = {4, 6, 8};
    struct comparison c = compare_unpaired(a, 3, b, 3, 0);
    is_near(log(c.ratio), 4, 1e-12);
    assert_true(c.p > 0.0533627 && c.p < 0.0533627 + 0.1 * (0.0902823 - 0.0533627));
    /* The interval at 95 % just holds 0 where p is above 5 %. */
    assert_true(c.low < 1 && c.high > exp(8));
    is_near(log(c.low) + log(c.high), 8, 1e-9);
}

/* Ordered: 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04; none below the one before:
 * 0.02 0.03 0.06 0.06. */
static void holm_corrects_a_family_in_steps(void **state)
{
    (void)state;
    double p[] = {0.01, 0.04, NAN, 0.03, 0.005};
    assert_int_equal(holm_correct(p, 5), 0);
    is_near(p[0], 0.03, 1e-12);
    is_near(p[1], 0.06, 1e-12);
    assert_true(isnan(p[2]));
    is_near(p[3], 0.06, 1e-12);
    is_near(p[4], 0.02, 1e-12);
}

static void what_does_not_scatter_is_equal_or_different(void **state)
{
    (void)state;
    const double equal[] = {0, 0, 0}, shifted[] = {log(2), log(4) - log(2), log(6) - log(3)};
    assert_true(compare_paired(equal, 2, 0).p == 1);
    assert_true(compare_paired(shifted, 3, 0).p == 0);
    assert_true(fabs(compare_paired(shifted, 3, 0).low - 2) < 1e-9);
    assert_true(isnan(compare_paired(shifted, 2, 0).p)); /* two agree too easily */
    assert_true(compare_unpaired(equal, 3, equal, 3, 0).p == 1);
    assert_true(compare_unpaired(equal, 3, (const double[]){1, 1, 1}, 3, 0).p == 0);
}

static void what_is_rounded_alike_is_not_exact(void **state)
{
    (void)state;
    const double one_step[] = {0.001, 0.001, 0.001, 0.001, 0.001, 0.001};
    const double ten_percent[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    assert_true(compare_paired(one_step, 6, 0.0003).p > SIGNIFICANCE);
    assert_true(compare_paired(ten_percent, 6, 0.0003).p < 1e-6);
    assert_true(compare_unpaired(one_step, 6, (double[6]){0}, 6, 0.0003).p > SIGNIFICANCE);
}

static double weighted_mean(const void *data, const unsigned *weights, size_t count)
{
    const double *values = data;
    double sum = 0, weight = 0;
    for (size_t i = 0; i < count; i++) {
        sum += weights[i] * values[i];
        weight += weights[i];
    }
    return exp(sum / weight);
}

/* For a mean, leaving out half of the trials says the same as Student's and Welch's t; drawn
 * halves (30 trials) say so nearly. */
static void of_a_mean_halves_say_what_t_says(void **state)
{
    (void)state;
    static const size_t counts[] = {2, 5, 6, 12, 30};
    gsl_rng *random = random_of(8);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t n = counts[i];
        double a[30], b[30], log_ratios[30], tolerance = n > 12 ? 0.05 : 1e-9;
        for (size_t k = 0; k < n; k++) {
            a[k] = gsl_ran_gaussian(random, 1);
            b[k] = gsl_ran_gaussian(random, 1) + 0.5;
            log_ratios[k] = b[k] - a[k];
        }
        struct halved of_a, of_b;
        assert_int_equal(halve(weighted_mean, a, n, &of_a), 0);
        assert_int_equal(halve(weighted_mean, b, n, &of_b), 0);
        struct comparison paired = compare_halved(&of_a, &of_b, true, 0);
        struct comparison unpaired = compare_halved(&of_a, &of_b, false, 0);
        is_near(paired.p, compare_paired(log_ratios, n, 0).p, tolerance);
        is_near(unpaired.p, compare_unpaired(a, n, b, n, 0).p, tolerance);
        is_near(log(paired.ratio), log(compare_paired(log_ratios, n, 0).ratio), 1e-9);
    }
    gsl_rng_free(random);
}

static void one_block_has_a_ratio_and_no_verdict(void **state)
{
    (void)state;
    const double one[] = {log(1.5)}, two[] = {0, 0.1};
    assert_true(isnan(compare_paired(one, 1, 0).p));
    is_near(compare_paired(one, 1, 0).ratio, 1.5, 1e-12);
    assert_true(isnan(compare_unpaired(one, 1, two, 2, 0).p));
    assert_true(isnan(compare_paired(one, 0, 0).ratio));
}

/* 6 blocks, as the profile `standard` has them: noise of 1 %, and a drift ten times as large that
 * meets both alike. */
static void measure_blocks(gsl_rng *random, double shift, double *a, double *b, size_t blocks)
{
    for (size_t i = 0; i < blocks; i++) {
        double drift = 1000 * exp(gsl_ran_gaussian(random, 0.1));
        a[i] = drift * exp(gsl_ran_gaussian(random, 0.01));
        b[i] = drift * exp(gsl_ran_gaussian(random, 0.01)) * shift;
    }
}

static void a_shift_of_5_percent_is_shown_in_noise_of_1_percent(void **state)
{
    (void)state;
    gsl_rng *random = random_of(5);
    size_t shown = 0;
    for (int i = 0; i < 200; i++) {
        double a[6], b[6], log_ratios[6];
        measure_blocks(random, 1.05, a, b, 6);
        for (size_t k = 0; k < 6; k++)
            log_ratios[k] = log(b[k] / a[k]);
        struct comparison c = compare_paired(log_ratios, 6, 0);
        shown += c.p < SIGNIFICANCE && c.ratio > 1;
    }
    gsl_rng_free(random);
    assert_true(shown >= 198);
}

/* 4,000 comparisons of nothing at 5 %: 200 expected, standard error 14; three of those allowed. */
static void of_two_that_are_one_a_difference_is_shown_as_rarely_as_stated(void **state)
{
    (void)state;
    gsl_rng *random = random_of(6);
    size_t shown = 0;
    for (unsigned long i = 0; i < 20; i++) {
        double a[12], b[12];
        measure_blocks(random, 1, a, b, 12);
        shown += compare_resampled(a, b, 12, 200, i);
    }
    gsl_rng_free(random);
    assert_in_range(shown, 1, 242);
}

static void a_real_difference_does_not_survive_relabelling(void **state)
{
    (void)state;
    double a[12], b[12];
    gsl_rng *random = random_of(7);
    measure_blocks(random, 1.5, a, b, 12);
    gsl_rng_free(random);
    assert_true(compare_resampled(a, b, 12, 200, 1) < 30);
}

static void a_straight_line_has_its_own_slope(void **state)
{
    (void)state;
    const double x[] = {1, 64, 4096}, y[] = {1010, 1640, 41960};
    assert_true(fabs(least_squares_slope(x, y, 3) - 10) < 1e-9);
}

static void one_point_has_no_slope(void **state)
{
    (void)state;
    const double x[] = {5, 5}, y[] = {1, 2};
    assert_true(isnan(least_squares_slope(x, y, 0)));
    assert_true(isnan(least_squares_slope(x, y, 1)));
    assert_true(isnan(least_squares_slope(x, y, 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_of_an_odd_number_is_the_middle_one),
        cmocka_unit_test(the_median_of_an_even_number_is_between_the_middle_two),
        cmocka_unit_test(values_that_are_not_finite_are_left_out),
        cmocka_unit_test(of_nothing_nothing_is_said),
        cmocka_unit_test(an_interval_of_95_percent_covers_the_true_median_about_as_often),
        cmocka_unit_test(with_few_trials_it_covers_the_median_less_often_and_the_docs_say_so),
        cmocka_unit_test(an_interval_is_never_wider_than_the_range_and_always_the_same),
        cmocka_unit_test(of_one_value_no_interval_is_known),
        cmocka_unit_test(student_s_t_is_as_computed_by_hand),
        cmocka_unit_test(welch_s_t_is_as_computed_by_hand),
        cmocka_unit_test(holm_corrects_a_family_in_steps),
        cmocka_unit_test(what_does_not_scatter_is_equal_or_different),
        cmocka_unit_test(what_is_rounded_alike_is_not_exact),
        cmocka_unit_test(of_a_mean_halves_say_what_t_says),
        cmocka_unit_test(one_block_has_a_ratio_and_no_verdict),
        cmocka_unit_test(a_shift_of_5_percent_is_shown_in_noise_of_1_percent),
        cmocka_unit_test(of_two_that_are_one_a_difference_is_shown_as_rarely_as_stated),
        cmocka_unit_test(a_real_difference_does_not_survive_relabelling),
        cmocka_unit_test(a_straight_line_has_its_own_slope),
        cmocka_unit_test(one_point_has_no_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
