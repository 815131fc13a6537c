/* Which block comes next. */
#include "bench/run/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LEAST = 6, MOST = 100 };

static void every_point_gets_a_block_before_any_gets_two(void **state)
{
    (void)state;
    struct prospect p[3] = {{0, 5, NAN, false}, {0, 50, NAN, false}, {0, 1, NAN, false}};
    for (unsigned round = 1; round <= LEAST; round++)
        for (size_t i = 0; i < 3; i++) {
            size_t next = schedule_next(p, 3, 1e9, LEAST, MOST);
            assert_true(next < 3);
            p[next].blocks++;
            for (size_t k = 0; k < 3; k++)
                assert_true(p[k].blocks == round || p[k].blocks == round - 1);
        }
}

static void then_the_point_whose_interval_shrinks_most_per_second(void **state)
{
    (void)state;
    struct prospect wide[2] = {{6, 5, 0.01, false}, {6, 5, 0.10, false}};
    assert_int_equal(schedule_next(wide, 2, 1e9, LEAST, MOST), 1);
    struct prospect dear[2] = {{6, 5, 0.10, false}, {6, 60, 0.10, false}};
    assert_int_equal(schedule_next(dear, 2, 1e9, LEAST, MOST), 0);
    struct prospect fewer[2] = {{20, 5, 0.10, false}, {6, 5, 0.10, false}};
    assert_int_equal(schedule_next(fewer, 2, 1e9, LEAST, MOST), 1);
}

static void what_does_not_fit_into_the_time_left_is_not_begun(void **state)
{
    (void)state;
    struct prospect p[2] = {{0, 20, NAN, false}, {3, 5, NAN, false}};
    assert_int_equal(schedule_next(p, 2, 10, LEAST, MOST), 1);
    assert_int_equal(schedule_next(p, 2, 4, LEAST, MOST), 2);
    assert_int_equal(schedule_next(p, 2, -1, LEAST, MOST), 2);
}

static void what_is_precise_needs_no_more_but_the_least(void **state)
{
    (void)state;
    struct prospect p[2] = {{3, 5, 0.001, true}, {6, 5, 0.001, true}};
    assert_int_equal(schedule_next(p, 2, 1e9, LEAST, MOST), 0);
    p[0].blocks = 6;
    assert_int_equal(schedule_next(p, 2, 1e9, LEAST, MOST), 2);
}

static void there_is_a_most(void **state)
{
    (void)state;
    struct prospect p = {MOST, 5, 0.5, false};
    assert_int_equal(schedule_next(&p, 1, 1e9, LEAST, MOST), 1);
    p.blocks = 2;
    assert_int_equal(schedule_next(&p, 1, 1e9, 2, 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_point_gets_a_block_before_any_gets_two),
        cmocka_unit_test(then_the_point_whose_interval_shrinks_most_per_second),
        cmocka_unit_test(what_does_not_fit_into_the_time_left_is_not_begun),
        cmocka_unit_test(what_is_precise_needs_no_more_but_the_least),
        cmocka_unit_test(there_is_a_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
