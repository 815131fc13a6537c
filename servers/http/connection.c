#include "servers/http/connection.h"

#include "common/clock.h"
#include "servers/http/date.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

/* Answers to pipelined requests are gathered up to here before they must be sent. */
enum { OUTPUT_GATHER_BYTES = 64 * 1024 };

/* A small body is copied behind its head, so that both go out as one piece. */
enum { BODY_COPY_BYTES = 2048 };

/* How long bytes that nobody will read are still taken from a client, so that the
 * reset they would cause does not destroy the last answer (RFC 9112, 9.6). */
#define LINGER_NS (2 * NS_PER_S)

enum state {
    READING,   /* for a request, or the rest of one */
    WAITING,   /* the exchange's wait_ns */
    LOCKING,   /* for the server-wide lock */
    OPENING,   /* for the exchange's file */
    ASKING,    /* the backend, and for its answer */
    CLOSING,   /* what is in the output is the last */
    FINISHING, /* everything sent; the sending side is to be shut down */
    LINGERING, /* until the client has closed too */
    CLOSED,
};

struct buffer {
    char *bytes;
    size_t length, capacity;
};

struct connection {
    const struct connection_config *config;
    llhttp_t parser;
    enum state state;

    bool ended;       /* the client sends no more */
    bool in_exchange; /* between handler_begin and exchange_end */
    bool began;       /* a byte of the current request has come */
    bool head_done;   /* its header section is complete */
    bool bodiless;    /* it is a HEAD: so is its answer, whatever that says */
    bool versioned;   /* the request line names a version */
    bool keep_alive;  /* by the request's version and Connection field */
    bool expects_continue;
    bool linger;  /* the client may have sent what will not be read */
    bool sending; /* the output is in somebody's hands: nothing is put behind it */
    unsigned char hosts;
    unsigned refusal; /* status with which a parser callback refused the request; 0: none */

    unsigned fields;
    unsigned answered;
    size_t head_bytes;

    uint64_t now_ns;      /* the last time the caller told */
    uint64_t progress_ns; /* the last byte of request or answer moved; 0: to be stamped */
    uint64_t began_ns;    /* the current header's first byte; 0: none, or to be stamped */
    uint64_t wait_until_ns;

    /* The start of the field that is being parsed: enough to know "Host" and "Expect". */
    unsigned char name_length, value_length;
    char name[6], value[12];

    /* The target: borrowed from the caller's bytes while they last, then owned. */
    const char *target;
    size_t target_length;
    char *owned_target;
    struct buffer body;
    struct exchange exchange;

    struct buffer unread; /* received, but behind a request that is not answered yet */
    struct buffer output;
    size_t output_sent;
    /* What follows `output`: a body too large to copy. */
    enum body_source tail_source;
    uint64_t tail_bytes, tail_sent;
};

/* --- buffers ---------------------------------------------------------------------------------- */

static char *buffer_reserve(struct buffer *b, size_t more)
{
    if (b->capacity - b->length < more) {
        size_t capacity = b->capacity ? b->capacity * 2 : 512;
        while (capacity - b->length < more)
            capacity *= 2;
        char *bytes = realloc(b->bytes, capacity);
        if (!bytes)
            return NULL;
        b->bytes = bytes;
        b->capacity = capacity;
    }
    return b->bytes + b->length;
}

static bool buffer_append(struct buffer *b, const char *bytes, size_t length)
{
    char *room = buffer_reserve(b, length);
    if (!room)
        return false;
    memcpy(room, bytes, length);
    b->length += length;
    return true;
}

/* An idle connection holds no buffers: ten thousand of them should cost little. */
static void buffer_release(struct buffer *b)
{
    free(b->bytes);
    *b = (struct buffer){0};
}

/* --- answers ---------------------------------------------------------------------------------- */

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    return at + length;
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n)
        *at++ = digits[--n];
    return at;
}

static char *put_date(char *at, const char *field, int64_t unix_s)
{
    at = put_text(at, field);
    http_date(unix_s, at);
    return put_text(at + HTTP_DATE_BYTES, "\r\n");
}

