/* What counts as a difference between the window's halves, and what as chance. */
#include "loadgen/steadiness.h"

#include "loadgen/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <gsl/gsl_randist.h>

#include <cmocka.h>

/* `count` values that rise evenly from `from_ns` to `to_ns`. */
static struct histogram *values(uint64_t count, double from_ns, double to_ns)
{
    struct histogram *h = histogram_new();
    assert_non_null(h);
    for (uint64_t i = 0; i < count; i++)
        histogram_record(
            h, (uint64_t)(from_ns + (to_ns - from_ns) * ((double)i + 0.5) / (double)count));
    return h;
}

/* In either order the judgement is the same. */
static void is_judged(struct histogram *a, struct histogram *b, enum steadiness expected)
{
    assert_int_equal(steadiness_of(a, b), expected);
    assert_int_equal(steadiness_of(b, a), expected);
    histogram_free(a);
    histogram_free(b);
}

static void equal_halves_are_steady(void **state)
{
    (void)state;
    is_judged(values(10000, 1e6, 2e6), values(10000, 1e6, 2e6), STEADY);
}

static void another_throughput_is_unsteady_if_it_is_more_than_a_tenth_and_than_chance(void **state)
{
    (void)state;
    is_judged(values(10000, 1e6, 2e6), values(10900, 1e6, 2e6), STEADY);   /* no tenth */
    is_judged(values(10000, 1e6, 2e6), values(11100, 1e6, 2e6), UNSTEADY); /* 7.6 errors */
    is_judged(values(100, 1e6, 2e6), values(140, 1e6, 2e6), STEADY);       /* 2.6 errors */
    is_judged(values(100, 1e6, 2e6), values(150, 1e6, 2e6), UNSTEADY);     /* 3.2 errors */
}

static void another_median_is_unsteady_if_it_is_more_than_a_tenth_and_than_chance(void **state)
{
    (void)state;
    is_judged(values(10000, 0, 2e6), values(10000, 0, 2.1e6), STEADY);   /* no tenth */
    is_judged(values(10000, 0, 2e6), values(10000, 0, 2.3e6), UNSTEADY); /* ± 3 % each */
    is_judged(values(50, 0, 2e6), values(50, 0, 2.6e6), STEADY);         /* ± 42 % each */
    is_judged(values(50, 0, 2e6), values(50, 4e6, 6e6), UNSTEADY);
}

static void a_tail_is_no_matter(void **state)
{
    (void)state;
    struct histogram *tail = values(9000, 1e6, 2e6);
    for (int i = 0; i < 400; i++)
        histogram_record(tail, 1000000000);
    is_judged(tail, values(9400, 1e6, 2e6), STEADY);
}

static void too_few_are_not_judged_but_a_half_without_answers_is(void **state)
{
    (void)state;
    is_judged(values(0, 0, 1), values(0, 0, 1), STEADINESS_UNKNOWN);
    is_judged(values(9, 1e6, 2e6), values(0, 0, 1), STEADINESS_UNKNOWN);
    is_judged(values(12, 1e6, 2e6), values(12, 8e6, 9e6), STEADINESS_UNKNOWN);
    is_judged(values(16, 1e6, 2e6), values(16, 8e6, 9e6), UNSTEADY);
    is_judged(values(30, 1e6, 2e6), values(0, 0, 1), UNSTEADY);
}

/* 99.7 % of a normal distribution lie within three standard errors, and the intervals of both
 * medians must be passed: of a thousand pairs of one law a handful may be judged unsteady. */
static void chance_alone_is_hardly_ever_unsteady(void **state)
{
    (void)state;
    enum { PAIRS = 1000 };
    struct random_stream stream;
    unsigned unsteady = 0;
    assert_int_equal(random_stream_init(&stream, 1, RANDOM_REQUESTS, 0, 1), 0);
    for (int pair = 0; pair < PAIRS; pair++) {
        struct histogram *halves[] = {histogram_new(), histogram_new()};
        for (int half = 0; half < 2; half++) {
            assert_non_null(halves[half]);
            unsigned count = gsl_ran_poisson(stream.rng, 60);
            for (unsigned i = 0; i < count; i++)
                histogram_record(halves[half], (uint64_t)gsl_ran_exponential(stream.rng, 1e6));
        }
        unsteady += steadiness_of(halves[0], halves[1]) == UNSTEADY;
        histogram_free(halves[0]);
        histogram_free(halves[1]);
    }
    assert_in_range(unsteady, 0, 10);
    random_stream_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_halves_are_steady),
        cmocka_unit_test(another_throughput_is_unsteady_if_it_is_more_than_a_tenth_and_than_chance),
        cmocka_unit_test(another_median_is_unsteady_if_it_is_more_than_a_tenth_and_than_chance),
        cmocka_unit_test(a_tail_is_no_matter),
        cmocka_unit_test(too_few_are_not_judged_but_a_half_without_answers_is),
        cmocka_unit_test(chance_alone_is_hardly_ever_unsteady),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
