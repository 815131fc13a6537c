/* The search for the capacity, against a server that is a formula; and what a sustained step is. */
#include "loadgen/capacity.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct slo slo = {.text = "p99<10ms", SLO_QUANTILE, 0.99, 10000};

/* --- the search ------------------------------------------------------------------------------- */

/* A server that sustains up to `capacity_rps`, seen through a generator that can do up to
 * `generator_rps`. */
struct model {
    double capacity_rps, generator_rps;
    double confirmed_rps;  /* what it sustains when it is asked for long */
    uint64_t stumbles;     /* bit n: step n fails, whatever the rate */
    unsigned ends_at;      /* this step is not begun */
    unsigned undecided_at; /* this one does not come to its end */
    unsigned steps;
};

static struct model model(double capacity_rps)
{
    return (struct model){.capacity_rps = capacity_rps,
                          .generator_rps = INFINITY,
                          .confirmed_rps = capacity_rps,
                          .ends_at = UINT32_MAX,
                          .undecided_at = UINT32_MAX};
}

static bool run(void *argument, struct capacity_step *s)
{
    struct model *m = argument;
    assert_int_equal(s->number, m->steps); /* its seed depends on it */
    if (s->number == m->ends_at)
        return false;
    m->steps++;
    bool confirm = s->phase == CAPACITY_CONFIRM;
    double most_rps = confirm ? m->confirmed_rps : m->capacity_rps;
    bool stumbles = s->number < 64 && m->stumbles >> s->number & 1;
    s->throughput_rps = fmin(fmin(s->rate_rps, m->capacity_rps * 1.25), m->generator_rps);
    if (s->number == m->undecided_at)
        s->verdict = CAPACITY_UNDECIDED;
    else if (s->rate_rps > m->generator_rps)
        s->verdict = CAPACITY_GENERATOR_BOUND;
    else
        s->verdict =
            s->rate_rps <= most_rps && !stumbles ? CAPACITY_SUSTAINED : CAPACITY_NOT_SUSTAINED;
    return true;
}

static struct capacity search(struct model *m)
{
    static const struct capacity_plan plan = {.slos = &slo,
                                              .slo_count = 1,
                                              .start_rps = 1000,
                                              .lowest_rps = 5,
                                              .ceiling_rps = 1e6,
                                              .precision = 0.02};
    struct capacity c;
    assert_int_equal(capacity_search(&c, &plan, run, m), 0);
    assert_int_equal(c.step_count, m->steps);
    return c;
}

static const struct capacity_step *last(const struct capacity *c)
{
    return &c->steps[c->step_count - 1];
}

static bool within(double rate_rps, double capacity_rps, double precision)
{
    return rate_rps <= capacity_rps && rate_rps * (1 + precision) > capacity_rps;
}

static void the_capacity_is_found_from_below_and_from_above(void **state)
{
    (void)state;
    static const double capacities[] = {6, 10, 431, 999, 1000, 1001, 8430, 123456, 999999};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct model m = model(capacities[i]);
        struct capacity c = search(&m);
        if (!within(c.rate_rps, capacities[i], 0.02))
            fail_msg("%g was found as %g", capacities[i], c.rate_rps);
        assert_int_equal(c.limit, CAPACITY_LIMIT_SLO);
        assert_false(capacity_is_lower_bound(&c));
        assert_int_equal(last(&c)->phase, CAPACITY_CONFIRM);
        assert_true(last(&c)->rate_rps == c.rate_rps);
        assert_true(c.step_count < 50);
        capacity_free(&c);
    }
}

static void the_peak_is_the_highest_goodput_and_not_the_capacity(void **state)
{
    (void)state;
    struct model m = model(1500);
    struct capacity c = search(&m);
    assert_true(fabs(c.peak_throughput_rps - 1875) < 1e-6);
    assert_true(c.rate_rps <= 1500);
    capacity_free(&c);
}

