/* Service levels: what is one, and what holds it. */
#include "loadgen/slo.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct slo parsed(const char *text)
{
    struct slo slo;
    if (!slo_parse(text, &slo))
        fail_msg("%s was refused", text);
    return slo;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

static struct tally empty(void)
{
    struct tally t;
    assert_int_equal(tally_init(&t), 0);
    return t;
}

static void every_quantity_is_read_with_its_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum slo_kind kind;
        double quantile, limit;
    } cases[] = {
        {"p50<500us", SLO_QUANTILE, 0.5, 500},    {"p75<1ms", SLO_QUANTILE, 0.75, 1000},
        {"p90<1.5ms", SLO_QUANTILE, 0.9, 1500},   {"p95<.5ms", SLO_QUANTILE, 0.95, 500},
        {"p99<10ms", SLO_QUANTILE, 0.99, 10000},  {"p99.9<1s", SLO_QUANTILE, 0.999, 1e6},
        {"p99.99<2s", SLO_QUANTILE, 0.9999, 2e6}, {"max<0.25s", SLO_QUANTILE, 1, 250000},
        {"mean<3ms", SLO_MEAN, 0, 3000},          {"errors<0.1%", SLO_ERRORS, 0, 0.001},
        {"errors<0.001", SLO_ERRORS, 0, 0.001},   {"errors<100%", SLO_ERRORS, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slo slo = parsed(cases[i].text);
        assert_int_equal(slo.kind, cases[i].kind);
        assert_true(slo.quantile == cases[i].quantile);
        assert_true(near(slo.limit, cases[i].limit));
        assert_string_equal(slo.text, cases[i].text);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",          "p99",         "p99<",     "p99<10",    "p99<ms",     "p99>10ms",
        "p99<=10ms", "p98<10ms",    "P99<10ms", "p99<10 ms", "p99 <10ms",  "p99<10m",
        "p99<-1ms",  "p99<1e3ms",   "p99<0ms",  "p99<10%",   "mean<nanms", "<10ms",
        "p99<10msx", "errors<1s",   "errors<",  "errors<%",  "errors<0%",  "errors<101%",
        "errors<2",  "p99<1.2.3ms",
    };
    struct slo slo;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (slo_parse(wrong[i], &slo))
            fail_msg("%s was taken", wrong[i]);
}

static void what_is_observed_are_the_response_times_with_the_censored(void **state)
{
    (void)state;
    struct tally t = empty();
    for (unsigned i = 1; i <= 98; i++)
        histogram_record(t.response, 1000000);
    t.completed = 98;
    histogram_record(t.response, 50000000); /* two that were not answered, with their age */
    histogram_record(t.response, 50000000);
    t.response_censored = t.unfinished = 2;
    struct slo p50 = parsed("p50<2ms"), p99 = parsed("p99<2ms"), max = parsed("max<60ms");
    struct slo mean = parsed("mean<2ms");
    assert_true(fabs(slo_observe(&p50, &t) - 1000) < 1);
    assert_true(fabs(slo_observe(&p99, &t) - 50000) < 50);
    assert_true(near(slo_observe(&max, &t), 50000));
    assert_true(near(slo_observe(&mean, &t), 1980));
    assert_true(slo_holds(&p50, slo_observe(&p50, &t)));
    assert_false(slo_holds(&p99, slo_observe(&p99, &t)));
    assert_true(slo_holds(&max, slo_observe(&max, &t)));
    assert_true(slo_holds(&mean, slo_observe(&mean, &t)));
    tally_free(&t);
}

static void errors_are_a_share_of_what_ended(void **state)
{
    (void)state;
    struct tally t = empty();
    struct slo errors = parsed("errors<1%");
    assert_true(isnan(slo_observe(&errors, &t)));
    t.completed = 995;
    t.errors[ERROR_READ] = 3;
    t.errors[ERROR_TIMEOUT] = 2;
    t.unfinished = 500;
    assert_true(near(slo_observe(&errors, &t), 0.005));
    assert_true(slo_holds(&errors, 0.005));
    assert_false(slo_holds(&errors, 0.01));
    tally_free(&t);
}

