/* The conversation with Redis, with a Redis that is a string: no socket. */
#include "servers/backend/redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- askers ----------------------------------------------------------------------------------- */

static int done_count;
static struct redis_query *done_last;

static void note_done(struct redis_query *q)
{
    done_count++;
    done_last = q;
}

static void add(struct redis_query *q, const char *command, const char *key)
{
    assert_int_equal(redis_query_add(q, 2, (const char *[]){command, key}), 0);
}

static struct redis_query get(const char *key)
{
    struct redis_query q = {.done = note_done};
    add(&q, "GET", key);
    return q;
}

static int begin(void **state)
{
    done_count = 0;
    done_last = NULL;
    *state = calloc(1, sizeof(struct redis));
    return 0;
}

static int end(void **state)
{
    redis_free(*state);
    free(*state);
    return 0;
}

static int receive(struct redis *r, const char *text)
{
    /* Of exactly its size: a sanitizer sees a byte read too far. */
    size_t length = strlen(text);
    char *bytes = malloc(length);
    memcpy(bytes, text, length);
    int result = redis_received(r, bytes, length);
    free(bytes);
    return result;
}

static void assert_output(struct redis *r, const char *expected)
{
    size_t length;
    const char *bytes = redis_output(r, &length);
    assert_int_equal(length, strlen(expected));
    if (length)
        assert_memory_equal(bytes, expected, length);
}

static void assert_value(const struct redis_query *q, const char *value)
{
    assert_int_equal(q->state, REDIS_ANSWERED);
    assert_int_equal(q->replies[0]->type, REDIS_REPLY_STRING);
    assert_string_equal(q->replies[0]->str, value);
}

/* --- questions -------------------------------------------------------------------------------- */

#define GET_A "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
#define GET_B "*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"

static void what_is_asked_goes_out_in_order_and_piece_by_piece(void **state)
{
    struct redis *r = *state;
    struct redis_query a = get("a"), b = get("b");
    assert_output(r, "");
    assert_int_equal(redis_ask(r, &a), 0);
    assert_int_equal(redis_ask(r, &b), 0);
    assert_output(r, GET_A GET_B);
    redis_sent(r, 5);
    assert_output(r, GET_A GET_B + 5);
    redis_sent(r, strlen(GET_A GET_B) - 5);
    assert_output(r, "");
    redis_query_end(&a);
    redis_query_end(&b);
}

static void each_reply_goes_to_its_query_wherever_the_bytes_are_split(void **state)
{
    struct redis *r = *state;
    static const char replies[] = "$3\r\none\r\n$-1\r\n$5\r\nthree\r\n";
    for (size_t split = 1; split < sizeof replies - 1; split++) {
        struct redis_query q[3] = {get("a"), get("b"), get("c")};
        for (int i = 0; i < 3; i++)
            assert_int_equal(redis_ask(r, &q[i]), 0);
        assert_int_equal(redis_received(r, replies, split), 0);
        assert_int_equal(receive(r, replies + split), 0);
        assert_value(&q[0], "one");
        assert_int_equal(q[1].replies[0]->type, REDIS_REPLY_NIL);
        assert_value(&q[2], "three");
        for (int i = 0; i < 3; i++)
            redis_query_end(&q[i]);
    }
}

static void a_query_of_two_commands_is_done_with_the_second_reply(void **state)
{
    struct redis *r = *state;
    struct redis_query q = {.done = note_done};
    add(&q, "INCR", "n");
    add(&q, "GET", "n");
    redis_ask(r, &q);
    receive(r, ":41\r\n");
    assert_int_equal(done_count, 0);
    receive(r, "$2\r\n41\r\n");
    assert_int_equal(done_count, 1);
    assert_int_equal(q.replies[0]->integer, 41);
    assert_string_equal(q.replies[1]->str, "41");
    redis_query_end(&q);
}

static void no_more_commands_fit_than_replies(void **state)
{
    (void)state;
    struct redis_query q = {0};
    for (int i = 0; i < REDIS_REPLIES_MOST; i++)
        add(&q, "GET", "a");
    assert_int_equal(redis_query_add(&q, 2, (const char *[]){"GET", "a"}), -1);
    redis_query_end(&q);
}

static void an_error_reply_is_an_answer(void **state)
{
    struct redis *r = *state;
    struct redis_query q = get("list");
    redis_ask(r, &q);
    assert_int_equal(receive(r, "-WRONGTYPE no\r\n"), 0);
    assert_int_equal(q.state, REDIS_ANSWERED);
    assert_int_equal(q.replies[0]->type, REDIS_REPLY_ERROR);
    redis_query_end(&q);
}

static void many_queries_are_under_way_at_once(void **state)
{
    struct redis *r = *state;
    enum { MANY = 1000 };
    struct redis_query *q = calloc(MANY, sizeof *q);
    for (int round = 0; round < 3; round++) { /* so that the ring turns */
        for (int i = 0; i < MANY; i++) {
            q[i] = get("a");
            assert_int_equal(redis_ask(r, &q[i]), 0);
        }
        for (int i = 0; i < MANY; i++) {
            char reply[16];
            snprintf(reply, sizeof reply, ":%d\r\n", i);
            receive(r, reply);
            assert_ptr_equal(done_last, &q[i]);
            assert_int_equal(q[i].replies[0]->integer, i);
            redis_query_end(&q[i]);
        }
    }
    free(q);
}

