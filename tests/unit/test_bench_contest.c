/* What is said of two models, from made-up measurements. */
#include "bench/statistics/contest.h"

#include "tests/unit/made_up.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct workload CLOSED = {.name = ""};
static const double MARGIN = 0.05;

enum { BLOCKS = 6 };

/* Two models, with noise of 1 % and a drift of 30 %. */
static struct results two(struct made_up a, struct made_up b, unsigned blocks)
{
    struct results r = made_up_results(2, CLOSED);
    made_up_blocks(&r, 0, blocks, 0.01, a);
    made_up_blocks(&r, 1, blocks, 0.01, b);
    return r;
}

/* Model 1 against model 0. */
static struct contest contest_in(const struct results *r, const char *metric)
{
    struct side a = {r, {0, 0, 0}, "model-0"}, b = {r, {1, 0, 0}, "model-1"};
    return contest_of(&a, &b, headline_find(metric), MARGIN);
}

static void verdict_is(const struct results *r, const char *metric, enum verdict verdict)
{
    struct contest c = contest_in(r, metric);
    if (c.verdict != verdict)
        fail_msg("%s: %d instead of %d (ratio %g, %g to %g) %s", metric, c.verdict, verdict,
                 c.ratio, c.low, c.high, c.reason);
}

static struct made_up plain(double rps, double response_us)
{
    return (struct made_up){
        .rps = rps, .response_us = response_us, .cpu_us = 10, .pss_bytes = 1e6, .requests = 2000};
}

static void a_difference_is_shown_through_a_drift_that_meets_both(void **state)
{
    (void)state;
    struct made_up a = plain(1000, 100), b = plain(1200, 80);
    b.pss_bytes = 2e6; /* just twice as much, in every block */
    struct results r = two(a, b, BLOCKS);
    verdict_is(&r, "throughput", BETTER);
    verdict_is(&r, "response_p50", BETTER);
    verdict_is(&r, "response_p99", BETTER);
    verdict_is(&r, "cpu_per_request", EQUIVALENT);
    verdict_is(&r, "memory_pss", WORSE);
    struct contest c = contest_in(&r, "throughput");
    assert_true(c.low > 1.1 && c.high < 1.3);
    results_free(&r);
}

static void the_ratio_is_that_of_the_figures_in_the_tables(void **state)
{
    (void)state;
    struct results r = two(plain(1000, 100), plain(1300, 90), 5);
    for (size_t i = 0; i < headline_count; i++) {
        struct contest c = contest_in(&r, headlines[i].metric);
        if (c.verdict == NOT_COMPARABLE || c.of_a.median == 0)
            continue;
        assert_true(fabs(c.ratio - c.of_b.median / c.of_a.median) < 1e-9);
        assert_true(c.low <= c.ratio && c.ratio <= c.high);
    }
    results_free(&r);
}

static void between_runs_the_drift_remains(void **state)
{
    (void)state;
    struct results one = two(plain(1000, 100), plain(1100, 90), BLOCKS);
    struct results other = two(plain(1000, 100), plain(1100, 90), BLOCKS);
    struct side a = {&one, {0, 0, 0}, "one"}, b = {&other, {1, 0, 0}, "other"};
    struct contest c = contest_of(&a, &b, headline_find("throughput"), MARGIN);
    assert_int_equal(c.verdict, NOT_SHOWN);
    assert_true(c.blocks_more > BLOCKS);
    assert_true(fabs(c.ratio - 1.1) < 0.02);
    results_free(&one);
    results_free(&other);
}

static void a_difference_that_nobody_cares_for_is_equivalence(void **state)
{
    (void)state;
    struct results r = two(plain(1000, 100), plain(1020, 100), BLOCKS);
    verdict_is(&r, "throughput", EQUIVALENT);
    verdict_is(&r, "response_p50", EQUIVALENT);
    struct side a = {&r, {0, 0, 0}, ""}, b = {&r, {1, 0, 0}, ""};
    struct contest strict = contest_of(&a, &b, headline_find("throughput"), 0.001);
    assert_int_not_equal(strict.verdict, EQUIVALENT);
    results_free(&r);
}

static void what_is_not_shown_yet_says_how_many_blocks_would_do(void **state)
{
    (void)state;
    struct results r = made_up_results(2, CLOSED);
    made_up_blocks(&r, 0, BLOCKS, 0.03, plain(1000, 100));
    made_up_blocks(&r, 1, BLOCKS, 0.03, plain(1035, 100));
    struct contest c = contest_in(&r, "throughput");
    assert_int_equal(c.verdict, NOT_SHOWN);
    assert_true(c.blocks_more >= 1 && c.blocks_more < BLOCKS_MORE_MOST);
    results_free(&r);
    r = two(plain(1000, 100), plain(1200, 100), 2);
    c = contest_in(&r, "throughput");
    assert_int_equal(c.verdict, NOT_SHOWN);
    assert_int_equal(c.blocks_more, 1); /* three at least */
    results_free(&r);
    r = two(plain(1000, 100), plain(1200, 100), 1);
    c = contest_in(&r, "throughput");
    assert_int_equal(c.verdict, NOT_SHOWN);
    assert_int_equal(c.blocks_more, 2);
    assert_true(isnan(c.low));
    results_free(&r);
}

