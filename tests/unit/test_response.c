/* Answers, however they are cut into pieces, right and wrong. */
#include "loadgen/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct expectation anything = {.body_bytes = -1};
static const struct expectation hello = {.body = "Hello, World!", .body_bytes = 13};
static const struct expectation to_head = {.head = true, .body_bytes = -1};

#define FIXED "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!"
#define CHUNKED                                                         \
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nHello, " \
    "\r\n6\r\nWorld!\r\n0\r\n\r\n"
#define UNTIL_CLOSE "HTTP/1.0 200 OK\r\n\r\nHello, World!"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/* An exact copy on the heap, where reading beyond its end is noticed. */
static enum response_state feed(struct response_parser *p, const struct expectation *e,
                                const char *bytes, size_t length, size_t *used)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    enum response_state state = response_feed(p, e, copy, length, used);
    assert_true(*used <= length);
    free(copy);
    return state;
}

static enum response_state feed_whole(struct response_parser *p, const struct expectation *e,
                                      const char *text)
{
    size_t used;
    return feed(p, e, text, strlen(text), &used);
}

static void assert_good(const struct response_parser *p)
{
    assert_int_equal(p->status, 200);
    assert_false(p->body_wrong);
}

/* In two pieces, for every place between them. */
static void assert_good_however_split(const char *text, const struct expectation *e,
                                      bool keep_alive)
{
    size_t length = strlen(text), used;
    for (size_t cut = 0; cut <= length; cut++) {
        struct response_parser p;
        response_begin(&p);
        enum response_state state = RESPONSE_INCOMPLETE;
        if (cut > 0)
            state = feed(&p, e, text, cut, &used);
        if (cut < length) {
            assert_int_equal(state, RESPONSE_INCOMPLETE);
            assert_int_equal(used, cut > 0 ? cut : used);
            state = feed(&p, e, text + cut, length - cut, &used);
            assert_int_equal(used, length - cut);
        }
        assert_int_equal(state, RESPONSE_COMPLETE);
        assert_good(&p);
        assert_int_equal(p.keep_alive, keep_alive);
    }
}

static void assert_good_byte_by_byte(const char *text, const struct expectation *e)
{
    struct response_parser p;
    response_begin(&p);
    size_t used;
    for (; text[1]; text++)
        assert_int_equal(feed(&p, e, text, 1, &used), RESPONSE_INCOMPLETE);
    assert_int_equal(feed(&p, e, text, 1, &used), RESPONSE_COMPLETE);
    assert_int_equal(used, 1);
    assert_good(&p);
}

static void an_answer_is_understood_however_it_is_split(void **state)
{
    (void)state;
    static const char closing[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nHello, World!";
    assert_good_however_split(FIXED, &hello, true);
    assert_good_however_split(CHUNKED, &hello, true);
    assert_good_however_split(closing, &hello, false);
    assert_good_however_split(CONTINUE FIXED, &hello, true);
    assert_good_however_split("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n", &to_head, true);
    assert_good_however_split("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                              &(struct expectation){.body_bytes = 0}, true);
}

static void an_answer_is_understood_byte_by_byte(void **state)
{
    (void)state;
    assert_good_byte_by_byte(FIXED, &hello);
    assert_good_byte_by_byte(CHUNKED, &hello);
    assert_good_byte_by_byte(CONTINUE CONTINUE CHUNKED, &hello);
}

static void http_1_0_closes_unless_it_says_otherwise(void **state)
{
    (void)state;
    assert_good_however_split("HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!", &hello,
                              false);
    assert_good_however_split("HTTP/1.0 200 OK\r\nContent-Length: 13\r\nConnection: keep-alive\r\n"
                              "\r\nHello, World!",
                              &hello, true);
}

static void pipelined_answers_come_one_at_a_time(void **state)
{
    (void)state;
    static const char text[] =
        FIXED CHUNKED "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
    static const size_t lengths[] = {sizeof FIXED - 1, sizeof CHUNKED - 1};
    struct response_parser p;
    response_begin(&p);
    const char *at = text;
    size_t left = sizeof text - 1, used;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(feed(&p, &hello, at, left, &used), RESPONSE_COMPLETE);
        assert_int_equal(used, lengths[i]);
        assert_good(&p);
        at += used, left -= used;
    }
    assert_int_equal(feed(&p, &anything, at, left, &used), RESPONSE_COMPLETE);
    assert_int_equal(used, left);
    assert_int_equal(p.status, 404);
}

static void a_hundred_answers_on_one_connection_do_not_wear_the_parser_out(void **state)
{
    (void)state;
    struct response_parser p;
    response_begin(&p);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(feed_whole(&p, &hello, i % 2 ? FIXED : CHUNKED), RESPONSE_COMPLETE);
        assert_good(&p);
    }
}

static void a_body_without_a_length_ends_with_the_connection(void **state)
{
    (void)state;
    struct response_parser p;
    response_begin(&p);
    assert_int_equal(feed_whole(&p, &hello, UNTIL_CLOSE), RESPONSE_INCOMPLETE);
    assert_int_equal(response_ended(&p, &hello), RESPONSE_COMPLETE);
    assert_good(&p);
    assert_false(p.keep_alive);
}

