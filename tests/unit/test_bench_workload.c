/* Workload files: what a person may write, and what is said when it is wrong. */
#include "bench/plan/workload.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "title = T\nquestion = Q?\n"

static struct workload good(const char *text)
{
    struct workload w;
    struct error error = {""};
    if (workload_parse(&w, "dir/some.conf", text, &error) != 0)
        fail_msg("%s", error.text);
    return w;
}

static void bad(const char *text, const char *expected)
{
    struct workload w;
    struct error error = {""};
    assert_int_equal(workload_parse(&w, "dir/some.conf", text, &error), -1);
    if (!strstr(error.text, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, error.text);
}

static void what_is_not_said_has_a_default(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /hello\n");
    assert_string_equal(w.name, "some");
    assert_false(w.open);
    assert_true(w.connections == 64);
    assert_true(isnan(w.duration_s) && isnan(w.warmup_s));
    assert_string_equal(w.headline, "throughput");
    assert_false(w.core);
    assert_int_equal(workload_points(&w), 1);
}

static void a_backend_is_one_that_is_known(void **state)
{
    (void)state;
    struct workload none = good(HEAD "path = /hello\n");
    assert_false(workload_needs(&none, "redis") || workload_needs(&none, "sqlite"));
    bad(HEAD "path = /kv?key=a\nbackend = mongo\n", "redis sqlite");

    struct workload w = good(HEAD "path = /kv?key=a\nbackend = redis\n");
    assert_true(workload_needs(&w, "redis"));
    assert_false(workload_needs(&w, "sqlite"));
}

static void a_workload_needs_what_any_of_its_points_needs(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /hello\n[point.plain]\ntimeout_s = 1\n"
                                  "[point.stored]\npath = /query?key=a\nbackend = sqlite\n");
    assert_true(workload_needs(&w, "sqlite"));
    assert_false(workload_needs(&w, "redis"));
}

static void a_sweep_sets_its_parameter_at_each_point(void **state)
{
    (void)state;
    struct workload w =
        good(HEAD "path = /hello\nmode = open\nsweep = rate_rps\nvalues = 250, 500 1000.5\n");
    assert_int_equal(workload_points(&w), 3);
    assert_true(workload_at(&w, 2).rate_rps == 1000.5);
}

static void a_sweep_of_the_total_leaves_the_rest_idle(void **state)
{
    (void)state;
    struct workload w =
        good(HEAD "path = /hello\nconnections = 4\nsweep = total\nvalues = 1 1024\n");
    assert_true(workload_at(&w, 0).connections == 1);
    assert_true(workload_at(&w, 0).idle == 0);
    assert_true(workload_at(&w, 1).connections == 4);
    assert_true(workload_at(&w, 1).idle == 1020);
}

static void a_question_goes_on_in_an_indented_line(void **state)
{
    (void)state;
    struct workload w = good("title = T\nquestion = What\n  then?\npath = /hello\n");
    assert_string_equal(w.question, "What then?");
}

static void a_mix_stands_beside_the_file(void **state)
{
    (void)state;
    assert_string_equal(good(HEAD "mix = m.mix\n").mix, "m.mix");
    bad(HEAD "mix = elsewhere/m.mix\n", "beside");
    bad(HEAD "[point.a]\nmix = /m.mix\n", "beside");
}

static void windows_are_the_files_own_or_those_of_the_run(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /\nduration_s = 3\n");
    workload_set_windows(&w, 0.25, 7);
    assert_true(w.warmup_s == 0.25 && w.duration_s == 3);
}

static void points_can_be_chosen_by_name(void **state)
{
    (void)state;
    struct workload swept = good(HEAD "path = /\nsweep = idle\nvalues = 1 16 1024\n");
    assert_int_equal(workload_keep_points(&swept, "16,1024"), 2);
    assert_string_equal(point_name_of(&swept, 1).text, "1024");
    struct workload named = good(HEAD "[point.a]\npath = /a\n[point.b]\npath = /b\n");
    assert_int_equal(workload_keep_points(&named, "b"), 1);
    assert_string_equal(workload_at(&named, 0).path, "/b");
    struct workload single = good(HEAD "path = /\n");
    assert_int_equal(workload_keep_points(&single, "-"), 1);
}

static void points_that_want_more_cores_than_there_are_go(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /\nsweep = cores\nvalues = 1 2 4\n");
    assert_int_equal(workload_limit_cores(&w, 2), 2);
    struct workload fixed = good(HEAD "path = /\ncores = 4\n");
    assert_int_equal(workload_limit_cores(&fixed, 2), 0);
    struct workload free_of_choice = good(HEAD "path = /\n");
    assert_int_equal(workload_limit_cores(&free_of_choice, 1), 1);
}

static void two_workloads_are_one_load_whatever_they_are_called(void **state)
{
    (void)state;
    struct workload a = good(HEAD "path = /\nconnections = 4\n");
    struct workload b = good("title = U\nquestion = R\npath = /\nconnections = 4\nduration_s = 9\n"
                             "[server]\noptions = --backlog 9\n");
    struct workload c = good(HEAD "path = /\nconnections = 5\n");
    assert_true(workload_same_load(&a, &b));
    assert_false(workload_same_load(&a, &c));
}

static void options_can_be_for_one_server(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /hello\n[server]\noptions = --backlog 9\n"
                                  "[server.thread-pool]\noptions = --workers 64\n");
    assert_int_equal(w.server_count, 2);
    assert_string_equal(w.servers[0].model, "");
    assert_string_equal(w.servers[1].model, "thread-pool");
    assert_string_equal(w.servers[1].options, "--workers 64");
}