static void one_step_that_fails_changes_nothing_wherever_it_is(void **state)
{
    (void)state;
    struct model quiet = model(8430);
    struct capacity c = search(&quiet);
    double found_rps = c.rate_rps;
    unsigned steps = (unsigned)c.step_count; /* the last one is the confirmation */
    capacity_free(&c);
    for (unsigned n = 0; n < steps; n++) {
        struct model m = model(8430);
        m.stumbles = UINT64_C(1) << n;
        c = search(&m);
        if (c.rate_rps != found_rps)
            fail_msg("with step %u failed, %g was found as %g", n, found_rps, c.rate_rps);
        capacity_free(&c);
    }
}

static void a_step_that_fails_twice_is_believed(void **state)
{
    (void)state;
    struct model m = model(8430);
    m.stumbles = 3;
    struct capacity c = search(&m);
    assert_true(c.steps[0].rate_rps == 1000 && c.steps[1].rate_rps == 1000);
    assert_true(c.steps[2].rate_rps == 500);
    assert_true(c.rate_rps < 1000 && c.rate_rps > 970);
    capacity_free(&c);
}

static void what_did_not_hold_for_long_is_lowered_until_it_holds_twice(void **state)
{
    (void)state;
    struct model m = model(8430);
    m.confirmed_rps = 7800;
    struct capacity c = search(&m);
    assert_true(c.rate_rps <= 7800 && c.rate_rps > 7000);
    assert_int_equal(c.limit, CAPACITY_LIMIT_SLO);
    const struct capacity_step *s = last(&c);
    assert_true(s[0].phase == CAPACITY_CONFIRM && s[-1].phase == CAPACITY_CONFIRM);
    assert_true(s[0].rate_rps == s[-1].rate_rps && s[-2].rate_rps > s[-1].rate_rps);
    capacity_free(&c);
}

static void however_much_lower_the_rate_must_be(void **state)
{
    (void)state;
    struct model m = model(8430);
    for (m.confirmed_rps = 8000; m.confirmed_rps > 500; m.confirmed_rps /= 2) {
        m.steps = 0;
        struct capacity c = search(&m);
        assert_true(c.rate_rps > 0 && c.rate_rps <= m.confirmed_rps);
        assert_int_equal(c.limit, CAPACITY_LIMIT_SLO);
        capacity_free(&c);
    }
}

static void what_never_holds_for_long_is_not_sustained(void **state)
{
    (void)state;
    struct model m = model(8430);
    m.confirmed_rps = 0;
    struct capacity c = search(&m);
    assert_true(c.rate_rps == 0);
    assert_int_equal(c.limit, CAPACITY_LIMIT_NOTHING);
    capacity_free(&c);
}

static void a_generator_at_its_limit_makes_the_capacity_a_lower_bound(void **state)
{
    (void)state;
    struct model m = model(50000);
    m.generator_rps = 12000;
    struct capacity c = search(&m);
    assert_true(within(c.rate_rps, 12000, 0.02));
    assert_int_equal(c.limit, CAPACITY_LIMIT_GENERATOR);
    assert_true(capacity_is_lower_bound(&c));
    capacity_free(&c);
    m = model(9000); /* the generator ends the bracket, but is not what limits the server */
    m.generator_rps = 12000;
    c = search(&m);
    assert_true(within(c.rate_rps, 9000, 0.02));
    assert_int_equal(c.limit, CAPACITY_LIMIT_SLO);
    capacity_free(&c);
}

static void no_rate_beyond_the_ceiling_is_tried(void **state)
{
    (void)state;
    struct model m = model(1e9);
    struct capacity c = search(&m);
    assert_true(c.rate_rps == 1e6);
    assert_int_equal(c.limit, CAPACITY_LIMIT_CEILING);
    assert_true(capacity_is_lower_bound(&c));
    capacity_free(&c);
}

static void where_nothing_is_sustained_the_lowest_rate_is_the_last_tried(void **state)
{
    (void)state;
    struct model m = model(1);
    struct capacity c = search(&m);
    assert_true(c.rate_rps == 0);
    assert_int_equal(c.limit, CAPACITY_LIMIT_NOTHING);
    assert_false(capacity_is_lower_bound(&c));
    assert_true(last(&c)->rate_rps == 5);
    capacity_free(&c);
}

