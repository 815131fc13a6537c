/* The one request handler: every route, every kind of work, for every model.
 *
 * It never waits. A request that needs to wait, to hold the server's lock or
 * to read a file or to ask the backend says so, and is continued when whoever
 * called has arranged it. One kind of work does not keep to that, which is its
 * point: /query calls a database that blocks. Knows nothing of HTTP's bytes, of
 * descriptors, clocks or models. */
#ifndef SERVERS_HANDLER_HANDLER_H
#define SERVERS_HANDLER_HANDLER_H

#include "servers/backend/redis.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

struct request {
    enum request_method method;
    const char *target; /* path and query as sent; not NUL-terminated */
    size_t target_length;
    const char *body;
    size_t body_length;
};

/* Where the bytes of an answer's body come from. */
enum body_source {
    BODY_TEXT,    /* `body`, which is a constant or belongs to the exchange */
    BODY_REQUEST, /* the request's own body */
    BODY_PATTERN, /* handler_pattern, over and over */
    BODY_FILE,    /* the file that was opened for the exchange */
};

struct response {
    unsigned status;
    const char *content_type;
    const char *allow;       /* the methods of a 405, else NULL */
    int64_t last_modified_s; /* Unix time; -1: none */
    unsigned retry_after_s;  /* 0: not said */
    enum body_source source;
    const char *body;
    uint64_t body_bytes;
};

/* What an exchange needs before it can go on. */
enum handler_need {
    HANDLER_DONE,    /* nothing: the response is complete */
    HANDLER_WAIT,    /* wait_ns must pass */
    HANDLER_LOCK,    /* the server-wide lock must be held while it continues */
    HANDLER_FILE,    /* file_name must be opened below the root */
    HANDLER_BACKEND, /* the query must be answered by the backend, or have failed */
};

/* What the file turned out to be. */
struct file_facts {
    int error; /* 0, or an errno */
    uint64_t size_bytes;
    int64_t modified_s; /* Unix time */
};

struct handler_config {
    double compute_rate;  /* iterations per microsecond */
    bool has_root;        /* is there anything behind /files/ */
    bool has_backend;     /* and behind /kv and /guestbook */
    const char *database; /* the file behind /query; NULL: none */
};

/* One request on its way to its response. */
struct exchange {
    struct response response;
    uint64_t wait_ns;
    double lock_us;
    char *file_name;                                  /* relative to the root */
    struct redis_query *query;                        /* NULL: the backend is not asked */
    enum handler_need (*answered)(struct exchange *); /* makes the response of its replies */
    char *owned_body; /* a body that was made for this response alone */
    char text[96];    /* room for a message that names a parameter */
};

/* Starts work on a request. Initialises the exchange, which must be ended with exchange_end. */
enum handler_need handler_begin(const struct handler_config *, const struct request *,
                                struct exchange *);

/* Goes on after HANDLER_WAIT or HANDLER_LOCK was satisfied. */
enum handler_need handler_continue(const struct handler_config *, struct exchange *);

/* Goes on after HANDLER_FILE. The file must stay open until its bytes are sent. */
enum handler_need handler_file_opened(struct exchange *, const struct file_facts *);

/* Goes on after HANDLER_BACKEND. A query that is not answered by now has failed. */
enum handler_need handler_answered(struct exchange *);

void exchange_end(struct exchange *);

/* A response that is only a status and its reason, for errors found before there is a request. */
void handler_error(struct exchange *, unsigned status);

/* The reason phrase of RFC 9110, section 15. */
const char *status_reason(unsigned status);

/* The bytes of /work?bytes=: 64 KiB, every 64 of them a line. */
extern const char handler_pattern[];
enum { HANDLER_PATTERN_BYTES = 64 * 1024 };

#endif
