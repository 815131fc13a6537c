/* What is sent, drawn many times and looked at. */
#include "loadgen/requests.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { DRAWS = 30000 };

static const struct mix_options usual = {.host = "example:81", .method = "GET", .path = "/hello"};

static struct mix *must_make(const struct mix_options *o)
{
    char why[256] = "";
    struct mix *mix = mix_new(o, why, sizeof why);
    if (!mix)
        fail_msg("%s", why);
    return mix;
}

static void must_refuse(const struct mix_options *o, const char *expected)
{
    char why[256] = "";
    assert_null(mix_new(o, why, sizeof why));
    if (!strstr(why, expected))
        fail_msg("\"%s\" does not say \"%s\"", why, expected);
}

static struct random_stream stream(uint64_t seed, uint64_t index, uint64_t streams)
{
    struct random_stream s;
    assert_int_equal(random_stream_init(&s, seed, RANDOM_REQUESTS, index, streams), 0);
    return s;
}

/* A request as a string that free takes. It has exactly the room that it may need. */
static char *draw(const struct mix *mix, struct random_stream *random, struct expectation *e)
{
    char *at = malloc(mix_most_bytes(mix));
    size_t length = mix_draw(mix, random, at, e);
    assert_true(length <= mix_most_bytes(mix));
    at = realloc(at, length + 1);
    at[length] = '\0';
    return at;
}

static char *draw_first(const struct mix_options *o, struct expectation *e)
{
    struct mix *mix = must_make(o);
    struct random_stream random = stream(1, 0, 1);
    char *text = draw(mix, &random, e);
    random_stream_free(&random);
    mix_free(mix);
    return text;
}

static void assert_first_is(const struct mix_options *o, const char *expected)
{
    struct expectation e;
    char *text = draw_first(o, &e);
    assert_string_equal(text, expected);
    free(text);
}

/* A mix file of its own, gone with the test. Returns its name. */
static char *mix_file(const char *text)
{
    char *name = strdup("/tmp/test_requests.XXXXXX");
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return name;
}

static struct mix *must_make_of(const char *text)
{
    struct mix_options o = usual;
    char *name = mix_file(text);
    o.file = name;
    struct mix *mix = must_make(&o);
    unlink(name);
    free(name);
    return mix;
}

static void must_refuse_line(const char *text, unsigned line, const char *reason)
{
    struct mix_options o = usual;
    char *name = mix_file(text), where[256];
    o.file = name;
    snprintf(where, sizeof where, "%s:%u: ", name, line);
    must_refuse(&o, where);
    must_refuse(&o, reason);
    unlink(name);
    free(name);
}

/* --- heads ------------------------------------------------------------------------------------ */

static void a_request_is_its_line_its_host_and_an_empty_line(void **state)
{
    (void)state;
    assert_first_is(&usual, "GET /hello HTTP/1.1\r\nHost: example:81\r\n\r\n");
}

static void connections_are_kept_or_not_in_the_way_of_each_version(void **state)
{
    (void)state;
    struct mix_options o = usual;
    o.close = true;
    assert_first_is(&o, "GET /hello HTTP/1.1\r\nHost: example:81\r\nConnection: close\r\n\r\n");
    o.http_1_0 = true;
    assert_first_is(&o, "GET /hello HTTP/1.0\r\nHost: example:81\r\nConnection: close\r\n\r\n");
    o.close = false;
    assert_first_is(&o,
                    "GET /hello HTTP/1.0\r\nHost: example:81\r\nConnection: keep-alive\r\n\r\n");
}

static void further_header_fields_follow_and_may_replace_the_host(void **state)
{
    (void)state;
    struct mix_options o = usual;
    char first[] = "X-One: 1", second[] = "hOsT: other";
    o.headers = (char *[]){first, NULL};
    assert_first_is(&o, "GET /hello HTTP/1.1\r\nHost: example:81\r\nX-One: 1\r\n\r\n");
    o.headers = (char *[]){first, second, NULL};
    assert_first_is(&o, "GET /hello HTTP/1.1\r\nX-One: 1\r\nhOsT: other\r\n\r\n");
}

