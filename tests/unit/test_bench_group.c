/* What is said of one model at one point, from made-up measurements. */
#include "bench/statistics/group.h"

#include "tests/unit/made_up.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct group G = {0, 0, 0};
static const struct workload CLOSED = {.name = ""}, OPEN = {.open = true};

static struct estimate estimate_in(const struct results *r, const char *metric)
{
    return group_estimate(r, G, metric_find(metric));
}

static void a_figure_is_the_median_of_its_blocks_and_follows_them(void **state)
{
    (void)state;
    struct results r = made_up_results(1, CLOSED);
    assert_int_equal(estimate_in(&r, "throughput").count, 0);
    for (unsigned block = 1; block <= 3; block++)
        made_up_add(&r, 0, block, &(struct made_up){.rps = 100 * block});
    struct estimate e = estimate_in(&r, "throughput");
    assert_true(e.median == 200 && e.low == 100 && e.high == 300 &&
                fabs(e.confidence - 0.75) < 1e-9);
    made_up_add(&r, 0, 4, &(struct made_up){.rps = 1000});
    assert_true(estimate_in(&r, "throughput").median == 250);
    results_free(&r);
}

static void a_percentile_is_that_of_all_blocks_together(void **state)
{
    (void)state;
    struct results r = made_up_results(1, CLOSED);
    made_up_blocks(&r, 0, 6, 0,
                   (struct made_up){.rps = 1000, .response_us = 100, .requests = 2000});
    struct histogram *h = group_histogram(&r, G);
    assert_non_null(h);
    assert_int_equal(h->count, 12000);
    struct estimate e = estimate_in(&r, "response_p99");
    assert_true(fabs(e.median - (double)histogram_quantile_ns(h, 0.99) / 1e3) < 0.001);
    assert_int_equal(e.count, 6);
    assert_true(e.low < e.median && e.median < e.high && !e.at_least);
    histogram_free(h);
    results_free(&r);
}

static void a_percentile_needs_100_values_beyond_it(void **state)
{
    (void)state;
    struct results r = made_up_results(1, CLOSED);
    made_up_blocks(&r, 0, 4, 0,
                   (struct made_up){.rps = 1000, .response_us = 100, .requests = 2499});
    assert_int_equal(estimate_in(&r, "response_p99").count, 0);
    assert_string_equal(estimate_in(&r, "response_p99").why, "too few requests");
    assert_int_equal(estimate_in(&r, "response_p50").count, 4);
    made_up_add(&r, 0, 5, &(struct made_up){.rps = 1, .response_us = 1, .requests = 4});
    assert_int_equal(estimate_in(&r, "response_p99").count, 5); /* just 10,000 */
    assert_int_equal(estimate_in(&r, "response_p99_9").count, 0);
    results_free(&r);
}

static void a_percentile_among_censored_values_is_a_lower_bound(void **state)
{
    (void)state;
    struct results r = made_up_results(1, OPEN);
    made_up_blocks(
        &r, 0, 2, 0,
        (struct made_up){.rps = 1000, .response_us = 100, .requests = 10000, .censored = 1000});
    assert_true(estimate_in(&r, "response_p99").at_least);
    assert_false(estimate_in(&r, "response_p50").at_least);
    results_free(&r);
}

static void a_throughput_is_a_lower_bound_where_the_generator_was_the_limit(void **state)
{
    (void)state;
    struct results r = made_up_results(1, CLOSED);
    made_up_blocks(&r, 0, 3, 0, (struct made_up){.rps = 1000, .held_back = true});
    assert_true(estimate_in(&r, "throughput").at_least);
    assert_false(estimate_in(&r, "cpu_per_request").at_least);
    results_free(&r);
}

static void remark_is(const struct results *r, enum remark_kind kind, const char *text)
{
    struct remark remark = group_remark(r, G);
    assert_int_equal(remark.kind, kind);
    assert_string_equal(remark.text, text);
}

static void a_remark_says_what_a_bare_figure_would_hide(void **state)
{
    (void)state;
    struct results r = made_up_results(1, CLOSED);
    remark_is(&r, REMARK_NOT_MEASURED, "not measured");
    made_up_add(&r, 0, 1, &(struct made_up){.rps = 0});
    remark_is(&r, REMARK_NO_ANSWER, "no answer");
    made_up_add(&r, 0, 1, &(struct made_up){.rps = 5, .unserved = 60});
    remark_is(&r, REMARK_STARVED, "served 4 of 64");
    made_up_add(&r, 0, 1, &(struct made_up){.rps = 5});
    remark_is(&r, REMARK_NONE, "");
    results_free(&r);
    r = made_up_results(1, CLOSED);
    json_t *failed = json_pack("{s:s}", "error", "no luck");
    assert_int_equal(results_add(&r, G, 1, failed), 0);
    remark_is(&r, REMARK_FAILED, "failed");
    json_decref(failed);
    results_free(&r);
}