/* By hand and not by snprintf: the head is a good part of what `/hello` costs. */
static char *put_head(const struct connection *c, char *at, const struct response *r,
                      bool keep_alive)
{
    uint64_t unix_s = (c->config->unix_epoch_ns + c->now_ns) / NS_PER_S;
    at = put_text(at, "HTTP/1.1 ");
    at = put_number(at, r->status);
    at = put_text(at, " ");
    at = put_text(at, status_reason(r->status));
    at = put_date(at, "\r\nDate: ", (int64_t)unix_s);
    at = put_text(at, "Content-Type: ");
    at = put_text(at, r->content_type);
    at = put_text(at, "\r\nContent-Length: ");
    at = put_number(at, r->body_bytes);
    at = put_text(at, "\r\n");
    if (r->last_modified_s >= 0)
        at = put_date(at, "Last-Modified: ", r->last_modified_s);
    if (r->retry_after_s) {
        at = put_text(at, "Retry-After: ");
        at = put_number(at, r->retry_after_s);
        at = put_text(at, "\r\n");
    }
    if (r->allow) {
        at = put_text(at, "Allow: ");
        at = put_text(at, r->allow);
        at = put_text(at, "\r\n");
    }
    if (!keep_alive)
        at = put_text(at, "Connection: close\r\n");
    else if (c->parser.http_minor == 0) /* the default of HTTP/1.0 is to close */
        at = put_text(at, "Connection: keep-alive\r\n");
    return put_text(at, "\r\n");
}

/* No head is longer: the longest constant texts together have under 300 bytes. */
enum { HEAD_ROOM_BYTES = 512 };

static const char *body_start(const struct connection *c, enum body_source source)
{
    switch (source) {
    case BODY_TEXT: return c->exchange.response.body;
    case BODY_REQUEST: return c->body.bytes;
    case BODY_PATTERN: return handler_pattern;
    case BODY_FILE: break;
    }
    return NULL;
}

static void forget_request(struct connection *c)
{
    if (c->in_exchange)
        exchange_end(&c->exchange);
    c->in_exchange = false;
    free(c->owned_target);
    c->owned_target = NULL;
    c->target = NULL;
    c->target_length = 0;
    buffer_release(&c->body);
}

/* The answer's last byte is on its way (or has no body to send). */
static void answer_done(struct connection *c)
{
    forget_request(c);
    c->tail_bytes = c->tail_sent = 0;
    if (c->state == CLOSING)
        return;
    c->state = READING;
    c->began = c->head_done = c->bodiless = c->versioned = c->expects_continue = false;
    c->hosts = 0;
    c->fields = 0;
    c->head_bytes = 0;
    c->began_ns = c->progress_ns = 0;
}

/* Puts the response that the exchange holds behind what is in the output. */
static void answer(struct connection *c)
{
    const struct response *r = &c->exchange.response;
    const struct connection_config *config = c->config;
    c->answered++;
    bool keep_alive = c->keep_alive && !c->refusal && !*config->stopping &&
                      (!config->keepalive_requests || c->answered < config->keepalive_requests);
    uint64_t body_bytes = c->bodiless ? 0 : r->body_bytes;
    bool copied = body_bytes == 0 || (r->source != BODY_FILE && body_bytes <= BODY_COPY_BYTES);

    char *start = buffer_reserve(&c->output, HEAD_ROOM_BYTES + BODY_COPY_BYTES / 8);
    if (start && copied && body_bytes > BODY_COPY_BYTES / 8)
        start = buffer_reserve(&c->output, HEAD_ROOM_BYTES + (size_t)body_bytes);
    if (!start) {
        c->state = CLOSED;
        return;
    }
    char *end = put_head(c, start, r, keep_alive);
    if (copied && body_bytes) {
        memcpy(end, body_start(c, r->source), (size_t)body_bytes);
        end += body_bytes;
    }
    c->output.length += (size_t)(end - start);
    if (!keep_alive) {
        c->state = CLOSING;
        c->linger |= c->keep_alive; /* it did not expect to be its last */
    }

    if (copied) {
        answer_done(c);
        return;
    }
    c->tail_source = r->source;
    c->tail_bytes = body_bytes;
    c->tail_sent = 0;
    if (keep_alive)
        c->state = READING; /* but nothing is parsed before the tail is sent */
}

