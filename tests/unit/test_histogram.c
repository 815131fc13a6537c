/* The histogram, against all values sorted. */
#include "common/histogram.h"
#include "common/histogram_codec.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 50000 };

static const uint64_t longest_ns = (UINT64_C(1) << HISTOGRAM_MOST_BITS) - 1;

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool is_within(double value, double expected, double relative)
{
    return fabs(value - expected) <= relative * expected;
}

/* Half a cell is at most 1 part in 2,048 of its value, and a nanosecond where cells are that. */
static void assert_agrees(const struct histogram *h, uint64_t *values, size_t count)
{
    static const double quantiles[] = {0,   0.001, 0.1,  0.25,  0.5,    0.75,
                                       0.9, 0.95,  0.99, 0.999, 0.9999, 1};
    qsort(values, count, sizeof *values, by_size);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    for (size_t i = 0; i < count; i++)
        squares +=
            ((double)values[i] - sum / (double)count) * ((double)values[i] - sum / (double)count);
    assert_int_equal(h->count, count);
    assert_int_equal(h->min_ns, values[0]);
    assert_int_equal(h->max_ns, values[count - 1]);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        double rank = ceil(quantiles[i] * (double)count);
        uint64_t exact = values[rank < 1 ? 0 : (size_t)rank - 1];
        uint64_t got = histogram_quantile_ns(h, quantiles[i]);
        if (!is_within((double)got, (double)exact, 0.001))
            fail_msg("quantile %g: %llu, and sorted %llu", quantiles[i], (unsigned long long)got,
                     (unsigned long long)exact);
    }
    assert_true(is_within(histogram_mean_ns(h), sum / (double)count, 1e-9));
    assert_true(is_within(histogram_stddev_ns(h), sqrt(squares / (double)count), 0.002));
}

static double draw_exponential(gsl_rng *rng)
{
    return gsl_ran_exponential(rng, 250e3);
}

static double draw_lognormal(gsl_rng *rng)
{
    return gsl_ran_lognormal(rng, 11, 2);
}

static double draw_two_modes(gsl_rng *rng)
{
    return gsl_rng_uniform(rng) < 0.9 ? gsl_ran_flat(rng, 30e3, 50e3)
                                      : gsl_ran_flat(rng, 1e9, 1.2e9);
}

static double draw_tiny(gsl_rng *rng)
{
    return gsl_ran_flat(rng, 0, 3000);
}

static double draw_huge(gsl_rng *rng)
{
    return gsl_ran_flat(rng, 1e11, (double)longest_ns);
}

static double draw_one_value(gsl_rng *rng)
{
    (void)rng;
    return 123456789;
}

static void quantiles_are_those_of_the_sorted_values(void **state)
{
    (void)state;
    double (*const laws[])(gsl_rng *) = {draw_exponential, draw_lognormal, draw_two_modes,
                                         draw_tiny,        draw_huge,      draw_one_value};
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    uint64_t *values = malloc(VALUES * sizeof *values);
    for (size_t law = 0; law < sizeof laws / sizeof *laws; law++) {
        gsl_rng_set(rng, 100 + law);
        struct histogram *h = histogram_new();
        for (size_t i = 0; i < VALUES; i++) {
            values[i] = (uint64_t)laws[law](rng);
            histogram_record(h, values[i]);
        }
        assert_agrees(h, values, VALUES);
        histogram_free(h);
    }
    free(values);
    gsl_rng_free(rng);
}

static void few_values_are_ranked_as_many_are(void **state)
{
    (void)state;
    uint64_t values[7] = {5, 1, 4, 1000000, 3, 2, 0};
    for (size_t count = 1; count <= 7; count++) {
        uint64_t copy[7];
        memcpy(copy, values, sizeof copy);
        struct histogram *h = histogram_new();
        for (size_t i = 0; i < count; i++)
            histogram_record(h, copy[i]);
        assert_agrees(h, copy, count);
        histogram_free(h);
    }
}

static void cells_lie_side_by_side_and_hold_what_is_theirs(void **state)
{
    (void)state;
    uint64_t next_ns = 0;
    for (unsigned cell = 0; cell < HISTOGRAM_CELLS; cell++) {
        uint64_t low_ns = histogram_cell_low_ns(cell), width_ns = histogram_cell_width_ns(cell);
        assert_int_equal(low_ns, next_ns);
        assert_int_equal(histogram_cell(low_ns), cell);
        assert_int_equal(histogram_cell(low_ns + width_ns - 1), cell);
        assert_true(width_ns == 1 || width_ns * 1024 <= low_ns);
        next_ns = low_ns + width_ns;
    }
    assert_int_equal(next_ns, longest_ns + 1);
}

