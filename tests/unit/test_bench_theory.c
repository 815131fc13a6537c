/* The theory, against what the textbooks print, and against simulation. */
#include "bench/validate/theory.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double expected, double relative)
{
    if (!(fabs(value - expected) <= relative * fabs(expected)))
        fail_msg("%.9g, expected %.9g", value, expected);
}

static void one_server_is_m_m_1(void **state)
{
    (void)state;
    /* P(wait) = utilisation; the mean is 1 / (mu - lambda); the response time is exponential. */
    assert_near(erlang_c(80, 0.01, 1), 0.8, 1e-12);
    assert_near(mmc_mean_s(80, 0.01, 1), 1 / (100.0 - 80), 1e-12);
    assert_near(mmc_quantile_s(80, 0.01, 1, 0.99), log(100) / 20, 1e-6);
    assert_near(mmc_quantile_s(80, 0.01, 1, 0.5), log(2) / 20, 1e-6);
}

static void erlang_c_is_as_by_its_definition(void **state)
{
    (void)state;
    for (unsigned servers = 1; servers <= 16; servers++) {
        double load = 0.85 * servers, term = 1, sum = 0;
        for (unsigned k = 0; k < servers; k++) {
            sum += term; /* load^k / k! */
            term *= load / (k + 1);
        }
        double last = term / (1 - 0.85);
        assert_near(erlang_c(load, 1, servers), last / (sum + last), 1e-9);
    }
    /* Two servers at utilisation 1/2: 1/3 has to wait. */
    assert_near(erlang_c(1, 1, 2), 1.0 / 3, 1e-12);
}

static void at_and_above_saturation_there_is_no_answer(void **state)
{
    (void)state;
    assert_true(isnan(erlang_c(100, 0.01, 1)));
    assert_true(isnan(mmc_mean_s(500, 0.01, 4)));
    assert_true(isnan(mmc_quantile_s(500, 0.01, 4, 0.5)));
}

enum { CUSTOMERS = 400000 };

/* First come, first served: each arrival goes to the server that is free first. */
static void simulate(double lambda, double service_s, unsigned servers, double *responses)
{
    double free_s[16] = {0}, now_s = 0;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    for (size_t i = 0; i < CUSTOMERS; i++) {
        unsigned first = 0;
        for (unsigned k = 1; k < servers; k++)
            first = free_s[k] < free_s[first] ? k : first;
        now_s += gsl_ran_exponential(rng, 1 / lambda);
        double begin_s = fmax(now_s, free_s[first]);
        free_s[first] = begin_s + gsl_ran_exponential(rng, service_s);
        responses[i] = free_s[first] - now_s;
    }
    gsl_rng_free(rng);
}

static void simulated_queues_behave_as_the_theory_says(void **state)
{
    (void)state;
    static const unsigned servers[] = {1, 4, 16};
    static double responses[CUSTOMERS];
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        double sum = 0, lambda = 0.7 * servers[i] / 0.005;
        simulate(lambda, 0.005, servers[i], responses);
        for (size_t k = 0; k < CUSTOMERS; k++)
            sum += responses[k];
        gsl_sort(responses, 1, CUSTOMERS);
        assert_near(sum / CUSTOMERS, mmc_mean_s(lambda, 0.005, servers[i]), 0.03);
        assert_near(responses[CUSTOMERS / 2], mmc_quantile_s(lambda, 0.005, servers[i], 0.5), 0.03);
        assert_near(responses[CUSTOMERS / 100 * 99],
                    mmc_quantile_s(lambda, 0.005, servers[i], 0.99), 0.04);
    }
}

