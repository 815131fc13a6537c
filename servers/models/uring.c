/* Completions: the kernel is told what to do, and says when it is done (io_uring).
 *
 * An event loop asks who is ready and then makes the calls itself. Here one ring
 * carries the calls to the kernel, many at a time, and another brings the results
 * back; one system call a turn both hands over what is new and waits. A receive
 * that is under way needs no buffer until bytes come: it takes one of a few that
 * all clients share. Switch points: the return to the ring, and nothing else.
 *
 * What is under way belongs to the kernel: output stays where it is until it is
 * sent, and a client stays until nothing of it is under way. */
#include "common/deadlines.h"
#include "common/sockets.h"
#include "servers/accept.h"
#include "servers/backend/link.h"
#include "servers/channel.h"
#include "servers/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum { SUBMISSIONS = 1024, COMPLETIONS = 16 * 1024 };

/* A buffer is in use from when bytes have come until the turn that looks at them. Only pages of it
 * that bytes were written to are memory. */
enum { BUFFERS = 64, LEAST_PAGE_BYTES = 4096 };

/* What a client may send ahead of what it is answered, roughly, before nothing more is received. */
enum { AHEAD_BYTES = 64 * 1024 };

/* What was asked for, in the lowest bits of whose it is. */
enum operation { NOTHING, ACCEPT, RECEIVE, SEND, AWAIT_ROOM, CANCEL, ASK };
enum { OPERATION_BITS = 3, OPERATION_MASK = (1 << OPERATION_BITS) - 1 };

struct client {
    struct deadline deadline; /* first: what rings is its client */
    struct uring *uring;
    struct channel channel;
    size_t ahead_bytes;     /* received while it was not listened to */
    enum operation sending; /* SEND, AWAIT_ROOM or NOTHING is under way */
    bool is_receiving;      /* is under way */
    bool has_received;      /* at least once */
    bool is_closing;
};

/* Of one submission: the kernel has copied it when it has taken the submission. */
struct message {
    struct msghdr header;
    struct output output;
};

struct uring {
    struct server *server;
    struct io_uring ring;
    struct message messages[SUBMISSIONS]; /* in the order of the ring's */
    struct io_uring_buf_ring *free_buffers;
    struct receive_room buffers[BUFFERS];
    struct deadlines deadlines; /* a heap only: the ring's own wait ends at the earliest */
    struct deadline resume;     /* accepting, after a pause */
    bool is_accepting;
    struct backend_link link; /* to the backend; queries of many clients are under way on it */
    uint64_t link_polls;      /* how often it was polled; the last one counts */
    unsigned link_opened;     /* which of its sockets is polled */
    short link_events;        /* 0: none is under way */
    unsigned clients;
};

/* --- what the kernel is asked for ------------------------------------------------------------- */

/* Submitted with the next wait. */
static struct io_uring_sqe *next_submission(struct uring *u)
{
    struct io_uring_sqe *sqe;
    while (!(sqe = io_uring_get_sqe(&u->ring)))
        io_uring_submit(&u->ring);
    return sqe;
}

static void set_data(struct io_uring_sqe *sqe, struct client *c, enum operation operation)
{
    _Static_assert(_Alignof(max_align_t) > OPERATION_MASK, "malloc leaves these bits zero");
    io_uring_sqe_set_data64(sqe, (uintptr_t)c | operation);
}