static void the_host_can_be_told_later(void **state)
{
    (void)state;
    struct mix *mix = must_make(&usual);
    size_t before = mix_most_bytes(mix);
    assert_true(mix_set_host(mix, "somewhere-else:65535"));
    assert_true(mix_most_bytes(mix) > before);
    struct random_stream random = stream(1, 0, 1);
    struct expectation e;
    char *text = draw(mix, &random, &e);
    assert_string_equal(text, "GET /hello HTTP/1.1\r\nHost: somewhere-else:65535\r\n\r\n");
    assert_int_equal(e.body_bytes, 13);
    free(text);
    random_stream_free(&random);
    mix_free(mix);
}

static void what_is_no_header_field_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"no colon", ": no name", "A: b\r\nC: d", "A: b\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mix_options o = usual;
        char *text = strdup(bad[i]);
        o.headers = (char *[]){text, NULL};
        must_refuse(&o, "expected \"Name: value\"");
        free(text);
    }
}

static void a_body_goes_along_with_its_length_whatever_it_holds(void **state)
{
    (void)state;
    struct mix_options o = usual;
    o.method = "POST", o.path = "/echo", o.body = "a\0b", o.body_bytes = 3;
    struct mix *mix = must_make(&o);
    struct random_stream random = stream(1, 0, 1);
    char bytes[256];
    struct expectation e;
    static const char expected[] =
        "POST /echo HTTP/1.1\r\nHost: example:81\r\nContent-Length: 3\r\n\r\na\0b";
    assert_int_equal(mix_draw(mix, &random, bytes, &e), sizeof expected - 1);
    assert_memory_equal(bytes, expected, sizeof expected - 1);
    random_stream_free(&random);
    mix_free(mix);

    o.body = "", o.body_bytes = 0;
    assert_first_is(&o, "POST /echo HTTP/1.1\r\nHost: example:81\r\nContent-Length: 0\r\n\r\n");
    o.body = "x", o.body_bytes = 1, o.method = "GET";
    assert_first_is(&o, "GET /echo HTTP/1.1\r\nHost: example:81\r\nContent-Length: 1\r\n\r\nx");
}

static void in_a_mix_the_body_is_not_for_get_and_head(void **state)
{
    (void)state;
    static const char *const lines[] = {"1 GET /echo\n", "1 HEAD /echo\n", "1 POST /echo\n",
                                        "1 PUT /echo\n"};
    for (int i = 0; i < 4; i++) {
        struct mix_options o = usual;
        char *name = mix_file(lines[i]);
        o.file = name, o.body = "xyz", o.body_bytes = 3;
        struct expectation e;
        char *text = draw_first(&o, &e);
        assert_int_equal(strstr(text, "Content-Length: 3\r\n\r\nxyz") != NULL, i >= 2);
        free(text);
        unlink(name);
        free(name);
    }
}

static void wrong_methods_and_paths_are_refused_and_named(void **state)
{
    (void)state;
    struct mix_options o = usual;
    o.method = "get";
    must_refuse(&o, "method get");
    o.method = "";
    must_refuse(&o, "method ");
    o.method = "GET", o.path = "hello";
    must_refuse(&o, "path hello: expected to begin with /");
    static const char *const bad[] = {"/{",
                                      "/{seq",
                                      "/{}",
                                      "/{exp}",
                                      "/{exp:}",
                                      "/{exp:a}",
                                      "/{exp:-1}",
                                      "/{uniform:1}",
                                      "/{uniform:}",
                                      "/{other}",
                                      "/{uniform:2:1}",
                                      "/{seq}{exp:1",
                                      "/{uniform:1:2:3}",
                                      "/{integer:1}",
                                      "/{integer:2:1}",
                                      "/{integer:0:1.5}",
                                      "/{integer:0.5:1}",
                                      "/{integer:0:2000000000}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o.path = bad[i];
        must_refuse(&o, "expected {exp:M}, {uniform:A:B}, {integer:A:B} or {seq}");
    }
    o.path = "/{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}{seq}";
    must_refuse(&o, "too many variates");
}

static void a_path_with_blanks_or_other_unprintable_bytes_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"/a b", "/a\tb", "/a\r\nX: y", "/\x7f", "/\xc3\xa4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mix_options o = usual;
        o.path = bad[i];
        must_refuse(&o, "printable");
    }
}

/* --- variates --------------------------------------------------------------------------------- */

static double number_behind(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    return atof(at + strlen(name));
}