static void a_mistake_is_named_with_file_and_line(void **state)
{
    (void)state;
    bad(HEAD "path = /hello\nconections = 3\n", "dir/some.conf:4: unknown setting \"conections\"");
    bad(HEAD "path = /hello\n\nconnections = many\n", "dir/some.conf:5: connections is \"many\"");
    bad(HEAD "path = /hello\nconnections = 1.5\n", "some.conf:4");
    bad(HEAD "path = /hello\nconnections = 0\n", "some.conf:4");
    bad(HEAD "path = /hello\nduration_s = nan\n", "some.conf:4");
    bad(HEAD "path = /hello\nmode = ajar\n", "expected: closed open");
    bad(HEAD "path = /hello\nclose = maybe\n", "expected: yes or no");
    bad(HEAD "path = /hello\nclose\n", "dir/some.conf:4: expected: NAME = VALUE");
    bad(HEAD "path = /a\npath = /b\n", "dir/some.conf:4: set twice: \"path\"");
    bad(HEAD "path = /hello\n[profile.quick]\nsteps = 1\n", "some.conf:5: unknown section");
    bad(HEAD "path = /hello\nheadline = luck\n", "some.conf:4: headline is");
    bad(HEAD "path = /hello\nsweep = idle\nvalues = 1 x\n", "some.conf:5");
}

static void settings_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    bad("path = /hello\n", "title and question");
    bad(HEAD, "either path or mix");
    bad(HEAD "path = /hello\nmix = m\n", "either path or mix");
    bad(HEAD "path = hello\n", "begin with /");
    bad(HEAD "path = /hello\nmode = open\n", "needs rate_rps");
    bad(HEAD "path = /hello\nrate_rps = 5\n", "needs mode = open");
    bad(HEAD "path = /hello\nsweep = idle\n", "both, sweep and values");
    bad(HEAD "path = /hello\nvalues = 1\n", "both, sweep and values");
    bad(HEAD "path = /hello\nsweep = idle\nvalues = 1 -4\n", "idle cannot be -4");
    bad(HEAD "path = /hello\nsweep = idle\nvalues = 1 2 1\n", "twice");
    bad(HEAD "path = /hello\nfile_bytes = 10\n", "/files/");
}

static void a_line_too_long_is_refused_and_not_cut(void **state)
{
    (void)state;
    char text[4096] = "title = ";
    memset(text + strlen(text), 'x', 3000);
    strcat(text, "\nquestion = Q\npath = /hello\n");
    bad(text, "some.conf:1: the line is too long");
}

static void a_named_point_changes_what_it_says(void **state)
{
    (void)state;
    struct workload w = good(HEAD "close = yes\nmode = capacity\nslo = p99<10ms\n"
                                  "[point.light]\npath = /hello\n"
                                  "[point.heavy]\npath = /work?cpu_us=9\nclose = no\n");
    assert_int_equal(workload_points(&w), 2);
    assert_true(workload_has_points(&w));
    struct workload light = workload_at(&w, 0), heavy = workload_at(&w, 1);
    assert_string_equal(light.path, "/hello");
    assert_true(light.close);
    assert_true(light.capacity);
    assert_string_equal(heavy.path, "/work?cpu_us=9");
    assert_false(heavy.close);
}

static void points_and_service_levels_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    bad(HEAD "[point.a]\npath = /a\n[point.b]\nclose = no\n", "either path or mix");
    bad(HEAD "[point.a]\ncore = yes\n", "a point cannot change");
    bad(HEAD "[point.a]\nclose = maybe\n", "yes or no");
    bad(HEAD "[point.A]\npath = /a\n", "a-z");
    bad(HEAD "[point.a]\npath = /a\n[point.b]\npath = /b\n[point.a]\nclose = no\n", "already");
    bad(HEAD "sweep = idle\nvalues = 1\n[point.a]\npath = /a\n", "not both");
    bad(HEAD "path = /hello\nslo = p99<10ms\n", "need each other");
    bad(HEAD "path = /hello\nmode = capacity\n", "need each other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_a_default),
        cmocka_unit_test(a_backend_is_one_that_is_known),
        cmocka_unit_test(a_workload_needs_what_any_of_its_points_needs),
        cmocka_unit_test(a_sweep_sets_its_parameter_at_each_point),
        cmocka_unit_test(a_sweep_of_the_total_leaves_the_rest_idle),
        cmocka_unit_test(a_question_goes_on_in_an_indented_line),
        cmocka_unit_test(a_mix_stands_beside_the_file),
        cmocka_unit_test(windows_are_the_files_own_or_those_of_the_run),
        cmocka_unit_test(points_can_be_chosen_by_name),
        cmocka_unit_test(points_that_want_more_cores_than_there_are_go),
        cmocka_unit_test(two_workloads_are_one_load_whatever_they_are_called),
        cmocka_unit_test(options_can_be_for_one_server),
        cmocka_unit_test(a_mistake_is_named_with_file_and_line),
        cmocka_unit_test(settings_that_do_not_fit_together_are_refused),
        cmocka_unit_test(a_line_too_long_is_refused_and_not_cut),
        cmocka_unit_test(a_named_point_changes_what_it_says),
        cmocka_unit_test(points_and_service_levels_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
