/* The course of a run, a row per interval. */
#include "loadgen/timeline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS_MOST = 32 };
static const uint64_t ms = 1000000;

struct row {
    double time_s, throughput_rps, p50_us, p90_us, p99_us, max_us;
    unsigned long errors;
};

/* Writes the timelines, reads the rows back, and returns their number. */
static size_t read_back(struct timeline *const *all, size_t count, uint64_t measured_ns,
                        struct row rows[ROWS_MOST])
{
    char *text, *rest;
    size_t size, n = 0;
    FILE *file = open_memstream(&text, &size);
    assert_int_equal(timeline_write(all, count, measured_ns, file), 0);
    fclose(file);
    char *line = strtok_r(text, "\n", &rest);
    assert_string_equal(line, "time_s\tthroughput_rps\tp50_us\tp90_us\tp99_us\tmax_us\terrors");
    for (; (line = strtok_r(NULL, "\n", &rest)); n++) {
        struct row *r = &rows[n];
        assert_true(n < ROWS_MOST);
        assert_int_equal(sscanf(line, "%lf\t%lf\t%lf\t%lf\t%lf\t%lf\t%lu", &r->time_s,
                                &r->throughput_rps, &r->p50_us, &r->p90_us, &r->p99_us, &r->max_us,
                                &r->errors),
                         7);
    }
    free(text);
    return n;
}

static void what_is_completed_in_an_interval_is_in_its_row(void **state)
{
    (void)state;
    struct timeline *t = timeline_new(1000 * ms, 250 * ms);
    struct row rows[ROWS_MOST];
    for (uint64_t i = 0; i < 100; i++)
        timeline_completed(t, i * ms, (i + 1) * 1000);
    timeline_error(t, 249 * ms);
    timeline_error(t, 250 * ms);
    timeline_completed(t, 750 * ms, 5000);
    timeline_completed(t, 1000 * ms - 1, 7000);
    assert_int_equal(read_back(&t, 1, 1000 * ms, rows), 4);
    assert_true(rows[0].time_s == 0 && rows[1].time_s == 0.25 && rows[3].time_s == 0.75);
    assert_true(rows[0].throughput_rps == 400 && rows[3].throughput_rps == 8);
    assert_true(fabs(rows[0].p50_us - 50) < 0.05 && fabs(rows[0].p90_us - 90) < 0.09);
    assert_true(fabs(rows[0].p99_us - 99) < 0.1 && rows[0].max_us == 100);
    assert_true(rows[3].max_us == 7);
    assert_int_equal(rows[0].errors, 1);
    assert_int_equal(rows[1].errors, 1);
    assert_int_equal(rows[3].errors, 0);
    timeline_free(t);
}

static void an_interval_without_answers_has_no_percentiles(void **state)
{
    (void)state;
    struct timeline *t = timeline_new(300 * ms, 100 * ms);
    struct row rows[ROWS_MOST];
    timeline_completed(t, 250 * ms, 5000);
    assert_int_equal(read_back(&t, 1, 300 * ms, rows), 3);
    for (int i = 0; i < 2; i++) {
        assert_true(rows[i].throughput_rps == 0);
        assert_true(isnan(rows[i].p50_us) && isnan(rows[i].max_us));
    }
    assert_true(rows[2].max_us == 5);
    timeline_free(t);
}

static void a_last_interval_that_is_shorter_has_its_own_rate(void **state)
{
    (void)state;
    struct timeline *t = timeline_new(250 * ms, 100 * ms);
    struct row rows[ROWS_MOST];
    for (int i = 0; i < 10; i++)
        timeline_completed(t, 210 * ms, 1000);
    assert_int_equal(read_back(&t, 1, 250 * ms, rows), 3);
    assert_true(rows[2].throughput_rps == 200);
    timeline_free(t);
}

static void a_window_that_was_cut_short_ends_where_it_was_cut(void **state)
{
    (void)state;
    struct timeline *t = timeline_new(1000 * ms, 100 * ms);
    struct row rows[ROWS_MOST];
    for (int i = 0; i < 10; i++)
        timeline_completed(t, 210 * ms, 1000);
    assert_int_equal(read_back(&t, 1, 220 * ms, rows), 3);
    assert_true(rows[2].throughput_rps == 500);
    timeline_free(t);
    t = timeline_new(1000 * ms, 100 * ms);
    assert_int_equal(read_back(&t, 1, 0, rows), 0);
    timeline_free(t);
}

static void threads_are_merged_interval_by_interval(void **state)
{
    (void)state;
    struct timeline *all[3];
    struct row rows[ROWS_MOST];
    for (unsigned i = 0; i < 3; i++) {
        all[i] = timeline_new(200 * ms, 100 * ms);
        for (unsigned k = 0; k <= i; k++)
            timeline_completed(all[i], 50 * ms, (i + 1) * 1000);
        timeline_error(all[i], 150 * ms);
    }
    timeline_completed(all[1], 199 * ms, 9000);
    assert_int_equal(read_back(all, 3, 200 * ms, rows), 2);
    assert_true(rows[0].throughput_rps == 60); /* 1 + 2 + 3 in 0.1 s */
    assert_true(fabs(rows[0].p50_us - 2) < 0.002 && rows[0].max_us == 3);
    assert_true(rows[1].throughput_rps == 10 && rows[1].max_us == 9);
    assert_int_equal(rows[0].errors, 0);
    assert_int_equal(rows[1].errors, 3);
    for (unsigned i = 0; i < 3; i++)
        timeline_free(all[i]);
}

static void what_lies_beyond_the_end_is_left_out(void **state)
{
    (void)state;
    struct timeline *t = timeline_new(200 * ms, 100 * ms);
    struct row rows[ROWS_MOST];
    timeline_completed(t, 200 * ms, 1000);
    timeline_error(t, UINT64_MAX);
    assert_int_equal(read_back(&t, 1, 200 * ms, rows), 2);
    assert_true(rows[0].throughput_rps == 0 && rows[1].throughput_rps == 0);
    assert_int_equal(rows[0].errors + rows[1].errors, 0);
    timeline_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_completed_in_an_interval_is_in_its_row),
        cmocka_unit_test(an_interval_without_answers_has_no_percentiles),
        cmocka_unit_test(a_last_interval_that_is_shorter_has_its_own_rate),
        cmocka_unit_test(a_window_that_was_cut_short_ends_where_it_was_cut),
        cmocka_unit_test(threads_are_merged_interval_by_interval),
        cmocka_unit_test(what_lies_beyond_the_end_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
