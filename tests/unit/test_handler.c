/* The request handler: routes, parameters, targets. It waits for nothing, so neither do these. */
#include "servers/handler/handler.h"
#include "servers/handler/parameters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct handler_config config = {.compute_rate = 1, .has_root = true};

static enum handler_need begin(enum request_method method, const char *target, struct exchange *x)
{
    /* Not NUL-terminated, and of exactly its size: a sanitizer sees a byte read too far. */
    size_t length = strlen(target);
    char *bytes = malloc(length ? length : 1);
    memcpy(bytes, target, length);
    struct request request = {.method = method, .target = bytes, .target_length = length};
    enum handler_need need = handler_begin(&config, &request, x);
    free(bytes);
    return need;
}

static unsigned status_of(const char *target)
{
    struct exchange x;
    enum handler_need need = begin(REQUEST_GET, target, &x);
    unsigned status = need == HANDLER_DONE ? x.response.status : 0;
    exchange_end(&x);
    return status;
}

static void assert_file(const char *target, const char *name)
{
    struct exchange x;
    if (begin(REQUEST_GET, target, &x) != HANDLER_FILE)
        fail_msg("%s should name a file", target);
    assert_string_equal(x.file_name, name);
    exchange_end(&x);
}

static void assert_bad(const char *query, const char *named)
{
    struct work work;
    char why[96] = "";
    if (work_parse(query, strlen(query), &work, why, sizeof why) == 0)
        fail_msg("%s should be refused", query);
    if (!strstr(why, named))
        fail_msg("expected %s to be named in: %s", named, why);
    assert_int_equal(why[strlen(why) - 1], '\n');
}

