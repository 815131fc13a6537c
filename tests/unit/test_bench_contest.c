/* What is said of two models, and of a run as a whole: from a folder with made-up measurements. */
#include "bench/statistics/contest.h"

#include "bench/base/files.h"
#include "bench/statistics/winners.h"
#include "common/histogram_codec.h"
#include "tests/unit/folder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MODELS = 3, TRIALS = 6, REQUESTS = 500 };

/* One model's measurements: what it does on average, and what is odd about it. */
struct made_up {
    double rps, response_us;
    unsigned unserved;
    bool held_back, without_histograms;
    unsigned missing_trial;
    double noise; /* relative, of trials */
};

/* Noise that differs from model to model, drift that does not. */
static double factor_of(const struct made_up *m, size_t model, unsigned trial)
{
    static const double drift[] = {1, 1.3, 0.8, 1.1, 0.7, 1.2};
    static const double noise[] = {-1, 0.6, 1, -0.4, 0.3, -0.5};
    return drift[trial % 6] * (1 + m->noise * noise[(trial * (model + 1) + model) % 6]);
}

/* The middle half of the requests takes `us`, a quarter less and a quarter more. */
static json_t *responses_of(const struct made_up *m, double us)
{
    struct histogram *h = histogram_new();
    for (int i = 0; i < REQUESTS; i++)
        histogram_record(h, (uint64_t)(us * 1e3 * (0.5 + (double)i / REQUESTS)));
    char *text = histogram_encode(h);
    json_t *json = json_pack("{s:i, s:f, s:f, s:f}", "count", REQUESTS, "p50",
                             (double)histogram_quantile_ns(h, 0.5) / 1e3, "p99",
                             (double)histogram_quantile_ns(h, 0.99) / 1e3, "p99_9",
                             (double)histogram_quantile_ns(h, 0.999) / 1e3);
    if (!m->without_histograms)
        json_object_set_new(json, "histogram", json_string(text));
    free(text);
    histogram_free(h);
    return json;
}

static void write_line(FILE *out, const struct plan *p, const struct cell *c,
                       const struct made_up *m)
{
    double factor = factor_of(m, c->model, c->trial);
    json_t *run = json_pack(
        "{s:b, s:f, s:{s:i}, s:{s:i, s:i}, s:{s:b}, s:{s:{s:f}, s:{s:i}, s:{s:i}}, s:o}", "valid",
        1, "throughput_rps", m->rps * factor, "requests", "completed", REQUESTS, "connections",
        "served", 4, "unserved", (int)m->unserved, "generator", "saturated", m->held_back, "server",
        "cpu", "us_per_request", 10 / factor, "context_switches", "total", 0, "memory", "pss_bytes",
        4096 * (int)(c->model + 1), "response_us", responses_of(m, m->response_us / factor));
    plan_identify(p, c, run);
    assert_int_equal(json_dumpf(run, out, JSON_COMPACT), 0);
    fputc('\n', out);
    json_decref(run);
}

/* A run of one workload with this setting more; to be freed. */
static struct results run_of(const char *folder, const struct made_up models[MODELS],
                             unsigned trials, const char *setting)
{
    struct plan p = {.profile = "quick", .seed = 1, .model_count = MODELS, .workload_count = 1};
    struct error error = {""};
    struct results r;
    char text[256];
    snprintf(text, sizeof text, "title=T\nquestion=?\npath=/\ntrials=%u\n%s", trials, setting);
    p.models = calloc(MODELS, sizeof *p.models);
    for (size_t i = 0; i < MODELS; i++)
        snprintf(p.models[i], NAME_SIZE, "model-%zu", i);
    p.workloads = calloc(1, sizeof *p.workloads);
    assert_int_equal(workload_parse(p.workloads, "plain.conf", text, profile_find("quick"), &error),
                     0);
    assert_int_equal(plan_expand(&p, &error), 0);
    json_t *plan = plan_to_json(&p);
    assert_int_equal(json_dump_file(plan, path_of("%s/plan.json", folder).text, 0), 0);
    json_decref(plan);
    FILE *out = fopen(path_of("%s/runs.jsonl", folder).text, "w");
    assert_non_null(out);
    for (size_t i = 0; i < p.cell_count; i++)
        if (p.cells[i].trial != models[p.cells[i].model].missing_trial &&
            p.cells[i].trial <= TRIALS)
            write_line(out, &p, &p.cells[i], &models[p.cells[i].model]);
    assert_int_equal(fclose(out), 0);
    plan_free(&p);
    if (results_read(&r, folder, &error) != 0)
        fail_msg("%s", error.text);
    return r;
}

static struct side side_of(const struct results *r, size_t model)
{
    return (struct side){r, {model, 0, 0}, r->plan.models[model]};
}

/* Model 1 against model 0, as a family of one. */
static struct contest contest_in(const struct results *r, const char *metric)
{
    struct side a = side_of(r, 0), b = side_of(r, 1);
    struct contest c = contest_of(&a, &b, headline_find(metric));
    assert_int_equal(contests_decide(&c, 1), 0);
    return c;
}

