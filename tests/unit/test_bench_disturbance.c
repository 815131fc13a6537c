/* What counts as a disturbance, and which of several attempts at a cell is taken. */
#include "bench/journal/disturbance.h"

#include "bench/journal/results.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %s", error.text, text);
    return json;
}

/* Of a run whose `machine` object has these members: one reason, with this in it; or none. */
static void gives(const char *members, const char *reason)
{
    char text[512];
    snprintf(text, sizeof text, "{\"machine\": {%s}}", members);
    json_t *run = parsed(text), *reasons = disturbance_of(run);
    assert_int_equal(json_array_size(reasons), reason ? 1 : 0);
    if (reason && !strstr(json_string_value(json_array_get(reasons, 0)), reason))
        fail_msg("%s: %s", members, json_string_value(json_array_get(reasons, 0)));
    json_decref(reasons);
    json_decref(run);
}

static void each_threshold_has_two_sides(void **state)
{
    (void)state;
    gives("\"steal_share\": 0.02", NULL);
    gives("\"steal_share\": 0.031", "hypervisor took 3.1 %");
    gives("\"other_cpu_share\": 0.1", NULL);
    gives("\"other_cpu_share\": 0.34", "other processes used 34 % of a CPU");
    gives("\"throttle_events\": 0", NULL);
    gives("\"throttle_events\": 1", "throttled 1 times");
    gives("\"swapped_pages\": 0", NULL);
    gives("\"swapped_pages\": 12", "12 pages");
    gives("\"pressure\": {\"memory_some_share\": 0.01, \"io_some_share\": 0.01}", NULL);
    gives("\"pressure\": {\"memory_some_share\": 0.02}", "memory for 2.0 %");
    gives("\"pressure\": {\"io_some_share\": 0.5}", "disk for 50.0 %");
    gives("\"frequency_khz\": {\"begin\": 2000000, \"end\": 1900000}", NULL);
    gives("\"frequency_khz\": {\"begin\": 2000000, \"end\": 1890000}", "from 2000 to 1890 MHz");
    gives("\"frequency_khz\": {\"begin\": 2000000, \"end\": 2110000}", "from 2000 to 2110 MHz");
}

static void pressure_on_the_cpu_is_no_disturbance(void **state)
{
    (void)state;
    gives("\"pressure\": {\"cpu_some_share\": 0.9}", NULL);
}

static void what_was_not_measured_is_no_disturbance(void **state)
{
    (void)state;
    gives("", NULL);
    gives("\"steal_share\": null, \"other_cpu_share\": null, \"pressure\": null, "
          "\"swapped_pages\": null, \"frequency_khz\": {\"begin\": null, \"end\": null}",
          NULL);
    json_t *failed = parsed("{\"error\": \"out of luck\"}"), *reasons = disturbance_of(failed);
    assert_int_equal(json_array_size(reasons), 0);
    json_decref(reasons);
    json_decref(failed);
}

static void every_reason_is_given(void **state)
{
    (void)state;
    json_t *run = parsed("{\"machine\": {\"steal_share\": 1, \"other_cpu_share\": 1, "
                         "\"swapped_pages\": 1}}");
    json_t *reasons = disturbance_of(run);
    assert_int_equal(json_array_size(reasons), 3);
    json_decref(reasons);
    json_decref(run);
}

/* Of attempts at one cell, each d(isturbed), u(ndisturbed) or f(ailed), the one that counts. */
static void counts(const char *attempts, size_t expected)
{
    json_t *lines = json_array();
    const json_t *counting = NULL;
    for (const char *a = attempts; *a; a++) {
        json_array_append_new(lines, parsed(*a == 'd'   ? "{\"disturbed\": [\"steal\"]}"
                                            : *a == 'u' ? "{\"disturbed\": []}"
                                                        : "{\"disturbed\": [], \"error\": \"x\"}"));
        json_t *line = json_array_get(lines, json_array_size(lines) - 1);
        counting = attempt_that_counts(counting, line);
    }
    assert_ptr_equal(counting, json_array_get(lines, expected - 1));
    json_decref(lines);
}

static void the_first_undisturbed_attempt_counts_else_the_last(void **state)
{
    (void)state;
    counts("u", 1);
    counts("d", 1);
    counts("f", 1);
    counts("du", 2);
    counts("ddu", 3);
    counts("ddd", 3);
    counts("duu", 2);
    counts("dud", 2);
    counts("uu", 1);
}

static void an_attempt_that_failed_does_not_replace_a_result(void **state)
{
    (void)state;
    counts("df", 1);
    counts("dff", 1);
    counts("fd", 2);
    counts("fu", 2);
    counts("dfu", 3);
}

static void disturbed_and_unsteady_are_metrics(void **state)
{
    (void)state;
    const struct metric *disturbed = metric_find("disturbed"), *unsteady = metric_find("unsteady");
    json_t *yes = parsed("{\"disturbed\": [\"steal\"], \"steady\": false}");
    json_t *no = parsed("{\"disturbed\": [], \"steady\": true}");
    json_t *unknown = parsed("{\"steady\": null}");
    assert_true(metric_value(disturbed, yes) == 1 && metric_value(unsteady, yes) == 1);
    assert_true(metric_value(disturbed, no) == 0 && metric_value(unsteady, no) == 0);
    assert_true(isnan(metric_value(disturbed, unknown)) && isnan(metric_value(unsteady, unknown)));
    assert_true(is_disturbed(yes) && !is_disturbed(no) && !is_disturbed(unknown));
    assert_true(is_unsteady(yes) && !is_unsteady(no) && !is_unsteady(unknown));
    json_decref(yes);
    json_decref(no);
    json_decref(unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_threshold_has_two_sides),
        cmocka_unit_test(pressure_on_the_cpu_is_no_disturbance),
        cmocka_unit_test(what_was_not_measured_is_no_disturbance),
        cmocka_unit_test(every_reason_is_given),
        cmocka_unit_test(the_first_undisturbed_attempt_counts_else_the_last),
        cmocka_unit_test(an_attempt_that_failed_does_not_replace_a_result),
        cmocka_unit_test(disturbed_and_unsteady_are_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
