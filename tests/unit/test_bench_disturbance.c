/* What counts as a disturbance. */
#include "bench/journal/disturbance.h"

#include "bench/statistics/metric.h"

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

static void whether_it_was_disturbed_is_a_metric(void **state)
{
    (void)state;
    const struct metric *disturbed = metric_find("disturbed");
    json_t *yes = parsed("{\"disturbed\": [\"steal\"]}"), *no = parsed("{\"disturbed\": []}");
    json_t *unknown = parsed("{}");
    assert_true(metric_value(disturbed, yes) == 1 && metric_value(disturbed, no) == 0);
    assert_true(isnan(metric_value(disturbed, unknown)));
    assert_true(is_disturbed(yes) && !is_disturbed(no) && !is_disturbed(unknown));
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
        cmocka_unit_test(whether_it_was_disturbed_is_a_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