static void a_search_that_is_ended_keeps_its_path_and_the_best_so_far(void **state)
{
    (void)state;
    for (int undecided = 0; undecided < 2; undecided++) {
        struct model m = model(8430);
        unsigned *at = undecided ? &m.undecided_at : &m.ends_at;
        *at = 3; /* 1000, 2000 and 4000 were sustained */
        struct capacity c = search(&m);
        assert_int_equal(c.step_count, undecided ? 4 : 3);
        assert_true(c.rate_rps == 4000);
        assert_int_equal(c.limit, CAPACITY_LIMIT_UNKNOWN);
        assert_true(capacity_is_lower_bound(&c));
        capacity_free(&c);
    }
}

static void a_search_that_is_ended_does_not_report_a_rate_that_failed_its_confirmation(void **state)
{
    (void)state;
    struct model m = model(8430);
    m.confirmed_rps = 7000;
    struct capacity c = search(&m);
    unsigned confirm = 0;
    while (c.steps[confirm].phase != CAPACITY_CONFIRM)
        confirm++;
    double failed_rps = c.steps[confirm].rate_rps;
    capacity_free(&c);
    m.steps = 0;
    m.ends_at = confirm + 2;
    c = search(&m);
    assert_true(c.rate_rps > 0 && c.rate_rps < failed_rps);
    capacity_free(&c);
}

static void a_first_step_that_does_not_begin_leaves_nothing(void **state)
{
    (void)state;
    struct model m = model(8430);
    m.ends_at = 0;
    struct capacity c = search(&m);
    assert_true(c.step_count == 0 && c.rate_rps == 0 && c.peak_throughput_rps == 0);
    capacity_free(&c);
}

/* --- a step ----------------------------------------------------------------------------------- */

struct course {
    unsigned completed, errors, unfinished;
    double response_ms, unfinished_ms, lag_ms;
    bool cut_short, saturated;
};

static struct capacity_step judged_by(struct course c, const struct slo *slos, size_t count)
{
    struct tally t;
    assert_int_equal(tally_init(&t), 0);
    t.intended = c.completed + c.errors + c.unfinished;
    t.completed = c.completed;
    t.errors[ERROR_READ] = c.errors;
    t.unfinished = t.response_censored = c.unfinished;
    for (unsigned i = 0; i < c.completed; i++)
        histogram_record(t.response, (uint64_t)(c.response_ms * 1e6));
    for (unsigned i = 0; i < c.unfinished; i++)
        histogram_record(t.response, (uint64_t)(c.unfinished_ms * 1e6));
    histogram_record(t.send_lag, (uint64_t)(c.lag_ms * 1e6));
    const struct capacity_evidence e = {
        .tally = &t, .window_s = 2, .cut_short = c.cut_short, .generator_saturated = c.saturated};
    struct capacity_step s = {0};
    capacity_judge(&s, slos, count, &e);
    tally_free(&t);
    return s;
}

static struct capacity_step judged(struct course c)
{
    return judged_by(c, &slo, 1);
}

static void a_step_that_holds_is_sustained(void **state)
{
    (void)state;
    struct capacity_step s = judged((struct course){2000, 0, 3, 2, 1, 0.01, false, false});
    assert_int_equal(s.verdict, CAPACITY_SUSTAINED);
    assert_string_equal(s.reason, "");
    assert_true(s.intended == 2003 && s.completed == 2000 && s.errors == 0);
    assert_true(s.throughput_rps == 1000 && s.duration_s == 2);
    assert_true(fabs(s.p50_us - 2000) < 2 && fabs(s.observed[0] - 2000) < 2);
}

