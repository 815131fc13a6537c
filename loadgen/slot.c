/* The life of a connection: connect, send, receive, and what follows. */
#include "common/clock.h"
#include "common/sockets.h"
#include "loadgen/engine.h"

#include <errno.h>
#include <gsl/gsl_randist.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A slot whose connection failed waits before it tries again, longer each time. */
#define BACKOFF_LEAST_NS (10 * NS_PER_MS)
#define BACKOFF_MOST_NS (1 * NS_PER_S)

/* With Connection: close the server closes; one that does not is not waited for. */
#define ENDING_MOST_NS (1 * NS_PER_S)

static struct flight *slot_oldest(struct slot *s)
{
    return &s->flights[s->first];
}

static void slot_forget_oldest(struct slot *s)
{
    s->first = (s->first + 1) % s->worker->options->pipeline;
    s->in_flight--;
}

static void slot_watch(struct slot *s, int fd, int events)
{
    if (ev_is_active(&s->io) && s->io.events == events)
        return;
    ev_io_stop(s->worker->loop, &s->io);
    ev_io_set(&s->io, fd, events);
    ev_io_start(s->worker->loop, &s->io);
}

void slot_close(struct slot *s)
{
    struct worker *w = s->worker;
    deadlines_cancel(&w->deadlines, &s->deadline);
    s->backing_off = false;
    if (s->state != SLOT_CLOSED) {
        ev_io_stop(w->loop, &s->io);
        close(s->io.fd);
    }
    s->state = SLOT_CLOSED;
    s->out_bytes = s->out_sent = 0;
    s->first = s->in_flight = s->unsent = 0;
}

/* Everything on the connection failed. The slot tries again after a pause, which is longer with
 * each failure in a row; after a timeout at once. */
static void slot_fail(struct slot *s, enum request_error kind, uint64_t now_ns)
{
    struct worker *w = s->worker;
    for (unsigned i = 0; i < s->in_flight; i++) {
        struct flight *f = &s->flights[(s->first + i) % w->options->pipeline];
        count_error(w, kind, now_ns);
        if (kind == ERROR_TIMEOUT)
            count_censored(w, f->intended_ns, f->sent_ns, now_ns);
    }
    slot_close(s);
    if (kind == ERROR_TIMEOUT) {
        slot_next(s, now_ns); /* it has waited long enough */
        return;
    }
    uint64_t pause_ns = BACKOFF_LEAST_NS << (s->failures < 7 ? s->failures : 7);
    s->failures++;
    s->backing_off = true;
    pause_ns = pause_ns < BACKOFF_MOST_NS ? pause_ns : BACKOFF_MOST_NS;
    deadlines_set(&w->deadlines, &s->deadline, now_ns + pause_ns);
}

static void slot_opened(struct slot *s, uint64_t now_ns)
{
    struct worker *w = s->worker;
    s->state = SLOT_OPEN;
    w->tally.opened++;
    if (w->phase == MEASURING)
        histogram_record(w->tally.connect, now_ns - s->connect_began_ns);
    response_begin(&s->parser);
}

/* Sends what is to be sent. On a socket that is still connecting, send says EAGAIN; on loopback
 * the connection is usually there at once, and a turn of the loop is saved. */
static void slot_flush(struct slot *s)
{
    struct worker *w = s->worker;
    uint64_t now_ns = tick(w);
    ssize_t n = send(s->io.fd, s->out + s->out_sent, s->out_bytes - s->out_sent, MSG_NOSIGNAL);
    if (n < 0 && not_ready(errno)) {
        slot_watch(s, s->io.fd, EV_WRITE | (s->state == SLOT_OPEN ? EV_READ : 0));
        return;
    }
    if (n < 0) {
        slot_fail(s, s->state == SLOT_CONNECTING ? ERROR_CONNECT : ERROR_WRITE, now_ns);
        return;
    }
    if (s->state == SLOT_CONNECTING)
        slot_opened(s, now_ns);
    for (; s->unsent; s->unsent--) {
        unsigned last = s->first + s->in_flight - s->unsent;
        s->flights[last % w->options->pipeline].sent_ns = now_ns;
        w->tally.sent += w->phase == MEASURING;
    }
    s->out_sent += (size_t)n;
    bool all = s->out_sent == s->out_bytes;
    if (all)
        s->out_sent = s->out_bytes = 0;
    slot_watch(s, s->io.fd, all ? EV_READ : EV_READ | EV_WRITE);
}

static void slot_connect(struct slot *s)
{
    struct worker *w = s->worker;
    s->connect_began_ns = tick(w);
    int fd = dial(&w->dialler, 0);
    if (fd < 0) {
        slot_fail(s, ERROR_CONNECT, s->connect_began_ns);
        return;
    }
    s->state = SLOT_CONNECTING;
    ev_io_set(&s->io, fd, EV_WRITE);
    slot_flush(s);
}

