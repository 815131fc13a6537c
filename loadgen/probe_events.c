#include "loadgen/probe_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void events_init(struct events *e, const struct event_kind *kinds, size_t count)
{
    *e = (struct events){.kind_count = count};
    memcpy(e->kinds, kinds, count * sizeof *kinds);
}

static void close_events(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

void events_free(struct events *e)
{
    close_events(e->fds, e->thread_count * e->kind_count);
    free(e->fds);
    free(e->begin);
    e->fds = NULL;
    e->begin = NULL;
    e->thread_count = e->thread_capacity = 0;
}

/* An inherited event cannot be read together with its group (PERF_FORMAT_GROUP), but it can be in
 * one: then the kernel turns the members on and off together, which is what matters. */
static int open_event(const struct event_kind *kind, pid_t tid, int leader)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = kind->type;
    attr.config = kind->config;
    attr.inherit = 1;
    attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    return (int)syscall(SYS_perf_event_open, &attr, tid, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

/* Room for one more thread. */
static int make_room(struct events *e)
{
    if (e->thread_count < e->thread_capacity)
        return 0;
    size_t more = e->thread_capacity ? e->thread_capacity * 2 : 16;
    int *fds = reallocarray(e->fds, more * e->kind_count, sizeof *fds);
    if (!fds)
        return -1;
    e->fds = fds;
    struct event_reading *begin = reallocarray(e->begin, more * e->kind_count, sizeof *begin);
    if (!begin)
        return -1;
    e->begin = begin;
    e->thread_capacity = more;
    return 0;
}

int events_follow(struct events *e, pid_t tid)
{
    if (make_room(e))
        return -1;
    int *fds = e->fds + e->thread_count * e->kind_count;
    int leader = -1;
    for (size_t i = 0; i < e->kind_count; i++) {
        bool joins = i > 0 && e->kinds[i].joins;
        fds[i] = open_event(&e->kinds[i], tid, joins ? leader : -1);
        if (fds[i] < 0) {
            int error = errno;
            close_events(fds, i);
            errno = error;
            return -1;
        }
        leader = joins ? leader : fds[i];
    }
    /* The window may have begun: for this thread it begins now. */
    memset(e->begin + e->thread_count * e->kind_count, 0, e->kind_count * sizeof *e->begin);
    e->thread_count++;
    return 0;
}

static int read_event(int fd, struct event_reading *r)
{
    ssize_t n = read(fd, r, sizeof *r);
    if (n >= 0 && n < (ssize_t)sizeof *r)
        errno = EIO; /* 0: in the error state, as when a pinned event lost its counter */
    return n == (ssize_t)sizeof *r ? 0 : -1;
}

int events_begin(struct events *e)
{
    for (size_t i = 0; i < e->thread_count * e->kind_count; i++)
        if (read_event(e->fds[i], &e->begin[i]))
            return -1;
    return 0;
}

double event_scaled(const struct event_reading *begin, const struct event_reading *end)
{
    double enabled_ns = (double)(end->enabled_ns - begin->enabled_ns);
    double running_ns = (double)(end->running_ns - begin->running_ns);
    if (enabled_ns > 0 && running_ns <= 0)
        return -1;
    double share = enabled_ns > running_ns ? enabled_ns / running_ns : 1;
    return (double)(end->count - begin->count) * share;
}

int events_estimate(const struct events *e, int64_t counts[EVENT_KINDS_MAX])
{
    double sums[EVENT_KINDS_MAX] = {0};
    for (size_t i = 0; i < e->thread_count * e->kind_count; i++) {
        struct event_reading now;
        if (read_event(e->fds[i], &now))
            return -1;
        double count = event_scaled(&e->begin[i], &now);
        double *sum = &sums[i % e->kind_count];
        *sum = *sum < 0 || count < 0 ? -1 : *sum + count;
    }
    for (size_t i = 0; i < e->kind_count; i++)
        counts[i] = (int64_t)sums[i];
    return 0;
}