static void a_value_beyond_the_longest_counts_as_that_and_is_the_maximum(void **state)
{
    (void)state;
    struct histogram *h = histogram_new();
    for (int i = 0; i < 90; i++)
        histogram_record(h, 1000);
    for (int i = 0; i < 10; i++)
        histogram_record(h, UINT64_C(1) << 50);
    assert_int_equal(histogram_cell(UINT64_MAX), HISTOGRAM_CELLS - 1);
    assert_int_equal(histogram_quantile_ns(h, 0.9), 1000);
    assert_true(is_within((double)histogram_quantile_ns(h, 0.91), (double)longest_ns, 0.001));
    assert_int_equal(histogram_quantile_ns(h, 1), UINT64_C(1) << 50);
    histogram_free(h);
}

static void an_empty_one_has_only_zeroes(void **state)
{
    (void)state;
    struct histogram *h = histogram_new(), *other = histogram_new();
    assert_int_equal(histogram_quantile_ns(h, 0.5), 0);
    assert_int_equal(histogram_quantile_ns(h, 1), 0);
    assert_true(histogram_mean_ns(h) == 0);
    assert_true(histogram_stddev_ns(h) == 0);
    histogram_merge(h, other);
    assert_int_equal(h->count, 0);
    assert_true(h->min_ns == UINT64_MAX);
    histogram_free(h);
    histogram_free(other);
}

static void merged_they_are_as_if_recorded_in_one(void **state)
{
    (void)state;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 7);
    struct histogram *all = histogram_new(), *sum = histogram_new(), *part[3];
    for (int p = 0; p < 3; p++)
        part[p] = histogram_new();
    for (int i = 0; i < 9000; i++) {
        uint64_t ns = (uint64_t)gsl_ran_exponential(rng, i % 3 ? 1e5 : 1e9);
        histogram_record(all, ns);
        histogram_record(part[i % 3], ns);
    }
    histogram_record(all, UINT64_MAX >> 20);
    histogram_record(part[2], UINT64_MAX >> 20);
    for (int p = 0; p < 3; p++) {
        histogram_merge(sum, part[p]);
        histogram_free(part[p]);
    }
    assert_memory_equal(sum, all, sizeof *all);
    histogram_free(all);
    histogram_free(sum);
    gsl_rng_free(rng);
}

static void cleared_it_is_as_new(void **state)
{
    (void)state;
    struct histogram *h = histogram_new(), *fresh = histogram_new();
    histogram_clear(h);
    assert_memory_equal(h, fresh, sizeof *h);
    histogram_record(h, 0);
    histogram_record(h, 77777);
    histogram_record(h, UINT64_C(1) << 60);
    histogram_clear(h);
    assert_memory_equal(h, fresh, sizeof *h);
    histogram_free(h);
    histogram_free(fresh);
}

/* As a plotting tool reads it: a heading, rows of four, and three lines of totals. */
static void the_spectrum_can_be_read_and_says_what_the_quantiles_say(void **state)
{
    (void)state;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 9);
    struct histogram *h = histogram_new();
    for (int i = 0; i < VALUES; i++)
        histogram_record(h, (uint64_t)gsl_ran_lognormal(rng, 12, 1));
    char *text, *rest, *line;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    histogram_write_hgrm(h, file);
    fclose(file);

    line = strtok_r(text, "\n", &rest);
    assert_string_equal(line, "       Value     Percentile TotalCount 1/(1-Percentile)");
    double value_us, percentile, last_us = 0, last_percentile = -1;
    unsigned long long total, last_total = 0;
    unsigned rows = 0;
    char distance[32];
    while ((line = strtok_r(NULL, "\n", &rest)) && *line != '#') {
        assert_int_equal(
            sscanf(line, "%lf %lf %llu %31s", &value_us, &percentile, &total, distance), 4);
        assert_true(value_us >= last_us && percentile > last_percentile && total >= last_total);
        /* The percentile was rounded to be written: it may have moved across a rank. */
        double least_us = (double)histogram_quantile_ns(h, percentile - 1e-9) / 1e3;
        double most_us = (double)histogram_quantile_ns(h, percentile + 1e-9) / 1e3;
        assert_true(value_us >= least_us - 0.001 && value_us <= most_us + 0.001);
        assert_true((double)total >= percentile * VALUES - 1e-3);
        if (percentile < 1)
            assert_true(is_within(atof(distance), 1 / (1 - percentile), 0.01));
        last_us = value_us, last_percentile = percentile, last_total = total;
        rows++;
    }
    assert_true(rows > 50);
    assert_true(last_percentile == 1);
    assert_string_equal(distance, "inf");
    assert_int_equal(last_total, VALUES);
    double mean_us, stddev_us, max_us;
    assert_int_equal(sscanf(line, "#[Mean = %lf, StdDeviation = %lf]", &mean_us, &stddev_us), 2);
    assert_true(is_within(mean_us, histogram_mean_ns(h) / 1e3, 1e-5));
    assert_true(is_within(stddev_us, histogram_stddev_ns(h) / 1e3, 1e-5));
    line = strtok_r(NULL, "\n", &rest);
    assert_int_equal(sscanf(line, "#[Max = %lf, Total count = %llu]", &max_us, &total), 2);
    assert_true(is_within(max_us, (double)h->max_ns / 1e3, 1e-6));
    assert_int_equal(total, VALUES);
    assert_non_null(strtok_r(NULL, "\n", &rest));
    assert_null(strtok_r(NULL, "\n", &rest));
    free(text);
    histogram_free(h);
    gsl_rng_free(rng);
}

