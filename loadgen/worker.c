#include "common/clock.h"
#include "loadgen/engine.h"

#include <stdlib.h>
#include <sys/prctl.h>

/* 32,000 connections a second. */
enum { OPENING_BATCH = 64 };
#define OPENING_GAP_NS (2 * NS_PER_MS)

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* --- the schedule ----------------------------------------------------------------------------- */

static bool queue_push(struct queue *q, uint64_t intended_ns)
{
    if (q->count == q->capacity) {
        size_t capacity = q->capacity ? q->capacity * 2 : 1024;
        uint64_t *ring = malloc(capacity * sizeof *ring);
        if (!ring)
            return false;
        for (size_t i = 0; i < q->count; i++)
            ring[i] = q->intended_ns[(q->first + i) % q->capacity];
        free(q->intended_ns);
        *q = (struct queue){ring, 0, q->count, capacity};
    }
    q->intended_ns[(q->first + q->count++) % q->capacity] = intended_ns;
    return true;
}

static void arrive(struct worker *w, uint64_t intended_ns)
{
    count_begin(w, intended_ns);
    struct slot *s = slot_pop_free(w);
    if (!s) {
        if (!queue_push(&w->queue, intended_ns))
            count_error(w, ERROR_WRITE, intended_ns);
        return;
    }
    slot_take(s, intended_ns);
}

static void on_arrivals(struct worker *w)
{
    for (;;) {
        uint64_t now_ns = tick(w), at_ns = next_arrival_ns(w);
        if (at_ns >= w->times.end_ns)
            return; /* the last one of the load has begun */
        if (at_ns > now_ns) {
            deadlines_set(&w->deadlines, &w->arrival, at_ns);
            return;
        }
        arrivals_advance(&w->arrivals);
        arrive(w, at_ns);
    }
}

/* How often requests are looked through for those that have become too old. */
static uint64_t sweep_gap_ns(const struct worker *w)
{
    uint64_t gap_ns = w->options->timeout_ns / 20;
    return gap_ns < NS_PER_MS ? NS_PER_MS : gap_ns > 100 * NS_PER_MS ? 100 * NS_PER_MS : gap_ns;
}

static void on_sweep(struct worker *w, uint64_t now_ns)
{
    uint64_t timeout_ns = w->options->timeout_ns;
    for (unsigned i = 0; i < w->slot_count; i++)
        slot_give_up_old(&w->slots[i], now_ns);
    struct queue *q = &w->queue;
    while (q->count && now_ns > q->intended_ns[q->first] + timeout_ns) {
        count_error(w, ERROR_TIMEOUT, now_ns);
        count_censored(w, q->intended_ns[q->first], 0, now_ns);
        q->first = (q->first + 1) % q->capacity;
        q->count--;
    }
    deadlines_set(&w->deadlines, &w->sweep, now_ns + sweep_gap_ns(w));
}

/* Opens the closed loop's connections, not faster than a server can accept them: what overflows
 * its backlog would wait a second for the retransmitted SYN. */
static void on_opening(struct worker *w, uint64_t now_ns)
{
    for (unsigned i = 0; i < OPENING_BATCH && w->started < w->slot_count; i++)
        slot_next(&w->slots[w->started++], now_ns);
    if (w->started < w->slot_count)
        deadlines_set(&w->deadlines, &w->opening, now_ns + OPENING_GAP_NS);
}

static void on_phase_change(struct worker *w, uint64_t now_ns)
{
    uint64_t next_ns = w->phase == MEASURING ? w->times.window_end_ns : w->times.end_ns;
    if (w->phase == AFTERWARDS && now_ns >= w->times.end_ns)
        ev_break(w->loop, EVBREAK_ALL);
    else
        deadlines_set(&w->deadlines, &w->phase_change, next_ns);
}

static void on_alarm(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)events;
    struct worker *w = io->data;
    uint64_t now_ns = tick(w);
    struct deadline *d;
    while ((d = deadlines_pop(&w->deadlines, now_ns))) {
        if (d == &w->arrival)
            on_arrivals(w);
        else if (d == &w->sweep)
            on_sweep(w, now_ns);
        else if (d == &w->opening)
            on_opening(w, now_ns);
        else if (d == &w->phase_change)
            on_phase_change(w, now_ns);
        else if (!w->slow || !slow_clients_expired(w->slow, d, now_ns))
            slot_expired(container_of(d, struct slot, deadline), d->at_ns, now_ns);
    }
}

static void on_before_wait(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    (void)loop, (void)events;
    struct worker *w = prepare->data;
    atomic_store_explicit(&w->outstanding_shown, w->outstanding, memory_order_relaxed);
    deadlines_arm(&w->deadlines);
}

static void on_interrupted(struct ev_loop *loop, ev_async *async, int events)
{
    (void)events;
    struct worker *w = async->data;
    uint64_t now_ns = tick(w);
    window_cut_short(w, now_ns);
    w->times.end_ns = now_ns;
    ev_break(loop, EVBREAK_ALL);
}

/* --- life ------------------------------------------------------------------------------------- */

