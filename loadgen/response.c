#include "loadgen/response.h"

#include <string.h>

static int on_message_begin(llhttp_t *http)
{
    struct response_parser *p = http->data;
    p->body_bytes = 0;
    p->body_wrong = false;
    return 0;
}

/* 1 tells llhttp that no body follows, whatever the head says. */
static int on_headers_complete(llhttp_t *http)
{
    struct response_parser *p = http->data;
    p->status = http->status_code;
    return p->expectation && p->expectation->head ? 1 : 0;
}

static int on_body(llhttp_t *http, const char *at, size_t length)
{
    struct response_parser *p = http->data;
    const struct expectation *e = p->expectation;
    uint64_t end = p->body_bytes + length;
    bool too_long = e && e->body_bytes >= 0 && end > (uint64_t)e->body_bytes;
    p->body_wrong |= too_long || (e && e->body && memcmp(e->body + p->body_bytes, at, length) != 0);
    p->body_bytes = end;
    return 0;
}

/* Pausing makes llhttp stop at the exact end of this answer. */
static int on_message_complete(llhttp_t *http)
{
    struct response_parser *p = http->data;
    const struct expectation *e = p->expectation;
    if (http->status_code / 100 == 1)
        return 0; /* an interim answer: the real one follows */
    p->complete = true;
    p->keep_alive = llhttp_should_keep_alive(http);
    if (e && e->body_bytes >= 0 && p->body_bytes != (uint64_t)e->body_bytes)
        p->body_wrong = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_message_begin,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void response_begin(struct response_parser *p)
{
    *p = (struct response_parser){0};
    llhttp_init(&p->http, HTTP_RESPONSE, &settings);
    p->http.data = p;
}

enum response_state response_feed(struct response_parser *p, const struct expectation *expectation,
                                  const char *bytes, size_t length, size_t *used)
{
    p->expectation = expectation;
    p->complete = false;
    p->begun = true;
    llhttp_errno_t error = llhttp_execute(&p->http, bytes, length);
    if (p->complete && error == HPE_PAUSED) {
        *used = (size_t)(llhttp_get_error_pos(&p->http) - bytes);
        llhttp_resume(&p->http);
        p->begun = false;
        return RESPONSE_COMPLETE;
    }
    *used = length;
    return error == HPE_OK ? RESPONSE_INCOMPLETE : RESPONSE_BROKEN;
}

enum response_state response_ended(struct response_parser *p, const struct expectation *expectation)
{
    p->expectation = expectation;
    p->complete = false;
    if (!p->begun)
        return RESPONSE_INCOMPLETE;
    llhttp_finish(&p->http);
    p->keep_alive = false;
    return p->complete ? RESPONSE_COMPLETE : RESPONSE_INCOMPLETE;
}
