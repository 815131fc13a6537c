/* What is sent: a weighted mix of requests, with variates in their paths.
 *
 * A path may hold {exp:M} (exponential, mean M), {uniform:A:B} and {seq}; each
 * request drawn has its own values. Knows nothing of connections and of time. */
#ifndef LOADGEN_REQUESTS_H
#define LOADGEN_REQUESTS_H

#include "loadgen/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known beforehand of the answer to a request. */
struct expectation {
    bool head;          /* the answer has no body, whatever its head announces */
    const char *body;   /* the exact body, or NULL when not known */
    int64_t body_bytes; /* its length, or -1 when not known */
};

struct mix;

struct mix_options {
    const char *host; /* for the Host field */
    bool http_1_0;
    bool close; /* one request per connection */
    const char *method;
    const char *path;     /* instead of a mix file */
    const char *file;     /* "WEIGHT METHOD PATH" a line; NULL: method and path alone */
    char *const *headers; /* "Name: value", NULL-terminated */
    const char *body;     /* sent with all requests, but not with the GETs and HEADs of a mix */
    size_t body_bytes;
    bool any_body; /* take any body for an answer: the target is not one of ours */
};

/* NULL with a message in `error`. What the options point to must outlive the mix. */
struct mix *mix_new(const struct mix_options *, char *error, size_t error_size);
void mix_free(struct mix *);

/* Another host for the Host field, once its port is known. false when memory is short. */
bool mix_set_host(struct mix *, const char *host);

/* What it sends, as text for the report: "GET /hello", one for each line of the mix. */
size_t mix_count(const struct mix *);
const char *mix_text(const struct mix *, size_t index);

/* A request's bytes are at most so many. */
size_t mix_most_bytes(const struct mix *);

/* Draws a request and writes its bytes at `at`, which has room for mix_most_bytes. Returns their
 * number, and what is known of the answer. */
size_t mix_draw(const struct mix *, struct random_stream *, char *at, struct expectation *);

#endif