static void *run(void *argument)
{
    struct worker *w = argument;
    const struct options *o = w->options;
    prctl(PR_SET_TIMERSLACK, 1);
    deadlines_set(&w->deadlines, &w->phase_change, w->times.window_begin_ns);
    deadlines_set(&w->deadlines, &w->sweep, w->times.start_ns + sweep_gap_ns(w));
    if (w->slow)
        slow_clients_start(w->slow, w->times.start_ns);
    if (o->open_loop) {
        for (unsigned i = w->slot_count; i > 0; i--)
            slot_push_free(&w->slots[i - 1]);
        on_arrivals(w);
    } else {
        deadlines_set(&w->deadlines, &w->opening, w->times.start_ns);
    }
    ev_run(w->loop, 0);
    sem_post(&w->measured);
    while (sem_wait(&w->released) < 0)
        ;
    for (unsigned i = 0; i < w->slot_count; i++)
        slot_close(&w->slots[i]);
    return NULL;
}

int worker_start(struct worker *w, const struct run_times *times)
{
    w->times = *times;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    cpu_set_t one;
    if (w->options->pinned) { /* the index-th CPU of the list, round and round */
        unsigned wanted = w->index % (unsigned)CPU_COUNT(&w->options->cpus), cpu = 0;
        for (; !CPU_ISSET(cpu, &w->options->cpus) || wanted-- > 0; cpu++)
            ;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        pthread_attr_setaffinity_np(&attributes, sizeof one, &one);
    }
    int error = pthread_create(&w->thread, &attributes, run, w);
    pthread_attr_destroy(&attributes);
    return error;
}

void worker_interrupt(struct worker *w)
{
    ev_async_send(w->loop, &w->interrupted);
}

void worker_wait_measured(struct worker *w)
{
    while (sem_wait(&w->measured) < 0)
        ;
}

void worker_release_and_join(struct worker *w)
{
    sem_post(&w->released);
    pthread_join(w->thread, NULL);
}

/* The share of thread `index` in `whole` things. */
static unsigned share(unsigned whole, unsigned threads, unsigned index)
{
    return whole / threads + (index < whole % threads);
}

static int loop_init(struct worker *w)
{
    w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
    if (!w->loop || deadlines_init(&w->deadlines) < 0)
        return -1;
    ev_io_init(&w->alarm, on_alarm, w->deadlines.fd, EV_READ);
    ev_prepare_init(&w->before_wait, on_before_wait);
    ev_async_init(&w->interrupted, on_interrupted);
    w->alarm.data = w->before_wait.data = w->interrupted.data = w;
    ev_io_start(w->loop, &w->alarm);
    ev_prepare_start(w->loop, &w->before_wait);
    ev_async_start(w->loop, &w->interrupted);
    return 0;
}

static int open_loop_init(struct worker *w)
{
    const struct options *o = w->options;
    w->free_slots = calloc(w->slot_count, sizeof *w->free_slots);
    if (!w->free_slots)
        return -1;
    if (random_stream_init(&w->requests, o->seed, RANDOM_REQUESTS, w->index,
                           options_measured_streams(o) + o->slow) < 0)
        return -1;
    return arrivals_init(&w->arrivals, o->arrivals, o->rate_rps, o->seed, w->index, o->threads);
}

struct worker *worker_new(const struct options *options, const struct mix *mix,
                          const struct address *target, unsigned index)
{
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->options = options;
    w->mix = mix;
    w->index = index;
    sem_init(&w->measured, 0, 0);
    sem_init(&w->released, 0, 0);
    dialler_init(&w->dialler, target, index);
    w->slot_count = share(options->connections, options->threads, index);
    w->slots = calloc(w->slot_count, sizeof *w->slots);
    if (!w->slots || tally_init(&w->tally) < 0 || loop_init(w) < 0)
        goto fail;
    for (unsigned i = 0; i < w->slot_count; i++)
        if (slot_init(w, &w->slots[i], (uint64_t)i * options->threads + index) < 0)
            goto fail;
    if (options->open_loop && open_loop_init(w) < 0)
        goto fail;
    unsigned slow = share(options->slow, options->threads, index);
    if (slow &&
        !(w->slow = slow_clients_new(&w->deadlines, &w->dialler, options, mix, slow, index)))
        goto fail;
    if (options->timeline &&
        !(w->timeline = timeline_new(options->duration_ns, options->interval_ns)))
        goto fail;
    return w;

fail:
    worker_free(w);
    return NULL;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    for (unsigned i = 0; w->slots && i < w->slot_count; i++)
        slot_free(&w->slots[i]);
    slow_clients_free(w->slow);
    free(w->slots);
    free(w->free_slots);
    free(w->queue.intended_ns);
    arrivals_free(&w->arrivals);
    random_stream_free(&w->requests);
    timeline_free(w->timeline);
    tally_free(&w->tally);
    if (w->loop) {
        deadlines_free(&w->deadlines);
        ev_loop_destroy(w->loop);
    }
    free(w);
}

uint64_t worker_progress(const struct worker *w)
{
    return atomic_load_explicit(&w->progress, memory_order_relaxed);
}

uint64_t worker_outstanding(const struct worker *w)
{
    return atomic_load_explicit(&w->outstanding_shown, memory_order_relaxed);
}

const struct tally *worker_tally(const struct worker *w)
{
    return &w->tally;
}

struct timeline *worker_timeline(const struct worker *w)
{
    return w->timeline;
}

uint64_t worker_cpu_ns(const struct worker *w)
{
    return w->cpu_ns;
}

uint64_t worker_window_ns(const struct worker *w)
{
    return w->window_ns;
}