/* --- leaving ---------------------------------------------------------------------------------- */

static void the_reply_to_a_query_that_left_is_dropped(void **state)
{
    struct redis *r = *state;
    struct redis_query *gone = malloc(sizeof *gone); /* freed: a sanitizer sees it touched */
    *gone = (struct redis_query){.done = note_done};
    add(gone, "GET", "a");
    add(gone, "GET", "b");
    struct redis_query stays = get("c");
    redis_ask(r, gone);
    redis_ask(r, &stays);
    receive(r, "$1\r\nA\r\n");
    redis_query_end(gone);
    free(gone);
    receive(r, "$1\r\nB\r\n$1\r\nC\r\n");
    assert_int_equal(done_count, 1);
    assert_value(&stays, "C");
    redis_query_end(&stays);
}

static void giving_up_on_a_silent_redis_says_that_it_is_stuck(void **state)
{
    struct redis *r = *state;
    struct redis_query a = get("a"), b = get("b"), c = get("c");
    redis_ask(r, &a);
    redis_ask(r, &b);
    receive(r, ":1\r\n");
    redis_query_give_up(&b); /* slow, but it speaks */
    assert_false(r->is_stuck);
    redis_ask(r, &c);
    redis_query_end(&c); /* its client left: that says nothing about Redis */
    assert_false(r->is_stuck);
    c = get("c");
    redis_ask(r, &c);
    redis_query_give_up(&c);
    assert_true(r->is_stuck);
    redis_query_end(&a);
}

/* --- failing ---------------------------------------------------------------------------------- */

static void what_was_not_asked_for_ends_the_conversation(void **state)
{
    struct redis *r = *state;
    assert_int_equal(receive(r, "+OK\r\n"), -1);
    struct redis_query q = get("a");
    redis_ask(r, &q);
    assert_int_equal(receive(r, ":1\r\n:2\r\n"), -1);
    assert_int_equal(q.state, REDIS_ANSWERED);
    redis_query_end(&q);
}

static void what_is_not_redis_ends_the_conversation(void **state)
{
    struct redis *r = *state;
    struct redis_query q = get("a");
    redis_ask(r, &q);
    assert_int_equal(receive(r, "HTTP/1.1 400 Bad Request\r\n"), -1);
    assert_int_equal(q.state, REDIS_ASKED);
    redis_fail(r);
    assert_int_equal(q.state, REDIS_FAILED);
    redis_query_end(&q);
}

static void a_failure_fails_every_query_and_the_next_begins_anew(void **state)
{
    struct redis *r = *state;
    struct redis_query a = get("a"), b = get("b"), gone = get("x");
    redis_ask(r, &a);
    redis_ask(r, &gone);
    redis_ask(r, &b);
    redis_query_end(&gone);
    receive(r, "$10\r\nhalf");
    redis_fail(r);
    assert_int_equal(done_count, 2);
    assert_int_equal(a.state, REDIS_FAILED);
    assert_int_equal(b.state, REDIS_FAILED);
    redis_query_end(&a);
    redis_query_end(&b);
    a = get("a");
    redis_ask(r, &a);
    assert_output(r, GET_A); /* nothing of the old conversation */
    receive(r, "$1\r\nA\r\n");
    assert_value(&a, "A");
    redis_query_end(&a);
}

static void ask_again(struct redis_query *q)
{
    struct redis *r = q->asker;
    redis_query_end(q);
    *q = get("b");
    redis_ask(r, q);
}

static void who_is_done_may_ask_again_at_once(void **state)
{
    struct redis *r = *state;
    struct redis_query q = get("a");
    q.done = ask_again;
    q.asker = r;
    redis_ask(r, &q);
    redis_fail(r);
    assert_int_equal(q.state, REDIS_ASKED);
    assert_output(r, GET_B);
    receive(r, "$1\r\nB\r\n");
    assert_value(&q, "B");
    redis_query_end(&q);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_asked_goes_out_in_order_and_piece_by_piece),
        CASE(each_reply_goes_to_its_query_wherever_the_bytes_are_split),
        CASE(a_query_of_two_commands_is_done_with_the_second_reply),
        CASE(no_more_commands_fit_than_replies),
        CASE(an_error_reply_is_an_answer),
        CASE(many_queries_are_under_way_at_once),
        CASE(the_reply_to_a_query_that_left_is_dropped),
        CASE(giving_up_on_a_silent_redis_says_that_it_is_stuck),
        CASE(what_was_not_asked_for_ends_the_conversation),
        CASE(what_is_not_redis_ends_the_conversation),
        CASE(a_failure_fails_every_query_and_the_next_begins_anew),
        CASE(who_is_done_may_ask_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
