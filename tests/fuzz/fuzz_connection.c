/* libFuzzer against the HTTP connection: a hostile client, and a
 * model that calls in any order.
 *
 * The input is a list of steps, each an operation byte and its
 * operands; bytes for the connection stand in it as they are, so
 * that the dictionary's words fit. After the last step the
 * client ends, and the connection must come to its close. What
 * it sent must be whole HTTP answers, one behind the other. */
#include "common/clock.h"
#include "servers/http/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More output than this adds nothing but time. */
enum { MOST_OUTPUT_BYTES = 1 << 20 };

enum { MOST_TURNS = 100000 };

struct input {
    const uint8_t *at, *end;
};

struct client {
    struct connection *connection;
    uint64_t now_ns;
    char *got;
    size_t length;
    bool cut_off; /* by the client, or by its not reading: an answer may be incomplete */
    uint8_t file; /* decides what files turn out to be */
};

static atomic_int stopping;

static void require(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static uint8_t next(struct input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

/* --- what was sent ---------------------------------------------------------------------------- */

/* A field's value, or NULL; the head ends in an empty line. */
static const char *field(const char *head, const char *end, const char *name)
{
    const char *at = memmem(head, (size_t)(end - head), name, strlen(name));
    return at ? at + strlen(name) : NULL;
}

static bool starts_answer(const char *at, const char *end)
{
    return at == end || (end - at >= 9 && memcmp(at, "HTTP/1.1 ", 9) == 0);
}

/* Steps over one answer. NULL: it is cut off. */
static const char *skip_answer(const char *at, const char *end)
{
    const char *blank = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
    require(blank == NULL || starts_answer(at, end), "an answer starts with its version");
    if (!blank)
        return NULL;
    const char *body = blank + 4;
    if (memcmp(at, "HTTP/1.1 100 ", 13) == 0)
        return body;
    const char *length = field(at, body, "\r\nContent-Length: ");
    require(length && field(at, body, "\r\nDate: "), "an answer has its length and date");
    /* The answer to HEAD looks like any other: an echo alone is never one. */
    bool echo = field(at, body, "application/octet-stream") && !field(at, body, "Last-Modified: ");
    if (!echo && starts_answer(body, end))
        return body;
    uint64_t bytes = strtoull(length, NULL, 10);
    return bytes <= (uint64_t)(end - body) ? body + bytes : NULL;
}

static void check_answers(const struct client *c)
{
    const char *at = c->got, *end = c->got + c->length;
    while (at && at < end)
        at = skip_answer(at, end);
    require(at || c->cut_off, "what was sent is whole");
}

/* --- a model ---------------------------------------------------------------------------------- */

static uint64_t output_bytes(const struct output *out)
{
    uint64_t bytes = out->file_bytes;
    for (int i = 0; i < out->count; i++)
        bytes += out->pieces[i].iov_len;
    return bytes;
}

static bool is_one_of(unsigned set)
{
    return (set & (set - 1)) == 0;
}

static struct interest interest(struct client *c)
{
    struct interest want = connection_interest(c->connection, c->now_ns);
    struct output out;
    connection_output(c->connection, &out);
    unsigned set = want.set;
    require(is_one_of(set), "HTTP/1 waits for one thing at a time");
    if (set == INTEREST_WRITABLE)
        require(output_bytes(&out) > 0, "what is to be written exists");
    else if (set != INTEREST_CLOSE)
        require(output_bytes(&out) == 0, "what exists is to be written");
    else
        require(output_bytes(&out) == 0 || c->cut_off, "it closes with everything sent");
    if (set == 0 || set == INTEREST_READABLE || set == INTEREST_WRITABLE)
        require(want.deadline_ns <= c->now_ns + 60 * NS_PER_S, "no wait is without end");
    return want;
}

static void keep(struct client *c, const void *bytes, size_t length)
{
    memcpy(c->got + c->length, bytes, length);
    c->length += length;
}

static void give_up(struct client *c)
{
    connection_aborted(c->connection);
    c->cut_off = true;
}

static void take(struct client *c, size_t most)
{
    struct output out;
    connection_output(c->connection, &out);
    size_t room = MOST_OUTPUT_BYTES - c->length;
    most = most < room ? most : room;
    size_t taken = 0;
    for (int i = 0; i < out.count && taken < most; i++) {
        size_t length = out.pieces[i].iov_len;
        length = length < most - taken ? length : most - taken;
        keep(c, out.pieces[i].iov_base, length);
        taken += length;
    }
    for (uint64_t i = 0; out.count == 0 && i < out.file_bytes && taken < most; i++, taken++)
        keep(c, "f", 1);
    connection_sent(c->connection, taken);
    if (c->length == MOST_OUTPUT_BYTES)
        give_up(c);
}

static void open_file(struct client *c)
{
    static const int errors[] = {0, ENOENT, EMFILE, EIO};
    require(connection_file_name(c->connection) != NULL, "a file has a name");
    struct file_facts facts = {
        .error = errors[c->file % 4], .size_bytes = c->file * 17u, .modified_s = c->file};
    connection_file_opened(c->connection, &facts);
}

/* One turn of a model that does at once whatever can be done. false: it is closed. */
static bool turn(struct client *c, size_t most)
{
    struct interest want = interest(c);
    switch (want.set) {
    case INTEREST_CLOSE: return false;
    case INTEREST_WRITABLE: take(c, most); break;
    case INTEREST_LOCK: connection_locked(c->connection); break;
    case INTEREST_FILE: open_file(c); break;
    case INTEREST_FINISH: connection_finished(c->connection); break;
    case INTEREST_BACKEND: connection_answered(c->connection); break; /* it is down */
    default:
        c->now_ns = want.deadline_ns > c->now_ns ? want.deadline_ns : c->now_ns;
        connection_expired(c->connection, c->now_ns);
    }
    return true;
}

static void receive(struct client *c, struct input *in)
{
    size_t length = next(in), left = (size_t)(in->end - in->at);
    length = length < left ? length : left;
    if (length == 0)
        return;
    char *bytes = malloc(length); /* of exactly that size, and gone afterwards */
    memcpy(bytes, in->at, length);
    connection_received(c->connection, bytes, length, c->now_ns);
    free(bytes);
    in->at += length;
}

static void step(struct client *c, struct input *in)
{
    uint8_t operation = next(in);
    switch (operation % 16) {
    case 8: take(c, next(in)); break;
    case 9: turn(c, SIZE_MAX); break;
    case 10: turn(c, 1); break;
    case 11: c->now_ns += next(in) * 100 * NS_PER_MS; break;
    case 12:
        c->cut_off = true;
        connection_expired(c->connection, c->now_ns);
        break;
    case 13: c->file = next(in); break;
    case 14:
        connection_locked(c->connection); /* whether it is wanted or not */
        connection_finished(c->connection);
        connection_answered(c->connection);
        break;
    case 15:
        if (operation >= 0xe0)
            give_up(c);
        else if (operation >= 0x80)
            connection_received_end(c->connection);
        else
            stopping = operation & 0x10;
        break;
    default: receive(c, in);
    }
    interest(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char got[MOST_OUTPUT_BYTES];
    struct input in = {data, data + size};
    uint8_t choice = next(&in);
    stopping = 0;
    const struct connection_config config = {
        .handler = {.compute_rate = 1e-9, .has_root = choice & 1, .has_backend = choice & 32},
        .head_max_bytes = choice & 2 ? 64 : 1024,
        .head_max_fields = choice & 4 ? 2 : 20,
        .body_max_bytes = choice & 8 ? 3 : 5000,
        .keepalive_requests = choice & 16 ? 2 : 0,
        .idle_timeout_ns = 60 * NS_PER_S,
        .header_timeout_ns = 10 * NS_PER_S,
        .stopping = &stopping,
    };
    struct client c = {.connection = connection_new(&config), .now_ns = NS_PER_S, .got = got};
    while (in.at < in.end)
        step(&c, &in);

    connection_received_end(c.connection);
    int turns = 0;
    while (turn(&c, SIZE_MAX))
        require(++turns < MOST_TURNS, "it closes eventually");
    connection_expired(c.connection, NEVER_NS - 1);
    require(interest(&c).set == INTEREST_CLOSE, "closed is closed");
    check_answers(&c);
    connection_free(c.connection);
    return 0;
}
