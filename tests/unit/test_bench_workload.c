/* Workload files: what a person may write, and what is said when it is wrong. */
#include "bench/plan/workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "title = T\nquestion = Q?\n"

static struct workload good(const char *text, const char *profile)
{
    struct workload w;
    struct error error = {""};
    if (workload_parse(&w, "dir/some.conf", text, profile_find(profile), &error) != 0)
        fail_msg("%s", error.text);
    return w;
}

static void bad(const char *text, const char *expected)
{
    struct workload w;
    struct error error = {""};
    assert_int_equal(workload_parse(&w, "dir/some.conf", text, profile_find("quick"), &error), -1);
    if (!strstr(error.text, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, error.text);
}

static void what_is_not_said_has_a_default(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /hello\n", "full");
    assert_string_equal(w.name, "some");
    assert_false(w.open);
    assert_true(w.connections == 64);
    assert_true(w.duration_s == profile_find("full")->duration_s);
    assert_int_equal(workload_points(&w), 1);
}

static void a_profile_replaces_settings_only_when_it_runs(void **state)
{
    (void)state;
    const char *text = HEAD "path = /hello\nduration_s = 3\ntrials = 2\n"
                            "[profile.quick]\nduration_s = 0.5\n[profile.full]\ntrials = 9\n";
    assert_true(good(text, "quick").duration_s == 0.5);
    assert_true(good(text, "quick").trials == 2);
    assert_true(good(text, "full").duration_s == 3);
    assert_true(good(text, "full").trials == 9);
}

static void who_says_how_many_trials_means_just_as_many(void **state)
{
    (void)state;
    struct workload by_profile = good(HEAD "path = /\n", "full");
    assert_true(by_profile.trials == profile_find("full")->trials);
    assert_true(by_profile.trials_most == profile_find("full")->trials_most);
    struct workload fixed = good(HEAD "path = /\ntrials = 4\n", "full");
    assert_true(fixed.trials == 4 && fixed.trials_most == 4);
    struct workload range = good(HEAD "path = /\ntrials = 4\ntrials_most = 9\n", "quick");
    assert_true(range.trials == 4 && range.trials_most == 9);
    struct workload capped = good(HEAD "path = /\ntrials_most = 2\n", "full");
    assert_true(capped.trials == 2 && capped.trials_most == 2);
}

static void a_plan_of_an_older_version_has_as_many_trials_as_it_says(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /\ntrials = 3\n", "full"), again;
    struct error error = {""};
    json_t *json = workload_to_json(&w);
    json_object_del(json, "trials_most");
    assert_int_equal(workload_from_json(&again, json, &error), 0);
    assert_true(again.trials_most == 3);
    json_decref(json);
}

static void a_backend_is_one_that_is_known_and_comes_back_from_the_plan(void **state)
{
    (void)state;
    struct workload none = good(HEAD "path = /hello\n", "quick"), again;
    assert_false(workload_needs(&none, "redis") || workload_needs(&none, "sqlite"));
    bad(HEAD "path = /kv?key=a\nbackend = mongo\n", "redis sqlite");

    struct workload w = good(HEAD "path = /kv?key=a\nbackend = redis\n", "quick");
    struct error error = {""};
    json_t *json = workload_to_json(&w);
    assert_int_equal(workload_from_json(&again, json, &error), 0);
    assert_true(workload_needs(&again, "redis"));
    assert_false(workload_needs(&again, "sqlite"));
    json_object_del(json, "backend"); /* a plan of an earlier version */
    assert_int_equal(workload_from_json(&again, json, &error), 0);
    assert_false(workload_needs(&again, "redis"));
    json_decref(json);
}

static void a_workload_needs_what_any_of_its_points_needs(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /hello\n[point.plain]\ntimeout_s = 1\n"
                                  "[point.stored]\npath = /query?key=a\nbackend = sqlite\n",
                             "quick");
    assert_true(workload_needs(&w, "sqlite"));
    assert_false(workload_needs(&w, "redis"));
}

static void a_sweep_sets_its_parameter_at_each_point(void **state)
{
    (void)state;
    struct workload w = good(
        HEAD "path = /hello\nmode = open\nsweep = rate_rps\nvalues = 250, 500 1000.5\n", "quick");
    assert_int_equal(workload_points(&w), 3);
    assert_true(workload_at(&w, 2).rate_rps == 1000.5);
}

static void a_sweep_of_the_total_leaves_the_rest_idle(void **state)
{
    (void)state;
    struct workload w =
        good(HEAD "path = /hello\nconnections = 4\nsweep = total\nvalues = 1 1024\n", "quick");
    assert_true(workload_at(&w, 0).connections == 1);
    assert_true(workload_at(&w, 0).idle == 0);
    assert_true(workload_at(&w, 1).connections == 4);
    assert_true(workload_at(&w, 1).idle == 1020);
}

