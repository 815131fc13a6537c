/* The HTTP connection with a fake clock and a fake client: no socket, no time that passes. */
#include "common/clock.h"
#include "servers/http/connection.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- a client that is a buffer ---------------------------------------------------------------- */

static atomic_int stopping;

static struct connection_config config;

struct peer {
    struct connection *connection;
    uint64_t now_ns;
    char *got; /* everything sent so far, NUL-terminated */
    size_t length;
    uint64_t waited_ns;
    unsigned locks, finishes;
    struct file_facts file; /* what every file turns out to be */
    char file_name[64];     /* the last one asked for */
};

static const char hello[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

static void default_config(void)
{
    stopping = 0;
    config = (struct connection_config){
        .handler = {.compute_rate = 1, .has_root = true, .has_backend = true},
        .head_max_bytes = 1024,
        .head_max_fields = 10,
        .body_max_bytes = 100000,
        .idle_timeout_ns = 60 * NS_PER_S,
        .header_timeout_ns = 10 * NS_PER_S,
        .backend_timeout_ns = NS_PER_S,
        .unix_epoch_ns = 784111777 * NS_PER_S - NS_PER_S, /* RFC 9110's example date, at 1 s */
        .stopping = &stopping,
    };
}

static int connect_peer(void **state)
{
    default_config();
    struct peer *p = calloc(1, sizeof *p);
    p->now_ns = NS_PER_S;
    p->connection = connection_new(&config);
    p->got = calloc(1, 1);
    *state = p;
    return 0;
}

static int disconnect_peer(void **state)
{
    struct peer *p = *state;
    connection_free(p->connection);
    free(p->got);
    free(p);
    return 0;
}

/* A fresh connection for another round in the same test. */
static void reconnect(struct peer *p)
{
    connection_free(p->connection);
    p->connection = connection_new(&config);
    p->length = 0;
    p->got[0] = '\0';
    p->waited_ns = 0;
    p->locks = p->finishes = 0;
}

static void got_bytes(struct peer *p, const void *bytes, size_t length)
{
    p->got = realloc(p->got, p->length + length + 1);
    assert_non_null(p->got);
    memcpy(p->got + p->length, bytes, length);
    p->length += length;
    p->got[p->length] = '\0';
}

/* Takes up to `most` bytes of what is to be sent. A file's bytes are all 'f'. */
static size_t take(struct peer *p, size_t most)
{
    struct output out;
    connection_output(p->connection, &out);
    size_t taken = 0;
    for (int i = 0; i < out.count && taken < most; i++) {
        size_t length = out.pieces[i].iov_len;
        length = length < most - taken ? length : most - taken;
        got_bytes(p, out.pieces[i].iov_base, length);
        taken += length;
    }
    for (uint64_t i = 0; out.count == 0 && i < out.file_bytes && taken < most; i++, taken++)
        got_bytes(p, "f", 1);
    connection_sent(p->connection, taken);
    return taken;
}

static struct interest interest(struct peer *p)
{
    return connection_interest(p->connection, p->now_ns);
}

/* Does what a model would, until the connection wants bytes, or is closed. Time passes only
 * where a wait asks for it. Returns the set it ended with. */
static unsigned run_sending(struct peer *p, size_t most)
{
    for (int turn = 0; turn < 1000000; turn++) {
        struct interest want = interest(p);
        if (want.set & INTEREST_WRITABLE) {
            assert_true(take(p, most) > 0);
        } else if (want.set & INTEREST_LOCK) {
            p->locks++;
            connection_locked(p->connection);
        } else if (want.set & INTEREST_FILE) {
            snprintf(p->file_name, sizeof p->file_name, "%s", connection_file_name(p->connection));
            connection_file_opened(p->connection, &p->file);
        } else if (want.set & INTEREST_FINISH) {
            p->finishes++;
            connection_finished(p->connection);
        } else if (want.set) {
            return want.set;
        } else {
            assert_true(want.deadline_ns != NEVER_NS);
            assert_true(want.deadline_ns > p->now_ns);
            p->waited_ns += want.deadline_ns - p->now_ns;
            p->now_ns = want.deadline_ns;
            connection_expired(p->connection, p->now_ns);
        }
    }
    fail_msg("the connection never comes to rest");
    return 0;
}

static unsigned run(struct peer *p)
{
    return run_sending(p, SIZE_MAX);
}

static void receive(struct peer *p, const char *text)
{
    /* From memory of exactly that size, gone afterwards: a sanitizer sees what is kept of it. */
    size_t length = strlen(text);
    char *bytes = malloc(length ? length : 1);
    memcpy(bytes, text, length);
    connection_received(p->connection, bytes, length, p->now_ns);
    free(bytes);
}

static unsigned ask(struct peer *p, const char *text)
{
    receive(p, text);
    return run(p);
}

static void assert_got(const struct peer *p, const char *text)
{
    if (!strstr(p->got, text))
        fail_msg("expected \"%s\" in:\n%s", text, p->got);
}

static void assert_got_not(const struct peer *p, const char *text)
{
    if (strstr(p->got, text))
        fail_msg("did not expect \"%s\" in:\n%s", text, p->got);
}

static unsigned count_of(const struct peer *p, const char *text)
{
    unsigned n = 0;
    for (const char *at = p->got; (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

static const char *body_of(const struct peer *p)
{
    const char *end = strstr(p->got, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* Refused with this status, and closed after it in the way that lets the client read it. */
static void assert_refuses(struct peer *p, const char *request, unsigned status)
{
    reconnect(p);
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    unsigned set = ask(p, request);
    if (strncmp(p->got, line, strlen(line)) != 0)
        fail_msg("expected %u to \"%.80s\", got \"%.80s\"", status, request, p->got);
    assert_got(p, "Connection: close\r\n");
    assert_int_equal(set, INTEREST_READABLE); /* lingering */
    assert_int_equal(p->finishes, 1);
    connection_received_end(p->connection);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
}

static void assert_answers(struct peer *p, const char *request, unsigned status, bool stays)
{
    reconnect(p);
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
    unsigned set = ask(p, request);
    if (strncmp(p->got, line, strlen(line)) != 0)
        fail_msg("expected %u to \"%.80s\", got \"%.80s\"", status, request, p->got);
    assert_int_equal(count_of(p, "HTTP/1.1 "), 1);
    if (stays)
        assert_int_equal(set, INTEREST_READABLE);
    if (stays && p->finishes)
        fail_msg("\"%.80s\" should leave the connection open", request);
    assert_int_equal(count_of(p, "Connection: close\r\n"), stays ? 0 : 1);
}

/* --- a request and its answer ----------------------------------------------------------------- */

static void a_request_is_answered_with_date_type_and_length(void **state)
{
    struct peer *p = *state;
    assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_string_equal(p->got, "HTTP/1.1 200 OK\r\n"
                                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Content-Type: text/plain\r\n"
                                "Content-Length: 13\r\n"
                                "\r\n"
                                "Hello, World!");
}

/* Requests of every kind in one stream: what it answers must not depend on how it arrives. */
static const char conversation[] =
    "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    "\r\nHEAD /work?bytes=3000 HTTP/1.1\r\nHost: a\r\nX-Long: 0123456789abcdef\r\n\r\n"
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n"
    "GET /work?bytes=2049&wait_ms=5&lock_us=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET /files/a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET http://a/hello?x HTTP/1.1\r\nHost: a\r\n\r\n"
    "GET /hello HTTP/1.0\r\n\r\n";

static const char *whole_conversation(struct peer *p, size_t *length)
{
    p->file = (struct file_facts){.size_bytes = 7, .modified_s = 784111777};
    p->now_ns = NS_PER_S;
    assert_int_equal(ask(p, conversation), INTEREST_CLOSE);
    char *answers = strdup(p->got);
    assert_int_equal(count_of(p, "HTTP/1.1 200 OK"), 8);
    assert_int_equal(count_of(p, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), 1);
    assert_int_equal(count_of(p, "abc0123456789HTTP/1.1"), 1);
    assert_int_equal(count_of(p, "\r\n\r\nfffffffHTTP/1.1 404"), 1);
    assert_int_equal(p->locks, 1);
    *length = p->length;
    return answers;
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    size_t length;
    free((char *)whole_conversation(*state, &length));
}

static void how_the_bytes_are_split_changes_nothing(void **state)
{
    struct peer *p = *state;
    size_t length;
    const char *expected = whole_conversation(p, &length);
    for (size_t split = 1; split < sizeof conversation - 1; split++) {
        reconnect(p);
        p->now_ns = NS_PER_S;
        char *first = strndup(conversation, split);
        receive(p, first);
        run(p);
        receive(p, conversation + split);
        assert_int_equal(run(p), INTEREST_CLOSE);
        assert_int_equal(p->length, length);
        assert_string_equal(p->got, expected);
        free(first);
    }
    free((char *)expected);
}

static void a_byte_at_a_time_is_answered_like_the_whole(void **state)
{
    struct peer *p = *state;
    size_t length;
    const char *expected = whole_conversation(p, &length);
    reconnect(p);
    p->now_ns = NS_PER_S;
    unsigned set = 0;
    for (const char *at = conversation; *at; at++)
        set = ask(p, (char[]){*at, '\0'});
    assert_int_equal(set, INTEREST_CLOSE);
    assert_string_equal(p->got, expected);
    free((char *)expected);
}

static void partial_sends_of_every_length_lose_nothing(void **state)
{
    struct peer *p = *state;
    size_t length;
    const char *expected = whole_conversation(p, &length);
    for (size_t most = 1; most < 3000; most += most < 200 ? 1 : 97) {
        reconnect(p);
        p->now_ns = NS_PER_S;
        receive(p, conversation);
        assert_int_equal(run_sending(p, most), INTEREST_CLOSE);
        assert_int_equal(p->length, length);
        assert_string_equal(p->got, expected);
    }
    free((char *)expected);
}

static void an_empty_line_before_a_request_is_ignored(void **state)
{
    assert_answers(*state, "\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
}

static void head_is_answered_without_a_body(void **state)
{
    struct peer *p = *state;
    assert_answers(p, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    assert_got(p, "Content-Length: 13\r\n");
    assert_string_equal(body_of(p), "");
    assert_answers(p, "HEAD /work?bytes=1000000 HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    assert_got(p, "Content-Length: 1000000\r\n");
    assert_string_equal(body_of(p), "");
    p->file = (struct file_facts){.size_bytes = 9};
    assert_answers(p, "HEAD /files/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    assert_got(p, "Content-Length: 9\r\n");
    assert_string_equal(body_of(p), "");
    assert_false(connection_uses_file(p->connection));
}

static void a_refused_head_has_no_body_either(void **state)
{
    struct peer *p = *state;
    assert_refuses(p, "HEAD /hello HTTP/1.1\r\n\r\n", 400);
    assert_string_equal(body_of(p), "");
}

static void the_absolute_form_of_a_target_is_accepted(void **state)
{
    struct peer *p = *state;
    assert_answers(p, "GET http://example/hello HTTP/1.1\r\nHost: example\r\n\r\n", 200, true);
    assert_answers(p, "GET HTTP://example:80/work?bytes=3 HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    assert_answers(p, "GET http://example HTTP/1.1\r\nHost: example\r\n\r\n", 404, true);
}

static void an_unknown_path_is_not_found_and_the_connection_stays(void **state)
{
    struct peer *p = *state;
    assert_answers(p, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404, true);
    assert_answers(p, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404, true);
    assert_answers(p, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 404, true);
}

static void another_method_is_refused_with_those_allowed(void **state)
{
    struct peer *p = *state;
    assert_answers(p, "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, true);
    assert_got(p, "Allow: GET, HEAD\r\n");
    assert_answers(p, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405, true);
    assert_got(p, "Allow: POST\r\n");
}

static void a_bad_parameter_is_named_in_the_body(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?bytes=1e3 HTTP/1.1\r\nHost: a\r\n\r\n");
    run(p);
    assert_got(p, "HTTP/1.1 400 ");
    assert_non_null(strstr(body_of(p), "bytes"));
}

/* --- refusals --------------------------------------------------------------------------------- */

static void a_malformed_request_is_refused_and_closed(void **state)
{
    struct peer *p = *state;
    assert_refuses(p, "rubbish\r\n\r\n", 400);
    assert_refuses(p, "\x16\x03\x01\x02", 400); /* a TLS client */
    assert_refuses(p, "GET /hello HTTP/1.1\r\nHost a\r\n\r\n", 400);
    assert_refuses(p, "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400);
    assert_refuses(p, "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400);
    assert_refuses(p, "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400);
}

static void a_body_of_doubtful_length_is_refused(void **state)
{
    struct peer *p = *state;
    assert_refuses(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400);
    assert_refuses(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                   "Content-Length: 4\r\n\r\nabc",
                   400);
    assert_refuses(p, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400);
    assert_refuses(p, "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    assert_refuses(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "x\r\n",
                   400);
}

static void http_1_1_demands_exactly_one_host(void **state)
{
    struct peer *p = *state;
    assert_refuses(p, "GET /hello HTTP/1.1\r\n\r\n", 400);
    assert_refuses(p, "GET /hello HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 400);
    assert_refuses(p, "GET /hello HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400);
    assert_answers(p, "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", 200, true);
    assert_answers(p, "GET /hello HTTP/1.0\r\n\r\n", 200, false);
}

static void another_version_is_refused(void **state)
{
    struct peer *p = *state;
    assert_refuses(p, "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505);
    assert_refuses(p, "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", 505);
    assert_refuses(p, "GET /hello HTTP/0.9\r\nHost: a\r\n\r\n", 505);
    assert_refuses(p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

static void a_request_line_without_a_version_is_malformed(void **state)
{
    assert_refuses(*state, "GET /hello\r\nHost: a\r\n\r\n", 400);
}

/* A request whose header section has exactly `length` bytes. */
static char *request_of(size_t length)
{
    static const char start[] = "GET /hello HTTP/1.1\r\nHost: a\r\nX: ";
    char *text = malloc(length + 1);
    memset(text, 'x', length);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + length - 4, "\r\n\r\n", 5);
    return text;
}

static void a_header_section_is_limited_to_the_byte(void **state)
{
    struct peer *p = *state;
    char *fits = request_of(config.head_max_bytes), *too_long = request_of(1025);
    assert_answers(p, fits, 200, true);
    assert_refuses(p, too_long, 431);
    reconnect(p); /* the same, a byte at a time */
    for (const char *at = fits; *at; at++)
        ask(p, (char[]){*at, '\0'});
    assert_got(p, "HTTP/1.1 200");
    reconnect(p);
    for (const char *at = too_long; *at && p->length == 0; at++)
        ask(p, (char[]){*at, '\0'});
    assert_got(p, "HTTP/1.1 431");
    free(fits);
    free(too_long);
}

static void the_limit_counts_each_request_anew(void **state)
{
    struct peer *p = *state;
    char *fits = request_of(1000);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(p, fits), INTEREST_READABLE);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 5);
    free(fits);
}

static void a_body_does_not_count_as_header(void **state)
{
    struct peer *p = *state;
    receive(p, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
    for (int i = 0; i < 50; i++)
        receive(p, "0123456789012345678901234567890123456789012345678901234567890123456789"
                   "012345678901234567890123456789");
    assert_int_equal(run(p), INTEREST_READABLE);
    assert_got(p, "HTTP/1.1 200");
    assert_int_equal(strlen(body_of(p)), 5000);
}

static void too_many_fields_are_refused(void **state)
{
    config.head_max_fields = 3;
    assert_answers(*state, "GET /hello HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\n\r\n", 200, true);
    assert_refuses(*state, "GET /hello HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\nF: g\r\n\r\n", 431);
}

static void a_body_too_large_is_refused_before_it_is_sent(void **state)
{
    config.body_max_bytes = 5;
    struct peer *p = *state;
    assert_answers(p, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", 200,
                   true);
    assert_refuses(p, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n", 413);
    assert_refuses(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                   "Content-Length: 6\r\n\r\n",
                   413);
    assert_got_not(p, "100 Continue");
}

static void a_chunked_body_too_large_is_refused_as_it_grows(void **state)
{
    config.body_max_bytes = 5;
    struct peer *p = *state;
    assert_answers(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                   200, true);
    assert_refuses(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
                   413);
}

static void an_answer_before_a_refusal_is_still_sent(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    receive(p, "rubbish\r\n\r\n");
    run(p);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 1);
    assert_int_equal(count_of(p, "HTTP/1.1 400"), 1);
}

/* --- keep-alive ------------------------------------------------------------------------------- */

static void each_version_keeps_alive_by_its_own_rules(void **state)
{
    struct peer *p = *state;
    assert_answers(p, hello, 200, true);
    assert_got_not(p, "Connection:");
    assert_answers(p, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, false);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
    assert_answers(p, "GET /hello HTTP/1.0\r\n\r\n", 200, false);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
    assert_answers(p, "GET /hello HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200, true);
    assert_got(p, "Connection: keep-alive\r\n");
}

static void a_connection_closes_after_so_many_answers(void **state)
{
    config.keepalive_requests = 3;
    struct peer *p = *state;
    assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_got_not(p, "Connection: close");
    ask(p, hello);
    assert_got(p, "Connection: close");
    assert_int_equal(p->finishes, 1); /* more may be under way: it lingers */
    assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 3);
}

static void a_stop_makes_the_next_answer_the_last(void **state)
{
    struct peer *p = *state;
    ask(p, hello);
    stopping = 1;
    receive(p, hello);
    receive(p, hello);
    run(p);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 2);
    assert_int_equal(count_of(p, "Connection: close"), 1);
    connection_received_end(p->connection);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
}

static void a_lingering_connection_takes_what_comes_and_ends_in_time(void **state)
{
    struct peer *p = *state;
    ask(p, "rubbish\r\n\r\n");
    size_t before = p->length;
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_int_equal(p->length, before);
    struct interest want = interest(p);
    assert_int_equal(want.set, INTEREST_READABLE);
    assert_true(want.deadline_ns <= p->now_ns + 5 * NS_PER_S);
    p->now_ns = want.deadline_ns;
    connection_expired(p->connection, p->now_ns);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void a_client_that_waits_to_be_asked_is_told_to_continue(void **state)
{
    struct peer *p = *state;
    assert_int_equal(ask(p, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                            "Content-Length: 3\r\n\r\n"),
                     INTEREST_READABLE);
    assert_string_equal(p->got, "HTTP/1.1 100 Continue\r\n\r\n");
    ask(p, "abc");
    assert_got(p, "Content-Length: 3\r\n\r\nabc");
}

static void nothing_is_continued_without_a_body_or_in_http_1_0(void **state)
{
    struct peer *p = *state;
    ask(p, "GET /hello HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    assert_got_not(p, "100 Continue");
    reconnect(p);
    ask(p, "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na");
    assert_got_not(p, "100 Continue");
    assert_got(p, "HTTP/1.1 200");
}

static void an_empty_body_is_echoed(void **state)
{
    struct peer *p = *state;
    assert_answers(p, "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    assert_answers(p,
                   "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   200, true);
    assert_got(p, "Content-Length: 0\r\n");
}

static void a_request_to_upgrade_is_an_ordinary_one(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 2);
}

/* --- sending ---------------------------------------------------------------------------------- */

static uint64_t pending(struct peer *p)
{
    struct output out;
    connection_output(p->connection, &out);
    uint64_t bytes = out.file_bytes;
    for (int i = 0; i < out.count; i++)
        bytes += out.pieces[i].iov_len;
    return bytes;
}

static void a_long_pipeline_gathers_a_bounded_output(void **state)
{
    struct peer *p = *state;
    for (int i = 0; i < 1000; i++)
        receive(p, "GET /work?bytes=2000 HTTP/1.1\r\nHost: a\r\n\r\n");
    while (interest(p).set & INTEREST_WRITABLE) {
        assert_true(pending(p) <= 64 * 1024 + 4096);
        take(p, 1000);
    }
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 1000);
}

static void nothing_is_parsed_while_a_large_answer_is_unsent(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?bytes=100000 HTTP/1.1\r\nHost: a\r\n\r\n");
    receive(p, hello);
    while (p->length < 100000)
        take(p, 10000);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 1);
    run(p);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 2);
}

static void a_large_answer_repeats_its_pattern_without_a_seam(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?bytes=1000000 HTTP/1.1\r\nHost: a\r\n\r\n");
    run_sending(p, 4099);
    const char *body = body_of(p);
    assert_int_equal(strlen(body), 1000000);
    for (size_t i = 0; i < 1000000; i++)
        if (body[i] != handler_pattern[i % HANDLER_PATTERN_BYTES])
            fail_msg("byte %zu is wrong", i);
}

static void while_something_is_to_be_sent_nothing_is_read(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    assert_int_equal(interest(p).set, INTEREST_WRITABLE);
    take(p, 1);
    assert_int_equal(interest(p).set, INTEREST_WRITABLE);
}

/* What is sent in the background, and whether it still is what and where it was. */
struct sending {
    struct output output;
    char *copy;
    size_t length;
};

static struct sending begin_sending(struct peer *p)
{
    struct sending s;
    connection_output(p->connection, &s.output);
    assert_int_equal(s.output.count, 1);
    s.length = s.output.pieces[0].iov_len;
    s.copy = malloc(s.length);
    assert_non_null(s.copy);
    memcpy(s.copy, s.output.pieces[0].iov_base, s.length);
    connection_sending(p->connection);
    return s;
}

static void assert_untouched(struct peer *p, const struct sending *s)
{
    struct output now;
    connection_output(p->connection, &now);
    assert_int_equal(now.count, 1);
    assert_ptr_equal(now.pieces[0].iov_base, s->output.pieces[0].iov_base);
    assert_int_equal(now.pieces[0].iov_len, s->length);
    assert_memory_equal(now.pieces[0].iov_base, s->copy, s->length);
}

static void what_is_sent_in_the_background_stays_as_it_is(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    struct sending s = begin_sending(p);
    for (int i = 0; i < 100; i++)
        receive(p, hello);
    assert_untouched(p, &s);
    got_bytes(p, s.copy, s.length);
    connection_sent(p->connection, s.length);
    run(p);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 101);
    free(s.copy);
}

static void a_wait_that_ends_while_an_answer_is_sent_is_answered_after_it(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    receive(p, "GET /work?wait_ms=20&bytes=400 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(interest(p).deadline_ns, p->now_ns + 20 * NS_PER_MS);
    struct sending s = begin_sending(p);
    /* Nothing can be done when the wait ends: the deadline is that of a client that does not read.
     */
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
    p->now_ns += 20 * NS_PER_MS;
    connection_expired(p->connection, p->now_ns);
    assert_untouched(p, &s);
    connection_sent(p->connection, s.length);
    assert_int_equal(interest(p).deadline_ns, p->now_ns); /* it is over */
    connection_expired(p->connection, p->now_ns);
    run(p);
    assert_int_equal(strlen(body_of(p)), 400);
    free(s.copy);
}

/* --- files, the lock, waits ------------------------------------------------------------------- */

static void a_file_is_asked_for_by_its_decoded_name(void **state)
{
    struct peer *p = *state;
    p->file = (struct file_facts){.size_bytes = 3, .modified_s = 784111777};
    assert_answers(p, "GET /files/a%20b.html?x HTTP/1.1\r\nHost: a\r\n\r\n", 200, true);
    assert_string_equal(p->file_name, "a b.html");
    assert_got(p, "Content-Type: text/html\r\n");
    assert_got(p, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_string_equal(body_of(p), "fff");
}

static void a_file_stays_in_use_until_its_last_byte(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /files/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(interest(p).set, INTEREST_FILE);
    connection_file_opened(p->connection, &(struct file_facts){.size_bytes = 5});
    assert_true(connection_uses_file(p->connection));
    struct output out;
    connection_output(p->connection, &out);
    assert_int_equal(out.count, 1);
    connection_sent(p->connection, out.pieces[0].iov_len + 4);
    connection_output(p->connection, &out);
    assert_int_equal(out.count, 0);
    assert_int_equal(out.file_offset, 4);
    assert_int_equal(out.file_bytes, 1);
    assert_true(connection_uses_file(p->connection));
    connection_sent(p->connection, 1);
    assert_false(connection_uses_file(p->connection));
    assert_int_equal(interest(p).set, INTEREST_READABLE);
}

static void a_file_that_does_not_open_is_answered_by_why(void **state)
{
    struct peer *p = *state;
    static const struct {
        int error;
        unsigned status;
    } cases[] = {{ENOENT, 404}, {EACCES, 404}, {EXDEV, 404}, {ELOOP, 404}, {EMFILE, 503}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p->file = (struct file_facts){.error = cases[i].error};
        assert_answers(p, "GET /files/x HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].status, true);
    }
}

static void a_wait_counts_from_when_the_time_is_next_told(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?wait_ms=20 HTTP/1.1\r\nHost: a\r\n\r\n");
    p->now_ns += 5 * NS_PER_MS;
    struct interest want = interest(p);
    assert_int_equal(want.set, 0);
    assert_int_equal(want.deadline_ns, p->now_ns + 20 * NS_PER_MS);
    p->now_ns += 5 * NS_PER_MS;
    assert_int_equal(interest(p).deadline_ns, want.deadline_ns); /* and moves no more */
    connection_expired(p->connection, want.deadline_ns - 1);
    assert_int_equal(interest(p).set, 0);
    connection_expired(p->connection, want.deadline_ns);
    assert_int_equal(interest(p).set, INTEREST_WRITABLE);
}

static void what_comes_during_a_wait_is_answered_after_it(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?wait_ms=20&bytes=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    interest(p);
    receive(p, hello);
    receive(p, "GET /hello HTTP/1.1\r\nHo");
    assert_int_equal(p->length, 0);
    run(p);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 2);
    ask(p, "st: a\r\n\r\n");
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 3);
    assert_int_equal(p->waited_ns, 20 * NS_PER_MS);
}

static void an_answer_before_a_wait_is_sent_meanwhile(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    receive(p, "GET /work?wait_ms=20 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct interest want = interest(p);
    assert_int_equal(want.set, INTEREST_WRITABLE);
    assert_int_equal(want.deadline_ns, p->now_ns + 20 * NS_PER_MS);
    take(p, SIZE_MAX);
    assert_int_equal(interest(p).set, 0);
    assert_int_equal(interest(p).deadline_ns, want.deadline_ns);
}

/* --- the backend ------------------------------------------------------------------------------ */

static void ignore_done(struct redis_query *query)
{
    (void)query;
}

static void ask_redis(struct peer *p, struct redis *redis)
{
    assert_int_equal(interest(p).set, INTEREST_BACKEND);
    struct redis_query *query = connection_query(p->connection);
    query->done = ignore_done;
    assert_int_equal(redis_ask(redis, query), 0);
}

static const char lookup[] = "GET /kv?key=k HTTP/1.1\r\nHost: a\r\n\r\n";

static void the_backends_answer_is_the_clients(void **state)
{
    struct peer *p = *state;
    struct redis redis = {0};
    receive(p, lookup);
    ask_redis(p, &redis);
    struct interest want = interest(p);
    assert_int_equal(want.set, 0); /* only the deadline is left */
    assert_int_equal(want.deadline_ns, p->now_ns + NS_PER_S);
    connection_expired(p->connection, want.deadline_ns - 1);
    redis_received(&redis, "$5\r\nvalue\r\n", 11);
    connection_answered(p->connection);
    run(p);
    assert_got(p, "HTTP/1.1 200 OK\r\n");
    assert_string_equal(body_of(p), "value");
    redis_free(&redis);
}

static void requests_behind_one_to_the_backend_wait_for_it(void **state)
{
    struct peer *p = *state;
    struct redis redis = {0};
    receive(p, hello);
    receive(p, lookup);
    receive(p, hello);
    take(p, SIZE_MAX);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 1);
    ask_redis(p, &redis);
    assert_int_equal(interest(p).set, 0);
    redis_received(&redis, "$-1\r\n", 5);
    connection_answered(p->connection);
    run(p);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 2);
    assert_int_equal(count_of(p, "HTTP/1.1 404"), 1);
    assert_true(strstr(p->got, " 404 ") < strstr(strstr(p->got, " 404 "), " 200 "));
    redis_free(&redis);
}

static void an_answer_that_comes_too_late_is_dropped(void **state)
{
    struct peer *p = *state;
    struct redis redis = {0};
    receive(p, lookup);
    ask_redis(p, &redis);
    p->now_ns += NS_PER_S;
    connection_expired(p->connection, p->now_ns);
    run(p);
    assert_got(p, "HTTP/1.1 503 Service Unavailable\r\n");
    assert_got(p, "Retry-After: 1\r\n");
    assert_true(redis.is_stuck);
    assert_int_equal(redis_received(&redis, "$1\r\na\r\n", 7), 0);
    ask(p, hello);
    assert_got(p, "Hello, World!");
    redis_free(&redis);
}

static void a_backend_that_cannot_be_asked_is_unavailable(void **state)
{
    struct peer *p = *state;
    connection_answered(p->connection); /* nothing was asked: harmless */
    receive(p, lookup);
    assert_int_equal(interest(p).set, INTEREST_BACKEND);
    connection_answered(p->connection);
    run(p);
    assert_got(p, "HTTP/1.1 503 ");
    assert_got_not(p, "Connection: close");
}

static void a_client_that_leaves_takes_its_query_along(void **state)
{
    struct peer *p = *state;
    struct redis redis = {0};
    receive(p, lookup);
    ask_redis(p, &redis);
    connection_aborted(p->connection);
    reconnect(p); /* the connection is freed */
    assert_int_equal(redis_received(&redis, "$1\r\na\r\n", 7), 0);
    redis_free(&redis);
}

static void who_does_not_read_is_closed_before_the_backend_is_asked(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    receive(p, lookup);
    struct interest want = interest(p);
    assert_int_equal(want.set, INTEREST_WRITABLE);
    connection_expired(p->connection, want.deadline_ns);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
}

static void the_lock_is_asked_for_after_the_wait(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?wait_ms=1&lock_us=1&bytes=3 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(interest(p).set, 0);
    p->now_ns += NS_PER_MS;
    connection_expired(p->connection, p->now_ns);
    assert_int_equal(interest(p).set, INTEREST_LOCK);
    connection_locked(p->connection);
    assert_int_equal(interest(p).set, INTEREST_WRITABLE);
}

static void a_wait_of_less_than_a_nanosecond_does_not_lead_round_the_lock(void **state)
{
    struct peer *p = *state;
    ask(p, "GET /work?wait_ms=0.0000001&lock_us=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_got(p, "HTTP/1.1 200");
    assert_int_equal(p->locks, 1);
}

static void events_that_nobody_waits_for_are_harmless(void **state)
{
    struct peer *p = *state;
    connection_locked(p->connection);
    connection_file_opened(p->connection, &p->file);
    connection_finished(p->connection);
    connection_expired(p->connection, p->now_ns);
    assert_int_equal(ask(p, hello), INTEREST_READABLE);
    assert_got(p, "HTTP/1.1 200");
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void expire(struct peer *p)
{
    p->now_ns = interest(p).deadline_ns;
    connection_expired(p->connection, p->now_ns);
}

static void a_silent_connection_is_closed_without_a_word(void **state)
{
    struct peer *p = *state;
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
    ask(p, hello);
    size_t before = p->length;
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
    expire(p);
    assert_int_equal(run(p), INTEREST_CLOSE);
    assert_int_equal(p->length, before);
}

static void an_empty_line_does_not_start_the_header_timeout(void **state)
{
    struct peer *p = *state;
    ask(p, "\r\n");
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
}

static void a_header_must_be_whole_in_time_however_it_trickles(void **state)
{
    struct peer *p = *state;
    uint64_t start_ns = p->now_ns;
    ask(p, "GET /");
    for (int i = 0; i < 9; i++) {
        p->now_ns += NS_PER_S;
        ask(p, "e");
        assert_int_equal(interest(p).deadline_ns, start_ns + config.header_timeout_ns);
    }
}

static void a_header_not_finished_in_time_gets_408(void **state)
{
    struct peer *p = *state;
    ask(p, "GET /hello HTTP/1.1\r\n");
    connection_expired(p->connection, p->now_ns + config.header_timeout_ns - 1);
    assert_int_equal(p->length, 0);
    expire(p);
    run(p);
    assert_got(p, "HTTP/1.1 408 Request Timeout\r\n");
    assert_got(p, "Connection: close\r\n");
}

static void the_header_of_a_later_request_has_its_own_time(void **state)
{
    struct peer *p = *state;
    ask(p, hello);
    p->now_ns += 30 * NS_PER_S;
    ask(p, "GET ");
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.header_timeout_ns);
}

static void a_body_may_be_slow_but_not_silent(void **state)
{
    struct peer *p = *state;
    ask(p, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    for (int i = 0; i < 8; i++) {
        assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
        p->now_ns += 50 * NS_PER_S;
        ask(p, "x");
    }
    expire(p);
    run(p);
    assert_got(p, "HTTP/1.1 408 ");
}

static void a_client_that_does_not_read_is_given_up(void **state)
{
    struct peer *p = *state;
    receive(p, "GET /work?bytes=100000 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
    p->now_ns += 50 * NS_PER_S;
    take(p, 1000); /* it read something: a new term */
    assert_int_equal(interest(p).deadline_ns, p->now_ns + config.idle_timeout_ns);
    uint64_t deadline_ns = interest(p).deadline_ns;
    p->now_ns += 50 * NS_PER_S;
    receive(p, hello); /* to ask for more is not to read */
    assert_int_equal(interest(p).deadline_ns, deadline_ns);
    expire(p);
    assert_int_equal(interest(p).set, INTEREST_CLOSE);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void a_client_that_ends_before_asking_is_closed(void **state)
{
    struct peer *p = *state;
    connection_received_end(p->connection);
    assert_int_equal(run(p), INTEREST_CLOSE);
    assert_int_equal(p->length, 0);
}

static void what_was_asked_before_the_end_is_answered(void **state)
{
    struct peer *p = *state;
    for (int i = 0; i < 3; i++)
        receive(p, "GET /work?bytes=5000&wait_ms=1&lock_us=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    connection_received_end(p->connection);
    assert_int_equal(run(p), INTEREST_CLOSE);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 3);
    assert_int_equal(p->finishes, 0);
}

static void a_request_cut_off_by_the_end_is_dropped(void **state)
{
    struct peer *p = *state;
    receive(p, hello);
    receive(p, "GET /hello HT");
    connection_received_end(p->connection);
    assert_int_equal(run(p), INTEREST_CLOSE);
    assert_int_equal(count_of(p, "HTTP/1.1 200"), 1);
}

static void a_failed_socket_closes_whatever_was_going_on(void **state)
{
    static const char *const requests[] = {
        "",
        "GET /he",
        "GET /work?wait_ms=9 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /work?lock_us=9 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /files/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /work?bytes=99999 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"};
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        reconnect(p);
        receive(p, requests[i]);
        interest(p);
        connection_aborted(p->connection);
        connection_expired(p->connection, p->now_ns + 1000 * NS_PER_S);
        assert_int_equal(interest(p).set, INTEREST_CLOSE);
        assert_int_equal(interest(p).deadline_ns, NEVER_NS);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_peer, disconnect_peer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_backends_answer_is_the_clients),
        TEST(requests_behind_one_to_the_backend_wait_for_it),
        TEST(an_answer_that_comes_too_late_is_dropped),
        TEST(a_backend_that_cannot_be_asked_is_unavailable),
        TEST(a_client_that_leaves_takes_its_query_along),
        TEST(who_does_not_read_is_closed_before_the_backend_is_asked),
        TEST(a_request_is_answered_with_date_type_and_length),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(how_the_bytes_are_split_changes_nothing),
        TEST(a_byte_at_a_time_is_answered_like_the_whole),
        TEST(partial_sends_of_every_length_lose_nothing),
        TEST(an_empty_line_before_a_request_is_ignored),
        TEST(head_is_answered_without_a_body),
        TEST(a_refused_head_has_no_body_either),
        TEST(the_absolute_form_of_a_target_is_accepted),
        TEST(an_unknown_path_is_not_found_and_the_connection_stays),
        TEST(another_method_is_refused_with_those_allowed),
        TEST(a_bad_parameter_is_named_in_the_body),
        TEST(a_malformed_request_is_refused_and_closed),
        TEST(a_body_of_doubtful_length_is_refused),
        TEST(http_1_1_demands_exactly_one_host),
        TEST(another_version_is_refused),
        TEST(a_request_line_without_a_version_is_malformed),
        TEST(a_header_section_is_limited_to_the_byte),
        TEST(the_limit_counts_each_request_anew),
        TEST(a_body_does_not_count_as_header),
        TEST(too_many_fields_are_refused),
        TEST(a_body_too_large_is_refused_before_it_is_sent),
        TEST(a_chunked_body_too_large_is_refused_as_it_grows),
        TEST(an_answer_before_a_refusal_is_still_sent),
        TEST(each_version_keeps_alive_by_its_own_rules),
        TEST(a_connection_closes_after_so_many_answers),
        TEST(a_stop_makes_the_next_answer_the_last),
        TEST(a_lingering_connection_takes_what_comes_and_ends_in_time),
        TEST(a_client_that_waits_to_be_asked_is_told_to_continue),
        TEST(nothing_is_continued_without_a_body_or_in_http_1_0),
        TEST(an_empty_body_is_echoed),
        TEST(a_request_to_upgrade_is_an_ordinary_one),
        TEST(a_long_pipeline_gathers_a_bounded_output),
        TEST(nothing_is_parsed_while_a_large_answer_is_unsent),
        TEST(a_large_answer_repeats_its_pattern_without_a_seam),
        TEST(while_something_is_to_be_sent_nothing_is_read),
        TEST(what_is_sent_in_the_background_stays_as_it_is),
        TEST(a_wait_that_ends_while_an_answer_is_sent_is_answered_after_it),
        TEST(a_file_is_asked_for_by_its_decoded_name),
        TEST(a_file_stays_in_use_until_its_last_byte),
        TEST(a_file_that_does_not_open_is_answered_by_why),
        TEST(a_wait_counts_from_when_the_time_is_next_told),
        TEST(what_comes_during_a_wait_is_answered_after_it),
        TEST(an_answer_before_a_wait_is_sent_meanwhile),
        TEST(the_lock_is_asked_for_after_the_wait),
        TEST(a_wait_of_less_than_a_nanosecond_does_not_lead_round_the_lock),
        TEST(events_that_nobody_waits_for_are_harmless),
        TEST(a_silent_connection_is_closed_without_a_word),
        TEST(an_empty_line_does_not_start_the_header_timeout),
        TEST(a_header_must_be_whole_in_time_however_it_trickles),
        TEST(a_header_not_finished_in_time_gets_408),
        TEST(the_header_of_a_later_request_has_its_own_time),
        TEST(a_body_may_be_slow_but_not_silent),
        TEST(a_client_that_does_not_read_is_given_up),
        TEST(a_client_that_ends_before_asking_is_closed),
        TEST(what_was_asked_before_the_end_is_answered),
        TEST(a_request_cut_off_by_the_end_is_dropped),
        TEST(a_failed_socket_closes_whatever_was_going_on),
    };
    return cmocka_run_group_tests_name("http connection", tests, NULL, NULL);
}
