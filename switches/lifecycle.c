#include "switches/lifecycle.h"

#include "common/clock.h"
#include "common/coroutine.h"
#include "common/coroutine_stacks.h"

#include <errno.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whatever a kind needs; one struct for all is simpler than four. */
struct maker {
    struct lifecycle_wish wish;
    pid_t process;
    pthread_attr_t attributes;
    pthread_t thread;
    struct coroutine self, coroutine;
    struct coroutine_stacks stacks;
    void *stack;
    void *volatile connection; /* volatile: the compiler must not see that nobody looks at it */
};

static void *open_maker(const struct lifecycle_wish *wish, struct reason *reason)
{
    struct maker *m = calloc(1, sizeof *m);
    if (!m) {
        reason_set(reason, "no memory");
        return NULL;
    }
    m->wish = *wish;
    pthread_attr_init(&m->attributes);
    pthread_attr_setstacksize(&m->attributes, wish->stack_bytes);
    coroutine_of_thread(&m->self);
    coroutine_stacks_init(&m->stacks, wish->stack_bytes, 1);
    return m;
}

/* A stack whose pages go back to the system each time, as after a peak of connections. */
static void *open_cold(const struct lifecycle_wish *wish, struct reason *reason)
{
    struct maker *m = open_maker(wish, reason);
    if (m)
        coroutine_stacks_init(&m->stacks, wish->stack_bytes, 0);
    return m;
}

static void close_maker(void *maker)
{
    struct maker *m = maker;
    pthread_attr_destroy(&m->attributes);
    coroutine_stacks_free(&m->stacks);
    free(m);
}

/* --- the kinds -------------------------------------------------------------------------------- */

static int create_process(void *maker, struct reason *reason)
{
    struct maker *m = maker;
    m->process = fork();
    if (m->process == 0)
        _exit(0);
    return m->process > 0 ? 0 : reason_set(reason, "fork: %s", strerror(errno));
}

static void destroy_process(void *maker)
{
    waitpid(((struct maker *)maker)->process, NULL, 0);
}

static void *be_a_thread(void *argument)
{
    return argument;
}

static int create_thread(void *maker, struct reason *reason)
{
    struct maker *m = maker;
    int error = pthread_create(&m->thread, &m->attributes, be_a_thread, NULL);
    return error ? reason_set(reason, "pthread_create: %s", strerror(error)) : 0;
}

static void destroy_thread(void *maker)
{
    pthread_join(((struct maker *)maker)->thread, NULL);
}

static void be_a_coroutine(struct coroutine *self, void *argument)
{
    (void)self;
    (void)argument;
}

static int create_coroutine(void *maker, struct reason *reason)
{
    struct maker *m = maker;
    m->stack = coroutine_stacks_take(&m->stacks);
    if (!m->stack)
        return reason_set(reason, "a stack: %s", strerror(errno));
    coroutine_start(&m->coroutine, m->stack, m->stacks.bytes, be_a_coroutine, NULL);
    return 0;
}

static void destroy_coroutine(void *maker)
{
    struct maker *m = maker;
    coroutine_resume(&m->self, &m->coroutine);
    coroutine_stacks_give(&m->stacks, m->stack);
}

static int create_connection(void *maker, struct reason *reason)
{
    struct maker *m = maker;
    m->connection = calloc(1, m->wish.connection_bytes);
    return m->connection ? 0 : reason_set(reason, "no memory");
}

static void destroy_connection(void *maker)
{
    free(((struct maker *)maker)->connection);
}

const struct lifecycle_kind lifecycle_kinds[] = {
    {"process", open_maker, create_process, destroy_process, close_maker},
    {"thread", open_maker, create_thread, destroy_thread, close_maker},
    {"coroutine", open_maker, create_coroutine, destroy_coroutine, close_maker},
    {"coroutine-cold", open_cold, create_coroutine, destroy_coroutine, close_maker},
    {"connection", open_maker, create_connection, destroy_connection, close_maker},
};
const size_t lifecycle_kind_count = sizeof lifecycle_kinds / sizeof *lifecycle_kinds;

/* --- measuring -------------------------------------------------------------------------------- */

/* Reading the clock costs as much as a coroutine: the whole is timed without looking at its
 * parts, and the creation in a round of its own, where the median is not moved by interruptions. */
static int go_through(const struct lifecycle_kind *kind, void *maker, uint64_t count,
                      struct lifecycle *l, struct reason *reason)
{
    uint64_t begin_ns = clock_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        if (kind->create(maker, reason) != 0)
            return -1;
        kind->destroy(maker);
    }
    l->whole_ns = (double)(clock_now_ns() - begin_ns) / (double)count;
    return 0;
}

static int time_creation(const struct lifecycle_kind *kind, void *maker, uint64_t count,
                         struct lifecycle *l, struct reason *reason)
{
    enum { SAMPLES_MOST = 1000 };
    double created_ns[SAMPLES_MOST], clock_ns[SAMPLES_MOST];
    size_t samples = count < SAMPLES_MOST ? count : SAMPLES_MOST;
    for (size_t i = 0; i < samples; i++) {
        uint64_t begin_ns = clock_now_ns();
        clock_ns[i] = (double)(clock_now_ns() - begin_ns);
        begin_ns = clock_now_ns();
        if (kind->create(maker, reason) != 0)
            return -1;
        created_ns[i] = (double)(clock_now_ns() - begin_ns);
        kind->destroy(maker);
    }
    double create_ns =
        gsl_stats_median(created_ns, 1, samples) - gsl_stats_median(clock_ns, 1, samples);
    l->create_ns = create_ns > 0 ? create_ns : NAN;
    return 0;
}

static int measure(const struct lifecycle_kind *kind, void *maker, uint64_t target_ns,
                   struct lifecycle *l, struct reason *reason)
{
    enum { WARMING = 20 };
    if (go_through(kind, maker, WARMING, l, reason) != 0)
        return -1;
    l->count = whole_laps(1, l->whole_ns, target_ns);
    if (go_through(kind, maker, l->count, l, reason) != 0)
        return -1;
    return time_creation(kind, maker, whole_laps(1, l->whole_ns, target_ns / 4), l, reason);
}

int lifecycle_measure(const struct lifecycle_kind *kind, const struct lifecycle_wish *wish,
                      struct lifecycle *l, struct reason *reason)
{
    void *maker = kind->open(wish, reason);
    if (!maker)
        return -1;
    int result = measure(kind, maker, wish->target_ns, l, reason);
    kind->close(maker);
    return result;
}
