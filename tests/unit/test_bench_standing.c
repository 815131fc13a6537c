/* How each model stands in a column, from made-up measurements. */
#include "bench/statistics/standing.h"

#include "tests/unit/made_up.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct workload CLOSED = {.name = ""};

enum { MODELS = 4, MANY = 10, BLOCKS = 6 };

static void places_in(const struct results *r, const char *metric, struct place *places)
{
    assert_int_equal(standings_of(r, 0, 0, headline_find(metric), 0.05, places), 0);
}

static void stands(const struct place *places, size_t model, enum standing standing)
{
    const struct place *p = &places[model];
    if (p->standing != standing)
        fail_msg("model %zu: %d instead of %d (%g, %g to %g) %s", model, p->standing, standing,
                 p->ratio, p->low, p->high, p->reason);
}

static struct made_up plain(double rps)
{
    return (struct made_up){.rps = rps, .response_us = 1e5 / rps, .requests = 2000};
}

/* With noise of 1 % and a drift of 30 %. */
static struct results four(const double rps[MODELS])
{
    struct results r = made_up_results(MODELS, CLOSED);
    for (size_t i = 0; i < MODELS; i++)
        made_up_blocks(&r, i, BLOCKS, 0.01, plain(rps[i]));
    return r;
}

static void the_best_the_equivalent_and_the_worse_are_told_apart(void **state)
{
    (void)state;
    struct place places[MODELS];
    struct results r = four((double[]){1000, 1300, 800, 1100});
    for (int i = 0; i < 2; i++) {
        places_in(&r, i == 0 ? "throughput" : "response_p50", places);
        stands(places, 1, STANDING_BEST);
        stands(places, 0, STANDING_WORSE);
        stands(places, 2, STANDING_WORSE);
        stands(places, 3, STANDING_WORSE);
    }
    places_in(&r, "throughput", places);
    assert_true(places[1].ratio == 1);
    assert_true(fabs(places[0].ratio - 1000.0 / 1300) < 0.02);
    assert_true(places[0].low < 1000.0 / 1300 && 1000.0 / 1300 < places[0].high);
    results_free(&r);
    r = four((double[]){1000, 1300, 1300, 1299});
    places_in(&r, "throughput", places);
    stands(places, 0, STANDING_WORSE);
    for (size_t i = 1; i < MODELS; i++)
        stands(places, i, STANDING_EQUIVALENT);
    results_free(&r);
}

static void one_starved_model_leaves_the_others_their_verdict(void **state)
{
    (void)state;
    struct place places[MODELS];
    struct results r = made_up_results(MODELS, CLOSED);
    struct made_up starved = plain(5000);
    starved.unserved = 60;
    made_up_blocks(&r, 0, BLOCKS, 0.01, starved);
    made_up_blocks(&r, 1, BLOCKS, 0.01, plain(1300));
    made_up_blocks(&r, 2, BLOCKS, 0.01, plain(1000));
    made_up_blocks(&r, 3, 2, 0.01, plain(9000)); /* hardly measured */
    places_in(&r, "response_p50", places);
    stands(places, 0, STANDING_NONE);
    assert_string_equal(places[0].reason, "model-0: served 4 of 64");
    stands(places, 1, STANDING_BEST);
    stands(places, 2, STANDING_WORSE);
    stands(places, 3, STANDING_NONE);
    assert_string_equal(places[3].reason, "model-3: measured in 2 of 6 blocks");
    results_free(&r);
}

static void what_was_not_measured_leaves_the_others_their_verdict(void **state)
{
    (void)state;
    struct place places[MODELS];
    struct results r = made_up_results(MODELS, CLOSED);
    places_in(&r, "throughput", places);
    for (size_t i = 0; i < MODELS; i++)
        stands(places, i, STANDING_NONE);
    made_up_blocks(&r, 1, BLOCKS, 0.01, plain(1300));
    places_in(&r, "throughput", places);
    stands(places, 1, STANDING_NONE); /* nobody to be compared with */
    assert_non_null(strstr(places[1].reason, "no other"));
    made_up_blocks(&r, 2, BLOCKS, 0.01, plain(1000));
    places_in(&r, "throughput", places);
    stands(places, 0, STANDING_NONE);
    assert_string_equal(places[0].reason, "model-0: not measured");
    stands(places, 1, STANDING_BEST);
    results_free(&r);
}