/* Where clients are limited, each is accepted by itself, into a place that is taken first. */
static void accept_on(struct uring *u)
{
    if (u->is_accepting || stop_requested || deadline_is_set(&u->resume) || !place_try(u->server))
        return;
    struct io_uring_sqe *sqe = next_submission(u);
    io_uring_prep_accept(sqe, u->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (!u->server->free_places)
        sqe->ioprio |= IORING_ACCEPT_MULTISHOT;
    set_data(sqe, NULL, ACCEPT);
    u->is_accepting = true;
}

/* The first receive is for once: who asks once and closes leaves none behind to be cancelled. The
 * next one lasts. */
static void receive(struct uring *u, struct client *c)
{
    struct io_uring_sqe *sqe = next_submission(u);
    io_uring_prep_recv(sqe, c->channel.fd, NULL, 0, 0);
    if (c->has_received)
        sqe->ioprio |= IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_BUFFER_SELECT;
    set_data(sqe, c, RECEIVE);
    c->is_receiving = true;
}

static void cancel(struct uring *u, struct client *c, enum operation operation)
{
    struct io_uring_sqe *sqe = next_submission(u);
    io_uring_prep_cancel64(sqe, (uintptr_t)c | operation, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    set_data(sqe, NULL, CANCEL);
}

static void send_output(struct uring *u, struct client *c, const struct output *output)
{
    struct io_uring_sqe *sqe = next_submission(u);
    if (output->count == 1) {
        const struct iovec *piece = &output->pieces[0];
        io_uring_prep_send(sqe, c->channel.fd, piece->iov_base, piece->iov_len, MSG_NOSIGNAL);
    } else {
        struct message *m = &u->messages[sqe - u->ring.sq.sqes];
        m->output = *output;
        m->header =
            (struct msghdr){.msg_iov = m->output.pieces, .msg_iovlen = (size_t)output->count};
        io_uring_prep_sendmsg(sqe, c->channel.fd, &m->header, MSG_NOSIGNAL);
    }
    set_data(sqe, c, SEND);
    c->sending = SEND;
    connection_sending(c->channel.connection);
}

/* A ring has no sendfile(2): the call is made here, as long as there is room, and room is what is
 * waited for. Other calls of the ring would not wait on a socket that does not block, hence only
 * this one finds it so. true: something moved. */
static bool send_file(struct uring *u, struct client *c)
{
    int flags = fcntl(c->channel.fd, F_GETFL);
    fcntl(c->channel.fd, F_SETFL, flags | O_NONBLOCK);
    bool has_moved = channel_send(&c->channel);
    fcntl(c->channel.fd, F_SETFL, flags);
    if (has_moved)
        return true;
    struct io_uring_sqe *sqe = next_submission(u);
    io_uring_prep_poll_add(sqe, c->channel.fd, POLLOUT);
    set_data(sqe, c, AWAIT_ROOM);
    c->sending = AWAIT_ROOM;
    return false;
}

/* --- clients ---------------------------------------------------------------------------------- */

/* When nothing of it is under way: what the kernel still brings would be of nobody. */
static void client_close(struct uring *u, struct client *c)
{
    if (!c->is_closing) {
        c->is_closing = true;
        deadlines_cancel(&u->deadlines, &c->deadline);
        if (c->is_receiving)
            cancel(u, c, RECEIVE);
        if (c->sending)
            cancel(u, c, c->sending);
    }
    if (c->is_receiving || c->sending)
        return;
    channel_close(&c->channel);
    free(c);
    u->clients--;
    place_give(u->server);
    deadlines_cancel(&u->deadlines, &u->resume);
    accept_on(u); /* there is a place, or a descriptor, again */
}

static void query_done(struct redis_query *query);

/* If it cannot be asked, the connection is told at once. */
static void ask(struct uring *u, struct client *c)
{
    struct redis_query *query = connection_query(c->channel.connection);
    query->asker = c;
    query->done = query_done;
    if (!link_ask(&u->link, query))
        connection_answered(c->channel.connection);
}

/* Does what needs no waiting. true: something was done, and something else may be wanted now. */
static bool client_act(struct uring *u, struct client *c, unsigned wanted)
{
    if (wanted & INTEREST_LOCK) {
        channel_locked(&c->channel); /* held for a computation, never while waiting */
        return true;
    }
    if (wanted & INTEREST_BACKEND) {
        ask(u, c);
        return true;
    }
    if (!(wanted & INTEREST_WRITABLE) || c->sending)
        return false;
    struct output output;
    connection_output(c->channel.connection, &output);
    if (output.file_bytes)
        return send_file(u, c);
    send_output(u, c, &output);
    return false;
}

static void client_receive(struct uring *u, struct client *c, unsigned wanted)
{
    if (wanted & INTEREST_READABLE) {
        c->ahead_bytes = 0;
        if (!c->is_receiving)
            receive(u, c);
    } else if (c->is_receiving && c->ahead_bytes > AHEAD_BYTES) {
        cancel(u, c, RECEIVE);
    }
}

/* Sees that all is under way that the connection waits for. */
static void client_advance(struct uring *u, struct client *c)
{
    struct interest want;
    do
        want = channel_interest(&c->channel);
    while (client_act(u, c, want.set));
    /* A deadline that has moved away is left to come early, which is harmless. */
    bool early = deadline_is_set(&c->deadline) && c->deadline.at_ns <= want.deadline_ns;
    if (want.set & INTEREST_CLOSE ||
        (!early && want.deadline_ns != NEVER_NS &&
         deadlines_set(&u->deadlines, &c->deadline, want.deadline_ns) < 0))
        client_close(u, c);
    else
        client_receive(u, c, want.set);
}

static void query_done(struct redis_query *query)
{
    struct client *c = query->asker;
    connection_answered(c->channel.connection);
    if (!c->is_closing)
        client_advance(c->uring, c);
}

/* --- what the kernel has done ----------------------------------------------------------------- */

static bool client_open(struct uring *u, int fd)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return false;
    }
    if (!channel_open(&c->channel, u->server, fd)) {
        free(c);
        return false;
    }
    c->uring = u;
    u->clients++;
    client_advance(u, c);
    return true;
}

