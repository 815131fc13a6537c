/* The measured window of one thread: which request counts, and as what. */
#include "loadgen/engine.h"

#include "common/clock.h"

static uint64_t thread_cpu_ns(void)
{
    struct timespec cpu;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    return (uint64_t)cpu.tv_sec * NS_PER_S + (uint64_t)cpu.tv_nsec;
}

static void window_begin(struct worker *w)
{
    w->phase = MEASURING;
    w->cpu_begin_ns = thread_cpu_ns();
    w->tally.carried_in = w->queue.count;
    for (unsigned i = 0; i < w->slot_count; i++) {
        w->tally.carried_in += w->slots[i].in_flight;
        w->slots[i].used = w->slots[i].in_flight > 0;
    }
    if (w->slow)
        slow_clients_measure(w->slow, true);
}

void count_censored(struct worker *w, uint64_t intended_ns, uint64_t sent_ns, uint64_t now_ns)
{
    if (w->phase != MEASURING)
        return;
    /* A sweep's clock may be older than what was sent during the same turn of the loop. */
    histogram_record(w->tally.response, now_ns > intended_ns ? now_ns - intended_ns : 0);
    w->tally.response_censored++;
    if (!sent_ns)
        return;
    histogram_record(w->tally.service, now_ns > sent_ns ? now_ns - sent_ns : 0);
    w->tally.service_censored++;
}

/* Arrivals that were due, but that this thread was too late to see: they have begun like others. */
static void take_unseen_arrivals(struct worker *w, uint64_t end_ns)
{
    for (uint64_t at_ns; (at_ns = next_arrival_ns(w)) < end_ns; arrivals_advance(&w->arrivals)) {
        count_begin(w, at_ns);
        w->tally.unfinished++;
        count_censored(w, at_ns, 0, end_ns);
    }
}

/* What has begun and is not answered is not forgotten: it counts with its age so far. */
static void window_end(struct worker *w, uint64_t end_ns)
{
    if (w->options->open_loop)
        take_unseen_arrivals(w, end_ns);
    w->cpu_ns = thread_cpu_ns() - w->cpu_begin_ns;
    w->window_ns = end_ns - w->times.window_begin_ns;
    struct tally *t = &w->tally;
    for (unsigned i = 0; i < w->slot_count; i++) {
        struct slot *s = &w->slots[i];
        for (unsigned k = 0; k < s->in_flight; k++) {
            struct flight *f = &s->flights[(s->first + k) % w->options->pipeline];
            t->unfinished++;
            count_censored(w, f->intended_ns, f->sent_ns, end_ns);
        }
        t->slots_used += s->used;
        t->slots_served += s->completed > 0;
        t->served_sum += (double)s->completed;
        t->served_squares += (double)s->completed * (double)s->completed;
    }
    for (size_t k = 0; k < w->queue.count; k++) {
        t->unfinished++;
        count_censored(w, w->queue.intended_ns[(w->queue.first + k) % w->queue.capacity], 0,
                       end_ns);
    }
    if (w->slow) {
        slow_clients_measure(w->slow, false);
        slow_clients_count(w->slow, &t->slow_completed, &t->slow_errors);
    }
    tally_close(t);
    w->phase = AFTERWARDS;
}

void window_cut_short(struct worker *w, uint64_t now_ns)
{
    if (w->phase == WARMING_UP) { /* nothing was measured: an empty window */
        w->times.window_begin_ns = w->times.window_end_ns = now_ns;
        window_begin(w);
    }
    if (w->phase == MEASURING)
        window_end(w, now_ns);
}

uint64_t tick(struct worker *w)
{
    uint64_t now_ns = clock_now_ns();
    if (w->phase == WARMING_UP && now_ns >= w->times.window_begin_ns)
        window_begin(w);
    if (w->phase == MEASURING && now_ns >= w->times.window_end_ns)
        window_end(w, w->times.window_end_ns);
    return now_ns;
}

void count_begin(struct worker *w, uint64_t intended_ns)
{
    w->outstanding++;
    if (w->phase != MEASURING)
        return;
    if (intended_ns >= w->times.window_begin_ns)
        w->tally.intended++;
    else /* it was due before the window, but this thread was late */
        w->tally.carried_in++;
}

void count_error(struct worker *w, enum request_error kind, uint64_t now_ns)
{
    w->outstanding--;
    if (w->phase != MEASURING)
        return;
    w->tally.errors[kind]++;
    if (w->timeline)
        timeline_error(w->timeline, now_ns - w->times.window_begin_ns);
}

void count_completed(struct slot *s, const struct flight *f, uint64_t now_ns)
{
    struct worker *w = s->worker;
    w->outstanding--;
    atomic_store_explicit(&w->progress,
                          atomic_load_explicit(&w->progress, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    if (w->phase != MEASURING)
        return;
    s->completed++;
    w->tally.completed++;
    histogram_record(w->tally.halves[now_ns >= w->times.window_middle_ns], now_ns - f->intended_ns);
    histogram_record(w->tally.service, now_ns - f->sent_ns);
    if (w->timeline)
        timeline_completed(w->timeline, now_ns - w->times.window_begin_ns, now_ns - f->intended_ns);
}
