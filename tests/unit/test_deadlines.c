/* The heap of deadlines against a plain array, and its timerfd against the clock. */
#include "common/clock.h"
#include "common/deadlines.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 500 };

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static void deadlines_come_out_in_order(void **state)
{
    (void)state;
    struct deadlines ds;
    struct deadline d[MANY] = {0};
    assert_int_equal(deadlines_init(&ds), 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(deadlines_set(&ds, &d[i], 1 + i * 7919 % MANY), 0);
    uint64_t before_ns = 0;
    for (size_t i = 0; i < MANY; i++) {
        struct deadline *next = deadlines_pop(&ds, MANY);
        assert_non_null(next);
        assert_false(deadline_is_set(next));
        assert_true(next->at_ns > before_ns);
        before_ns = next->at_ns;
    }
    assert_null(deadlines_pop(&ds, NEVER_NS));
    deadlines_free(&ds);
}

static void none_comes_before_its_time(void **state)
{
    (void)state;
    struct deadlines ds;
    struct deadline d = {0};
    assert_int_equal(deadlines_init(&ds), 0);
    assert_true(deadlines_earliest_ns(&ds) == NEVER_NS);
    assert_int_equal(deadlines_set(&ds, &d, 100), 0);
    assert_null(deadlines_pop(&ds, 99));
    assert_ptr_equal(deadlines_pop(&ds, 100), &d);
    deadlines_free(&ds);
}

static void a_cancelled_one_never_comes(void **state)
{
    (void)state;
    struct deadlines ds;
    struct deadline a = {0}, b = {0};
    assert_int_equal(deadlines_init(&ds), 0);
    deadlines_cancel(&ds, &a); /* not set: harmless */
    deadlines_set(&ds, &a, 1);
    deadlines_set(&ds, &b, 2);
    deadlines_cancel(&ds, &a);
    deadlines_cancel(&ds, &a);
    assert_ptr_equal(deadlines_pop(&ds, 10), &b);
    assert_null(deadlines_pop(&ds, 10));
    deadlines_free(&ds);
}

/* Whatever is set, moved, cancelled and popped: the earliest is that of a plain search. */
static void any_mixture_of_calls_keeps_the_earliest_first(void **state)
{
    (void)state;
    struct deadlines ds;
    struct deadline d[MANY] = {0};
    uint64_t random = 1;
    assert_int_equal(deadlines_init(&ds), 0);
    for (int step = 0; step < 20000; step++) {
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        struct deadline *one = &d[(random >> 33) % MANY];
        uint64_t at_ns = 1 + (random >> 20) % 1000;
        if (random >> 62 == 0)
            deadlines_cancel(&ds, one);
        else if (random >> 62 == 1)
            deadlines_pop(&ds, 300);
        else
            assert_int_equal(deadlines_set(&ds, one, at_ns), 0);
        uint64_t earliest_ns = NEVER_NS;
        size_t set = 0;
        for (size_t i = 0; i < MANY; i++) {
            if (!deadline_is_set(&d[i]))
                continue;
            set++;
            earliest_ns = d[i].at_ns < earliest_ns ? d[i].at_ns : earliest_ns;
        }
        assert_int_equal(ds.count, set);
        assert_true(deadlines_earliest_ns(&ds) == earliest_ns);
    }
    deadlines_free(&ds);
}

static void the_descriptor_rings_at_the_earliest_and_not_before(void **state)
{
    (void)state;
    struct deadlines ds;
    struct deadline soon = {0}, late = {0};
    assert_int_equal(deadlines_init(&ds), 0);
    uint64_t at_ns = clock_now_ns() + 20 * NS_PER_MS;
    deadlines_set(&ds, &late, at_ns + 3600 * NS_PER_S);
    deadlines_set(&ds, &soon, at_ns);
    deadlines_arm(&ds);
    assert_true(is_readable(ds.fd, 60000));
    assert_true(clock_now_ns() >= at_ns);
    assert_ptr_equal(deadlines_pop(&ds, clock_now_ns()), &soon);
    deadlines_arm(&ds);
    assert_false(is_readable(ds.fd, 0)); /* it has fallen silent without a read */
    deadlines_free(&ds);
}

static void a_time_that_has_passed_rings_at_once_and_again(void **state)
{
    (void)state;
    struct deadlines ds;
    struct deadline d = {0};
    assert_int_equal(deadlines_init(&ds), 0);
    for (int i = 0; i < 3; i++) {
        deadlines_set(&ds, &d, 0);
        deadlines_arm(&ds);
        assert_true(is_readable(ds.fd, 60000));
        assert_ptr_equal(deadlines_pop(&ds, clock_now_ns()), &d);
        deadlines_arm(&ds);
        assert_false(is_readable(ds.fd, 0));
    }
    deadlines_free(&ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_come_out_in_order),
        cmocka_unit_test(none_comes_before_its_time),
        cmocka_unit_test(a_cancelled_one_never_comes),
        cmocka_unit_test(any_mixture_of_calls_keeps_the_earliest_first),
        cmocka_unit_test(the_descriptor_rings_at_the_earliest_and_not_before),
        cmocka_unit_test(a_time_that_has_passed_rings_at_once_and_again),
    };
    return cmocka_run_group_tests_name("deadlines", tests, NULL, NULL);
}
