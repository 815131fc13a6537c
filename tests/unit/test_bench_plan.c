/* The plan: which points there are, in which order their models are measured, and its way to the
 * disk and back. */
#include "bench/plan/plan.h"

#include "tests/unit/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MODELS = 4 };

static const char SWEPT[] = "title=A\nquestion=?\npath=/\nsweep=idle\nvalues=1 2.5e1 64\n";
static const char MIXED[] = "title=B\nquestion=?\nmix=b.mix\nduration_s=2\n";

static void put(const char *folder, const char *name, const char *text)
{
    struct error error;
    assert_int_equal(file_replace(path_of("%s/%s", folder, name).text, text, strlen(text), &error),
                     0);
}

/* Four models, the last of them a target; one workload of three points and one of a single. */
static struct plan plan_in(const char *folder)
{
    struct plan p = {.profile = profile_find("quick"),
                     .seed = 7,
                     .margin = 0.05,
                     .compute_rate = 312.5,
                     .server_cpus = "0",
                     .loadgen_cpus = "1",
                     .cpus = "0,2,1"};
    struct error error = {""};
    put(folder, "swept.conf", SWEPT);
    put(folder, "mixed.conf", MIXED);
    put(folder, "b.mix", "1 GET /\n");
    put(folder, "model-3.conf", "title = T\ncommand = true {port}\nneeds = true\nroutes = all\n");
    p.models = calloc(MODELS, sizeof *p.models);
    p.model_count = MODELS;
    for (size_t i = 0; i < MODELS; i++)
        snprintf(p.models[i], NAME_SIZE, "model-%zu", i);
    p.targets = calloc(1, sizeof *p.targets);
    p.target_count = 1;
    if (target_read(&p.targets[0], path_of("%s/model-3.conf", folder).text, &error) != 0)
        fail_msg("%s", error.text);
    p.workloads = calloc(2, sizeof *p.workloads);
    p.workload_count = 2;
    assert_int_equal(workload_read(&p.workloads[0], path_of("%s/swept.conf", folder).text, &error),
                     0);
    assert_int_equal(workload_read(&p.workloads[1], path_of("%s/mixed.conf", folder).text, &error),
                     0);
    return p;
}

static void every_group_has_a_place_of_its_own(void **state)
{
    struct plan p = plan_in(*state);
    bool taken[MODELS * 4] = {false};
    assert_int_equal(plan_group_count(&p), MODELS * 4);
    struct group g;
    for (g.workload = 0; g.workload < 2; g.workload++)
        for (g.point = 0; g.point < workload_points(&p.workloads[g.workload]); g.point++)
            for (g.model = 0; g.model < MODELS; g.model++) {
                size_t place = plan_group_index(&p, g);
                assert_true(place < MODELS * 4);
                assert_false(taken[place]);
                taken[place] = true;
            }
    plan_free(&p);
}

static void a_block_has_every_model_once_and_none_is_always_first(void **state)
{
    struct plan p = plan_in(*state);
    size_t first[MODELS] = {0};
    for (unsigned block = 0; block < 40; block++) {
        size_t order[MODELS], again[MODELS];
        unsigned seen = 0;
        plan_shuffle(&p, 0, 1, block, order);
        plan_shuffle(&p, 0, 1, block, again);
        assert_memory_equal(order, again, sizeof order);
        for (size_t i = 0; i < MODELS; i++)
            seen |= 1U << order[i];
        assert_int_equal(seen, (1U << MODELS) - 1);
        first[order[0]]++;
    }
    for (size_t m = 0; m < MODELS; m++)
        assert_true(first[m] > 0);
    plan_free(&p);
}

static void a_preview_has_shorter_windows(void **state)
{
    struct plan p = plan_in(*state);
    assert_true(plan_workload_at(&p, 0, 0, true).duration_s <
                plan_workload_at(&p, 0, 0, false).duration_s);
    assert_true(plan_workload_at(&p, 1, 0, true).duration_s == 1);
    assert_true(plan_workload_at(&p, 1, 0, false).duration_s == 2);
    assert_true(plan_block_s(&p, 1, 0, false) > MODELS * 2);
    plan_free(&p);
}

static void a_plan_comes_back_from_its_folder_without_the_files_it_was_made_from(void **state)
{
    struct plan p = plan_in(*state), again;
    struct error error = {""};
    struct path run = path_of("%s/run", (char *)*state);
    assert_int_equal(workload_keep_points(&p.workloads[0], "25 64"), 2);
    plan_leave_out(&p, "something is missing");
    assert_int_equal(folder_ensure(run.text, &error), 0);
    if (plan_write(&p, run.text, *state, *state, &error) != 0 ||
        plan_read(&again, run.text, &error) != 0)
        fail_msg("%s", error.text);
    assert_int_equal(again.model_count, MODELS);
    assert_string_equal(again.targets[0].title, "T");
    assert_string_equal(again.targets[0].here, p.targets[0].here);
    assert_int_equal(workload_points(&again.workloads[0]), 2);
    assert_string_equal(point_name_of(&again.workloads[0], 0).text, "25");
    assert_string_equal(again.workloads[1].mix, "b.mix");
    assert_true(again.profile == p.profile && again.seed == 7 && again.compute_rate == 312.5);
    assert_int_equal(json_array_size(again.left_out), 1);
    plan_free(&again);
    plan_free(&p);
}

static void a_line_is_found_by_its_names(void **state)
{
    struct plan p = plan_in(*state);
    struct group g = {2, 0, 1}, found;
    json_t *line = json_object();
    plan_identify(&p, g, line);
    assert_true(plan_find(&p, line, &found));
    assert_true(found.model == 2 && found.workload == 0 && found.point == 1);
    json_object_set_new(line, "point", json_integer(3));
    assert_false(plan_find(&p, line, &found));
    json_object_set_new(line, "workload", json_string("mixed"));
    assert_false(plan_find(&p, line, &found));
    json_object_set_new(line, "point", json_null());
    assert_true(plan_find(&p, line, &found));
    json_decref(line);
    plan_free(&p);
}

static void a_server_gets_the_first_of_the_cpus(void **state)
{
    struct plan p = plan_in(*state);
    struct workload w = workload_at(&p.workloads[1], 0);
    assert_string_equal(plan_server_cpus(&p, &w).text, "0");
    w.cores = 2;
    assert_string_equal(plan_server_cpus(&p, &w).text, "0,2");
    plan_free(&p);
}

static void a_folder_without_a_plan_is_no_runs_folder(void **state)
{
    struct plan p;
    struct error error = {""};
    assert_int_equal(plan_read(&p, *state, &error), -1);
    assert_non_null(strstr(error.text, "is no run's folder"));
    put(*state, "plan.json", "{\"schema\": \"switchpoint.plan/1\"}");
    assert_int_equal(plan_read(&p, *state, &error), -1);
    assert_non_null(strstr(error.text, "another version"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_group_has_a_place_of_its_own, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_block_has_every_model_once_and_none_is_always_first,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_preview_has_shorter_windows, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(
            a_plan_comes_back_from_its_folder_without_the_files_it_was_made_from, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(a_line_is_found_by_its_names, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_server_gets_the_first_of_the_cpus, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_without_a_plan_is_no_runs_folder, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
