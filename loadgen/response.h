/* Answers, parsed as they come in, and checked: a fast wrong answer is an error.
 *
 * Knows nothing of sockets and time. */
#ifndef LOADGEN_RESPONSE_H
#define LOADGEN_RESPONSE_H

#include "loadgen/requests.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum response_state {
    RESPONSE_INCOMPLETE,
    RESPONSE_COMPLETE, /* then `status`, `body_wrong` and `keep_alive` tell of it */
    RESPONSE_BROKEN,   /* not HTTP: the connection is of no more use */
};

struct response_parser {
    llhttp_t http;
    const struct expectation *expectation;
    uint64_t body_bytes;
    unsigned status;
    bool body_wrong; /* another length or content than was expected */
    bool keep_alive;
    bool complete;
    bool begun; /* some of the answer has come */
};

/* For the first answer of a new connection. */
void response_begin(struct response_parser *);

/* Takes in bytes up to the end of one answer at most; *used says how many. */
enum response_state response_feed(struct response_parser *, const struct expectation *,
                                  const char *bytes, size_t length, size_t *used);

/* The server has closed: complete if the end was what the answer lacked (RFC 9112, 6.3). */
enum response_state response_ended(struct response_parser *, const struct expectation *);

#endif