static bool slot_reserve(struct slot *s, size_t more)
{
    if (s->out_capacity - s->out_bytes >= more)
        return true;
    size_t capacity =
        s->out_capacity + more > 2 * s->out_capacity ? s->out_capacity + more : 2 * s->out_capacity;
    char *out = realloc(s->out, capacity);
    if (!out)
        return false;
    s->out = out;
    s->out_capacity = capacity;
    return true;
}

/* Draws a request and puts it into the output; slot_go sends it. It was to begin at
 * `intended_ns`; `due_ns` is when this generator could have acted, from which its lag counts.
 * Without memory for it, it is an error at once. */
static bool slot_request(struct slot *s, uint64_t intended_ns, uint64_t due_ns)
{
    struct worker *w = s->worker;
    if (!slot_reserve(s, mix_most_bytes(w->mix))) {
        count_error(w, ERROR_WRITE, intended_ns);
        return false;
    }
    struct flight *f = &s->flights[(s->first + s->in_flight++) % w->options->pipeline];
    struct random_stream *random = w->options->open_loop ? &w->requests : &s->requests;
    s->out_bytes += mix_draw(w->mix, random, s->out + s->out_bytes, &f->expectation);
    f->intended_ns = intended_ns;
    f->sent_ns = 0;
    s->unsent++;
    if (w->phase != MEASURING)
        return true;
    s->used = true;
    if (w->options->open_loop || w->options->think_ms > 0) {
        uint64_t now_ns = clock_now_ns();
        histogram_record(w->tally.send_lag, now_ns > due_ns ? now_ns - due_ns : 0);
    }
    return true;
}

static void slot_go(struct slot *s)
{
    if (s->state == SLOT_CLOSED)
        slot_connect(s);
    else if (s->state == SLOT_OPEN && s->out_bytes && s->out_sent == 0)
        slot_flush(s);
}

/* Closed loop: as many requests as may be in flight, all of them due at `at_ns`. */
static void slot_fill(struct slot *s, uint64_t at_ns)
{
    while (s->in_flight < s->worker->options->pipeline) {
        count_begin(s->worker, at_ns);
        if (!slot_request(s, at_ns, at_ns))
            break;
    }
    slot_go(s);
}

/* Closed loop: the next request, or as many as may be in flight, now or after thinking. */
static void slot_next_closed(struct slot *s, uint64_t now_ns)
{
    struct worker *w = s->worker;
    const struct options *o = w->options;
    if (o->think_ms > 0) {
        uint64_t think_ns = (uint64_t)(gsl_ran_exponential(s->thinking.rng, o->think_ms) * 1e6);
        deadlines_set(&w->deadlines, &s->deadline, now_ns + think_ns);
        return;
    }
    slot_fill(s, now_ns);
}

void slot_push_free(struct slot *s)
{
    if (s->free)
        return;
    s->free = true;
    s->worker->free_slots[s->worker->free_count++] = s;
}

