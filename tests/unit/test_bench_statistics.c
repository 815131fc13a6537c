/* What is said about several trials. */
#include "bench/statistics.h"

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
    assert_true(e.low == 1);
    assert_true(e.high == 9);
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
        cmocka_unit_test(a_straight_line_has_its_own_slope),
        cmocka_unit_test(one_point_has_no_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