/* Pollaczek and Khinchine: with constant service the wait is half of that in M/M/1. */
static void simulated_windows_of_constant_service_have_the_mean_of_the_formula(void **state)
{
    (void)state;
    for (double utilisation = 0.3; utilisation < 0.9; utilisation += 0.25) {
        const struct mdc q = {
            .service_s = 0.01, .beyond_s = 0.002, .servers = 1, .warmup_s = 10, .window_s = 4000};
        double wait_s = utilisation * q.service_s / (2 * (1 - utilisation));
        assert_near(mdc_simulated_mean_s(&q, utilisation / q.service_s, 1),
                    q.service_s + q.beyond_s + wait_s, 0.02);
    }
}

static void the_capacity_is_where_half_of_the_windows_hold(void **state)
{
    (void)state;
    /* Long windows, and a limit that only a queue without end breaks: saturation. */
    struct mdc q = {.service_s = 0.01,
                    .servers = 4,
                    .warmup_s = 1,
                    .window_s = 6,
                    .quantile = 0.99,
                    .limit_s = 0.2};
    double long_rps = mdc_capacity_rps(&q, 1);
    assert_near(long_rps, 400, 0.05);
    q.limit_s = 0.03;
    double tight_rps = mdc_capacity_rps(&q, 1);
    assert_true(tight_rps > 200 && tight_rps < 0.97 * long_rps);
    assert_near(mdc_capacity_rps(&q, 1000), tight_rps, 0.03); /* other numbers, same answer */
    q.limit_s = 0.0099;                                       /* below the service time */
    assert_true(mdc_capacity_rps(&q, 1) < 45);
}

static void with_c_minus_load_equal_to_one_the_quantile_has_its_own_formula(void **state)
{
    (void)state;
    /* c mu - lambda = mu: the general formula would divide by zero. */
    double at = mmc_quantile_s(200, 0.01, 3, 0.9);
    assert_near(at, mmc_quantile_s(200.001, 0.01, 3, 0.9), 1e-3);
}

static void a_stall_delays_what_arrives_in_it(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static double responses[COUNT];
    /* 10,000 arrivals in 10 s; the server stands still from second 3 to 4. */
    for (int i = 0; i < COUNT; i++) {
        double at_s = (i + 0.5) * 1e-3;
        responses[i] = 1e-4 + (at_s >= 3 && at_s < 4 ? 4 - at_s : 0);
    }
    gsl_sort(responses, 1, COUNT);
    static const double quantiles[] = {0.5, 0.89, 0.95, 0.99, 0.999};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        assert_near(responses[(size_t)(quantiles[i] * COUNT) - 1],
                    stall_quantile_s(1, 10, 1e-4, quantiles[i]), 0.002);
}

static void the_statistic_tells_the_exponential_law_from_others(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static double exponential[COUNT], slower[COUNT], even[COUNT];
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    for (int i = 0; i < COUNT; i++) {
        exponential[i] = gsl_ran_exponential(rng, 2);
        slower[i] = exponential[i] * 1.1;
        even[i] = 2;
    }
    gsl_rng_free(rng);
    gsl_sort(exponential, 1, COUNT);
    gsl_sort(slower, 1, COUNT);
    double critical = ks_critical(COUNT, 0.01);
    assert_near(critical, 1.628 / sqrt(COUNT), 0.001); /* as in the tables */
    assert_true(ks_exponential(exponential, COUNT, 2) < critical);
    assert_true(ks_exponential(slower, COUNT, 2) > critical);
    assert_true(ks_exponential(even, COUNT, 2) > 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_server_is_m_m_1),
        cmocka_unit_test(erlang_c_is_as_by_its_definition),
        cmocka_unit_test(at_and_above_saturation_there_is_no_answer),
        cmocka_unit_test(simulated_queues_behave_as_the_theory_says),
        cmocka_unit_test(simulated_windows_of_constant_service_have_the_mean_of_the_formula),
        cmocka_unit_test(the_capacity_is_where_half_of_the_windows_hold),
        cmocka_unit_test(with_c_minus_load_equal_to_one_the_quantile_has_its_own_formula),
        cmocka_unit_test(a_stall_delays_what_arrives_in_it),
        cmocka_unit_test(the_statistic_tells_the_exponential_law_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