static void only_known_routes_exist(void **state)
{
    (void)state;
    assert_int_equal(status_of("/hello"), 200);
    assert_int_equal(status_of("/hello?anything"), 200);
    assert_int_equal(status_of("/%68ello"), 200);
    static const char *const unknown[] = {
        "",        "/",         "*",        "/hello/", "/Hello",         "/hellox",
        "/files",  "/hello%00", "/hello%2", "/%zz",    "/work%2f",       "hello",
        "http://", "http://a",  "//hello",  "/echo2",  "https://a/hello"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (status_of(unknown[i]) != 404)
            fail_msg("\"%s\" should be unknown", unknown[i]);
}

static void a_path_of_any_length_is_safe(void **state)
{
    (void)state;
    for (size_t length = 1; length < 5000; length += 13) {
        char *target = malloc(length + 1);
        memset(target, 'a', length);
        target[0] = '/';
        target[length] = '\0';
        assert_int_equal(status_of(target), 404);
        free(target);
    }
}

static void a_files_name_is_decoded_once(void **state)
{
    (void)state;
    assert_file("/files/a", "a");
    assert_file("/files/a%20b", "a b");
    assert_file("/files/%2e%2E/x", "../x"); /* whoever opens it stays below the root */
    assert_file("/files/%252e", "%2e");
    assert_file("/files//etc/passwd", "/etc/passwd");
    assert_file("/%66iles/a?b", "a");
    assert_int_equal(status_of("/files/"), 404);
    assert_int_equal(status_of("/files/a%00b"), 404);
}

static void without_a_root_there_are_no_files(void **state)
{
    (void)state;
    static const struct handler_config bare = {.compute_rate = 1};
    static const char target[] = "/files/a";
    struct request request = {REQUEST_GET, target, sizeof target - 1, NULL, 0};
    struct exchange x;
    assert_int_equal(handler_begin(&bare, &request, &x), HANDLER_DONE);
    assert_int_equal(x.response.status, 404);
    exchange_end(&x);
}

static void each_route_names_the_methods_it_allows(void **state)
{
    (void)state;
    static const struct {
        enum request_method method;
        const char *target, *allow;
    } cases[] = {
        {REQUEST_POST, "/hello", "GET, HEAD"},   {REQUEST_OTHER, "/work", "GET, HEAD"},
        {REQUEST_POST, "/files/x", "GET, HEAD"}, {REQUEST_GET, "/echo", "POST"},
        {REQUEST_HEAD, "/echo", "POST"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exchange x;
        assert_int_equal(begin(cases[i].method, cases[i].target, &x), HANDLER_DONE);
        assert_int_equal(x.response.status, 405);
        assert_string_equal(x.response.allow, cases[i].allow);
        exchange_end(&x);
    }
}

static void work_waits_then_locks_then_answers(void **state)
{
    (void)state;
    struct exchange x;
    assert_int_equal(begin(REQUEST_GET, "/work?cpu_us=1&wait_ms=1.5&lock_us=2&bytes=9", &x),
                     HANDLER_WAIT);
    assert_int_equal(x.wait_ns, 1500000);
    assert_int_equal(handler_continue(&config, &x), HANDLER_LOCK);
    assert_int_equal(handler_continue(&config, &x), HANDLER_DONE);
    assert_int_equal(x.response.body_bytes, 9);
    exchange_end(&x);
}

static void work_without_a_wait_or_a_lock_is_done_at_once(void **state)
{
    (void)state;
    struct exchange x;
    assert_int_equal(begin(REQUEST_GET, "/work", &x), HANDLER_DONE);
    assert_int_equal(x.response.body_bytes, 0);
    assert_int_equal(begin(REQUEST_GET, "/work?lock_us=1", &x), HANDLER_LOCK);
    assert_int_equal(begin(REQUEST_GET, "/work?wait_ms=0&lock_us=1", &x), HANDLER_LOCK);
    assert_int_equal(begin(REQUEST_GET, "/work?wait_ms=0.0000001&lock_us=1", &x), HANDLER_LOCK);
    assert_int_equal(begin(REQUEST_GET, "/work?wait_ms=1", &x), HANDLER_WAIT);
    assert_int_equal(handler_continue(&config, &x), HANDLER_DONE);
}

static void parameters_are_decimal_and_optional(void **state)
{
    (void)state;
    struct work work;
    char why[96];
    static const char query[] = "bytes=16777216&&cpu_us=.5&wait_ms=60000&lock_us=2.";
    assert_int_equal(work_parse(query, sizeof query - 1, &work, why, sizeof why), 0);
    assert_int_equal(work.bytes, 16777216);
    assert_true(work.cpu_us == 0.5 && work.wait_ms == 60000 && work.lock_us == 2);
    assert_int_equal(work_parse("", 0, &work, why, sizeof why), 0);
    assert_int_equal(work_parse("bytes=12", 7, &work, why, sizeof why), 0);
    assert_int_equal(work.bytes, 1); /* what lies behind the query is not read */
}

static void a_bad_parameter_is_named(void **state)
{
    (void)state;
    assert_bad("cpu_us=10000000.1", "cpu_us");
    assert_bad("wait_ms=60000.1", "wait_ms");
    assert_bad("lock_us=-1", "lock_us");
    assert_bad("lock_us=1e3", "lock_us");
    assert_bad("cpu_us=nan", "cpu_us");
    assert_bad("cpu_us=", "cpu_us");
    assert_bad("cpu_us", "cpu_us");
    assert_bad("cpu_us=.", "cpu_us");
    assert_bad("bytes=1.5", "bytes");
    assert_bad("bytes=16777217", "bytes");
    assert_bad("bytes=1&bytes=1", "bytes");
    assert_bad("speed=1", "speed");
    assert_bad("=1", "unknown");
    assert_bad("bytes =1", "bytes?");
    assert_bad("an_endlessly_long_name_of_a_parameter=1", "an_endlessly_long_name");
}

static void a_files_type_follows_its_ending(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/files/a.html", "text/html"},
        {"/files/a.HTML", "text/html"},
        {"/files/a.b.svg", "image/svg+xml"},
        {"/files/a", "application/octet-stream"},
        {"/files/.unknown", "application/octet-stream"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exchange x;
        begin(REQUEST_GET, cases[i][0], &x);
        struct file_facts facts = {.size_bytes = 5, .modified_s = 1};
        assert_int_equal(handler_file_opened(&x, &facts), HANDLER_DONE);
        assert_string_equal(x.response.content_type, cases[i][1]);
        assert_int_equal(x.response.body_bytes, 5);
        exchange_end(&x);
    }
}

/* --- keys and the guestbook ------------------------------------------------------------------- */

static const struct handler_config with_backend = {.compute_rate = 1, .has_backend = true};

static enum handler_need begin_with_backend(enum request_method method, const char *target,
                                            const char *body, struct exchange *x)
{
    struct request request = {method, target, strlen(target), body, strlen(body)};
    return handler_begin(&with_backend, &request, x);
}

static void note_nothing(struct redis_query *query)
{
    (void)query;
}

/* Has the exchange's query answered so. */
static void answer(struct exchange *x, const char *replies)
{
    struct redis redis = {0};
    x->query->done = note_nothing;
    assert_int_equal(redis_ask(&redis, x->query), 0);
    assert_int_equal(redis_received(&redis, replies, strlen(replies)), 0);
    assert_int_equal(handler_answered(x), HANDLER_DONE);
    redis_free(&redis);
}

static bool asks(const struct exchange *x, const char *words)
{
    return memmem(x->query->commands, x->query->length, words, strlen(words)) != NULL;
}

static void a_key_is_decoded_and_asked_for(void **state)
{
    (void)state;
    struct exchange x;
    assert_int_equal(begin_with_backend(REQUEST_GET, "/kv?key=a%20b", "", &x), HANDLER_BACKEND);
    assert_true(asks(&x, "*2\r\n$3\r\nGET\r\n$3\r\na b\r\n"));
    answer(&x, "$2\r\nhi\r\n");
    assert_int_equal(x.response.status, 200);
    assert_memory_equal(x.response.body, "hi", x.response.body_bytes);
    exchange_end(&x);
}

static void what_is_no_value_is_unavailable(void **state)
{
    (void)state;
    static const char *const replies[] = {"-ERR no\r\n", ":1\r\n", "*0\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct exchange x;
        begin_with_backend(REQUEST_GET, "/kv?key=a", "", &x);
        answer(&x, replies[i]);
        assert_int_equal(x.response.status, 503);
        assert_int_equal(x.response.retry_after_s, 1);
        exchange_end(&x);
    }
}

static void without_a_backend_nothing_is_asked(void **state)
{
    (void)state;
    assert_int_equal(status_of("/kv?key=a"), 503);
    assert_int_equal(status_of("/guestbook"), 503);
    assert_int_equal(status_of("/query?key=a"), 503);
    assert_int_equal(status_of("/kv"), 400); /* which would not help */
}

static void a_key_that_is_none_is_named(void **state)
{
    (void)state;
    char longest[300] = "key=";
    memset(longest + 4, 'k', sizeof longest - 5);
    const char *const bad[][2] = {{"", "key"},        {"key=", "key"},
                                  {"key", "key"},     {"key=%00", "key"},
                                  {longest, "key"},   {"key=a&key=b", "key: given twice"},
                                  {"key=a&x=1", "x"}, {"key=a&sleep_ms=-1", "sleep_ms"},
                                  {"key=%2", "key"},  {"key=a&sleep_ms=60001", "sleep_ms"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char key[KEY_MAX_BYTES], why[96] = "";
        double sleep_ms;
        int result = lookup_parse(bad[i][0], strlen(bad[i][0]), key, &sleep_ms, why, sizeof why);
        if (result == 0 || !strstr(why, bad[i][1]))
            fail_msg("\"%s\" should be refused for %s: %s", bad[i][0], bad[i][1], why);
    }
}

static void the_guestbook_counts_and_escapes(void **state)
{
    (void)state;
    struct exchange x;
    assert_int_equal(begin_with_backend(REQUEST_GET, "/guestbook", "", &x), HANDLER_BACKEND);
    assert_int_equal(x.query->expected, 2);
    answer(&x, ":42\r\n*2\r\n$3\r\n<&>\r\n$2\r\n\"'\r\n");
    assert_int_equal(x.response.status, 200);
    assert_non_null(strstr(x.response.body, "<b>42</b>"));
    assert_non_null(strstr(x.response.body, "<li>&lt;&amp;&gt;</li>\n<li>&quot;&#39;</li>"));
    assert_int_equal(x.response.body_bytes, strlen(x.response.body));
    exchange_end(&x);
}

static void a_remark_is_added_before_the_page_is_made(void **state)
{
    (void)state;
    struct exchange x;
    enum handler_need need = begin_with_backend(REQUEST_POST, "/guestbook", "remark=so+it%21", &x);
    assert_int_equal(need, HANDLER_BACKEND);
    assert_true(asks(&x, "$6\r\nso it!\r\n"));
    answer(&x, ":1\r\n+OK\r\n:7\r\n*1\r\n$6\r\nso it!\r\n");
    assert_non_null(strstr(x.response.body, "<b>7</b>"));
    assert_non_null(strstr(x.response.body, "<li>so it!</li>"));
    exchange_end(&x);
    static const char *const bad[] = {"", "remark=", "other=1", "remark=%", "remark=a&remark=b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(begin_with_backend(REQUEST_POST, "/guestbook", bad[i], &x), HANDLER_DONE);
        assert_int_equal(x.response.status, 400);
        exchange_end(&x);
    }
}

static void every_status_has_its_reason(void **state)
{
    (void)state;
    static const unsigned statuses[] = {200, 400, 404, 405, 408, 413, 431, 500, 503, 505};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_string_not_equal(status_reason(statuses[i]), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_routes_exist),
        cmocka_unit_test(a_path_of_any_length_is_safe),
        cmocka_unit_test(a_files_name_is_decoded_once),
        cmocka_unit_test(without_a_root_there_are_no_files),
        cmocka_unit_test(each_route_names_the_methods_it_allows),
        cmocka_unit_test(work_waits_then_locks_then_answers),
        cmocka_unit_test(work_without_a_wait_or_a_lock_is_done_at_once),
        cmocka_unit_test(parameters_are_decimal_and_optional),
        cmocka_unit_test(a_bad_parameter_is_named),
        cmocka_unit_test(a_files_type_follows_its_ending),
        cmocka_unit_test(every_status_has_its_reason),
        cmocka_unit_test(a_key_is_decoded_and_asked_for),
        cmocka_unit_test(what_is_no_value_is_unavailable),
        cmocka_unit_test(without_a_backend_nothing_is_asked),
        cmocka_unit_test(a_key_that_is_none_is_named),
        cmocka_unit_test(the_guestbook_counts_and_escapes),
        cmocka_unit_test(a_remark_is_added_before_the_page_is_made),
    };
    return cmocka_run_group_tests_name("handler", tests, NULL, NULL);
}