static void the_spectrum_of_nothing_is_a_heading_and_totals(void **state)
{
    (void)state;
    struct histogram *h = histogram_new();
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    histogram_write_hgrm(h, file);
    fclose(file);
    assert_non_null(strstr(text, "1/(1-Percentile)\n\n#[Mean"));
    assert_null(strstr(text, "inf"));
    assert_null(strstr(text, "nan"));
    free(text);
    histogram_free(h);
}

/* --- as text ---------------------------------------------------------------------------------- */

static void encoded_and_decoded_every_count_is_as_it_was(void **state)
{
    (void)state;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    struct histogram *h = histogram_new(), *back = histogram_new();
    for (int i = 0; i < VALUES; i++)
        histogram_record(h, (uint64_t)draw_exponential(rng));
    histogram_record(h, 0);
    histogram_record(h, longest_ns);
    char *text = histogram_encode(h);
    assert_non_null(text);
    assert_int_equal(strncmp(text, "HISTFAAA", 8), 0);
    assert_int_equal(histogram_decode(back, text), 0);
    assert_int_equal(back->count, h->count);
    assert_memory_equal(back->cells, h->cells, sizeof h->cells);
    free(text);
    histogram_free(h);
    histogram_free(back);
    gsl_rng_free(rng);
}

static void decoding_adds_to_what_is_there(void **state)
{
    (void)state;
    struct histogram *h = histogram_new();
    histogram_record(h, 1000);
    char *text = histogram_encode(h);
    histogram_record(h, 2000);
    assert_int_equal(histogram_decode(h, text), 0);
    assert_int_equal(h->count, 3);
    assert_int_equal(h->cells[histogram_cell(1000)], 2);
    free(text);
    histogram_free(h);
}

static void what_other_implementations_wrote_can_be_read(void **state)
{
    (void)state;
    struct histogram *h = histogram_new();
    /* By Java's, and the test of several ports: 42, once. */
    assert_int_equal(histogram_decode(h, "HISTFAAAAB542pNpmSzMwMDAxAABzFCaEUoz2X+AMIKZAEARAtM="),
                     0);
    assert_int_equal(h->count, 1);
    assert_int_equal(histogram_quantile_ns(h, 0.5), 42);
    histogram_clear(h);
    /* By that for Vala: 100, 200 and 250. */
    assert_int_equal(
        histogram_decode(h, "HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk"), 0);
    assert_int_equal(h->count, 3);
    assert_int_equal(h->min_ns, 100);
    assert_int_equal(histogram_quantile_ns(h, 0.5), 200);
    assert_int_equal(h->max_ns, 250);
    histogram_free(h);
}

static void what_is_no_histogram_is_refused_and_adds_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "not base64!",
        "SElTVEZBQUE=",
        "HISTFAAAAB542pNpmSzMwMDAxAAB",                                     /* cut off */
        "HISTFAAAACh4nJNpmSzMwMDAwQABTFCaEURcm7yEwf4DROArF1M1230WJgCDWQb1", /* 2 digits */
    };
    struct histogram *h = histogram_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(histogram_decode(h, texts[i]), -1);
        assert_int_equal(h->count, 0);
    }
    histogram_free(h);
}

static void an_empty_one_is_a_text_too(void **state)
{
    (void)state;
    struct histogram *h = histogram_new();
    char *text = histogram_encode(h);
    assert_int_equal(histogram_decode(h, text), 0);
    assert_int_equal(h->count, 0);
    free(text);
    histogram_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_and_decoded_every_count_is_as_it_was),
        cmocka_unit_test(decoding_adds_to_what_is_there),
        cmocka_unit_test(what_other_implementations_wrote_can_be_read),
        cmocka_unit_test(what_is_no_histogram_is_refused_and_adds_nothing),
        cmocka_unit_test(an_empty_one_is_a_text_too),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(few_values_are_ranked_as_many_are),
        cmocka_unit_test(cells_lie_side_by_side_and_hold_what_is_theirs),
        cmocka_unit_test(a_value_beyond_the_longest_counts_as_that_and_is_the_maximum),
        cmocka_unit_test(an_empty_one_has_only_zeroes),
        cmocka_unit_test(merged_they_are_as_if_recorded_in_one),
        cmocka_unit_test(cleared_it_is_as_new),
        cmocka_unit_test(the_spectrum_can_be_read_and_says_what_the_quantiles_say),
        cmocka_unit_test(the_spectrum_of_nothing_is_a_heading_and_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
