/* The books of a thread, and of several. */
#include "loadgen/tally.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tally empty(void)
{
    struct tally t;
    assert_int_equal(tally_init(&t), 0);
    return t;
}

static struct tally balanced(void)
{
    struct tally t = empty();
    t.intended = 12;
    t.carried_in = 3;
    t.completed = 6;
    for (int i = 0; i < ERROR_KINDS; i++)
        t.errors[i] = 1;
    t.unfinished = 2;
    t.response_censored = 3; /* the unfinished, and the one that timed out */
    for (int i = 0; i < 9; i++)
        histogram_record(t.response, 1000);
    return t;
}

static void books_with_every_request_in_one_place_balance(void **state)
{
    (void)state;
    struct tally t = balanced();
    assert_true(tally_is_consistent(&t));
    assert_int_equal(tally_errors(&t), ERROR_KINDS);
    tally_free(&t);
    t = empty();
    assert_true(tally_is_consistent(&t));
    tally_free(&t);
}

static void a_request_too_few_or_too_many_is_noticed(void **state)
{
    (void)state;
    struct tally t = balanced();
    uint64_t *const counts[] = {&t.intended, &t.carried_in, &t.completed, &t.unfinished,
                                &t.errors[ERROR_BODY]};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ++*counts[i];
        assert_false(tally_is_consistent(&t));
        *counts[i] -= 2;
        assert_false(tally_is_consistent(&t));
        ++*counts[i];
        assert_true(tally_is_consistent(&t));
    }
    tally_free(&t);
}

static void an_answer_that_was_not_timed_is_noticed(void **state)
{
    (void)state;
    struct tally t = balanced();
    histogram_record(t.response, 1);
    assert_false(tally_is_consistent(&t));
    t.response_censored++;
    assert_true(tally_is_consistent(&t));
    tally_free(&t);
}

static void merged_everything_adds_up(void **state)
{
    (void)state;
    struct tally a = balanced(), b = balanced(), sum = empty();
    b.sent = 5, b.opened = 7, b.service_censored = 2;
    b.slots_used = 4, b.slots_served = 3, b.served_sum = 6, b.served_squares = 14;
    b.slow_completed = 8, b.slow_errors = 9;
    histogram_record(b.service, 1);
    histogram_record(b.connect, 2);
    histogram_record(b.send_lag, 3);
    tally_merge(&sum, &a);
    tally_merge(&sum, &b);
    tally_merge(&sum, &b);
    assert_true(tally_is_consistent(&sum));
    assert_int_equal(sum.intended, 36);
    assert_int_equal(sum.carried_in, 9);
    assert_int_equal(sum.completed, 18);
    assert_int_equal(sum.unfinished, 6);
    assert_int_equal(tally_errors(&sum), 3 * ERROR_KINDS);
    assert_int_equal(sum.response_censored, 9);
    assert_int_equal(sum.response->count, 27);
    assert_int_equal(sum.sent, 10);
    assert_int_equal(sum.opened, 14);
    assert_int_equal(sum.service_censored, 4);
    assert_int_equal(sum.slots_used, 8);
    assert_int_equal(sum.slots_served, 6);
    assert_true(sum.served_sum == 12 && sum.served_squares == 28);
    assert_int_equal(sum.slow_completed, 16);
    assert_int_equal(sum.slow_errors, 18);
    assert_int_equal(sum.service->max_ns, 1);
    assert_int_equal(sum.connect->max_ns, 2);
    assert_int_equal(sum.send_lag->max_ns, 3);
    tally_free(&a);
    tally_free(&b);
    tally_free(&sum);
}

static void the_halves_are_in_the_whole_once_it_is_closed(void **state)
{
    (void)state;
    struct tally t = empty(), sum = empty();
    t.intended = t.completed = 3;
    histogram_record(t.halves[0], 10);
    histogram_record(t.halves[1], 20);
    histogram_record(t.halves[1], 30);
    assert_false(tally_is_consistent(&t));
    tally_close(&t);
    assert_true(tally_is_consistent(&t));
    tally_merge(&sum, &t);
    tally_merge(&sum, &t);
    assert_true(tally_is_consistent(&sum));
    assert_int_equal(sum.response->count, 6);
    assert_int_equal(sum.response->max_ns, 30);
    assert_int_equal(sum.halves[0]->count, 2);
    assert_int_equal(sum.halves[1]->count, 4);
    tally_free(&t);
    tally_free(&sum);
}

static void fairness_is_one_for_all_and_a_share_for_one_alone(void **state)
{
    (void)state;
    struct tally all = {.slots_used = 8, .served_sum = 80, .served_squares = 800};
    assert_true(fabs(tally_fairness(&all) - 1) < 1e-12);
    struct tally one = {.slots_used = 8, .served_sum = 80, .served_squares = 6400};
    assert_true(fabs(tally_fairness(&one) - 1. / 8) < 1e-12);
}

static void of_nothing_served_fairness_says_nothing(void **state)
{
    (void)state;
    struct tally none = {.slots_used = 8};
    assert_true(isnan(tally_fairness(&none)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_with_every_request_in_one_place_balance),
        cmocka_unit_test(a_request_too_few_or_too_many_is_noticed),
        cmocka_unit_test(an_answer_that_was_not_timed_is_noticed),
        cmocka_unit_test(merged_everything_adds_up),
        cmocka_unit_test(the_halves_are_in_the_whole_once_it_is_closed),
        cmocka_unit_test(fairness_is_one_for_all_and_a_share_for_one_alone),
        cmocka_unit_test(of_nothing_served_fairness_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