/* Open loop: the arrival that has waited longest, if one has. */
static void slot_next_open(struct slot *s, uint64_t now_ns)
{
    struct queue *q = &s->worker->queue;
    bool any = false;
    while (q->count && s->in_flight < s->worker->options->pipeline) {
        uint64_t intended_ns = q->intended_ns[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->count--;
        slot_request(s, intended_ns, now_ns);
        any = true;
    }
    if (s->in_flight < s->worker->options->pipeline)
        slot_push_free(s);
    if (any)
        slot_go(s);
}

void slot_next(struct slot *s, uint64_t now_ns)
{
    if (s->worker->phase == AFTERWARDS && now_ns >= s->worker->times.end_ns)
        return; /* what comes now is not load, but its end */
    if (s->worker->options->open_loop)
        slot_next_open(s, now_ns);
    else
        slot_next_closed(s, now_ns);
}

/* The oldest request has its answer. */
static void slot_answered(struct slot *s, uint64_t now_ns)
{
    struct worker *w = s->worker;
    struct flight *f = slot_oldest(s);
    if (s->parser.status / 100 != 2)
        count_error(w, ERROR_STATUS, now_ns);
    else if (s->parser.body_wrong)
        count_error(w, ERROR_BODY, now_ns);
    else
        count_completed(s, f, now_ns);
    s->failures = 0;
    slot_forget_oldest(s);
}

/* The last answer on this connection. What was pipelined behind it will not be answered. */
static void slot_end(struct slot *s, uint64_t now_ns)
{
    if (s->in_flight) {
        slot_fail(s, ERROR_READ, now_ns);
        return;
    }
    s->state = SLOT_ENDING;
    slot_watch(s, s->io.fd, EV_READ);
    deadlines_set(&s->worker->deadlines, &s->deadline, now_ns + ENDING_MOST_NS);
}

/* The connection is no more, and nobody waits for it: a user who thinks goes on thinking. */
static void slot_ended(struct slot *s, uint64_t now_ns)
{
    bool thinking = s->state == SLOT_OPEN && deadline_is_set(&s->deadline);
    slot_close(s);
    if (thinking)
        deadlines_set(&s->worker->deadlines, &s->deadline, s->deadline.at_ns);
    else
        slot_next(s, now_ns);
}

static void slot_received(struct slot *s, const char *bytes, size_t length, uint64_t now_ns)
{
    bool answered = false;
    while (length && s->in_flight) {
        if (s->in_flight == s->unsent) { /* an answer to what was not asked yet */
            slot_fail(s, ERROR_PARSE, now_ns);
            return;
        }
        size_t used;
        enum response_state state =
            response_feed(&s->parser, &slot_oldest(s)->expectation, bytes, length, &used);
        if (state == RESPONSE_BROKEN) {
            slot_fail(s, ERROR_PARSE, now_ns);
            return;
        }
        bytes += used;
        length -= used;
        if (state == RESPONSE_INCOMPLETE)
            break;
        slot_answered(s, now_ns);
        answered = true;
        if (!s->parser.keep_alive || s->worker->options->close) {
            slot_end(s, now_ns);
            return;
        }
    }
    if (length) /* something that nobody asked for, such as a 408 to an idle connection */
        slot_ended(s, now_ns);
    else if (answered)
        slot_next(s, now_ns);
}

static void slot_received_end(struct slot *s, uint64_t now_ns)
{
    if (s->state == SLOT_ENDING) {
        slot_ended(s, now_ns);
        return;
    }
    if (s->in_flight == 0) { /* an idle connection, which the server may close at any time */
        slot_ended(s, now_ns);
        return;
    }
    if (response_ended(&s->parser, &slot_oldest(s)->expectation) == RESPONSE_COMPLETE)
        slot_answered(s, now_ns);
    if (s->in_flight)
        slot_fail(s, ERROR_READ, now_ns);
    else
        slot_ended(s, now_ns);
}

static void slot_read(struct slot *s)
{
    struct worker *w = s->worker;
    ssize_t n = recv(s->io.fd, w->received, sizeof w->received, 0);
    if (n < 0 && not_ready(errno))
        return;
    uint64_t now_ns = tick(w);
    if (n > 0 && s->state == SLOT_OPEN)
        slot_received(s, w->received, (size_t)n, now_ns);
    else if (n == 0)
        slot_received_end(s, now_ns);
    else if (n < 0 && s->in_flight)
        slot_fail(s, ERROR_READ, now_ns);
    else if (n < 0)
        slot_ended(s, now_ns);
}

static void slot_connected(struct slot *s)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        slot_fail(s, ERROR_CONNECT, tick(s->worker));
    else
        slot_flush(s);
}

static void on_slot(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct slot *s = (struct slot *)io; /* its first member */
    if (s->state == SLOT_CONNECTING)
        slot_connected(s);
    else if (events & EV_READ)
        slot_read(s);
    else
        slot_flush(s);
}

/* Thinking, a back-off, or the patience with a server that does not close is over. */
void slot_expired(struct slot *s, uint64_t at_ns, uint64_t now_ns)
{
    bool backed_off = s->backing_off;
    s->backing_off = false;
    if (s->state == SLOT_ENDING) {
        slot_ended(s, now_ns);
    } else if (backed_off) {
        slot_next(s, now_ns);
    } else {
        slot_fill(s, at_ns);
    }
}

struct slot *slot_pop_free(struct worker *w)
{
    while (w->free_count) {
        struct slot *s = w->free_slots[--w->free_count];
        s->free = false;
        /* A slot that backs off is no use to an arrival; it comes back when it has done so. */
        if (s->state == SLOT_OPEN || (s->state == SLOT_CLOSED && !deadline_is_set(&s->deadline)))
            return s;
    }
    return NULL;
}

void slot_take(struct slot *s, uint64_t intended_ns)
{
    slot_request(s, intended_ns, intended_ns);
    if (s->in_flight < s->worker->options->pipeline)
        slot_push_free(s);
    slot_go(s);
}

void slot_give_up_old(struct slot *s, uint64_t now_ns)
{
    if (s->in_flight && now_ns > slot_oldest(s)->intended_ns + s->worker->options->timeout_ns)
        slot_fail(s, ERROR_TIMEOUT, now_ns);
}

int slot_init(struct worker *w, struct slot *s, uint64_t number)
{
    const struct options *o = w->options;
    s->worker = w;
    ev_init(&s->io, on_slot);
    s->flights = calloc(o->pipeline, sizeof *s->flights);
    if (!s->flights || o->open_loop)
        return s->flights ? 0 : -1;
    if (random_stream_init(&s->requests, o->seed, RANDOM_REQUESTS, number,
                           options_measured_streams(o) + o->slow) < 0)
        return -1;
    return random_stream_init(&s->thinking, o->seed, RANDOM_THINKING, number, o->connections);
}

void slot_free(struct slot *s)
{
    free(s->flights);
    free(s->out);
    random_stream_free(&s->requests);
    random_stream_free(&s->thinking);
}
