/* Do the arrivals of an open loop follow their law? */
#include "loadgen/arrivals.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARRIVALS = 20000 };

/* Kolmogorov-Smirnov at a level of 0.1 %: sqrt(-ln(0.0005) / 2). The seeds are fixed, so that a
 * test that passes once passes always. */
#define KS_CRITICAL 1.95

static struct arrivals begin(enum arrival_law law, double rate_rps, uint64_t seed, unsigned index,
                             unsigned threads)
{
    struct arrivals a;
    assert_int_equal(arrivals_init(&a, law, rate_rps, seed, index, threads), 0);
    return a;
}

static uint64_t take(struct arrivals *a)
{
    uint64_t at_ns = arrivals_next_ns(a);
    arrivals_advance(a);
    return at_ns;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sqrt(n) times the greatest distance between the gaps' distribution and the exponential one. */
static double ks_against_exponential(double *gaps, size_t n, double mean)
{
    double worst = 0;
    qsort(gaps, n, sizeof *gaps, by_size);
    for (size_t i = 0; i < n; i++) {
        double p = gsl_cdf_exponential_P(gaps[i], mean);
        double above = (double)(i + 1) / (double)n - p, below = p - (double)i / (double)n;
        worst = fmax(worst, fmax(above, below));
    }
    return worst * sqrt((double)n);
}

static void poisson_arrivals_are_exponential_gaps_apart(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct arrivals a = begin(ARRIVALS_POISSON, 12500, seed, 0, 1);
        double gaps[ARRIVALS];
        uint64_t last_ns = 0;
        for (size_t i = 0; i < ARRIVALS; i++) {
            uint64_t at_ns = take(&a);
            gaps[i] = (double)(at_ns - last_ns);
            last_ns = at_ns;
        }
        assert_true(ks_against_exponential(gaps, ARRIVALS, 1e9 / 12500) < KS_CRITICAL);
        arrivals_free(&a);
    }
}

static void another_law_would_be_noticed(void **state)
{
    (void)state;
    struct arrivals a = begin(ARRIVALS_POISSON, 12500, 1, 0, 1);
    double gaps[ARRIVALS];
    uint64_t last_ns = 0;
    for (size_t i = 0; i < ARRIVALS; i++) {
        uint64_t at_ns = take(&a);
        gaps[i] = (double)(at_ns - last_ns) * 1.05;
        last_ns = at_ns;
    }
    assert_true(ks_against_exponential(gaps, ARRIVALS, 1e9 / 12500) > KS_CRITICAL);
    arrivals_free(&a);
}

/* The number in a time t is Poisson distributed: mean and variance are both rate * t. */
static void poisson_arrivals_come_at_the_rate(void **state)
{
    (void)state;
    struct arrivals a = begin(ARRIVALS_POISSON, 1000, 3, 0, 1);
    unsigned count = 0;
    while (take(&a) < UINT64_C(100000000000))
        count++;
    assert_true(fabs(count - 100000.) < 4 * sqrt(100000));
    arrivals_free(&a);
}

static void constant_arrivals_are_evenly_spaced_and_do_not_drift(void **state)
{
    (void)state;
    struct arrivals a = begin(ARRIVALS_CONSTANT, 8000, 1, 0, 1);
    for (uint64_t i = 0; i < 1000000; i++)
        assert_int_equal(take(&a), i * 125000);
    arrivals_free(&a);
}

static void a_gap_of_no_whole_number_of_nanoseconds_does_not_drift_either(void **state)
{
    (void)state;
    struct arrivals a = begin(ARRIVALS_CONSTANT, 30000, 1, 0, 1);
    for (uint64_t i = 0; i < 3000000; i++) {
        double off_ns = (double)take(&a) - (double)i * 1e9 / 30000;
        assert_true(off_ns < 1 && off_ns > -2);
    }
    arrivals_free(&a);
}

static void threads_take_turns_at_constant_arrivals(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    struct arrivals a[THREADS];
    for (unsigned t = 0; t < THREADS; t++)
        a[t] = begin(ARRIVALS_CONSTANT, 1000, 1, t, THREADS);
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(take(&a[i % THREADS]), i * 1000000);
    for (unsigned t = 0; t < THREADS; t++)
        arrivals_free(&a[t]);
}

static void threads_together_are_one_poisson_process_of_the_whole_rate(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    struct arrivals a[THREADS];
    for (unsigned t = 0; t < THREADS; t++)
        a[t] = begin(ARRIVALS_POISSON, 5000, 11, t, THREADS);
    double gaps[ARRIVALS];
    uint64_t last_ns = 0;
    for (size_t i = 0; i < ARRIVALS; i++) {
        struct arrivals *next = &a[0];
        for (unsigned t = 1; t < THREADS; t++)
            if (arrivals_next_ns(&a[t]) < arrivals_next_ns(next))
                next = &a[t];
        uint64_t at_ns = take(next);
        gaps[i] = (double)(at_ns - last_ns);
        last_ns = at_ns;
    }
    assert_true(fabs((double)last_ns - ARRIVALS * 2e5) < 4 * sqrt(ARRIVALS) * 2e5);
    assert_true(ks_against_exponential(gaps, ARRIVALS, 2e5) < KS_CRITICAL);
    for (unsigned t = 0; t < THREADS; t++)
        arrivals_free(&a[t]);
}

static void the_same_seed_gives_the_same_schedule_and_another_one_another(void **state)
{
    (void)state;
    struct arrivals a = begin(ARRIVALS_POISSON, 700, 42, 1, 2);
    struct arrivals b = begin(ARRIVALS_POISSON, 700, 42, 1, 2);
    struct arrivals other_seed = begin(ARRIVALS_POISSON, 700, 43, 1, 2);
    struct arrivals other_thread = begin(ARRIVALS_POISSON, 700, 42, 0, 2);
    unsigned alike = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t at_ns = take(&a);
        assert_int_equal(take(&b), at_ns);
        alike += take(&other_seed) == at_ns;
        alike += take(&other_thread) == at_ns;
    }
    assert_int_equal(alike, 0);
    arrivals_free(&a);
    arrivals_free(&b);
    arrivals_free(&other_seed);
    arrivals_free(&other_thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poisson_arrivals_are_exponential_gaps_apart),
        cmocka_unit_test(another_law_would_be_noticed),
        cmocka_unit_test(poisson_arrivals_come_at_the_rate),
        cmocka_unit_test(constant_arrivals_are_evenly_spaced_and_do_not_drift),
        cmocka_unit_test(a_gap_of_no_whole_number_of_nanoseconds_does_not_drift_either),
        cmocka_unit_test(threads_take_turns_at_constant_arrivals),
        cmocka_unit_test(threads_together_are_one_poisson_process_of_the_whole_rate),
        cmocka_unit_test(the_same_seed_gives_the_same_schedule_and_another_one_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