static void response_times_of_the_few_are_not_compared(void **state)
{
    (void)state;
    struct made_up few = plain(1000, 100);
    few.unserved = 60;
    struct results r = two(few, plain(1200, 90), BLOCKS);
    verdict_is(&r, "response_p50", NOT_COMPARABLE);
    assert_string_equal(contest_in(&r, "response_p99").reason, "model-0: served 4 of 64");
    verdict_is(&r, "throughput", BETTER);
    results_free(&r);
}

static void whom_the_generator_holds_back_can_win_and_not_lose(void **state)
{
    (void)state;
    struct made_up held = plain(1000, 100);
    held.held_back = true;
    struct results r = two(held, plain(1200, 90), BLOCKS);
    verdict_is(&r, "throughput", NOT_COMPARABLE);
    assert_non_null(strstr(contest_in(&r, "throughput").reason, "model-0: a lower bound"));
    verdict_is(&r, "response_p50", BETTER);
    results_free(&r);
    held.rps = 1200;
    r = two(plain(1000, 100), held, BLOCKS);
    verdict_is(&r, "throughput", BETTER);
    results_free(&r);
}

static void a_percentile_among_censored_values_can_lose_and_not_win(void **state)
{
    (void)state;
    struct made_up censored = plain(1000, 100);
    censored.censored = 500;
    struct results r = two(plain(1000, 200), censored, BLOCKS);
    verdict_is(&r, "response_p99", NOT_COMPARABLE);
    verdict_is(&r, "response_p50", BETTER);
    results_free(&r);
    r = two(plain(1000, 50), censored, BLOCKS);
    verdict_is(&r, "response_p99", WORSE);
    results_free(&r);
}

static void what_is_nearly_nothing_is_alike(void **state)
{
    (void)state;
    struct made_up none = plain(1000, 100), hardly = none, many = none;
    hardly.switches = 0.004;
    many.switches = 1;
    struct results r = two(none, hardly, BLOCKS);
    verdict_is(&r, "switches_per_request", EQUIVALENT);
    results_free(&r);
    r = two(hardly, many, BLOCKS);
    verdict_is(&r, "switches_per_request", WORSE);
    results_free(&r);
}

static void only_blocks_that_hold_both_are_compared(void **state)
{
    (void)state;
    struct results r = made_up_results(2, CLOSED);
    for (unsigned block = 1; block <= 8; block++) {
        struct made_up m = plain(1000 * block, 100);
        if (block != 3)
            made_up_add(&r, 0, block, &m);
        m.rps = 1200 * block * (1 + 0.001 * block);
        if (block != 8)
            made_up_add(&r, 1, block, &m);
    }
    struct contest c = contest_in(&r, "throughput");
    assert_int_equal(c.verdict, BETTER);
    assert_true(c.low > 1.19);
    verdict_is(&r, "response_p99", EQUIVALENT);
    results_free(&r);
    r = made_up_results(2, CLOSED);
    made_up_blocks(&r, 0, 3, 0.01, plain(1000, 100));
    made_up_add(&r, 1, 4, &(struct made_up){.rps = 1000});
    verdict_is(&r, "throughput", NOT_COMPARABLE);
    assert_non_null(strstr(contest_in(&r, "throughput").reason, "no block"));
    results_free(&r);
}

static void three_equal_values_give_no_certainty(void **state)
{
    (void)state;
    struct results r = made_up_results(2, CLOSED);
    for (unsigned block = 1; block <= 3; block++) {
        made_up_add(&r, 0, block, &(struct made_up){.rps = 1, .pss_bytes = 1e6});
        made_up_add(&r, 1, block, &(struct made_up){.rps = 1, .pss_bytes = 1.003e6});
    }
    struct contest c = contest_in(&r, "memory_pss");
    assert_int_equal(c.verdict, EQUIVALENT);
    assert_true(c.low < 1 && c.high > 1.003);
    results_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_is_shown_through_a_drift_that_meets_both),
        cmocka_unit_test(the_ratio_is_that_of_the_figures_in_the_tables),
        cmocka_unit_test(between_runs_the_drift_remains),
        cmocka_unit_test(a_difference_that_nobody_cares_for_is_equivalence),
        cmocka_unit_test(what_is_not_shown_yet_says_how_many_blocks_would_do),
        cmocka_unit_test(response_times_of_the_few_are_not_compared),
        cmocka_unit_test(whom_the_generator_holds_back_can_win_and_not_lose),
        cmocka_unit_test(a_percentile_among_censored_values_can_lose_and_not_win),
        cmocka_unit_test(what_is_nearly_nothing_is_alike),
        cmocka_unit_test(only_blocks_that_hold_both_are_compared),
        cmocka_unit_test(three_equal_values_give_no_certainty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