static void a_question_goes_on_in_an_indented_line(void **state)
{
    (void)state;
    struct workload w = good("title = T\nquestion = What\n  then?\npath = /hello\n", "quick");
    assert_string_equal(w.question, "What then?");
}

static void a_mix_is_looked_for_beside_the_file(void **state)
{
    (void)state;
    assert_string_equal(good(HEAD "mix = m.mix\n", "quick").mix, "dir/m.mix");
    assert_string_equal(good(HEAD "mix = /m.mix\n", "quick").mix, "/m.mix");
}

static void options_can_be_for_one_server(void **state)
{
    (void)state;
    struct workload w = good(HEAD "path = /hello\n[server]\noptions = --backlog 9\n"
                                  "[server.thread-pool]\noptions = --workers 64\n",
                             "quick");
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
    bad(HEAD "path = /hello\n[profile.slow]\ntrials = 1\n", "some.conf:5: unknown section");
    bad(HEAD "path = /hello\n[profile.full]\ntrials = none\n", "some.conf:5");
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
    bad(HEAD "path = /hello\ntrials = 5\ntrials_most = 4\n", "trials_most is less than trials");
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
                                  "[point.heavy]\npath = /work?cpu_us=9\nclose = no\n",
                             "quick");
    assert_int_equal(workload_points(&w), 2);
    assert_true(workload_has_points(&w));
    struct workload light = workload_at(&w, 0), heavy = workload_at(&w, 1);
    assert_string_equal(light.path, "/hello");
    assert_true(light.close);
    assert_true(light.capacity);
    assert_string_equal(heavy.path, "/work?cpu_us=9");
    assert_false(heavy.close);

    struct workload again;
    struct error error = {""};
    json_t *json = workload_to_json(&w);
    assert_int_equal(workload_from_json(&again, json, &error), 0);
    assert_string_equal(workload_at(&again, 1).path, "/work?cpu_us=9");
    json_decref(json);
}

static void points_and_service_levels_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    bad(HEAD "[point.a]\npath = /a\n[point.b]\nclose = no\n", "either path or mix");
    bad(HEAD "[point.a]\ntrials = 2\n", "a point cannot change");
    bad(HEAD "[point.a]\nclose = maybe\n", "yes or no");
    bad(HEAD "[point.A]\npath = /a\n", "a-z");
    bad(HEAD "[point.a]\npath = /a\n[point.b]\npath = /b\n[point.a]\nclose = no\n", "already");
    bad(HEAD "sweep = idle\nvalues = 1\n[point.a]\npath = /a\n", "not both");
    bad(HEAD "path = /hello\nslo = p99<10ms\n", "need each other");
    bad(HEAD "path = /hello\nmode = capacity\n", "need each other");
}

static void json_carries_a_workload_whole(void **state)
{
    (void)state;
    struct workload w = good(HEAD "mix = m.mix\nmode = open\nclose = yes\nsweep = rate_rps\n"
                                  "values = 0.1 1e6\n[server.epoll]\noptions = -x\n",
                             "quick");
    struct workload again;
    struct error error = {""};
    json_t *json = workload_to_json(&w);
    assert_int_equal(workload_from_json(&again, json, &error), 0);
    json_t *json_again = workload_to_json(&again);
    assert_true(json_equal(json, json_again));
    assert_true(again.open);
    json_object_del(json, "path");
    assert_int_equal(workload_from_json(&again, json, &error), -1);
    assert_non_null(strstr(error.text, "path"));
    json_decref(json);
    json_decref(json_again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_a_default),
        cmocka_unit_test(a_profile_replaces_settings_only_when_it_runs),
        cmocka_unit_test(who_says_how_many_trials_means_just_as_many),
        cmocka_unit_test(a_plan_of_an_older_version_has_as_many_trials_as_it_says),
        cmocka_unit_test(a_backend_is_one_that_is_known_and_comes_back_from_the_plan),
        cmocka_unit_test(a_workload_needs_what_any_of_its_points_needs),
        cmocka_unit_test(a_sweep_sets_its_parameter_at_each_point),
        cmocka_unit_test(a_sweep_of_the_total_leaves_the_rest_idle),
        cmocka_unit_test(a_question_goes_on_in_an_indented_line),
        cmocka_unit_test(a_mix_is_looked_for_beside_the_file),
        cmocka_unit_test(options_can_be_for_one_server),
        cmocka_unit_test(a_mistake_is_named_with_file_and_line),
        cmocka_unit_test(settings_that_do_not_fit_together_are_refused),
        cmocka_unit_test(a_line_too_long_is_refused_and_not_cut),
        cmocka_unit_test(a_named_point_changes_what_it_says),
        cmocka_unit_test(points_and_service_levels_that_make_no_sense_are_refused),
        cmocka_unit_test(json_carries_a_workload_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