static void verdict_is(const struct results *r, const char *metric, enum verdict verdict)
{
    struct contest c = contest_in(r, metric);
    if (c.verdict != verdict)
        fail_msg("%s: %d instead of %d (ratio %g, p %g) %s", metric, c.verdict, verdict,
                 c.found.ratio, c.found.p, c.reason);
}

static void a_difference_is_shown_through_a_drift_that_meets_both(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0.01}, {1100, 90, .noise = 0.01}, {1000, 100, .noise = 0.01}};
    struct results r = run_of(*state, models, TRIALS, "");
    verdict_is(&r, "throughput", BETTER);
    verdict_is(&r, "response_p50", BETTER);
    verdict_is(&r, "response_p99", BETTER);
    verdict_is(&r, "cpu_per_request", NO_DIFFERENCE_SHOWN);
    verdict_is(&r, "memory_pss", WORSE); /* just twice as much, in every trial */
    struct contest c = contest_in(&r, "throughput");
    assert_true(c.found.low > 1.05 && c.found.high < 1.15);
    results_free(&r);
}

static void between_runs_the_drift_remains(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0.01}, {1100, 90, .noise = 0.01}, {1000, 100, .noise = 0.01}};
    struct results one = run_of(*state, models, TRIALS, "");
    struct results two = run_of(*state, models, TRIALS, "");
    struct side a = side_of(&one, 0), b = side_of(&two, 1);
    struct contest c = contest_of(&a, &b, headline_find("throughput"));
    assert_int_equal(contests_decide(&c, 1), 0);
    assert_int_equal(c.verdict, NO_DIFFERENCE_SHOWN);
    assert_true(fabs(c.found.ratio - 1.1) < 0.02);
    results_free(&one);
    results_free(&two);
}

static void response_times_of_the_few_are_not_compared(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0.01, .unserved = 60}, {1100, 90, .noise = 0.01}, {1, 1, .noise = 0}};
    struct results r = run_of(*state, models, TRIALS, "");
    verdict_is(&r, "response_p50", NOT_COMPARABLE);
    assert_string_equal(contest_in(&r, "response_p99").reason, "model-0: served 4 of 64");
    verdict_is(&r, "throughput", BETTER);
    results_free(&r);
}

static void whom_the_generator_holds_back_can_win_and_not_lose(void **state)
{
    const struct made_up loser[MODELS] = {{1000, 100, .noise = 0.01, .held_back = true},
                                          {1100, 90, .noise = 0.01},
                                          {1, 1, .noise = 0}};
    struct results r = run_of(*state, loser, TRIALS, "");
    verdict_is(&r, "throughput", NOT_COMPARABLE);
    assert_non_null(strstr(contest_in(&r, "throughput").reason, "model-0: a lower bound"));
    verdict_is(&r, "response_p50", BETTER);
    results_free(&r);
    const struct made_up winner[MODELS] = {{1000, 100, .noise = 0.01},
                                           {1100, 90, .noise = 0.01, .held_back = true},
                                           {1, 1, .noise = 0}};
    r = run_of(*state, winner, TRIALS, "");
    verdict_is(&r, "throughput", BETTER);
    results_free(&r);
}

static void a_reason_stands_where_there_can_be_no_verdict(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0}, {1100, 90, .noise = 0}, {1, 1, .noise = 0}};
    struct results r = run_of(*state, models, 1, "");
    verdict_is(&r, "throughput", NOT_COMPARABLE);
    assert_string_equal(contest_in(&r, "throughput").reason, "needs 2 trials");
    assert_string_equal(contest_in(&r, "response_p99").reason, "needs 2 trials");
    assert_non_null(strstr(contest_in(&r, "switches_per_request").reason, "has 0"));
    results_free(&r);
}

static void only_blocks_that_hold_both_are_compared(void **state)
{
    const struct made_up models[MODELS] = {{1000, 100, .noise = 0.01, .missing_trial = 2},
                                           {1100, 90, .noise = 0.01, .missing_trial = 5},
                                           {1000, 100, .noise = 0}};
    struct results r = run_of(*state, models, TRIALS, "");
    struct contest c = contest_in(&r, "throughput");
    assert_int_equal(c.verdict, BETTER);
    assert_true(fabs(c.found.ratio - 1.1) < 0.02);
    verdict_is(&r, "response_p99", BETTER);
    results_free(&r);
}

static void a_run_without_histograms_is_read_all_the_same(void **state)
{
    const struct made_up models[MODELS] = {{1000, 100, .noise = 0.01, .without_histograms = true},
                                           {1100, 90, .noise = 0.01, .without_histograms = true},
                                           {1000, 100, .noise = 0.01, .without_histograms = true}};
    struct results r = run_of(*state, models, TRIALS, "");
    struct histogram *h = histogram_new();
    assert_false(results_have_histograms(&r));
    assert_int_equal(results_merge_responses(&r, (struct group){0, 0, 0}, h), -1);
    verdict_is(&r, "response_p99", BETTER);
    histogram_free(h);
    results_free(&r);
}

