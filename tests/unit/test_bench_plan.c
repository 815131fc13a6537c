/* The plan: everything once, in an order that the seed decides. */
#include "bench/plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MODELS = 4, TRIALS = 6 };

/* Four models, one workload of three points and one without a sweep. */
static struct plan plan_of(unsigned long seed)
{
    struct plan p = {.profile = "quick", .seed = seed, .compute_rate = 312.5};
    struct error error = {""};
    p.models = calloc(MODELS, sizeof *p.models);
    p.model_count = MODELS;
    for (size_t i = 0; i < MODELS; i++)
        snprintf(p.models[i], NAME_SIZE, "model-%zu", i);
    p.workloads = calloc(2, sizeof *p.workloads);
    p.workload_count = 2;
    const char *texts[] = {"title=A\nquestion=?\npath=/\ntrials=6\nsweep=idle\nvalues=1 2.5e1 64\n",
                           "title=B\nquestion=?\npath=/\ntrials=6\n"};
    const char *names[] = {"swept.conf", "plain.conf"};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            workload_parse(&p.workloads[i], names[i], texts[i], profile_find("quick"), &error), 0);
    assert_int_equal(plan_expand(&p, &error), 0);
    return p;
}

static void every_cell_is_planned_once(void **state)
{
    (void)state;
    struct plan p = plan_of(1);
    assert_int_equal(p.cell_count, MODELS * TRIALS * (3 + 1));
    bool seen[MODELS][2][3][TRIALS + 1] = {0};
    for (size_t i = 0; i < p.cell_count; i++) {
        const struct cell *c = &p.cells[i];
        assert_false(seen[c->model][c->workload][c->point][c->trial]);
        seen[c->model][c->workload][c->point][c->trial] = true;
    }
    plan_free(&p);
}

static void trials_are_blocks_and_models_of_a_point_stand_together(void **state)
{
    (void)state;
    struct plan p = plan_of(1);
    for (size_t i = 1; i < p.cell_count; i++) {
        const struct cell *c = &p.cells[i], *before = &p.cells[i - 1];
        assert_true(c->trial >= before->trial);
        if (i % MODELS == 0)
            continue;
        assert_int_equal(c->workload, before->workload);
        assert_int_equal(c->point, before->point);
    }
    plan_free(&p);
}

static void no_model_is_always_first(void **state)
{
    (void)state;
    struct plan p = plan_of(1);
    size_t first[MODELS] = {0};
    for (size_t i = 0; i < p.cell_count; i += MODELS)
        first[p.cells[i].model]++;
    for (size_t m = 0; m < MODELS; m++)
        assert_true(first[m] > 0);
    plan_free(&p);
}

static void a_plan_holds_as_many_trials_as_there_can_be(void **state)
{
    (void)state;
    struct plan p = plan_of(1);
    struct error error = {""};
    double seconds;
    assert_int_equal(plan_least(&p, &seconds), p.cell_count);
    assert_true(fabs(seconds - plan_seconds(&p, 0)) < 1e-9);
    free(p.cells);
    p.workloads[0].trials = 2; /* and at most 6 */
    assert_int_equal(plan_expand(&p, &error), 0);
    assert_int_equal(p.cell_count, MODELS * TRIALS * (3 + 1));
    assert_int_equal(plan_least(&p, &seconds), MODELS * (2 * 3 + TRIALS));
    assert_true(seconds < plan_seconds(&p, 0));
    plan_free(&p);
}

static void the_seed_decides_the_order(void **state)
{
    (void)state;
    struct plan one = plan_of(1), same = plan_of(1), other = plan_of(2);
    assert_memory_equal(one.cells, same.cells, one.cell_count * sizeof *one.cells);
    assert_memory_not_equal(one.cells, other.cells, one.cell_count * sizeof *one.cells);
    plan_free(&one);
    plan_free(&same);
    plan_free(&other);
}

static void json_carries_a_plan_whole(void **state)
{
    (void)state;
    struct plan p = plan_of(5), again;
    struct error error = {""};
    json_t *json = plan_to_json(&p);
    /* By way of text, as a file does it. */
    char *text = json_dumps(json, JSON_REAL_PRECISION(12));
    json_t *read = json_loads(text, 0, NULL);
    assert_int_equal(plan_from_json(&again, read, &error), 0);
    assert_int_equal(again.cell_count, p.cell_count);
    assert_memory_equal(again.cells, p.cells, p.cell_count * sizeof *p.cells);
    assert_true(again.compute_rate == 312.5);
    plan_free(&again);
    plan_free(&p);
    json_decref(json);
    json_decref(read);
    free(text);
}

static void a_run_is_found_by_its_identity(void **state)
{
    (void)state;
    struct plan p = plan_of(1);
    for (size_t i = 0; i < p.cell_count; i++) {
        json_t *run = json_object();
        plan_identify(&p, &p.cells[i], run);
        assert_int_equal(plan_find_cell(&p, run), i);
        json_decref(run);
    }
    plan_free(&p);
}

static void a_run_of_another_plan_is_not_found(void **state)
{
    (void)state;
    struct plan p = plan_of(1);
    const char *strangers[] = {
        "{}",
        "{\"model\":\"model-0\",\"workload\":\"plain\",\"point\":null,\"trial\":7}",
        "{\"model\":\"model-0\",\"workload\":\"plain\",\"point\":null,\"trial\":0}",
        "{\"model\":\"model-0\",\"workload\":\"plain\",\"point\":1,\"trial\":1}",
        "{\"model\":\"model-0\",\"workload\":\"swept\",\"point\":null,\"trial\":1}",
        "{\"model\":\"model-0\",\"workload\":\"swept\",\"point\":3,\"trial\":1}",
        "{\"model\":\"model-9\",\"workload\":\"plain\",\"point\":null,\"trial\":1}",
        "{\"model\":7,\"workload\":{},\"point\":[],\"trial\":\"1\"}",
    };
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        json_t *run = json_loads(strangers[i], 0, NULL);
        assert_non_null(run);
        assert_int_equal(plan_find_cell(&p, run), p.cell_count);
        json_decref(run);
    }
    plan_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_planned_once),
        cmocka_unit_test(trials_are_blocks_and_models_of_a_point_stand_together),
        cmocka_unit_test(no_model_is_always_first),
        cmocka_unit_test(a_plan_holds_as_many_trials_as_there_can_be),
        cmocka_unit_test(the_seed_decides_the_order),
        cmocka_unit_test(json_carries_a_plan_whole),
        cmocka_unit_test(a_run_is_found_by_its_identity),
        cmocka_unit_test(a_run_of_another_plan_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
