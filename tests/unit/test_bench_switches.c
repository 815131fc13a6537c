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

static struct switch_key key(const char *kind, unsigned tasks, size_t working_bytes)
{
    return (struct switch_key){kind, "same", "none", tasks, working_bytes};
}

static struct switch_rows rows_of_three(void)
{
    struct switch_rows rows = {NULL};
    struct error error;
    add_trial(&rows, 0);
    add_trial(&rows, 100);
    add_trial(&rows, 20);
    assert_int_equal(switch_rows_finish(&rows, &error), 0);
    return rows;
}

/* A figure of the first trial. */
static double first(const struct switch_rows *rows, const char *metric, struct switch_key k)
{
    const struct switch_row *row = switch_rows_find(rows, metric, &k);
    assert_non_null(row);
    return row->values[0];
}

static void a_hop_is_the_median_over_trials(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_key thread = key("thread", 10, 0);
    struct estimate e = switch_estimate(&rows, switch_rows_find(&rows, "hop", &thread));
    assert_int_equal(e.count, 3);
    assert_true(e.median == 1520);
    assert_true(e.low >= 1500 && e.high <= 1600);
    switch_rows_free(&rows);
}

static void a_switch_is_a_hops_share_where_the_kernel_counted_several(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_key thread = key("thread", 10, 0), coroutine = key("coroutine", 10, 0);
    assert_true(first(&rows, "switch", thread) == 1000);
    assert_true(first(&rows, "switch", coroutine) == 5);
    assert_true(switch_ratio(&rows, switch_rows_find(&rows, "hop", &thread),
                             switch_rows_find(&rows, "hop", &coroutine))
                    .median == 304);
    switch_rows_free(&rows);
}

static void the_indirect_cost_is_what_neither_touching_nor_switching_explains(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    assert_true(first(&rows, "beyond_one", key("thread", 10, 4096)) == 1699);
    assert_true(first(&rows, "indirect", key("thread", 10, 4096)) == 200);
    assert_true(first(&rows, "crowding", key("one", 10, 4096)) == 200);
    switch_rows_free(&rows);
}

static void what_was_not_measured_has_no_figure_but_a_reason(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    struct switch_key process = key("process", 10, 0), never = key("process", 11, 0);
    const struct switch_row *row = switch_rows_find(&rows, "beyond_one", &process);
    assert_non_null(row);
    assert_int_equal(switch_estimate(&rows, row).count, 0);
    assert_string_equal(row->reason, "fork 3 of 10: no");
    assert_null(switch_rows_find(&rows, "hop", &never));
    assert_int_equal(switch_estimate(&rows, NULL).count, 0);
    switch_rows_free(&rows);
}

static void members_are_summed_and_a_missing_one_is_not_nothing(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    const struct switch_key thread = {"thread", "-", "-", 0, 0};
    assert_true(first(&rows, "switches_per_hop", key("thread", 10, 0)) == 1.5);
    assert_true(first(&rows, "kernel_stack", thread) == 16384);
    assert_true(isnan(first(&rows, "kernel", thread)));
    assert_true(first(&rows, "whole", thread) == 30);
    switch_rows_free(&rows);
}

static void rows_come_in_the_order_of_tables_whatever_the_order_of_lines(void **state)
{
    (void)state;
    struct switch_rows rows = rows_of_three();
    const struct switch_row *row = switch_rows_next(&rows, "hop", NULL);
    assert_string_equal(row->key.kind, "process");
    row = switch_rows_next(&rows, "hop", row);
    assert_string_equal(row->key.kind, "thread");
    assert_int_equal(row->key.working_bytes, 0);
    row = switch_rows_next(&rows, "hop", row);
    assert_int_equal(row->key.working_bytes, 4096);
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
    const struct {
        struct estimate e;
        const char *verdict;
    } cases[] = {{{.median = 1.6, .low = 1.5, .high = 1.7, .count = 5}, "reproduced"},
                 {{.median = 3.0, .low = 0.85, .high = 3.4, .count = 5}, "reproduced"},
                 {{.median = 3.0, .low = 2.9, .high = 3.5, .count = 5}, "undecided"},
                 {{.median = 0.8, .low = 0.7, .high = 0.9, .count = 5}, "undecided"},
                 {{.median = 9.0, .low = 8.0, .high = 9.9, .count = 5}, "refuted"},
                 {{.median = 0.2, .low = 0.1, .high = 0.3, .count = 5}, "refuted"},
                 {{.median = 0, .low = 0, .high = 0, .count = 0}, "not measured"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(published_verdict(0.85, 3.4, &cases[i].e), cases[i].verdict);
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
        cmocka_unit_test(rows_come_in_the_order_of_tables_whatever_the_order_of_lines),
        cmocka_unit_test(lines_that_are_no_json_are_refused),
        cmocka_unit_test(a_verdict_looks_at_the_whole_interval),
        cmocka_unit_test(the_tables_name_what_was_not_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
