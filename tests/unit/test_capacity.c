/* The service level's conditions, and the search for the highest rate that meets them, on servers
 * that exist only as a function. */
#include "loadgen/search.h"
#include "loadgen/slo.h"

#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- objectives ------------------------------------------------------------------------------- */

static void conditions_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum slo_quantity quantity;
        double quantile, limit;
    } known[] = {
        {"p99<10ms", SLO_QUANTILE, 0.99, 10e3},
        {"p50<250us", SLO_QUANTILE, 0.5, 250},
        {"p99.99<1.5s", SLO_QUANTILE, 0.9999, 1.5e6},
        {"max<2s", SLO_QUANTILE, 1, 2e6},
        {"mean<3ms", SLO_MEAN, 0, 3e3},
        {"errors<0.1%", SLO_ERRORS, 0, 0.001},
        {"errors<0.25", SLO_ERRORS, 0, 0.25},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct slo s;
        assert_null(slo_parse(known[i].text, &s));
        assert_int_equal(s.quantity, known[i].quantity);
        assert_true(fabs(s.quantile - known[i].quantile) < 1e-9);
        assert_true(fabs(s.limit - known[i].limit) < 1e-9 * known[i].limit);
    }
}

static void others_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",         "p99",      "p99<",      "p99<10",   "p99<ms",     "p99<-1ms",    "p99<0ms",
        "p99>10ms", "p98<10ms", "p99<10min", "p9<1ms",   "p99.9x<1ms", "errors<10ms", "errors<101%",
        "errors<2", "<1ms",     "p99<10ms ", "p99 <10ms"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct slo s;
        if (!slo_parse(wrong[i], &s))
            fail_msg("\"%s\" was taken", wrong[i]);
    }
}

static void an_objective_is_met_by_what_was_observed(void **state)
{
    (void)state;
    struct tally t;
    struct slo p50, p99, errors;
    assert_int_equal(tally_init(&t), 0);
    assert_null(slo_parse("p50<2ms", &p50));
    assert_null(slo_parse("p99<2ms", &p99));
    assert_null(slo_parse("errors<1%", &errors));
    assert_false(slo_met(&p50, &t)); /* nothing was answered */
    for (int i = 0; i < 1000; i++)
        histogram_record(t.response, i < 980 ? 1000000 : 9000000);
    t.completed = 1000;
    assert_true(slo_met(&p50, &t));
    assert_false(slo_met(&p99, &t));
    assert_true(fabs(slo_observed(&p99, &t) - 9000) < 9);
    assert_true(slo_met(&errors, &t));
    t.errors[ERROR_STATUS] = 11;
    assert_false(slo_met(&errors, &t));
    assert_true(fabs(slo_observed(&errors, &t) - 11.0 / 1011) < 1e-12);
    tally_free(&t);
}

static void the_tightest_time_is_known(void **state)
{
    (void)state;
    struct slo s[3];
    assert_null(slo_parse("errors<1%", &s[0]));
    assert_null(slo_parse("p99<10ms", &s[1]));
    assert_null(slo_parse("p50<2ms", &s[2]));
    assert_true(fabs(slo_tightest_us(s, 3) - 2000) < 1e-9);
    assert_true(fabs(slo_tightest_us(s, 1) - 100e3) < 1e-9);
}

/* --- the search ------------------------------------------------------------------------------- */

/* A server that sustains up to its capacity, but for some bad luck; a generator with a limit. */
struct fake {
    double capacity_rps, generator_rps;
    double bad_luck; /* the share of steps that nearly fail although the rate is low enough */
    gsl_rng *random;
    unsigned steps, steps_most;
    double confirmed_rps, highest_rps;
};

static enum search_answer step(void *argument, enum search_phase phase, double rate_rps)
{
    struct fake *f = argument;
    if (++f->steps > f->steps_most)
        return STEP_STOPPED;
    f->highest_rps = fmax(f->highest_rps, rate_rps);
    if (rate_rps > f->generator_rps)
        return STEP_GENERATOR;
    if (rate_rps > f->capacity_rps)
        return rate_rps > 1.2 * f->capacity_rps ? STEP_FAILED : STEP_NEARLY;
    if (f->random && gsl_rng_uniform(f->random) < f->bad_luck)
        return STEP_NEARLY;
    if (phase == SEARCH_CONFIRM)
        f->confirmed_rps = rate_rps;
    return STEP_SUSTAINED;
}

