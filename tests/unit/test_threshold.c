/* The threshold of a response curve, against simulated windows whose threshold is known. */
#include "common/threshold.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WINDOWS = 12 };

/* The numbers are the same in each run of the tests. */
static double draw(unsigned short state[3])
{
    return erand48(state);
}

/* A server whose windows hold by chance, as the curve says. */
struct curve {
    double theta_rps, slope, lapse;
};

static bool holds(const struct curve *c, double rate_rps, unsigned short random[3])
{
    double p = (1 - c->lapse) / (1 + exp(-log(c->theta_rps / rate_rps) / c->slope));
    return draw(random) < p;
}

static void search(const struct curve *c, const struct threshold_search *s, unsigned block,
                   struct threshold_window windows[WINDOWS], unsigned short random[3])
{
    for (size_t i = 0; i < WINDOWS; i++) {
        double rate_rps = threshold_next_rate(windows, i, s, draw(random));
        windows[i] = (struct threshold_window){rate_rps, holds(c, rate_rps, random), 0};
    }
    for (size_t i = 0; i < WINDOWS; i++)
        windows[i].block = block;
}

static struct threshold_estimate estimate(const struct threshold_window *windows, size_t count)
{
    struct threshold *t = threshold_fit(windows, count, 1);
    assert_non_null(t);
    struct threshold_estimate e = threshold_estimate(t, NULL);
    threshold_free(t);
    return e;
}

static const struct threshold_search from_1000 = {
    .first_rps = 1000, .lowest_rps = 5, .ceiling_rps = 1e7};

static void the_interval_of_a_search_has_the_threshold_in_it_as_often_as_it_says(void **state)
{
    (void)state;
    enum { SEARCHES = 200 };
    static const double slopes[] = {0.02, 0.05};
    unsigned short random[3] = {1, 2, 3};
    int covered = 0, near = 0;
    for (int i = 0; i < SEARCHES; i++) {
        const struct curve c = {8430, slopes[i / 2 % 2], 0.03};
        const struct threshold_search known = {
            .low_rps = 7800, .high_rps = 9000, .lowest_rps = 5, .ceiling_rps = 1e7};
        struct threshold_window windows[WINDOWS];
        search(&c, i % 2 ? &from_1000 : &known, 0, windows, random);
        struct threshold_estimate e = estimate(windows, WINDOWS);
        covered +=
            (!e.has_low || e.low_rps < c.theta_rps) && (!e.has_high || e.high_rps > c.theta_rps);
        near += fabs(log(e.rate_rps / c.theta_rps)) < 0.1;
    }
    assert_true(covered >= 0.9 * SEARCHES);
    assert_true(near >= 0.8 * SEARCHES);
}

static void blocks_together_know_more_than_each(void **state)
{
    (void)state;
    enum { BLOCKS = 6 };
    const struct curve c = {8430, 0.05, 0.03};
    struct threshold_window windows[BLOCKS * WINDOWS];
    unsigned short random[3] = {4, 5, 6};
    for (unsigned b = 0; b < BLOCKS; b++)
        search(&c, &from_1000, b, windows + b * WINDOWS, random);
    struct threshold *t = threshold_fit(windows, BLOCKS * WINDOWS, BLOCKS);
    struct threshold_estimate all = threshold_estimate(t, NULL);
    assert_true(fabs(log(all.rate_rps / c.theta_rps)) < 0.04);
    assert_true(all.low_rps < c.theta_rps && c.theta_rps < all.high_rps);
    for (unsigned b = 0; b < BLOCKS; b++) {
        unsigned weights[BLOCKS] = {0};
        weights[b] = 1;
        struct threshold_estimate one = threshold_estimate(t, weights);
        assert_true(log(one.high_rps / one.low_rps) > log(all.high_rps / all.low_rps));
        /* the same windows on a grid of their own */
        for (size_t i = 0; i < WINDOWS; i++)
            windows[b * WINDOWS + i].block = 0;
        struct threshold_estimate alone = estimate(windows + b * WINDOWS, WINDOWS);
        assert_true(fabs(log(one.rate_rps / alone.rate_rps)) < 0.02);
    }
    threshold_free(t);
}

