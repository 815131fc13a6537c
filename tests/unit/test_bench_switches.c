/* What follows from the lines of `switches`, on lines whose figures are known. */
#include "bench/switches/switch_report.h"
#include "bench/switches/switch_rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A ring's line. */
static void add_ring(FILE *out, const char *kind, unsigned tasks, unsigned working, double hop_ns,
                     double voluntary, double involuntary)
{
    fprintf(out,
            "{\"part\":\"ring\",\"kind\":\"%s\",\"cpu\":\"same\",\"io\":\"none\",\"tasks\":%u,"
            "\"working_bytes\":%u,\"ns_per_hop\":%g,\"voluntary_per_turn\":%g,"
            "\"involuntary_per_turn\":%g,\"reason\":null}\n",
            kind, tasks, working, hop_ns, voluntary, involuntary);
}

/* A trial in which everything takes `more` ns longer than in another. */
static void add_trial(struct switch_rows *rows, double more)
{
    char *text = NULL;
    size_t size = 0;
    struct error error;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    add_ring(out, "thread", 10, 0, 1500 + more, 1, 0.5);
    add_ring(out, "thread", 10, 4096, 2000 + more, 1, 0.5);
    add_ring(out, "coroutine", 10, 0, 5, 0, 0);
    add_ring(out, "one", 10, 0, 1, 0, 0);
    add_ring(out, "one", 10, 4096, 301, 0, 0);
    add_ring(out, "one", 1, 4096, 101, 0, 0);
    fputs("{\"part\":\"ring\",\"kind\":\"process\",\"cpu\":\"same\",\"io\":\"none\",\"tasks\":10,"
          "\"working_bytes\":0,\"ns_per_hop\":null,\"reason\":\"fork 3 of 10: no\"}\n"
          "{\"part\":\"lifecycle\",\"kind\":\"thread\",\"create_ns\":10,\"whole_ns\":30}\n"
          "{\"part\":\"memory\",\"kind\":\"thread\",\"user_bytes\":9000,\"slab_bytes\":2000,"
          "\"kernel_stack_bytes\":16384,\"page_table_bytes\":null}\n",
          out);
    fclose(out);
    assert_int_equal(switch_rows_add(rows, text, &error), 0);
    free(text);
}

static struct switch_cell cell(const char *kind, unsigned tasks, size_t working_bytes)
{
    return (struct switch_cell){
        .kind = kind, .cpu = "same", .io = "none", .tasks = tasks, .working_bytes = working_bytes};
}

static struct switch_rows rows_of_three(void)
{
    struct switch_rows rows = {NULL};
    add_trial(&rows, 0);
    add_trial(&rows, 100);
    add_trial(&rows, 20);
    return rows;
}

static void a_hop_is_the_median_over_trials(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_cell thread = cell("thread", 10, 0);
    struct estimate e = switch_estimate(&rows, switch_hop_ns, &thread);
    assert_int_equal(e.count, 3);
    assert_true(e.median == 1520);
    assert_true(e.low >= 1500 && e.high <= 1600);
    switch_rows_free(&rows);
}

static void a_switch_is_a_hops_share_where_the_kernel_counted_several(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_cell thread = cell("thread", 10, 0), coroutine = cell("coroutine", 10, 0);
    assert_true(switch_ns(&rows, 0, &thread) == 1000);
    assert_true(switch_ns(&rows, 0, &coroutine) == 5);
    assert_true(switch_ratio(&rows, switch_hop_ns, &thread, &coroutine).median == 304);
    switch_rows_free(&rows);
}

static void the_indirect_cost_is_what_neither_touching_nor_switching_explains(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_cell thread = cell("thread", 10, 4096), one = cell("one", 10, 4096);
    assert_true(switch_beyond_one_ns(&rows, 0, &thread) == 1699);
    assert_true(switch_indirect_ns(&rows, 0, &thread) == 200);
    assert_true(switch_crowding_ns(&rows, 0, &one) == 200);
    switch_rows_free(&rows);
}

static void what_was_not_measured_has_no_figure_but_a_reason(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_cell process = cell("process", 10, 0), never = cell("process", 11, 0);
    assert_int_equal(switch_estimate(&rows, switch_hop_ns, &process).count, 0);
    assert_string_equal(switch_reason(&rows, &process), "fork 3 of 10: no");
    assert_true(switch_was_asked(&rows, &process));
    assert_false(switch_was_asked(&rows, &never));
    assert_null(switch_reason(&rows, &never));
    switch_rows_free(&rows);
}

static void members_are_summed_and_a_missing_one_is_not_nothing(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    assert_true(switch_estimate_of(&rows, "memory", "thread", "user_bytes+slab_bytes").median ==
                11000);
    assert_int_equal(
        switch_estimate_of(&rows, "memory", "thread", "user_bytes+page_table_bytes").count, 0);
    assert_true(switch_estimate_of(&rows, "lifecycle", "thread", "whole_ns").median == 30);
    switch_rows_free(&rows);
}

static void lines_that_are_no_json_are_refused(void **state)
{
    (void)state;
    struct switch_rows rows = {NULL};
    struct error error;
    assert_int_equal(switch_rows_add(&rows, "{\"part\":\"ring\"}\nnonsense\n", &error), -1);
    assert_non_null(strstr(error.text, "nonsense"));
    switch_rows_free(&rows);
}

static void a_verdict_looks_at_the_whole_interval(void **state)
{
    (void)state;
    const struct published p = {.low = 1.7, .high = 1.7, .factor = 2};
    const struct {
        struct estimate e;
        const char *verdict;
    } cases[] = {{{1.6, 1.5, 1.7, 5}, "reproduced"}, {{3.0, 0.85, 3.4, 5}, "reproduced"},
                 {{3.0, 2.9, 3.5, 5}, "undecided"},  {{0.8, 0.7, 0.9, 5}, "undecided"},
                 {{9.0, 8.0, 9.9, 5}, "refuted"},    {{0.2, 0.1, 0.3, 5}, "refuted"},
                 {{0, 0, 0, 0}, "not measured"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(published_verdict(&p, &cases[i].e), cases[i].verdict);
}

static void the_tables_name_what_was_not_possible(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    char *text = switch_report_text(&rows);
    assert_non_null(text);
    assert_non_null(strstr(text, "- process, 10 tasks, I/O none: fork 3 of 10: no\n"));
    assert_non_null(strstr(text, "| 10 | – | – | 1520 ["));
    free(text);
    switch_rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hop_is_the_median_over_trials),
        cmocka_unit_test(a_switch_is_a_hops_share_where_the_kernel_counted_several),
        cmocka_unit_test(the_indirect_cost_is_what_neither_touching_nor_switching_explains),
        cmocka_unit_test(what_was_not_measured_has_no_figure_but_a_reason),
        cmocka_unit_test(members_are_summed_and_a_missing_one_is_not_nothing),
        cmocka_unit_test(lines_that_are_no_json_are_refused),
        cmocka_unit_test(a_verdict_looks_at_the_whole_interval),
        cmocka_unit_test(the_tables_name_what_was_not_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
