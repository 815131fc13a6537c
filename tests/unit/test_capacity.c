/* What a window says, and the search for the capacity, against a server that is a formula. */
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
    double capacity_rps, generator_rps, cpu_us;
    unsigned ends_at;       /* this window is not begun */
    unsigned interrupts_at; /* this one does not come to its end */
    uint64_t stolen;        /* bit n: the machine is disturbed in window n, which fails */
    unsigned windows;
};

static struct model model(double capacity_rps)
{
    return (struct model){.capacity_rps = capacity_rps,
                          .generator_rps = INFINITY,
                          .cpu_us = 100,
                          .ends_at = UINT32_MAX,
                          .interrupts_at = UINT32_MAX};
}

static bool measure(void *argument, struct capacity_window *w)
{
    struct model *m = argument;
    assert_int_equal(w->number, m->windows); /* its seed depends on it */
    if (w->number == m->ends_at)
        return false;
    m->windows++;
    bool stolen = m->stolen >> w->number & 1;
    w->generator_bound = w->rate_rps > m->generator_rps;
    w->throughput_rps = fmin(fmin(w->rate_rps, m->capacity_rps * 1.25), m->generator_rps);
    w->completed = (uint64_t)(w->throughput_rps * w->window_s);
    w->cpu_us_per_request = m->cpu_us * (w->rate_rps < m->capacity_rps / 2 ? 2 : 1);
    w->steal_share = stolen ? 0.2 : 0.01;
    bool held = !stolen && !w->generator_bound && w->rate_rps <= m->capacity_rps;
    w->verdict = held ? CAPACITY_HELD : CAPACITY_FAILED;
    if (w->number != m->interrupts_at)
        return true;
    w->verdict = CAPACITY_UNDECIDED;
    strcpy(w->reason, "interrupted");
    return false;
}

static struct capacity_plan plan = {
    .slos = &slo, .slo_count = 1, .windows = 16, .window_s = 2, .first_rps = 1000, .draw = 0.3};

static struct capacity search(struct model *m)
{
    struct capacity c;
    assert_int_equal(capacity_search(&c, &plan, measure, m), 0);
    assert_int_equal(c.window_count, m->windows);
    return c;
}

static void the_capacity_is_found_from_below_and_from_above(void **state)
{
    (void)state;
    static const double capacities[] = {60, 431, 999, 1000, 1001, 8430, 123456};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct model m = model(capacities[i]);
        struct capacity c = search(&m);
        if (fabs(log(c.rate_rps / capacities[i])) > 0.05)
            fail_msg("%g was found as %g", capacities[i], c.rate_rps);
        assert_true(c.low_rps < capacities[i] && capacities[i] < c.high_rps);
        assert_int_equal(c.limit, CAPACITY_LIMIT_SLO);
        assert_false(c.lower_bound);
        assert_true(fabs(c.peak_throughput_rps / capacities[i] - 1) < 0.26);
        capacity_free(&c);
    }
}

static void windows_are_as_long_as_their_rate_requires(void **state)
{
    (void)state;
    struct model m = model(60);
    struct capacity c = search(&m);
    assert_true(capacity_lowest_rps(&plan) == 50); /* 500 requests in five times the length */
    for (size_t i = 0; i < c.window_count; i++) {
        assert_true(c.windows[i].rate_rps >= 50);
        assert_true(fabs(c.windows[i].window_s - fmax(2, 500 / c.windows[i].rate_rps)) < 1e-9);
    }
    capacity_free(&c);
}

static void the_bound_is_that_of_the_windows_that_held_near_the_capacity(void **state)
{
    (void)state;
    struct model m = model(8430);
    struct capacity c = search(&m);
    assert_true(isnan(c.bound_rps));
    capacity_bind(&c, 2);
    assert_true(fabs(c.bound_rps - 20000) < 1);
    capacity_bind(&c, 0);
    assert_true(isnan(c.bound_rps));
    capacity_free(&c);
}

static void windows_on_a_disturbed_machine_say_nothing_unless_half_are(void **state)
{
    (void)state;
    struct model m = model(8430);
    m.stolen = 0x249; /* windows 0, 3, 6 and 9 */
    struct capacity c = search(&m);
    for (size_t i = 0; i < c.window_count; i++)
        assert_true((c.windows[i].verdict == CAPACITY_UNDECIDED) == (m.stolen >> i & 1));
    assert_string_equal(c.windows[3].reason,
                        "the hypervisor gave 20 % of the CPUs' time to others");
    assert_true(fabs(log(c.rate_rps / 8430)) < 0.1);
    capacity_free(&c);
    m = model(8430);
    m.stolen = UINT64_MAX;
    c = search(&m);
    for (size_t i = 0; i < c.window_count; i++)
        assert_int_equal(c.windows[i].verdict, i < 8 ? CAPACITY_UNDECIDED : CAPACITY_FAILED);
    capacity_free(&c);
}

static void a_generator_at_its_limit_makes_the_capacity_a_lower_bound(void **state)
{
    (void)state;
    struct model m = model(50000);
    m.generator_rps = 12000;
    struct capacity c = search(&m);
    assert_true(fabs(log(c.rate_rps / 12000)) < 0.05);
    assert_int_equal(c.limit, CAPACITY_LIMIT_GENERATOR);
    assert_true(c.lower_bound);
    capacity_free(&c);
    m = model(9000); /* the generator fails the highest rates, but does not limit the server */
    m.generator_rps = 25000;
    c = search(&m);
    assert_int_equal(c.limit, CAPACITY_LIMIT_SLO);
    assert_false(c.lower_bound);
    capacity_free(&c);
}