static void a_weight_counts_a_block_as_often(void **state)
{
    (void)state;
    static const struct threshold_window windows[] = {{90, true, 0},   {100, true, 0},
                                                      {110, false, 0}, {120, false, 0},
                                                      {100, false, 1}, {90, true, 1}};
    struct threshold_window thrice[16];
    size_t count = 0;
    for (size_t i = 0; i < 6; i++)
        for (int n = 0; n < (windows[i].block == 0 ? 3 : 1); n++)
            thrice[count++] = (struct threshold_window){windows[i].rate_rps, windows[i].held, 0};
    struct threshold *t = threshold_fit(windows, 6, 2);
    struct threshold_estimate weighted = threshold_estimate(t, (const unsigned[]){3, 1});
    struct threshold_estimate repeated = estimate(thrice, count);
    assert_true(fabs(weighted.rate_rps - repeated.rate_rps) < 1e-9);
    assert_true(fabs(weighted.low_rps - repeated.low_rps) < 1e-9);
    threshold_free(t);
}

static void one_sided_windows_give_a_bound(void **state)
{
    (void)state;
    struct threshold_window windows[] = {{800, true, 0}, {900, true, 0}, {1000, true, 0}};
    struct threshold_estimate e = estimate(windows, 3);
    assert_true(!e.has_high && e.rate_rps <= 1000 && e.rate_rps > 800);
    for (size_t i = 0; i < 3; i++)
        windows[i].held = false;
    e = estimate(windows, 3);
    assert_true(!e.has_low && e.rate_rps == 0);
}

static void one_accident_does_not_shift_the_threshold(void **state)
{
    (void)state;
    struct threshold_window windows[] = {{2000, true, 0},  {4000, false, 0}, {4000, true, 0},
                                         {8000, true, 0},  {8200, true, 0},  {8400, true, 0},
                                         {8600, true, 0},  {8700, false, 0}, {9000, false, 0},
                                         {9200, false, 0}, {12000, false, 0}};
    size_t count = sizeof windows / sizeof *windows;
    struct threshold_estimate with = estimate(windows, count);
    windows[1].held = true;
    struct threshold_estimate without = estimate(windows, count);
    assert_true(fabs(log(with.rate_rps / without.rate_rps)) < 0.01);
}

static void a_search_climbs_repeats_its_first_failure_and_then_looks_between(void **state)
{
    (void)state;
    struct threshold_window windows[] = {
        {1000, true, 0}, {3000, true, 0}, {9000, false, 0}, {9000, false, 0}};
    static const double next[] = {1000, 3000, 9000, 9000};
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(threshold_next_rate(windows, i, &from_1000, 0.5) - next[i]) < 1e-6);
    double low_rps = threshold_next_rate(windows, 4, &from_1000, 0);
    double high_rps = threshold_next_rate(windows, 4, &from_1000, 0.999);
    assert_true(2500 < low_rps && low_rps < 1.5 * high_rps && high_rps < 10000);
    windows[3].held = true; /* it was an accident */
    assert_true(fabs(threshold_next_rate(windows, 4, &from_1000, 0.5) - 27000) < 1e-6);
    struct threshold_window failed = {1000, false, 0};
    assert_true(fabs(threshold_next_rate(&failed, 1, &from_1000, 0.5) - 1000. / 3) < 1e-6);
}

static void a_search_starts_where_the_threshold_is_expected_and_leaves_when_it_is_not(void **state)
{
    (void)state;
    const struct threshold_search expected = {
        .low_rps = 9000, .high_rps = 11000, .lowest_rps = 5, .ceiling_rps = 40000};
    double first_rps = threshold_next_rate(NULL, 0, &expected, 0.5);
    assert_true(fabs(first_rps - sqrt(9000. * 11000)) < 1e-6);
    struct threshold_window windows[WINDOWS];
    size_t count = 0;
    for (; count < WINDOWS && (count == 0 || windows[count - 1].rate_rps < 40000); count++)
        windows[count] =
            (struct threshold_window){threshold_next_rate(windows, count, &expected, 0.5), true, 0};
    assert_true(windows[1].rate_rps < 1.3 * windows[0].rate_rps);
    assert_true(count < 6 && windows[count - 1].rate_rps == 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_of_a_search_has_the_threshold_in_it_as_often_as_it_says),
        cmocka_unit_test(blocks_together_know_more_than_each),
        cmocka_unit_test(a_weight_counts_a_block_as_often),
        cmocka_unit_test(one_sided_windows_give_a_bound),
        cmocka_unit_test(one_accident_does_not_shift_the_threshold),
        cmocka_unit_test(a_search_climbs_repeats_its_first_failure_and_then_looks_between),
        cmocka_unit_test(a_search_starts_where_the_threshold_is_expected_and_leaves_when_it_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