static void answer_error(struct connection *c, unsigned status)
{
    forget_request(c);
    handler_error(&c->exchange, status);
    c->refusal = status;
    c->linger = true;
    answer(c);
}

static void go_on(struct connection *c, enum handler_need need)
{
    switch (need) {
    case HANDLER_DONE: answer(c); return;
    case HANDLER_WAIT:
        c->state = WAITING;
        c->wait_until_ns = 0; /* counts from when the caller next tells the time */
        return;
    case HANDLER_LOCK: c->state = LOCKING; return;
    case HANDLER_FILE: c->state = OPENING; return;
    case HANDLER_BACKEND:
        c->state = ASKING;
        c->wait_until_ns = 0; /* as above */
        return;
    }
}

/* --- requests: llhttp's callbacks ------------------------------------------------------------- */

static int refuse(struct connection *c, unsigned status)
{
    c->refusal = status;
    return -1;
}

/* What is borrowed from the caller's bytes must outlive them. */
static bool own_target(struct connection *c)
{
    if (c->target == c->owned_target)
        return true;
    c->owned_target = malloc(c->target_length + 1);
    if (!c->owned_target)
        return false;
    memcpy(c->owned_target, c->target, c->target_length);
    c->target = c->owned_target;
    return true;
}

static int on_message_begin(llhttp_t *parser)
{
    struct connection *c = parser->data;
    c->began = true; /* an empty line before a request is none (RFC 9112, 2.2) */
    c->keep_alive = false;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    struct connection *c = parser->data;
    if (!c->target) {
        c->bodiless = parser->method == HTTP_HEAD;
        c->target = at;
        c->target_length = length;
        return 0;
    }
    /* The rest of a target whose start came earlier. */
    if (!own_target(c))
        return refuse(c, 503);
    char *whole = realloc(c->owned_target, c->target_length + length);
    if (!whole)
        return refuse(c, 503);
    memcpy(whole + c->target_length, at, length);
    c->target = c->owned_target = whole;
    c->target_length += length;
    return 0;
}