static void a_percentile_is_that_of_all_trials_together(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0}, {1000, 100, .noise = 0}, {1000, 100, .noise = 0}};
    struct results r = run_of(*state, models, TRIALS, "");
    struct group g = {0, 0, 0};
    struct histogram *h = histogram_new();
    assert_true(results_have_histograms(&r));
    assert_int_equal(results_merge_responses(&r, g, h), 0);
    assert_int_equal(h->count, TRIALS * REQUESTS);
    struct estimate e = results_estimate(&r, g, metric_find("response_p99"));
    assert_true(fabs(e.median - (double)histogram_quantile_ns(h, 0.99) / 1e3) < 0.001);
    assert_int_equal(e.count, TRIALS);
    assert_true(e.low < e.median && e.median < e.high);
    histogram_free(h);
    results_free(&r);
}

static bool is_shown(const struct workload *w, const char *metric)
{
    (void)w;
    return strcmp(metric, "throughput") == 0 || strcmp(metric, "cpu_per_request") == 0;
}

static void only_who_beats_all_others_wins(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0.01}, {1300, 90, .noise = 0.01}, {1100, 100, .noise = 0.01}};
    struct results r = run_of(*state, models, TRIALS, "");
    struct winners *w = winners_of(&r, is_shown);
    assert_non_null(w);
    for (size_t m = 0; m < MODELS; m++) {
        assert_int_equal(winners_have(w, (struct group){m, 0, 0}, "throughput"), m == 1);
        assert_false(winners_have(w, (struct group){m, 0, 0}, "cpu_per_request"));
        assert_false(winners_have(w, (struct group){m, 0, 0}, "memory_pss")); /* in no table */
    }
    assert_int_equal(winners_comparisons(w), 2 * (MODELS - 1));
    winners_free(w);
    results_free(&r);
}

static void a_tie_at_the_top_has_no_winner(void **state)
{
    const struct made_up models[MODELS] = {
        {1000, 100, .noise = 0.01}, {1300, 90, .noise = 0.02}, {1301, 100, .noise = 0.01}};
    struct results r = run_of(*state, models, TRIALS, "");
    struct winners *w = winners_of(&r, is_shown);
    assert_non_null(w);
    for (size_t m = 0; m < MODELS; m++)
        assert_false(winners_have(w, (struct group){m, 0, 0}, "throughput"));
    winners_free(w);
    results_free(&r);
}

static void a_point_is_finished_when_every_model_is_precise(void **state)
{
    /* The drift of 30 % is in each figure: never precise. */
    const struct made_up drifting[MODELS] = {
        {1000, 100, .noise = 0}, {1100, 90, .noise = 0}, {1000, 100, .noise = 0}};
    struct results r = run_of(*state, drifting, TRIALS, "trials_most = 10\n");
    size_t points;
    assert_false(results_precise(&r, 0, 0, TRIALS)); /* not before the least number */
    assert_false(results_precise(&r, 0, 0, TRIALS + 1));
    assert_int_equal(results_needless(&r, &points), 0);
    results_free(&r);
    /* Models that answer nothing do not scatter, and would keep nobody waiting. */
    const struct made_up still[MODELS] = {
        {0, 100, .noise = 0}, {0, 90, .noise = 0}, {0, 100, .noise = 0}};
    r = run_of(*state, still, TRIALS, "trials_most = 10\n");
    assert_false(results_precise(&r, 0, 0, TRIALS));
    assert_true(results_precise(&r, 0, 0, TRIALS + 1));
    assert_int_equal(results_needless(&r, &points), 4 * MODELS);
    assert_int_equal(points, 1);
    results_free(&r);
}

static void an_open_loop_is_about_response_times(void **state)
{
    (void)state;
    assert_string_equal(results_main_metric(&(struct workload){.open = true})->name,
                        "response_p50");
    assert_string_equal(results_main_metric(&(struct workload){.open = false})->name, "throughput");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_difference_is_shown_through_a_drift_that_meets_both),
        TEST(between_runs_the_drift_remains),
        TEST(response_times_of_the_few_are_not_compared),
        TEST(whom_the_generator_holds_back_can_win_and_not_lose),
        TEST(a_reason_stands_where_there_can_be_no_verdict),
        TEST(only_blocks_that_hold_both_are_compared),
        TEST(a_run_without_histograms_is_read_all_the_same),
        TEST(a_percentile_is_that_of_all_trials_together),
        TEST(only_who_beats_all_others_wins),
        TEST(a_tie_at_the_top_has_no_winner),
        TEST(a_point_is_finished_when_every_model_is_precise),
        cmocka_unit_test(an_open_loop_is_about_response_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
