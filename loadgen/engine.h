/* The inside of a worker, for the three files that make it up: window.c counts,
 * slot.c has the life of a connection, worker.c the thread and its schedule. */
#ifndef LOADGEN_ENGINE_H
#define LOADGEN_ENGINE_H

#include "common/deadlines.h"
#include "loadgen/dial.h"
#include "loadgen/response.h"
#include "loadgen/slow.h"
#include "loadgen/worker.h"

#include <ev.h>
#include <semaphore.h>

enum { RECEIVE_BYTES = 64 * 1024 };

/* A request on its way. */
struct flight {
    uint64_t intended_ns;
    uint64_t sent_ns; /* 0: not yet */
    struct expectation expectation;
};

enum slot_state {
    SLOT_CLOSED,     /* no connection */
    SLOT_CONNECTING, /* what is to be sent waits in `out` */
    SLOT_OPEN,
    SLOT_ENDING, /* answered for the last time; the server closes */
};

/* One of the -c connections: reconnected as often as needed, it stays the same slot. */
struct slot {
    ev_io io;
    struct deadline deadline; /* end of thinking, of a back-off, or of patience in SLOT_ENDING */
    struct worker *worker;
    enum slot_state state;
    bool free;         /* open loop: in the stack of free slots */
    unsigned failures; /* in a row */
    bool backing_off;  /* the deadline ends a back-off, not thinking */
    uint64_t connect_began_ns;

    struct response_parser parser;
    struct flight *flights; /* a ring of options->pipeline */
    unsigned first, in_flight, unsent;
    char *out;
    size_t out_bytes, out_sent, out_capacity;

    struct random_stream requests, thinking;
    uint64_t completed; /* in the window */
    bool used;          /* had a request in the window */
};

/* Arrivals that no connection was free for: their intended times, a ring. */
struct queue {
    uint64_t *intended_ns;
    size_t first, count, capacity;
};

enum phase { WARMING_UP, MEASURING, AFTERWARDS };

struct worker {
    const struct options *options;
    const struct mix *mix;
    struct run_times times;
    unsigned index;
    pthread_t thread;
    sem_t measured, released;

    struct ev_loop *loop;
    ev_io alarm;
    ev_prepare before_wait;
    ev_async interrupted;
    struct deadlines deadlines;
    struct deadline phase_change, arrival, sweep, opening;
    enum phase phase;
    uint64_t cpu_begin_ns, cpu_ns, window_ns;

    struct dialler dialler;
    struct slot *slots;
    unsigned slot_count, started;
    struct slot **free_slots; /* open loop: a stack, the most recently used on top */
    unsigned free_count;
    struct arrivals arrivals;
    struct random_stream requests; /* open loop: drawn in the order of arrivals */
    struct queue queue;
    struct slow_clients *slow;

    struct tally tally;
    struct timeline *timeline;
    _Atomic uint64_t progress;
    uint64_t outstanding; /* begun, and neither answered nor given up */
    _Atomic uint64_t outstanding_shown;
    char received[RECEIVE_BYTES];
};

/* When the next arrival of the open loop is due. */
static inline uint64_t next_arrival_ns(const struct worker *w)
{
    return w->times.start_ns + arrivals_next_ns(&w->arrivals);
}

/* --- window.c: what counts, and when ---------------------------------------------------------- */

/* Every reading of the clock passes through here, so that no event is booked to the wrong side of
 * the window's ends. */
uint64_t tick(struct worker *);

/* Ends the window, which may not have begun, before its time. */
void window_cut_short(struct worker *, uint64_t now_ns);

void count_begin(struct worker *, uint64_t intended_ns);
void count_error(struct worker *, enum request_error, uint64_t now_ns);
void count_completed(struct slot *, const struct flight *, uint64_t now_ns);

/* A request that is given up enters the distributions with its age. sent_ns 0: never sent. */
void count_censored(struct worker *, uint64_t intended_ns, uint64_t sent_ns, uint64_t now_ns);

/* --- slot.c: the life of a connection --------------------------------------------------------- */

/* 0, or -1 when memory is short. `number` is its place among all slots of the run. */
int slot_init(struct worker *, struct slot *, uint64_t number);
void slot_free(struct slot *);

/* What it does when it has nothing in flight: its next request, or the arrival that has waited
 * longest, or nothing. */
void slot_next(struct slot *, uint64_t now_ns);

/* Open loop: takes one arrival, from `slot_pop_free`. */
void slot_take(struct slot *, uint64_t intended_ns);
struct slot *slot_pop_free(struct worker *);
void slot_push_free(struct slot *);

/* Its own deadline, which was `at_ns`, has come. */
void slot_expired(struct slot *, uint64_t at_ns, uint64_t now_ns);

/* Gives up what has become older than --timeout. */
void slot_give_up_old(struct slot *, uint64_t now_ns);

void slot_close(struct slot *);

#endif