/* Mean and standard deviation of what a path has behind `name`. */
static void moments(const char *path, const char *name, double *mean, double *stddev)
{
    struct mix_options o = usual;
    o.path = path;
    struct mix *mix = must_make(&o);
    struct random_stream random = stream(5, 0, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct expectation e;
        char *text = draw(mix, &random, &e);
        double value = number_behind(text, name);
        sum += value;
        squares += value * value;
        free(text);
    }
    *mean = sum / DRAWS;
    *stddev = sqrt(squares / DRAWS - *mean * *mean);
    random_stream_free(&random);
    mix_free(mix);
}

/* Within four standard errors; the seed is fixed. */
static void variates_have_their_mean_and_spread(void **state)
{
    (void)state;
    double mean, stddev;
    moments("/work?wait_ms={exp:20}", "wait_ms=", &mean, &stddev);
    assert_true(fabs(mean - 20) < 4 * 20 / sqrt(DRAWS));
    assert_true(fabs(stddev - 20) < 1);
    moments("/work?cpu_us={uniform:10:40}&wait_ms=1", "cpu_us=", &mean, &stddev);
    assert_true(fabs(mean - 25) < 4 * 30 / sqrt(12 * DRAWS));
    assert_true(fabs(stddev - 30 / sqrt(12)) < 0.2);
    moments("/work?bytes={exp:1000}", "bytes=", &mean, &stddev);
    assert_true(fabs(mean - 1000) < 4 * 1000 / sqrt(DRAWS));
    moments("/work?cpu_us={uniform:3:3}", "cpu_us=", &mean, &stddev);
    assert_true(mean == 3);
}

static void two_variates_of_one_path_are_independent(void **state)
{
    (void)state;
    struct mix_options o = usual;
    o.path = "/work?cpu_us={uniform:0:1}&wait_ms={uniform:0:1}";
    struct mix *mix = must_make(&o);
    struct random_stream random = stream(5, 0, 1);
    double product = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct expectation e;
        char *text = draw(mix, &random, &e);
        product += (number_behind(text, "cpu_us=") - 0.5) * (number_behind(text, "wait_ms=") - 0.5);
        free(text);
    }
    assert_true(fabs(product / DRAWS * 12) < 4 / sqrt(DRAWS)); /* the correlation */
    random_stream_free(&random);
    mix_free(mix);
}

static void a_number_of_bytes_is_whole_and_is_what_is_expected(void **state)
{
    (void)state;
    struct mix_options o = usual;
    o.path = "/work?wait_ms={exp:1}&bytes={uniform:0:5000}&cpu_us={exp:3}";
    struct mix *mix = must_make(&o);
    struct random_stream random = stream(5, 0, 1);
    for (int i = 0; i < 1000; i++) {
        struct expectation e;
        char *text = draw(mix, &random, &e), *end;
        long bytes = strtol(strstr(text, "&bytes=") + 7, &end, 10);
        assert_int_equal(*end, '&');
        assert_int_equal(e.body_bytes, bytes);
        assert_null(e.body);
        free(text);
    }
    random_stream_free(&random);
    mix_free(mix);
}

static void an_integer_is_whole_and_each_in_its_range_is_as_likely(void **state)
{
    (void)state;
    enum { LEAST = 7, MOST = 16, VALUES = MOST - LEAST + 1 };
    struct mix_options o = usual;
    o.path = "/kv?key=key:{integer:7:16}";
    struct mix *mix = must_make(&o);
    struct random_stream random = stream(5, 0, 1);
    int seen[VALUES] = {0};
    for (int i = 0; i < DRAWS; i++) {
        struct expectation e;
        char *text = draw(mix, &random, &e), *end;
        long value = strtol(strstr(text, "=key:") + 5, &end, 10);
        assert_int_equal(*end, ' ');
        assert_in_range(value, LEAST, MOST);
        seen[value - LEAST]++;
        free(text);
    }
    double chi_square = 0;
    for (int i = 0; i < VALUES; i++)
        chi_square += pow(seen[i] - (double)DRAWS / VALUES, 2) / ((double)DRAWS / VALUES);
    assert_true(chi_square < 27.9); /* nine degrees of freedom, 0.1 % */
    random_stream_free(&random);
    mix_free(mix);
}

static void the_longest_variates_have_room(void **state)
{
    (void)state;
    struct mix_options o = usual;
    o.path = "/{exp:1000000000000000000}{uniform:0:1000000000000000000}{seq}";
    struct mix *mix = must_make(&o);
    struct random_stream random = stream(5, UINT64_MAX - 1, 1);
    for (int i = 0; i < 1000; i++) {
        struct expectation e;
        free(draw(mix, &random, &e)); /* which sees that it stayed within its bounds */
    }
    random_stream_free(&random);
    mix_free(mix);
}