static void where_nothing_holds_the_lowest_rate_is_the_last_tried(void **state)
{
    (void)state;
    struct model m = model(1);
    struct capacity c = search(&m);
    assert_true(c.rate_rps == 0 && !c.lower_bound && isnan(c.low_rps));
    assert_int_equal(c.limit, CAPACITY_LIMIT_NOTHING);
    assert_true(c.windows[c.window_count - 1].rate_rps == 50);
    capacity_free(&c);
}

static void a_search_that_is_ended_keeps_what_it_has(void **state)
{
    (void)state;
    for (int interrupted = 0; interrupted < 2; interrupted++) {
        struct model m = model(8430);
        *(interrupted ? &m.interrupts_at : &m.ends_at) = 2; /* 1000 and 3000 held */
        struct capacity c = search(&m);
        assert_int_equal(c.window_count, interrupted ? 3 : 2);
        assert_true(c.rate_rps > 1000 && c.rate_rps <= 3000 && isnan(c.high_rps));
        assert_int_equal(c.limit, CAPACITY_LIMIT_UNKNOWN);
        assert_true(c.lower_bound);
        capacity_free(&c);
    }
    struct model m = model(8430);
    m.ends_at = 0;
    struct capacity c = search(&m);
    assert_true(c.window_count == 0 && c.rate_rps == 0 && !c.answered);
    capacity_free(&c);
}

/* --- a window --------------------------------------------------------------------------------- */

struct course {
    unsigned completed, errors, unfinished;
    double response_ms, unfinished_ms, lag_ms;
    bool cut_short, saturated;
};

static struct capacity_window judged_by(struct course c, const struct slo *slos, size_t count)
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
    const struct capacity_evidence e = {.tally = &t,
                                        .window_s = 2,
                                        .server_cpu_s = 0.5,
                                        .steal_share = 0.01,
                                        .cut_short = c.cut_short,
                                        .generator_saturated = c.saturated};
    struct capacity_window s = {0};
    capacity_judge(&s, slos, count, &e);
    tally_free(&t);
    return s;
}

static struct capacity_window judged(struct course c)
{
    return judged_by(c, &slo, 1);
}

static void a_window_that_holds_has_no_reason(void **state)
{
    (void)state;
    struct capacity_window s = judged((struct course){2000, 0, 3, 2, 1, 0.01, false, false});
    assert_int_equal(s.verdict, CAPACITY_HELD);
    assert_string_equal(s.reason, "");
    assert_true(s.intended == 2003 && s.completed == 2000 && s.errors == 0);
    assert_true(s.throughput_rps == 1000 && s.duration_s == 2);
    assert_true(s.cpu_us_per_request == 250 && s.steal_share == 0.01);
    assert_true(fabs(s.p50_us - 2000) < 2);
}

static void slow_answers_errors_and_missing_ones_fail(void **state)
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
        struct capacity_window s = judged(cases[i].course);
        assert_int_equal(s.verdict, CAPACITY_FAILED);
        assert_string_equal(s.reason, cases[i].reason);
    }
}

static void errors_that_the_level_allows_hold(void **state)
{
    (void)state;
    static const struct slo both[] = {
        {"p99<10ms", SLO_QUANTILE, 0.99, 10000},
        {"errors<5%", SLO_ERRORS, 0, 0.05},
    };
    assert_int_equal(
        judged_by((struct course){1950, 50, 0, 2, 0, 0, false, false}, both, 2).verdict,
        CAPACITY_HELD);
    assert_int_equal(
        judged_by((struct course){1800, 200, 0, 2, 0, 0, false, false}, both, 2).verdict,
        CAPACITY_FAILED);
}

static void a_generator_that_may_be_why_a_window_failed_is_named(void **state)
{
    (void)state;
    static const struct {
        struct course course;
        enum capacity_verdict verdict;
        bool generator_bound;
    } cases[] = {
        /* at its limit */
        {{2000, 0, 0, 90, 0, 0, false, true}, CAPACITY_FAILED, true},
        /* late, and but for that it would have held */
        {{2000, 0, 0, 12, 0, 3, false, false}, CAPACITY_FAILED, true},
        /* late, but that is not why */
        {{2000, 0, 0, 90, 0, 3, false, false}, CAPACITY_FAILED, false},
        /* later than any answer may be */
        {{2000, 0, 0, 90, 0, 11, false, false}, CAPACITY_FAILED, true},
        /* late by less than matters */
        {{2000, 0, 0, 10.5, 0, 0.9, false, false}, CAPACITY_FAILED, false},
        /* what holds in spite of it holds */
        {{2000, 0, 0, 2, 0, 1.5, false, true}, CAPACITY_HELD, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct capacity_window w = judged(cases[i].course);
        assert_int_equal(w.verdict, cases[i].verdict);
        assert_int_equal(w.generator_bound, cases[i].generator_bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_capacity_is_found_from_below_and_from_above),
        cmocka_unit_test(windows_are_as_long_as_their_rate_requires),
        cmocka_unit_test(the_bound_is_that_of_the_windows_that_held_near_the_capacity),
        cmocka_unit_test(windows_on_a_disturbed_machine_say_nothing_unless_half_are),
        cmocka_unit_test(a_generator_at_its_limit_makes_the_capacity_a_lower_bound),
        cmocka_unit_test(where_nothing_holds_the_lowest_rate_is_the_last_tried),
        cmocka_unit_test(a_search_that_is_ended_keeps_what_it_has),
        cmocka_unit_test(a_window_that_holds_has_no_reason),
        cmocka_unit_test(slow_answers_errors_and_missing_ones_fail),
        cmocka_unit_test(errors_that_the_level_allows_hold),
        cmocka_unit_test(a_generator_that_may_be_why_a_window_failed_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
