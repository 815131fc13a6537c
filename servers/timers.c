#include "servers/timers.h"

#include "common/clock.h"

static void on_alarm(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev, (void)events;
    struct timers *timers = io->data;
    uint64_t now_ns = clock_now_ns();
    struct deadline *d;
    while ((d = deadlines_pop(&timers->deadlines, now_ns)))
        timers->rung(timers->data, d);
}

static void on_before_wait(struct ev_loop *ev, ev_prepare *prepare, int events)
{
    (void)ev, (void)events;
    struct timers *timers = prepare->data;
    deadlines_arm(&timers->deadlines);
}

int timers_start(struct timers *timers, struct ev_loop *ev, void (*rung)(void *, struct deadline *),
                 void *data)
{
    *timers = (struct timers){.rung = rung, .data = data};
    if (deadlines_init(&timers->deadlines) < 0)
        return -1;
    ev_io_init(&timers->alarm, on_alarm, timers->deadlines.fd, EV_READ);
    ev_prepare_init(&timers->before_wait, on_before_wait);
    timers->alarm.data = timers->before_wait.data = timers;
    ev_io_start(ev, &timers->alarm);
    ev_prepare_start(ev, &timers->before_wait);
    return 0;
}

void timers_stop(struct timers *timers, struct ev_loop *ev)
{
    ev_io_stop(ev, &timers->alarm);
    ev_prepare_stop(ev, &timers->before_wait);
    deadlines_free(&timers->deadlines);
}