static void accepted(struct uring *u, const struct io_uring_cqe *cqe)
{
    u->is_accepting = cqe->flags & IORING_CQE_F_MORE;
    if (cqe->res < 0 || !client_open(u, cqe->res))
        place_give(u->server);
    if (cqe->res < 0 && accept_failed(u->server, -cqe->res) == ACCEPT_SHORT)
        deadlines_set(&u->deadlines, &u->resume, clock_now_ns() + ACCEPT_PAUSE_NS);
    accept_on(u);
}

static void give_buffer(struct uring *u, unsigned index)
{
    io_uring_buf_ring_add(u->free_buffers, u->buffers[index].bytes, sizeof u->buffers[index].bytes,
                          (unsigned short)index, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(u->free_buffers, 1);
}

static void received(struct uring *u, struct client *c, const struct io_uring_cqe *cqe,
                     uint64_t now_ns)
{
    c->is_receiving = cqe->flags & IORING_CQE_F_MORE;
    c->has_received = true;
    struct connection *connection = c->channel.connection;
    /* Cancelled, or all buffers are in use: it may be received again. */
    bool is_again = not_ready(-cqe->res) || cqe->res == -ECANCELED || cqe->res == -ENOBUFS;
    if (cqe->res == 0) {
        connection_received_end(connection);
    } else if (cqe->res > 0) {
        c->ahead_bytes += (size_t)cqe->res;
        const char *bytes = u->buffers[cqe->flags >> IORING_CQE_BUFFER_SHIFT].bytes;
        connection_received(connection, bytes, (size_t)cqe->res, now_ns);
    } else if (!is_again) {
        connection_aborted(connection);
    }
    if (cqe->flags & IORING_CQE_F_BUFFER)
        give_buffer(u, cqe->flags >> IORING_CQE_BUFFER_SHIFT);
}

static void sent(struct client *c, int result)
{
    c->sending = NOTHING;
    if (result >= 0)
        connection_sent(c->channel.connection, (size_t)result);
    else if (not_ready(-result))
        connection_sent(c->channel.connection, 0);
    else
        connection_aborted(c->channel.connection);
}

/* What this turn's clients asked goes out together, and the answers are waited for. */
static void poll_backend(struct uring *u)
{
    link_flush(&u->link);
    short wanted = u->link.fd < 0 ? 0 : link_events(&u->link);
    if (wanted == u->link_events && u->link.opened == u->link_opened)
        return;
    if (u->link_events) {
        struct io_uring_sqe *sqe = next_submission(u);
        io_uring_prep_poll_remove(sqe, u->link_polls << OPERATION_BITS | ASK);
        set_data(sqe, NULL, CANCEL);
    }
    u->link_events = wanted;
    u->link_opened = u->link.opened;
    if (!wanted)
        return;
    struct io_uring_sqe *sqe = next_submission(u);
    io_uring_prep_poll_add(sqe, u->link.fd, (unsigned)wanted);
    io_uring_sqe_set_data64(sqe, ++u->link_polls << OPERATION_BITS | ASK);
}

static void backend_polled(struct uring *u, const struct io_uring_cqe *cqe)
{
    if (cqe->user_data >> OPERATION_BITS != u->link_polls || !u->link_events)
        return; /* one that was given up */
    bool is_same = u->link.opened == u->link_opened;
    u->link_events = 0;
    if (is_same && u->link.fd >= 0)
        link_ready(&u->link);
}

static void completed(struct uring *u, const struct io_uring_cqe *cqe, uint64_t now_ns)
{
    char *data = io_uring_cqe_get_data(cqe);
    enum operation operation = (uintptr_t)data & OPERATION_MASK;
    struct client *c = (struct client *)(data - operation);
    switch (operation) {
    case ACCEPT: accepted(u, cqe); return;
    case RECEIVE: received(u, c, cqe, now_ns); break;
    case SEND: sent(c, cqe->res); break;
    case AWAIT_ROOM: c->sending = NOTHING; break;
    case ASK: backend_polled(u, cqe); return;
    case NOTHING:
    case CANCEL: return;
    }
    if (c->is_closing)
        client_close(u, c);
    else
        client_advance(u, c);
}

static void ring_deadlines(struct uring *u)
{
    struct deadline *rung;
    uint64_t now_ns = clock_now_ns();
    while ((rung = deadlines_pop(&u->deadlines, now_ns))) {
        struct client *c = (struct client *)rung;
        if (rung == &u->resume) {
            accept_on(u);
        } else {
            connection_expired(c->channel.connection, now_ns);
            client_advance(u, c);
        }
    }
}

/* Hands over what is to be done, and waits until something is, or the earliest deadline. */
static void wait_for_completions(struct uring *u)
{
    struct io_uring_cqe *first;
    uint64_t until_ns = deadlines_earliest_ns(&u->deadlines), now_ns = clock_now_ns();
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    struct __kernel_timespec limit = {.tv_sec = (long long)(left_ns / NS_PER_S),
                                      .tv_nsec = (long long)(left_ns % NS_PER_S)};
    io_uring_submit_and_wait_timeout(&u->ring, &first, 1, until_ns == NEVER_NS ? NULL : &limit,
                                     NULL);
}

static void turn(struct uring *u)
{
    if (u->link.address)
        poll_backend(u);
    wait_for_completions(u);
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;
    uint64_t now_ns = clock_now_ns();
    io_uring_for_each_cqe(&u->ring, head, cqe)
    {
        completed(u, cqe, now_ns);
        count++;
    }
    io_uring_cq_advance(&u->ring, count);
    ring_deadlines(u);
}

/* --- the ring --------------------------------------------------------------------------------- */

/* 0 or a negative errno. Completions wait until they are asked for (Linux 6.1), or at least do not
 * interrupt (6.0). That a ring has one thread can be said since 6.0, as receives can last. */
static int ring_open(struct uring *u)
{
    static const unsigned ways[] = {IORING_SETUP_DEFER_TASKRUN, IORING_SETUP_COOP_TASKRUN};
    int result = -EINVAL;
    for (size_t i = 0; i < 2 && result == -EINVAL; i++) {
        struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | ways[i] |
                                                  IORING_SETUP_CQSIZE,
                                         .cq_entries = COMPLETIONS};
        result = io_uring_queue_init_params(SUBMISSIONS, &u->ring, &params);
    }
    if (result < 0)
        return result;
    _Static_assert(BUFFERS * sizeof(struct io_uring_buf) <= LEAST_PAGE_BYTES, "one page will do");
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    if (!(u->free_buffers = aligned_alloc(page_bytes, page_bytes)))
        return -ENOMEM;
    struct io_uring_buf_reg reg = {.ring_addr = (uintptr_t)u->free_buffers,
                                   .ring_entries = BUFFERS};
    io_uring_buf_ring_init(u->free_buffers);
    for (unsigned i = 0; i < BUFFERS; i++)
        give_buffer(u, i);
    return io_uring_register_buf_ring(&u->ring, &reg, 0);
}

/* Says what is missing. The exit status. */
static int refuse(const struct server *server, int error)
{
    const char *why = error == ENOSYS ? "this system has none, or hides it from this container"
                      : error == EPERM
                          ? "it is forbidden here: see sysctl kernel.io_uring_disabled, "
                            "and the container's seccomp profile"
                      : error == EINVAL ? "it needs Linux 6.0 or newer"
                                        : strerror(error);
    fprintf(stderr, "%s: no io_uring: %s\n", server->name, why);
    return error == ENOSYS || error == EPERM || error == EINVAL ? EX_UNAVAILABLE : 1;
}

static int run(struct server *server)
{
    static struct uring u; /* static: too large for a stack */
    u.server = server;
    int result = ring_open(&u);
    if (result < 0)
        return refuse(server, -result);
    link_init(&u.link, server->redis);
    accept_on(&u);
    server_ready(server);
    while (!stop_requested || u.clients)
        turn(&u);
    link_close(&u.link);
    io_uring_queue_exit(&u.ring);
    return 0;
}

const struct model model = {.name = "uring", .run = run};