static struct search_result run(struct fake *f, double start_rps)
{
    const struct search search = {.start_rps = start_rps,
                                  .least_rps = 10,
                                  .ceiling_rps = 1e6,
                                  .precision = 0.02,
                                  .step = step,
                                  .argument = f};
    f->steps = 0;
    if (f->generator_rps == 0)
        f->generator_rps = INFINITY;
    if (f->steps_most == 0)
        f->steps_most = 1000;
    return search_capacity(&search);
}

static void the_capacity_is_found_from_below_and_from_above(void **state)
{
    (void)state;
    static const double starts[] = {10, 1000, 7777, 500000};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct fake f = {.capacity_rps = 7777};
        struct search_result r = run(&f, starts[i]);
        assert_int_equal(r.limit, LIMITED_BY_SLO);
        assert_true(r.rate_rps <= 7777);
        assert_true(r.rate_rps > 7777 / 1.021);
        assert_true(fabs(f.confirmed_rps - r.rate_rps) < 1e-9);
        assert_true(f.steps < 40);
    }
}

static void a_bad_moment_does_not_halve_the_capacity(void **state)
{
    (void)state;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_taus2);
    for (int i = 0; i < 100; i++) {
        struct fake f = {.capacity_rps = 3000, .bad_luck = 0.1, .random = random};
        struct search_result r = run(&f, 500);
        assert_int_equal(r.limit, LIMITED_BY_SLO);
        assert_true(r.rate_rps <= 3000);
        /* Two bad moments in a row cost a step of the bisection or, at worst, a doubling. */
        assert_true(r.rate_rps > 500);
    }
    gsl_rng_free(random);
}

static void where_the_generator_is_the_limit_the_rate_is_a_lower_bound(void **state)
{
    (void)state;
    struct fake f = {.capacity_rps = 50000, .generator_rps = 20000};
    struct search_result r = run(&f, 1000);
    assert_int_equal(r.limit, LIMITED_BY_GENERATOR);
    assert_true(r.rate_rps <= 20000 && r.rate_rps > 20000 / 1.021);
}

static void what_sustains_nothing_has_no_capacity(void **state)
{
    (void)state;
    struct fake f = {.capacity_rps = 5};
    struct search_result r = run(&f, 1000);
    assert_int_equal(r.limit, NOTHING_SUSTAINED);
    assert_true(r.rate_rps == 0);
}

static void the_search_ends_at_its_ceiling(void **state)
{
    (void)state;
    struct fake f = {.capacity_rps = 1e9};
    struct search_result r = run(&f, 1000);
    assert_int_equal(r.limit, LIMITED_BY_CEILING);
    assert_true(r.rate_rps == 1e6);
    assert_true(f.highest_rps <= 1e6);
}

static void it_stops_wherever_it_is_told_to(void **state)
{
    (void)state;
    struct fake whole = {.capacity_rps = 7777};
    run(&whole, 100);
    for (unsigned most = 0; most < whole.steps; most++) {
        struct fake f = {.capacity_rps = 7777, .steps_most = most ? most : 1};
        struct search_result r = run(&f, 100);
        assert_int_equal(r.limit, SEARCH_STOPPED);
        assert_int_equal(f.steps, (most ? most : 1) + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_understood),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(an_objective_is_met_by_what_was_observed),
        cmocka_unit_test(the_tightest_time_is_known),
        cmocka_unit_test(the_capacity_is_found_from_below_and_from_above),
        cmocka_unit_test(a_bad_moment_does_not_halve_the_capacity),
        cmocka_unit_test(where_the_generator_is_the_limit_the_rate_is_a_lower_bound),
        cmocka_unit_test(what_sustains_nothing_has_no_capacity),
        cmocka_unit_test(the_search_ends_at_its_ceiling),
        cmocka_unit_test(it_stops_wherever_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