static void an_overload_has_a_name_and_is_not_unsteady(void **state)
{
    (void)state;
    struct results r = made_up_results(1, OPEN);
    made_up_blocks(
        &r, 0, 6, 0.01,
        (struct made_up){
            .rps = 8100, .intended = 1400, .requests = 810, .response_us = 100, .half_ratio = 0.7});
    assert_int_equal(group_remark(&r, G).kind, REMARK_OVERLOADED);
    assert_non_null(strstr(group_remark(&r, G).text, "overloaded: answered "));
    assert_null(group_unsteady(&r, G).what);
    results_free(&r);
}

/* Six blocks whose halves differ by these factors. */
static bool is_unsteady(struct workload w, const double *ratios)
{
    struct results r = made_up_results(1, w);
    for (unsigned block = 0; block < 6; block++)
        made_up_add(&r, 0, block + 1, &(struct made_up){.rps = 1000, .half_ratio = ratios[block]});
    bool unsteady = group_unsteady(&r, G).what != NULL;
    results_free(&r);
    return unsteady;
}

static void unsteady_is_what_all_blocks_agree_on(void **state)
{
    (void)state;
    const double falling[] = {0.8, 0.82, 0.79, 0.8, 0.81, 0.83}, odd[] = {1, 1, 0.3, 1, 1, 1},
                 little[] = {0.95, 0.95, 0.94, 0.95, 0.96, 0.95};
    assert_true(is_unsteady(CLOSED, falling));
    assert_false(is_unsteady(CLOSED, odd));
    assert_false(is_unsteady(CLOSED, little));
    assert_false(is_unsteady((struct workload){.timeline_s = 0.1}, falling)); /* meant to */
}

static void the_typical_block_is_the_one_in_the_middle(void **state)
{
    (void)state;
    struct results r = made_up_results(1, CLOSED);
    assert_null(group_typical(&r, G));
    for (unsigned block = 1; block <= 3; block++)
        made_up_add(&r, 0, block,
                    &(struct made_up){
                        .rps = 1, .requests = 100, .response_us = block == 2 ? 500 : 90 + block});
    assert_int_equal(group_typical(&r, G)->block, 3);
    results_free(&r);
}

/* Windows at rates around 1,000, of which those above do not hold. */
static json_t *search_around(double capacity_rps, unsigned windows)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < windows; i++) {
        double rate_rps = 1000 * (0.8 + 0.4 * (i + 0.5) / windows);
        json_array_append_new(
            list, json_pack("{s:f, s:b}", "rate_rps", rate_rps, "held", rate_rps < capacity_rps));
    }
    return json_pack("{s:{s:o}, s:{s:i}}", "capacity", "windows", list, "requests", "completed", 1);
}

static void a_capacity_is_that_of_all_windows_of_all_blocks(void **state)
{
    (void)state;
    struct results r = made_up_results(1, (struct workload){.capacity = true, .open = true});
    static const double found[] = {1000, 990, 1010, 1000}; /* the first look counts, too */
    for (unsigned block = 0; block < 4; block++) {
        json_t *line = search_around(found[block], 8);
        assert_int_equal(results_add(&r, G, block, line), 0);
        json_decref(line);
    }
    struct estimate e = estimate_in(&r, "capacity");
    assert_int_equal(e.count, 4);
    assert_true(950 < e.median && e.median < 1050 && !e.at_least);
    assert_true(e.low < e.median && e.median < e.high);
    unsigned blocks[ESTIMATE_MOST];
    struct halved of_all, of_three;
    assert_int_equal(group_values(&r, G, metric_find("capacity"), blocks, NULL), 4);
    assert_int_equal(group_halve(&r, G, metric_find("capacity"), blocks, 4, &of_all), 0);
    assert_int_equal(group_halve(&r, G, metric_find("capacity"), blocks, 3, &of_three), 0);
    assert_int_equal(of_all.count, 6);   /* 4 over 2 */
    assert_int_equal(of_three.count, 3); /* 3 over 2 */
    assert_true(fabs(exp(of_all.all) - e.median) < 1e-6);
    results_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_figure_is_the_median_of_its_blocks_and_follows_them),
        cmocka_unit_test(a_percentile_is_that_of_all_blocks_together),
        cmocka_unit_test(a_percentile_needs_100_values_beyond_it),
        cmocka_unit_test(a_percentile_among_censored_values_is_a_lower_bound),
        cmocka_unit_test(a_throughput_is_a_lower_bound_where_the_generator_was_the_limit),
        cmocka_unit_test(a_remark_says_what_a_bare_figure_would_hide),
        cmocka_unit_test(an_overload_has_a_name_and_is_not_unsteady),
        cmocka_unit_test(unsteady_is_what_all_blocks_agree_on),
        cmocka_unit_test(the_typical_block_is_the_one_in_the_middle),
        cmocka_unit_test(a_capacity_is_that_of_all_windows_of_all_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