static void what_was_not_measured_does_not_hold(void **state)
{
    (void)state;
    struct tally t = empty();
    struct slo slos[] = {parsed("p99<1s"), parsed("mean<1s"), parsed("errors<50%")};
    for (size_t i = 0; i < 3; i++) {
        assert_true(isnan(slo_observe(&slos[i], &t)));
        assert_false(slo_holds(&slos[i], NAN));
    }
    tally_free(&t);
}

static void a_description_says_what_was(void **state)
{
    (void)state;
    char text[64];
    struct slo p999 = parsed("p99.9<10ms"), errors = parsed("errors<1%");
    slo_describe(&p999, 12340, text, sizeof text);
    assert_string_equal(text, "p99.9 was 12.3 ms");
    slo_describe(&p999, 1.5e6, text, sizeof text);
    assert_string_equal(text, "p99.9 was 1.5 s");
    slo_describe(&p999, NAN, text, sizeof text);
    assert_string_equal(text, "p99.9 was not measured");
    slo_describe(&errors, 0.025, text, sizeof text);
    assert_string_equal(text, "errors was 2.5 %");
}

static void of_several_the_tightest_counts(void **state)
{
    (void)state;
    struct slo slos[] = {parsed("errors<2%"), parsed("p99<10ms"), parsed("p50<2ms"),
                         parsed("errors<0.5%")};
    assert_true(near(slo_tightest_us(slos, 4), 2000));
    assert_true(isnan(slo_tightest_us(slos, 1)));
    assert_true(near(slo_errors_allowed(slos, 4, 0.01), 0.005));
    assert_true(near(slo_errors_allowed(&slos[1], 2, 0.01), 0.01));
}

/* The definition itself, on the mildest course that ends with a backlog: everybody is answered at
 * once but the last n, who are still waiting. With one more than is allowed, it must not hold. */
static void more_outstanding_than_is_allowed_cannot_hold(void **state)
{
    (void)state;
    static const char *const texts[] = {"p50<10ms", "p99<10ms", "p99.9<100ms", "max<50ms",
                                        "mean<5ms"};
    const double rate_rps = 10000, span_s = 2;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct slo slo = parsed(texts[i]);
        double most = slo_most_outstanding(&slo, 1, rate_rps, span_s);
        uint64_t waiting = (uint64_t)most + 1, all = (uint64_t)(rate_rps * span_s);
        assert_true(waiting < all);
        struct tally t = empty();
        t.completed = all - waiting;
        for (uint64_t k = 0; k < t.completed; k++)
            histogram_record(t.response, 1);
        for (uint64_t k = 0; k < waiting; k++)
            histogram_record(t.response, (uint64_t)((double)k / rate_rps * 1e9));
        if (slo_holds(&slo, slo_observe(&slo, &t)))
            fail_msg("%s holds with %llu waiting", texts[i], (unsigned long long)waiting);
        tally_free(&t);
    }
}

static void nothing_is_hopeless_for_a_condition_on_errors(void **state)
{
    (void)state;
    struct slo slos[] = {parsed("errors<1%"), parsed("p99<10ms")};
    assert_true(isinf(slo_most_outstanding(slos, 1, 1000, 2)));
    double most = slo_most_outstanding(slos, 2, 1000, 2);
    assert_true(most > 30 && most < 60); /* 10 of the last 10 ms, 20 of all, and chance */
}

static void a_window_needs_requests_beyond_each_quantile(void **state)
{
    (void)state;
    struct slo slos[] = {parsed("errors<1%"), parsed("max<10ms"), parsed("p99<10ms"),
                         parsed("p99.9<20ms")};
    assert_true(slo_least_requests(slos, 2) == 100);
    assert_true(slo_least_requests(slos, 3) == 500);
    assert_true(slo_least_requests(slos, 4) == 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_quantity_is_read_with_its_limit),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(what_is_observed_are_the_response_times_with_the_censored),
        cmocka_unit_test(errors_are_a_share_of_what_ended),
        cmocka_unit_test(what_was_not_measured_does_not_hold),
        cmocka_unit_test(a_description_says_what_was),
        cmocka_unit_test(of_several_the_tightest_counts),
        cmocka_unit_test(more_outstanding_than_is_allowed_cannot_hold),
        cmocka_unit_test(nothing_is_hopeless_for_a_condition_on_errors),
        cmocka_unit_test(a_window_needs_requests_beyond_each_quantile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