static void the_counter_gives_every_number_once_over_all_streams(void **state)
{
    (void)state;
    enum { STREAMS = 7, EACH = 100 };
    bool seen[STREAMS * EACH] = {false};
    struct mix_options o = usual;
    o.path = "/{seq}";
    struct mix *mix = must_make(&o);
    for (unsigned s = 0; s < STREAMS; s++) {
        struct random_stream random = stream(1, s, STREAMS);
        for (int i = 0; i < EACH; i++) {
            struct expectation e;
            char *text = draw(mix, &random, &e);
            unsigned long number = strtoul(text + 5, NULL, 10);
            assert_true(number < STREAMS * EACH);
            assert_false(seen[number]);
            seen[number] = true;
            free(text);
        }
        random_stream_free(&random);
    }
    mix_free(mix);
}

static void the_same_seed_draws_the_same_requests_and_another_others(void **state)
{
    (void)state;
    struct mix *mix = must_make_of("1 GET /work?wait_ms={exp:5}\n1 HEAD /work?cpu_us={exp:5}\n");
    struct random_stream a = stream(9, 2, 4), b = stream(9, 2, 4), seed = stream(10, 2, 4),
                         index = stream(9, 1, 4);
    unsigned alike = 0;
    for (int i = 0; i < 500; i++) {
        struct expectation e;
        char *first = draw(mix, &a, &e), *second = draw(mix, &b, &e);
        char *third = draw(mix, &seed, &e), *fourth = draw(mix, &index, &e);
        assert_string_equal(first, second);
        alike += strcmp(first, third) == 0;
        alike += strcmp(first, fourth) == 0;
        free(first), free(second), free(third), free(fourth);
    }
    assert_true(alike < 5); /* three decimals: now and then two are the same */
    random_stream_free(&a), random_stream_free(&b);
    random_stream_free(&seed), random_stream_free(&index);
    mix_free(mix);
}

/* --- mixes ------------------------------------------------------------------------------------ */

/* Chi-square with three degrees of freedom, at a level of 0.1 %; the seed is fixed. */
static void requests_are_drawn_by_their_weights(void **state)
{
    (void)state;
    static const double shares[] = {0.5, 0.3, 0.15, 0.05};
    struct mix *mix = must_make_of("# comment\n\n10 GET /a\n6 GET /b\n\t3  GET\t/c\r\n1.0 GET /d");
    assert_int_equal(mix_count(mix), 4);
    assert_string_equal(mix_text(mix, 2), "GET /c");
    struct random_stream random = stream(3, 0, 1);
    double counts[4] = {0}, chi = 0;
    for (int i = 0; i < DRAWS; i++) {
        struct expectation e;
        char *text = draw(mix, &random, &e);
        counts[text[5] - 'a']++;
        free(text);
    }
    for (int i = 0; i < 4; i++)
        chi += pow(counts[i] - shares[i] * DRAWS, 2) / (shares[i] * DRAWS);
    assert_true(gsl_cdf_chisq_Q(chi, 3) > 0.001);
    random_stream_free(&random);
    mix_free(mix);
}

static void a_wrong_line_of_a_mix_is_named(void **state)
{
    (void)state;
    must_refuse_line("1 GET /a\nGET /b\n", 2, "expected WEIGHT METHOD PATH");
    must_refuse_line("1 GET\n", 1, "expected WEIGHT METHOD PATH");
    must_refuse_line("#\n\n0 GET /a\n", 3, "expected WEIGHT METHOD PATH");
    must_refuse_line("-1 GET /a\n", 1, "expected WEIGHT METHOD PATH");
    must_refuse_line("1 GET /a b\n", 1, "expected WEIGHT METHOD PATH");
    must_refuse_line("1 GET /a\n1 GET /{exp}\n", 2, "expected {exp:M}");
    must_refuse_line("1 get /a\n", 1, "method get");
    must_refuse_line("1 GET a\n", 1, "path a");
}

static void a_line_that_is_too_long_is_refused_and_not_cut_in_two(void **state)
{
    (void)state;
    char text[6000];
    int length = snprintf(text, sizeof text, "1 GET /");
    memset(text + length, 'x', sizeof text - (size_t)length - 2);
    strcpy(text + sizeof text - 2, "\n");
    must_refuse_line(text, 1, "longer");
}