static void a_body_without_a_length_is_checked_too(void **state)
{
    (void)state;
    struct response_parser p;
    response_begin(&p);
    feed_whole(&p, &hello, "HTTP/1.0 200 OK\r\n\r\nHello, Wor");
    assert_int_equal(response_ended(&p, &hello), RESPONSE_COMPLETE);
    assert_true(p.body_wrong);
}

static void a_connection_that_ends_before_the_answer_does_is_no_answer(void **state)
{
    (void)state;
    static const char *const texts[] = {FIXED, CHUNKED, CONTINUE FIXED};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t cut = 0; cut < strlen(texts[i]); cut++) {
            struct response_parser p;
            response_begin(&p);
            size_t used;
            if (cut > 0)
                feed(&p, &hello, texts[i], cut, &used);
            assert_int_equal(response_ended(&p, &hello), RESPONSE_INCOMPLETE);
        }
    }
}

static void a_second_answer_that_never_began_is_not_complete_either(void **state)
{
    (void)state;
    struct response_parser p;
    response_begin(&p);
    assert_int_equal(feed_whole(&p, &hello, FIXED), RESPONSE_COMPLETE);
    assert_int_equal(response_ended(&p, &hello), RESPONSE_INCOMPLETE);
}

static void an_answer_to_head_has_no_body_and_the_next_one_follows(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n";
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" FIXED;
    struct response_parser p;
    response_begin(&p);
    size_t used;
    assert_int_equal(feed(&p, &to_head, text, sizeof text - 1, &used), RESPONSE_COMPLETE);
    assert_int_equal(used, sizeof head - 1);
    assert_good(&p);
    assert_int_equal(feed_whole(&p, &hello, text + used), RESPONSE_COMPLETE);
    assert_good(&p);
}

static void assert_wrong_body(const char *text, const struct expectation *e)
{
    struct response_parser p;
    size_t used;
    response_begin(&p);
    assert_int_equal(feed_whole(&p, e, text), RESPONSE_COMPLETE);
    assert_true(p.body_wrong);
    response_begin(&p);
    enum response_state state = RESPONSE_INCOMPLETE;
    for (; *text; text++)
        state = feed(&p, e, text, 1, &used);
    assert_int_equal(state, RESPONSE_COMPLETE);
    assert_true(p.body_wrong);
}

static void a_body_of_another_length_is_wrong(void **state)
{
    (void)state;
    assert_wrong_body("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello, World", &hello);
    assert_wrong_body("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, World!!", &hello);
    assert_wrong_body("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &hello);
    assert_wrong_body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
                      &(struct expectation){.body_bytes = 4});
    assert_wrong_body(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        &(struct expectation){.body_bytes = 4});
}

static void a_body_of_other_content_is_wrong(void **state)
{
    (void)state;
    assert_wrong_body("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World?", &hello);
    assert_wrong_body("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello, World!", &hello);
}

static void the_answer_after_a_wrong_one_is_judged_by_itself(void **state)
{
    (void)state;
    struct response_parser p;
    response_begin(&p);
    feed_whole(&p, &hello, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    assert_true(p.body_wrong);
    assert_int_equal(feed_whole(&p, &hello, FIXED), RESPONSE_COMPLETE);
    assert_good(&p);
}

static void any_body_will_do_when_none_is_expected(void **state)
{
    (void)state;
    struct response_parser p;
    response_begin(&p);
    assert_int_equal(feed_whole(&p, &anything, FIXED), RESPONSE_COMPLETE);
    assert_good(&p);
}

static void what_is_not_http_is_broken(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "garbage\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct response_parser p;
        response_begin(&p);
        if (feed_whole(&p, &anything, texts[i]) != RESPONSE_BROKEN)
            fail_msg("not refused: %s", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_understood_however_it_is_split),
        cmocka_unit_test(an_answer_is_understood_byte_by_byte),
        cmocka_unit_test(http_1_0_closes_unless_it_says_otherwise),
        cmocka_unit_test(pipelined_answers_come_one_at_a_time),
        cmocka_unit_test(a_hundred_answers_on_one_connection_do_not_wear_the_parser_out),
        cmocka_unit_test(a_body_without_a_length_ends_with_the_connection),
        cmocka_unit_test(a_body_without_a_length_is_checked_too),
        cmocka_unit_test(a_connection_that_ends_before_the_answer_does_is_no_answer),
        cmocka_unit_test(a_second_answer_that_never_began_is_not_complete_either),
        cmocka_unit_test(an_answer_to_head_has_no_body_and_the_next_one_follows),
        cmocka_unit_test(a_body_of_another_length_is_wrong),
        cmocka_unit_test(a_body_of_other_content_is_wrong),
        cmocka_unit_test(the_answer_after_a_wrong_one_is_judged_by_itself),
        cmocka_unit_test(any_body_will_do_when_none_is_expected),
        cmocka_unit_test(what_is_not_http_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