static void slow_answers_errors_and_missing_ones_are_not_sustained(void **state)
{
    (void)state;
    static const struct {
        struct course course;
        const char *reason;
    } cases[] = {
        {{2000, 0, 0, 12, 0, 0, false, false}, "p99 was 12 ms"},
        {{2000, 0, 30, 2, 500, 0, false, false}, "p99 was 500 ms"}, /* the censored count */
        {{0, 0, 5, 0, 1, 0, false, false}, "nothing was answered"},
        {{0, 0, 0, 0, 0, 0, false, false}, "nothing was answered"},
        {{1950, 50, 0, 2, 0, 0, false, false}, "2.5 % of the requests were errors"},
        {{1600, 0, 400, 2, 1, 0, false, false}, "20 % of the requests remained unanswered"},
        {{2000, 0, 0, 2, 0, 0, true, false}, "too many requests were unanswered at once"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capacity_step s = judged(cases[i].course);
        assert_int_equal(s.verdict, CAPACITY_NOT_SUSTAINED);
        assert_string_equal(s.reason, cases[i].reason);
    }
}

static void errors_that_the_level_allows_are_sustained(void **state)
{
    (void)state;
    static const struct slo both[] = {
        {"p99<10ms", SLO_QUANTILE, 0.99, 10000},
        {"errors<5%", SLO_ERRORS, 0, 0.05},
    };
    assert_int_equal(
        judged_by((struct course){1950, 50, 0, 2, 0, 0, false, false}, both, 2).verdict,
        CAPACITY_SUSTAINED);
    assert_int_equal(
        judged_by((struct course){1800, 200, 0, 2, 0, 0, false, false}, both, 2).verdict,
        CAPACITY_NOT_SUSTAINED);
}

static void a_generator_that_may_be_why_leaves_it_open(void **state)
{
    (void)state;
    /* at its limit */
    assert_int_equal(judged((struct course){2000, 0, 0, 90, 0, 0, false, true}).verdict,
                     CAPACITY_GENERATOR_BOUND);
    /* late, and but for that it would have held */
    assert_int_equal(judged((struct course){2000, 0, 0, 12, 0, 3, false, false}).verdict,
                     CAPACITY_GENERATOR_BOUND);
    /* late, but that is not why */
    assert_int_equal(judged((struct course){2000, 0, 0, 90, 0, 3, false, false}).verdict,
                     CAPACITY_NOT_SUSTAINED);
    /* later than any answer may be */
    assert_int_equal(judged((struct course){2000, 0, 0, 90, 0, 11, false, false}).verdict,
                     CAPACITY_GENERATOR_BOUND);
    /* late by less than matters */
    assert_int_equal(judged((struct course){2000, 0, 0, 10.5, 0, 0.9, false, false}).verdict,
                     CAPACITY_NOT_SUSTAINED);
    /* what holds in spite of it holds */
    assert_int_equal(judged((struct course){2000, 0, 0, 2, 0, 1.5, false, true}).verdict,
                     CAPACITY_SUSTAINED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_capacity_is_found_from_below_and_from_above),
        cmocka_unit_test(the_peak_is_the_highest_goodput_and_not_the_capacity),
        cmocka_unit_test(one_step_that_fails_changes_nothing_wherever_it_is),
        cmocka_unit_test(a_step_that_fails_twice_is_believed),
        cmocka_unit_test(what_did_not_hold_for_long_is_lowered_until_it_holds_twice),
        cmocka_unit_test(however_much_lower_the_rate_must_be),
        cmocka_unit_test(what_never_holds_for_long_is_not_sustained),
        cmocka_unit_test(a_generator_at_its_limit_makes_the_capacity_a_lower_bound),
        cmocka_unit_test(no_rate_beyond_the_ceiling_is_tried),
        cmocka_unit_test(where_nothing_is_sustained_the_lowest_rate_is_the_last_tried),
        cmocka_unit_test(a_search_that_is_ended_keeps_its_path_and_the_best_so_far),
        cmocka_unit_test(
            a_search_that_is_ended_does_not_report_a_rate_that_failed_its_confirmation),
        cmocka_unit_test(a_first_step_that_does_not_begin_leaves_nothing),
        cmocka_unit_test(a_step_that_holds_is_sustained),
        cmocka_unit_test(slow_answers_errors_and_missing_ones_are_not_sustained),
        cmocka_unit_test(errors_that_the_level_allows_are_sustained),
        cmocka_unit_test(a_generator_that_may_be_why_leaves_it_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