static void an_empty_mix_and_one_that_is_not_there_are_refused(void **state)
{
    (void)state;
    struct mix_options o = usual;
    char *name = mix_file("# nothing\n\n");
    o.file = name;
    must_refuse(&o, "holds no request");
    unlink(name);
    must_refuse(&o, name);
    must_refuse(&o, "No such file");
    free(name);
}

/* --- expectations ----------------------------------------------------------------------------- */

static struct expectation expected_of(const char *method, const char *path, const char *body,
                                      bool any_body)
{
    struct mix_options o = usual;
    o.method = method, o.path = path, o.any_body = any_body;
    o.body = body, o.body_bytes = body ? strlen(body) : 0;
    struct expectation e;
    free(draw_first(&o, &e));
    return e;
}

static void the_suites_own_routes_have_known_answers(void **state)
{
    (void)state;
    assert_int_equal(expected_of("GET", "/hello", NULL, false).body_bytes, 13);
    assert_int_equal(expected_of("GET", "/hello?x=1", NULL, false).body_bytes, 13);
    assert_int_equal(expected_of("GET", "/hellos", NULL, false).body_bytes, -1);
    assert_int_equal(expected_of("POST", "/echo", "abc", false).body_bytes, 3);
    assert_int_equal(expected_of("GET", "/work", NULL, false).body_bytes, 0);
    assert_int_equal(expected_of("GET", "/work?bytes=77", NULL, false).body_bytes, 77);
    assert_int_equal(
        expected_of("GET", "/work?cpu_us=1&bytes=78&wait_ms=2", NULL, false).body_bytes, 78);
    assert_int_equal(expected_of("GET", "/work?kilobytes=9", NULL, false).body_bytes, 0);
    assert_int_equal(expected_of("GET", "/files/a.txt", NULL, false).body_bytes, -1);
}

static void the_answer_to_head_is_a_head(void **state)
{
    (void)state;
    struct expectation e = expected_of("HEAD", "/hello", NULL, false);
    assert_true(e.head);
    assert_int_equal(e.body_bytes, -1);
    assert_true(expected_of("HEAD", "/hello", NULL, true).head);
    assert_false(expected_of("GET", "/hello", NULL, false).head);
}

static void of_a_foreign_server_nothing_is_known(void **state)
{
    (void)state;
    assert_int_equal(expected_of("GET", "/hello", NULL, true).body_bytes, -1);
    assert_int_equal(expected_of("GET", "/work?bytes=5", NULL, true).body_bytes, -1);
    assert_int_equal(expected_of("POST", "/echo", "abc", true).body_bytes, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_its_line_its_host_and_an_empty_line),
        cmocka_unit_test(connections_are_kept_or_not_in_the_way_of_each_version),
        cmocka_unit_test(further_header_fields_follow_and_may_replace_the_host),
        cmocka_unit_test(the_host_can_be_told_later),
        cmocka_unit_test(what_is_no_header_field_is_refused),
        cmocka_unit_test(a_body_goes_along_with_its_length_whatever_it_holds),
        cmocka_unit_test(in_a_mix_the_body_is_not_for_get_and_head),
        cmocka_unit_test(wrong_methods_and_paths_are_refused_and_named),
        cmocka_unit_test(a_path_with_blanks_or_other_unprintable_bytes_is_refused),
        cmocka_unit_test(variates_have_their_mean_and_spread),
        cmocka_unit_test(two_variates_of_one_path_are_independent),
        cmocka_unit_test(a_number_of_bytes_is_whole_and_is_what_is_expected),
        cmocka_unit_test(an_integer_is_whole_and_each_in_its_range_is_as_likely),
        cmocka_unit_test(the_longest_variates_have_room),
        cmocka_unit_test(the_counter_gives_every_number_once_over_all_streams),
        cmocka_unit_test(the_same_seed_draws_the_same_requests_and_another_others),
        cmocka_unit_test(requests_are_drawn_by_their_weights),
        cmocka_unit_test(a_wrong_line_of_a_mix_is_named),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_and_not_cut_in_two),
        cmocka_unit_test(an_empty_mix_and_one_that_is_not_there_are_refused),
        cmocka_unit_test(the_suites_own_routes_have_known_answers),
        cmocka_unit_test(the_answer_to_head_is_a_head),
        cmocka_unit_test(of_a_foreign_server_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
