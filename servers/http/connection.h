/* One client's HTTP/1 conversation, without input or output.
 *
 * Bytes go in, bytes come out, and between the two the connection says what it
 * is waiting for: a *set* of interests and a deadline. Whoever owns the socket
 * (a model) waits for one of them in its own way, and reports what happened:
 *
 *     loop:  connection_interest        what it waits for now
 *            the model waits            read(2) - epoll - a sleep - a mutex
 *            connection_received / _sent / _expired / _locked / …
 *
 * HTTP/1 has mostly one interest at a time, but a model must honour the whole
 * set: a protocol with many streams waits for several things at once.
 *
 * Owns no descriptor, reads no clock, makes no system call that can block. All
 * times are of one monotonic clock that the caller chooses. */
#ifndef SERVERS_HTTP_CONNECTION_H
#define SERVERS_HTTP_CONNECTION_H

#include "servers/handler/handler.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* What a connection may wait for; a set of these. */
enum {
    INTEREST_READABLE = 1 << 0, /* bytes from the client: connection_received */
    INTEREST_WRITABLE = 1 << 1, /* room for connection_output: connection_sent */
    INTEREST_LOCK = 1 << 2,     /* the server-wide lock: connection_locked, holding it */
    INTEREST_FILE = 1 << 3,     /* connection_file_name opened: connection_file_opened */
    INTEREST_FINISH = 1 << 4,   /* shutdown(2) of the sending side: connection_finished */
    INTEREST_CLOSE = 1 << 5,    /* nothing more: close the socket, connection_free */
    INTEREST_BACKEND = 1 << 6,  /* connection_query asked, then connection_answered */
};

struct interest {
    unsigned set;
    uint64_t deadline_ns; /* connection_expired at this time; NEVER_NS: never */
};

struct connection_config {
    struct handler_config handler;
    size_t head_max_bytes; /* request line and header fields together: 431 beyond */
    unsigned head_max_fields;
    size_t body_max_bytes;       /* 413 beyond */
    unsigned keepalive_requests; /* answers before the connection is closed; 0: no limit */
    uint64_t idle_timeout_ns;    /* between requests, and between two bytes of a body or answer */
    uint64_t header_timeout_ns;  /* from a header's first byte to its last: 408 beyond */
    uint64_t backend_timeout_ns; /* from when the backend is to be asked: 503 beyond */
    uint64_t unix_epoch_ns;      /* Unix time at which the caller's clock showed zero */
    const atomic_int *stopping;  /* non-zero: each answer is its connection's last */
};

struct connection;

/* NULL when memory is short. `config` must outlive the connection. */
struct connection *connection_new(const struct connection_config *config);
void connection_free(struct connection *);

/* What the connection waits for from `now_ns` on. Ask again after each event. */
struct interest connection_interest(struct connection *, uint64_t now_ns);

/* The client sent `length` bytes. They are not needed after the call. `now_ns` dates the answers;
 * a reading a moment old will do. */
void connection_received(struct connection *, const char *bytes, size_t length, uint64_t now_ns);

/* The client will send no more (it may still be reading: what it asked for is answered). */
void connection_received_end(struct connection *);

/* The socket failed: nothing more can be sent. */
void connection_aborted(struct connection *);

enum { OUTPUT_PIECES = 8 };

/* What is to be sent next: pieces of memory, and after them a piece of the open file. */
struct output {
    struct iovec pieces[OUTPUT_PIECES];
    int count;
    uint64_t file_offset;
    uint64_t file_bytes; /* 0: no file */
};

void connection_output(const struct connection *, struct output *);

/* For who sends in the background: what connection_output gave stays as and where it is until
 * connection_sent. What is received meanwhile is put aside, and no answer is made. */
void connection_sending(struct connection *);

/* The first `length` bytes of connection_output are on their way. */
void connection_sent(struct connection *, size_t length);

/* The deadline has passed. Calling early is harmless. */
void connection_expired(struct connection *, uint64_t now_ns);

/* The caller holds the server-wide lock for the duration of this call. */
void connection_locked(struct connection *);

/* The file that INTEREST_FILE asks for, relative to the root. */
const char *connection_file_name(const struct connection *);

/* It was opened, or could not be. It must stay open while connection_uses_file. */
void connection_file_opened(struct connection *, const struct file_facts *);
bool connection_uses_file(const struct connection *);

/* What INTEREST_BACKEND wants to be asked. Once it is, the deadline alone is waited for. It ends
 * with the connection, wherever it then is. */
struct redis_query *connection_query(const struct connection *);

/* The query is done, or could not be asked. Harmless while nothing is to be answered. */
void connection_answered(struct connection *);

/* The sending side is shut down. */
void connection_finished(struct connection *);

#endif
