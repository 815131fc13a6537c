/* The median of a few values and its interval. */
#include "bench/statistics/estimate.h"

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
}

static void of_nothing_nothing_is_said(void **state)
{
    (void)state;
    double values[] = {NAN};
    assert_int_equal(estimate_of(values, 1).count, 0);
    assert_int_equal(estimate_of(values, 0).count, 0);
}

static void of_one_value_no_interval_is_known(void **state)
{
    (void)state;
    double value = 7;
    struct estimate e = estimate_of(&value, 1);
    assert_int_equal(e.count, 1);
    assert_true(e.low == 7 && e.high == 7 && e.confidence == 0);
}

/* The usual table of the sign test: with n values the interval is from the k-th lowest to the k-th
 * highest, with this confidence. */
static void an_interval_ends_at_the_values_that_the_sign_test_says(void **state)
{
    (void)state;
    static const struct {
        size_t n, k;
        double confidence;
    } table[] = {{2, 1, 0.5},     {3, 1, 0.75},    {5, 1, 0.9375},  {6, 1, 0.96875},
                 {8, 1, 0.9922},  {9, 2, 0.96094}, {10, 2, 0.9785}, {12, 3, 0.9614},
                 {15, 4, 0.9648}, {20, 6, 0.9586}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double values[20];
        for (size_t v = 0; v < table[i].n; v++)
            values[v] = (double)(table[i].n - v);
        struct estimate e = estimate_of(values, table[i].n);
        assert_true(e.low == (double)table[i].k);
        assert_true(e.high == (double)(table[i].n + 1 - table[i].k));
        assert_true(fabs(e.confidence - table[i].confidence) < 1e-4);
    }
}

/* In how many of 4,000 samples of `count` values the interval has the true median (10) in it. */
static double coverage(size_t count, bool skewed)
{
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, count);
    size_t covered = 0;
    for (int i = 0; i < 4000; i++) {
        double values[ESTIMATE_MOST];
        for (size_t k = 0; k < count; k++)
            values[k] =
                skewed ? 10 * exp(gsl_ran_gaussian(random, 1)) : 10 + gsl_ran_gaussian(random, 1);
        struct estimate e = estimate_of(values, count);
        covered += e.low <= 10 && 10 <= e.high;
    }
    gsl_rng_free(random);
    return (double)covered / 4000;
}

/* Standard error of a simulated rate near 95 %: 0.35 %; three of those allowed. */
static void it_covers_the_true_median_as_often_as_it_says(void **state)
{
    (void)state;
    static const size_t counts[] = {3, 5, 6, 9, 12, 30};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double values[30];
        for (size_t k = 0; k < counts[i]; k++)
            values[k] = (double)k;
        double stated = estimate_of(values, counts[i]).confidence;
        assert_true(fabs(coverage(counts[i], false) - stated) < 0.02);
        assert_true(fabs(coverage(counts[i], true) - stated) < 0.02);
    }
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
        cmocka_unit_test(of_one_value_no_interval_is_known),
        cmocka_unit_test(an_interval_ends_at_the_values_that_the_sign_test_says),
        cmocka_unit_test(it_covers_the_true_median_as_often_as_it_says),
        cmocka_unit_test(a_straight_line_has_its_own_slope),
        cmocka_unit_test(one_point_has_no_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
