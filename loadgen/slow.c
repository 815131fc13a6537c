#include "loadgen/slow.h"

#include "common/sockets.h"
#include "loadgen/response.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Small enough that a server with a large answer feels how slowly it is read. */
enum { RECEIVE_BUFFER_BYTES = 4096 };

struct slow_client {
    struct deadline deadline;
    struct random_stream random;
    int fd; /* -1: none */
    char *request;
    size_t length, sent;
    struct expectation expectation;
    struct response_parser parser;
};

struct slow_clients {
    struct deadlines *deadlines;
    struct dialler *dialler;
    const struct mix *mix;
    bool measuring;
    uint64_t completed, errors;
    unsigned count;
    struct slow_client clients[];
};

static void begin_request(struct slow_clients *all, struct slow_client *c)
{
    c->sent = 0;
    c->length = mix_draw(all->mix, &c->random, c->request, &c->expectation);
}

static void hang_up(struct slow_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void tell(struct slow_clients *all, bool good)
{
    if (all->measuring)
        *(good ? &all->completed : &all->errors) += 1;
}

static void fail(struct slow_clients *all, struct slow_client *c)
{
    tell(all, false);
    hang_up(c);
}

static void send_byte(struct slow_clients *all, struct slow_client *c)
{
    ssize_t n = send(c->fd, c->request + c->sent, 1, MSG_NOSIGNAL);
    if (n > 0)
        c->sent++;
    else if (!not_ready(errno))
        fail(all, c);
}

static void read_little(struct slow_clients *all, struct slow_client *c)
{
    char bytes[SLOW_READ_BYTES];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    if (n < 0 && not_ready(errno))
        return;
    size_t used;
    enum response_state state = RESPONSE_BROKEN; /* a reset */
    if (n > 0)
        state = response_feed(&c->parser, &c->expectation, bytes, (size_t)n, &used);
    else if (n == 0)
        state = response_ended(&c->parser, &c->expectation);
    if (state == RESPONSE_COMPLETE) {
        tell(all, c->parser.status / 100 == 2 && !c->parser.body_wrong);
        if (n <= 0 || !c->parser.keep_alive)
            hang_up(c);
        else
            begin_request(all, c);
    } else if (n <= 0 || state == RESPONSE_BROKEN) {
        fail(all, c);
    }
}

static void step(struct slow_clients *all, struct slow_client *c)
{
    if (c->fd < 0) {
        c->fd = dial(all->dialler, RECEIVE_BUFFER_BYTES);
        if (c->fd < 0) {
            tell(all, false);
            return;
        }
        response_begin(&c->parser);
        begin_request(all, c);
    } else if (c->sent < c->length) {
        send_byte(all, c);
    } else {
        read_little(all, c);
    }
}

bool slow_clients_expired(struct slow_clients *all, struct deadline *d, uint64_t now_ns)
{
    struct slow_client *c = (struct slow_client *)d; /* its first member */
    if (c < all->clients || c >= all->clients + all->count)
        return false;
    uint64_t at_ns = d->at_ns;
    step(all, c);
    at_ns += SLOW_STEP_NS;
    deadlines_set(all->deadlines, d, at_ns > now_ns ? at_ns : now_ns + SLOW_STEP_NS);
    return true;
}

void slow_clients_start(struct slow_clients *all, uint64_t now_ns)
{
    for (unsigned i = 0; i < all->count; i++)
        deadlines_set(all->deadlines, &all->clients[i].deadline,
                      now_ns + SLOW_STEP_NS * i / all->count);
}

void slow_clients_measure(struct slow_clients *all, bool on)
{
    all->measuring = on;
}

void slow_clients_count(const struct slow_clients *all, uint64_t *completed, uint64_t *errors)
{
    *completed = all->completed;
    *errors = all->errors;
}

struct slow_clients *slow_clients_new(struct deadlines *deadlines, struct dialler *dialler,
                                      const struct options *options, const struct mix *mix,
                                      unsigned count, unsigned index)
{
    struct slow_clients *all = calloc(1, sizeof *all + count * sizeof *all->clients);
    if (!all)
        return NULL;
    all->deadlines = deadlines;
    all->dialler = dialler;
    all->mix = mix;
    all->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct slow_client *c = &all->clients[i];
        c->fd = -1;
        c->request = malloc(mix_most_bytes(mix));
        unsigned measured = options_measured_streams(options);
        uint64_t number = measured + (uint64_t)i * options->threads + index;
        if (!c->request || random_stream_init(&c->random, options->seed, RANDOM_REQUESTS, number,
                                              measured + options->slow) < 0) {
            slow_clients_free(all);
            return NULL;
        }
    }
    return all;
}

void slow_clients_free(struct slow_clients *all)
{
    for (unsigned i = 0; all && i < all->count; i++) {
        hang_up(&all->clients[i]);
        free(all->clients[i].request);
        random_stream_free(&all->clients[i].random);
    }
    free(all);
}