static void a_lower_bound_wins_and_never_loses(void **state)
{
    (void)state;
    struct place places[MODELS];
    struct made_up held = plain(1300);
    held.held_back = true;
    struct results r = four((double[]){1000, 1100, 1050, 900});
    made_up_blocks(&r, 0, BLOCKS, 0.01, held);
    places_in(&r, "throughput", places);
    stands(places, 0, STANDING_BEST);
    stands(places, 1, STANDING_WORSE);
    held.rps = 950;
    made_up_blocks(&r, 0, BLOCKS, 0.01, held);
    places_in(&r, "throughput", places);
    stands(places, 0, STANDING_NOT_SHOWN);
    stands(places, 1, STANDING_NOT_SHOWN);
    assert_true(places[1].blocks_more > BLOCKS_MORE_MOST);
    assert_non_null(strstr(places[1].reason, "model-0: a lower bound"));
    stands(places, 3, STANDING_WORSE);
    results_free(&r);
}

static void with_few_blocks_nothing_is_shown_and_it_says_how_many_more(void **state)
{
    (void)state;
    struct place places[MODELS];
    for (unsigned blocks = 1; blocks <= 2; blocks++) {
        struct results r = made_up_results(MODELS, CLOSED);
        for (size_t i = 0; i < MODELS; i++)
            made_up_blocks(&r, i, blocks, 0.001, plain(1000 * (double)(i + 1)));
        places_in(&r, "throughput", places);
        stands(places, 3, STANDING_NOT_SHOWN);
        assert_int_equal(places[3].blocks_more, 3 - blocks);
        results_free(&r);
    }
}

/* --- error rates ------------------------------------------------------------------------------ */

enum { TIMES = 300 };

/* Ten models in six blocks with a drift of 10 % and noise of 2 %; the first is better by a factor.
 */
static struct results simulated(gsl_rng *random, double factor)
{
    struct results r = made_up_results(MANY, CLOSED);
    for (unsigned block = 1; block <= BLOCKS; block++) {
        double drift = exp(gsl_ran_gaussian(random, 0.1));
        for (size_t i = 0; i < MANY; i++) {
            double rps = 1000 * drift * exp(gsl_ran_gaussian(random, 0.02));
            made_up_add(&r, i, block, &(struct made_up){.rps = rps * (i == 0 ? factor : 1)});
        }
    }
    return r;
}

/* Of ten equal models each is called worse wrongly in 5 % of all cases at most. That is 150 of
 * 3,000; the ten of a column hang together, so that chance is like that of a few hundred. None is
 * the best: that is a mistake in 5 % of all columns at most, and much rarer. */
static void of_ten_equal_models_few_are_called_worse_and_none_the_best(void **state)
{
    (void)state;
    struct place places[MANY];
    size_t counts[STANDING_NOT_SHOWN + 1] = {0};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 1);
    for (int i = 0; i < TIMES; i++) {
        struct results r = simulated(random, 1);
        places_in(&r, "throughput", places);
        for (size_t m = 0; m < MANY; m++)
            counts[places[m].standing]++;
        results_free(&r);
    }
    gsl_rng_free(random);
    print_message("of %d: %zu best, %zu equivalent, %zu worse, %zu not shown\n", TIMES * MANY,
                  counts[STANDING_BEST], counts[STANDING_EQUIVALENT], counts[STANDING_WORSE],
                  counts[STANDING_NOT_SHOWN]);
    assert_in_range(counts[STANDING_WORSE], 0, TIMES * MANY * 65 / 1000);
    assert_in_range(counts[STANDING_BEST], 0, TIMES / 50);
}

static void a_model_that_is_10_percent_better_than_nine_is_the_best(void **state)
{
    (void)state;
    struct place places[MANY];
    size_t best = 0;
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 2);
    for (int i = 0; i < 100; i++) {
        struct results r = simulated(random, 1.1);
        places_in(&r, "throughput", places);
        best += places[0].standing == STANDING_BEST;
        results_free(&r);
    }
    gsl_rng_free(random);
    assert_true(best >= 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_the_equivalent_and_the_worse_are_told_apart),
        cmocka_unit_test(one_starved_model_leaves_the_others_their_verdict),
        cmocka_unit_test(what_was_not_measured_leaves_the_others_their_verdict),
        cmocka_unit_test(a_lower_bound_wins_and_never_loses),
        cmocka_unit_test(with_few_blocks_nothing_is_shown_and_it_says_how_many_more),
        cmocka_unit_test(of_ten_equal_models_few_are_called_worse_and_none_the_best),
        cmocka_unit_test(a_model_that_is_10_percent_better_than_nine_is_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