static int on_version(llhttp_t *parser, const char *at, size_t length)
{
    (void)at, (void)length;
    ((struct connection *)parser->data)->versioned = true;
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    struct connection *c = parser->data;
    for (size_t i = 0; i < length && c->name_length <= sizeof c->name; i++, c->name_length++)
        if (c->name_length < sizeof c->name)
            c->name[c->name_length] = (char)(at[i] | 0x20);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct connection *c = parser->data;
    for (size_t i = 0; i < length && c->value_length <= sizeof c->value; i++, c->value_length++)
        if (c->value_length < sizeof c->value)
            c->value[c->value_length] = (char)(at[i] | 0x20);
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct connection *c = parser->data;
    if (c->name_length == 4 && memcmp(c->name, "host", 4) == 0 && c->hosts < 2)
        c->hosts++;
    if (c->name_length == 6 && memcmp(c->name, "expect", 6) == 0)
        c->expects_continue = c->value_length == 12 && memcmp(c->value, "100-continue", 12) == 0;
    c->name_length = c->value_length = 0;
    return ++c->fields > c->config->head_max_fields ? refuse(c, 431) : 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct connection *c = parser->data;
    c->head_done = true;
    parser->upgrade = 0; /* not offered: what asks for it is an ordinary request */
    if (!c->versioned)
        return refuse(c, 400);
    if (parser->http_major != 1 || parser->http_minor > 1)
        return refuse(c, 505);
    /* RFC 9112, 6.1: HTTP/1.0 knows no transfer coding, so where the body ends is doubtful. */
    if (parser->http_minor == 0 && (parser->flags & F_TRANSFER_ENCODING))
        return refuse(c, 400);
    /* RFC 9112, 3.2: exactly one Host in HTTP/1.1, at most one in HTTP/1.0. */
    if (c->hosts > 1 || (c->hosts == 0 && parser->http_minor == 1))
        return refuse(c, 400);
    bool has_length = parser->flags & F_CONTENT_LENGTH;
    if (has_length && parser->content_length > c->config->body_max_bytes)
        return refuse(c, 413);
    bool has_body = (has_length && parser->content_length) || (parser->flags & F_CHUNKED);
    if (c->expects_continue && has_body && parser->http_minor == 1) {
        static const char go_ahead[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!buffer_append(&c->output, go_ahead, sizeof go_ahead - 1))
            return refuse(c, 503);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct connection *c = parser->data;
    if (length > c->config->body_max_bytes - c->body.length)
        return refuse(c, 413);
    return buffer_append(&c->body, at, length) ? 0 : refuse(c, 503);
}

/* Pausing here makes llhttp return at the exact end of the request. */
static int on_message_complete(llhttp_t *parser)
{
    struct connection *c = parser->data;
    c->keep_alive = llhttp_should_keep_alive(parser);
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_version = on_version,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static enum request_method method_of(const llhttp_t *parser)
{
    switch (parser->method) {
    case HTTP_GET: return REQUEST_GET;
    case HTTP_HEAD: return REQUEST_HEAD;
    case HTTP_POST: return REQUEST_POST;
    default: return REQUEST_OTHER;
    }
}

static void handle_request(struct connection *c)
{
    struct request request = {
        .method = method_of(&c->parser),
        .target = c->target,
        .target_length = c->target_length,
        .body = c->body.bytes,
        .body_length = c->body.length,
    };
    llhttp_resume(&c->parser);
    c->in_exchange = true;
    go_on(c, handler_begin(&c->config->handler, &request, &c->exchange));
}

static unsigned status_of_parse_error(const struct connection *c, llhttp_errno_t error)
{
    if (c->refusal)
        return c->refusal;
    bool other_version = error == HPE_INVALID_VERSION || error == HPE_PAUSED_H2_UPGRADE;
    return other_version ? 505 : 400;
}

/* --- input ------------------------------------------------------------------------------------ */

static bool output_pending(const struct connection *c)
{
    return c->output_sent < c->output.length || c->tail_sent < c->tail_bytes;
}

static bool may_parse(const struct connection *c)
{
    /* Behind a half-sent output nothing is put: it would grow as long as it is never quite sent. */
    return c->state == READING && !c->sending && c->tail_bytes == 0 && c->output_sent == 0 &&
           c->output.length < OUTPUT_GATHER_BYTES;
}

/* Parses at most one request, or a part of one. Returns how many bytes it took. */
static size_t parse_some(struct connection *c, const char *bytes, size_t length)
{
    /* A header section may end anywhere in these bytes, but not beyond its limit. */
    size_t allowance = c->config->head_max_bytes - c->head_bytes;
    size_t feed = c->head_done || length < allowance ? length : allowance;
    if (feed == 0) {
        answer_error(c, 431);
        return length;
    }

    llhttp_errno_t error = llhttp_execute(&c->parser, bytes, feed);
    if (error == HPE_PAUSED) {
        size_t used = (size_t)(llhttp_get_error_pos(&c->parser) - bytes);
        handle_request(c);
        return used;
    }
    if (error != HPE_OK) {
        answer_error(c, status_of_parse_error(c, error));
        return length;
    }
    if (!c->head_done)
        c->head_bytes += feed;
    return feed;
}

static size_t parse(struct connection *c, const char *bytes, size_t length)
{
    size_t used = 0;
    while (used < length && may_parse(c))
        used += parse_some(c, bytes + used, length - used);
    if (!c->in_exchange && !own_target(c))
        c->state = CLOSED;
    return used;
}

/* Goes on with what was received while an answer was still being made or sent. */
static void parse_unread(struct connection *c)
{
    if (c->unread.length == 0 || !may_parse(c))
        return;
    struct buffer unread = c->unread;
    c->unread = (struct buffer){0};
    size_t used = parse(c, unread.bytes, unread.length);
    if (used < unread.length && c->state < CLOSING) {
        memmove(unread.bytes, unread.bytes + used, unread.length - used);
        unread.length -= used;
        c->unread = unread;
        return;
    }
    c->linger |= used < unread.length;
    buffer_release(&unread);
}

void connection_received(struct connection *c, const char *bytes, size_t length, uint64_t now_ns)
{
    c->now_ns = now_ns;
    if (!output_pending(c)) /* who does not read makes no progress by sending more */
        c->progress_ns = 0;
    if (c->state >= CLOSING) {
        c->linger = true; /* nobody reads this any more */
        return;
    }
    size_t used = c->unread.length ? 0 : parse(c, bytes, length);
    if (used == length)
        return;
    if (c->state >= CLOSING)
        c->linger = true;
    else if (!buffer_append(&c->unread, bytes + used, length - used))
        c->state = CLOSED;
}

void connection_received_end(struct connection *c)
{
    c->ended = true;
    if (c->state == LINGERING || c->state == FINISHING)
        c->state = CLOSED;
}

void connection_aborted(struct connection *c)
{
    c->state = CLOSED;
}

/* --- what it waits for ------------------------------------------------------------------------ */

/* A time that was left to be stamped begins now. */
static uint64_t since(uint64_t *stamp_ns, uint64_t now_ns)
{
    if (*stamp_ns == 0)
        *stamp_ns = now_ns;
    return *stamp_ns;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
    return a_ns < b_ns ? a_ns : b_ns;
}

static uint64_t reading_deadline_ns(struct connection *c, uint64_t now_ns)
{
    uint64_t idle_ns = since(&c->progress_ns, now_ns) + c->config->idle_timeout_ns;
    if (!c->began || c->head_done)
        return idle_ns;
    return since(&c->began_ns, now_ns) + c->config->header_timeout_ns;
}

/* Moves on from states in which there is nothing left to wait for. */
static void settle(struct connection *c)
{
    if (c->state == CLOSING && !output_pending(c))
        c->state = c->linger && !c->ended ? FINISHING : CLOSED;
    /* A request cut off by the client's end will never be complete. */
    if (c->state == READING && c->ended && !output_pending(c) && c->unread.length == 0)
        c->state = CLOSED;
}

struct interest connection_interest(struct connection *c, uint64_t now_ns)
{
    c->now_ns = now_ns;
    settle(c);
    struct interest want = {.deadline_ns = NEVER_NS};
    if (c->state == WAITING) {
        if (c->wait_until_ns == 0)
            c->wait_until_ns = now_ns + c->exchange.wait_ns;
        if (!c->sending)
            want.deadline_ns = c->wait_until_ns;
    }
    if (output_pending(c) && c->state != CLOSED) {
        uint64_t stuck_ns = since(&c->progress_ns, now_ns) + c->config->idle_timeout_ns;
        want.set |= INTEREST_WRITABLE;
        want.deadline_ns = earlier(want.deadline_ns, stuck_ns);
        return want;
    }
    switch (c->state) {
    case READING:
        want.set |= INTEREST_READABLE;
        want.deadline_ns = reading_deadline_ns(c, now_ns);
        break;
    case WAITING: break;
    case LOCKING: want.set |= INTEREST_LOCK; break;
    case OPENING: want.set |= INTEREST_FILE; break;
    case ASKING:
        if (c->wait_until_ns == 0)
            c->wait_until_ns = now_ns + c->config->backend_timeout_ns;
        want.deadline_ns = c->wait_until_ns;
        if (c->exchange.query->state == REDIS_NOT_ASKED)
            want.set |= INTEREST_BACKEND;
        break;
    case FINISHING: want.set |= INTEREST_FINISH; break;
    case LINGERING:
        want.set |= INTEREST_READABLE;
        want.deadline_ns = since(&c->began_ns, now_ns) + LINGER_NS;
        break;
    case CLOSING:
    case CLOSED: want.set |= INTEREST_CLOSE; break;
    }
    return want;
}

void connection_expired(struct connection *c, uint64_t now_ns)
{
    c->now_ns = now_ns;
    if (c->state == WAITING && !c->sending && c->wait_until_ns && now_ns >= c->wait_until_ns) {
        go_on(c, handler_continue(&c->config->handler, &c->exchange));
        parse_unread(c);
        return;
    }
    if (c->state == ASKING && !output_pending(c)) {
        if (c->wait_until_ns && now_ns >= c->wait_until_ns)
            connection_answered(c); /* it is not: that is the answer */
        return;
    }
    if (output_pending(c)) {
        if (c->progress_ns && now_ns >= c->progress_ns + c->config->idle_timeout_ns)
            c->state = CLOSED; /* the client does not read: nobody to tell */
        return;
    }
    if (c->state == LINGERING) {
        if (c->began_ns && now_ns >= c->began_ns + LINGER_NS)
            c->state = CLOSED;
        return;
    }
    if (c->state != READING || now_ns < reading_deadline_ns(c, now_ns))
        return;
    if (c->began)
        answer_error(c, 408);
    else
        c->state = CLOSED;
}

void connection_locked(struct connection *c)
{
    if (c->state != LOCKING)
        return;
    go_on(c, handler_continue(&c->config->handler, &c->exchange));
    /* What is unread waits until the answer is sent: the lock is not for them. */
}

const char *connection_file_name(const struct connection *c)
{
    return c->exchange.file_name;
}

void connection_file_opened(struct connection *c, const struct file_facts *facts)
{
    if (c->state != OPENING)
        return;
    go_on(c, handler_file_opened(&c->exchange, facts));
    parse_unread(c);
}

bool connection_uses_file(const struct connection *c)
{
    return c->tail_source == BODY_FILE && c->tail_sent < c->tail_bytes && c->state != CLOSED;
}

struct redis_query *connection_query(const struct connection *c)
{
    return c->exchange.query;
}

void connection_answered(struct connection *c)
{
    if (c->state != ASKING)
        return;
    go_on(c, handler_answered(&c->exchange));
    parse_unread(c);
}

void connection_finished(struct connection *c)
{
    if (c->state != FINISHING)
        return;
    c->state = LINGERING;
    c->began_ns = 0;
}

/* --- output ----------------------------------------------------------------------------------- */

static void output_tail(const struct connection *c, struct output *out)
{
    uint64_t sent = c->tail_sent, left = c->tail_bytes - c->tail_sent;
    if (c->tail_source == BODY_FILE) {
        out->file_offset = sent;
        out->file_bytes = left;
        return;
    }
    const char *start = body_start(c, c->tail_source);
    if (c->tail_source != BODY_PATTERN) {
        out->pieces[out->count++] = (struct iovec){(char *)start + sent, left};
        return;
    }
    size_t offset = sent % HANDLER_PATTERN_BYTES;
    while (left && out->count < OUTPUT_PIECES) {
        size_t piece = HANDLER_PATTERN_BYTES - offset;
        piece = piece < left ? piece : (size_t)left;
        out->pieces[out->count++] = (struct iovec){(char *)start + offset, piece};
        left -= piece;
        offset = 0;
    }
}

void connection_output(const struct connection *c, struct output *out)
{
    out->count = 0;
    out->file_offset = out->file_bytes = 0;
    if (c->output_sent < c->output.length)
        out->pieces[out->count++] =
            (struct iovec){c->output.bytes + c->output_sent, c->output.length - c->output_sent};
    if (c->tail_sent < c->tail_bytes)
        output_tail(c, out);
}

void connection_sending(struct connection *c)
{
    c->sending = true;
}

void connection_sent(struct connection *c, size_t length)
{
    c->sending = false;
    c->progress_ns = 0;
    size_t heads = c->output.length - c->output_sent;
    heads = heads < length ? heads : length;
    c->output_sent += heads;
    if (c->output_sent == c->output.length) {
        buffer_release(&c->output);
        c->output_sent = 0;
    }
    c->tail_sent += length - heads;
    if (c->tail_bytes && c->tail_sent == c->tail_bytes)
        answer_done(c);
    parse_unread(c);
}

/* --- life ------------------------------------------------------------------------------------- */

struct connection *connection_new(const struct connection_config *config)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->config = config;
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = c;
    return c;
}

void connection_free(struct connection *c)
{
    if (!c)
        return;
    forget_request(c);
    buffer_release(&c->unread);
    buffer_release(&c->output);
    free(c);
}
