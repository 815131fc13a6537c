/* What is kept of measurements, and asked for again. */
#include "bench/journal/results.h"

#include "tests/unit/made_up.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct group FIRST = {0, 0, 0};

static void lines_are_found_by_group_and_block(void **state)
{
    (void)state;
    struct workload w = {.value_count = 2, .values = {1, 2}};
    struct results r = made_up_results(3, w);
    json_t *line = json_pack("{s:i}", "n", 1), *other = json_pack("{s:i}", "n", 2);
    struct group g = {2, 0, 1};
    assert_int_equal(results_add(&r, g, 2, line), 0);
    assert_int_equal(results_add(&r, g, 1, other), 0); /* not in order */
    assert_int_equal(results_of(&r, g)->count, 2);
    assert_ptr_equal(results_of(&r, g)->at[0].line, other);
    assert_ptr_equal(results_run(&r, g, 2), line);
    assert_null(results_run(&r, g, 3));
    assert_int_equal(results_of(&r, (struct group){2, 0, 0})->count, 0);
    assert_int_equal(results_of(&r, (struct group){1, 0, 1})->count, 0);
    assert_int_equal(results_count(&r), 2);
    json_decref(line);
    json_decref(other);
    results_free(&r);
}

static void figures_rest_on_the_preview_until_there_is_a_block(void **state)
{
    (void)state;
    struct results r = made_up_results(1, (struct workload){.name = ""});
    assert_false(results_is_preview(&r, FIRST));
    made_up_add(&r, 0, 0, &(struct made_up){.rps = 1});
    assert_true(results_is_preview(&r, FIRST));
    assert_int_equal(results_of(&r, FIRST)->count, 1);
    made_up_add(&r, 0, 1, &(struct made_up){.rps = 2});
    assert_false(results_is_preview(&r, FIRST));
    assert_int_equal(results_of(&r, FIRST)->at[0].block, 1);
    assert_int_equal(results_preview_of(&r, FIRST)->count, 1);
    assert_non_null(results_run(&r, FIRST, 0));
    results_free(&r);
}

static void a_block_that_is_measured_again_counts_once_and_never_without_a_result(void **state)
{
    (void)state;
    struct results r = made_up_results(1, (struct workload){.name = ""});
    json_t *failed = json_pack("{s:s}", "error", "no luck"), *good = json_object(),
           *better = json_object();
    assert_int_equal(results_add(&r, FIRST, 1, failed), 0);
    assert_int_equal(results_add(&r, FIRST, 1, good), 0);
    assert_int_equal(results_add(&r, FIRST, 1, failed), 0);
    assert_ptr_equal(results_run(&r, FIRST, 1), good);
    assert_int_equal(results_add(&r, FIRST, 1, better), 0);
    assert_ptr_equal(results_run(&r, FIRST, 1), better);
    assert_int_equal(results_of(&r, FIRST)->count, 1);
    json_decref(failed);
    json_decref(good);
    json_decref(better);
    results_free(&r);
}

static void count_down(void *data)
{
    (*(int *)data)--;
}

static void what_was_worked_out_is_forgotten_when_a_line_comes(void **state)
{
    (void)state;
    int kept[2] = {1, 1};
    struct results r = made_up_results(2, (struct workload){.name = ""});
    *results_memo(&r, FIRST) = (struct memo){&kept[0], count_down};
    *results_memo(&r, (struct group){1, 0, 0}) = (struct memo){&kept[1], count_down};
    made_up_add(&r, 0, 1, &(struct made_up){.rps = 1});
    assert_int_equal(kept[0], 0);
    assert_int_equal(kept[1], 1);
    assert_null(results_memo(&r, FIRST)->data);
    results_free(&r);
    assert_int_equal(kept[1], 0);
}

static void the_generator_s_ceiling_depends_on_connections_and_threads(void **state)
{
    (void)state;
    struct results r = made_up_results(1, (struct workload){.name = ""});
    assert_true(isnan(results_ceiling_rps(&r, false, 1)));
    r.environment = json_pack("{s:[{s:b, s:i, s:i}, {s:b, s:i, s:i}]}", "generator_ceilings",
                              "close", 0, "threads", 1, "requests_per_second", 900, "close", 1,
                              "threads", 1, "requests_per_second", 100);
    assert_true(results_ceiling_rps(&r, false, 1) == 900);
    assert_true(results_ceiling_rps(&r, true, 1) == 100);
    assert_true(isnan(results_ceiling_rps(&r, true, 2)));
    results_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_found_by_group_and_block),
        cmocka_unit_test(figures_rest_on_the_preview_until_there_is_a_block),
        cmocka_unit_test(a_block_that_is_measured_again_counts_once_and_never_without_a_result),
        cmocka_unit_test(what_was_worked_out_is_forgotten_when_a_line_comes),
        cmocka_unit_test(the_generator_s_ceiling_depends_on_connections_and_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
