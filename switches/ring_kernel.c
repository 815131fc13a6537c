/* Rings of processes and of threads: the kernel switches.
 *
 * Without I/O a task waits on a futex, which is what semaphores and condition
 * variables are made of; with I/O it reads from its pipe. Which of the two a
 * task waits on next is said by the token, so that a ring can change from one
 * to the other while all its tasks are asleep: a lap does it. In the same way
 * the tasks are counted, and sent home. */
#include "switches/pipes.h"
#include "switches/ring.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum way { BY_FUTEX, BY_PIPE, HOME };

/* One task; a cache line of its own. */
struct seat {
    _Alignas(64) atomic_uint token;
    pid_t id; /* the thread's */
    struct pipe pipe;
    int next; /* the write end of the neighbour's pipe */
};

/* Seen by all tasks, in memory that processes share. */
struct board {
    struct relay relay;
    struct census census;
    unsigned tasks;
    enum way way, then; /* how the token travels; how to wait after one's turn */
    bool counting, is_private;
    atomic_uint finished;
    struct seat seats[];
};

struct kernel_ring {
    struct ring ring;
    struct board *board;
    size_t board_bytes;
    pthread_t *threads; /* NULL: processes */
    struct pipe *pipes; /* of threads; processes have theirs by inheritance */
    struct pipe first;  /* of processes: the first one's */
    bool across;
};

/* --- the semaphore ---------------------------------------------------------------------------- */

static void futex(const struct board *b, atomic_uint *word, int operation, unsigned value,
                  const struct timespec *limit)
{
    syscall(SYS_futex, word, operation | (b->is_private ? FUTEX_PRIVATE_FLAG : 0), value, limit,
            NULL, 0);
}

static void post(const struct board *b, atomic_uint *word)
{
    atomic_store(word, 1);
    futex(b, word, FUTEX_WAKE, 1, NULL);
}

static void await(const struct board *b, atomic_uint *word)
{
    while (atomic_exchange(word, 0) == 0)
        futex(b, word, FUTEX_WAIT, 0, NULL);
}

/* --- a task ----------------------------------------------------------------------------------- */

static void hand_to(struct board *b, unsigned task, int pipe)
{
    if (b->way == BY_PIPE)
        pipe_send(pipe);
    else
        post(b, &b->seats[task].token);
}

/* After the token is handed on, the board may say something else at any moment. */
static enum way take_turn(struct board *b, unsigned task, char *set)
{
    struct seat *seat = &b->seats[task];
    enum way then = b->then;
    if (b->counting) {
        struct census own = census_of(RUSAGE_THREAD);
        b->census.voluntary += own.voluntary;
        b->census.involuntary += own.involuntary;
    }
    b->census.turns++;
    if (relay_turn(&b->relay, set))
        post(b, &b->finished);
    else
        hand_to(b, (task + 1) % b->tasks, seat->next);
    return then;
}

static void live(struct board *b, unsigned task, char *set)
{
    struct seat *seat = &b->seats[task];
    seat->id = (pid_t)syscall(SYS_gettid);
    for (enum way way = BY_FUTEX; way != HOME; way = take_turn(b, task, set)) {
        if (way == BY_PIPE)
            pipe_receive(seat->pipe.in);
        else
            await(b, &seat->token);
    }
}

/* --- orders ----------------------------------------------------------------------------------- */

/* A process of the ring has come to an end, which none does before it is sent home. */
static bool has_lost_one(void)
{
    siginfo_t info = {0};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

/* However long it takes on a busy machine; but the token of one who is gone never comes. */
static void await_end(struct board *b, enum way then)
{
    static const struct timespec patience = {.tv_sec = 10};
    while (atomic_exchange(&b->finished, 0) == 0) {
        uint64_t begin_ns = clock_now_ns();
        futex(b, &b->finished, FUTEX_WAIT, 0, &patience);
        bool in_vain = clock_now_ns() - begin_ns > (uint64_t)patience.tv_sec * NS_PER_S;
        if (in_vain && then != HOME && has_lost_one())
            errx(1, "a process of a ring of %u has died", b->tasks);
    }
}

static void send_round(struct kernel_ring *k, enum way then)
{
    k->board->then = then;
    hand_to(k->board, 0, k->first.out);
    await_end(k->board, then);
}

/* One turn of each task, who do nothing else than what `counting` and `then` say. */
static void lap(struct kernel_ring *k, bool counting, enum way then)
{
    k->board->relay = (struct relay){.hops = k->board->tasks - 1};
    k->board->counting = counting;
    send_round(k, then);
    k->board->counting = false;
}

static void place(struct kernel_ring *k, bool across)
{
    for (unsigned i = 0; i < k->board->tasks && across != k->across; i++) {
        cpu_set_t cpu;
        CPU_ZERO(&cpu);
        CPU_SET((size_t)k->ring.wish.cpus[across ? i % 2 : 0], &cpu);
        if (sched_setaffinity(k->board->seats[i].id, sizeof cpu, &cpu) != 0)
            err(1, "cannot pin a task");
    }
    k->across = across;
}

static void prepare(struct kernel_ring *k, const struct order *o)
{
    enum way way = o->io ? BY_PIPE : BY_FUTEX;
    struct relay wanted = k->board->relay;
    place(k, o->across);
    if (k->board->way != way)
        lap(k, false, way);
    k->board->way = way;
    k->board->relay = wanted;
}

static void kernel_run(struct ring *r, const struct order *o)
{
    struct kernel_ring *k = (struct kernel_ring *)r;
    prepare(k, o);
    send_round(k, k->board->way);
}

static struct census kernel_count(struct ring *r, const struct order *o)
{
    struct kernel_ring *k = (struct kernel_ring *)r;
    k->board->census.voluntary = k->board->census.involuntary = 0;
    prepare(k, o);
    lap(k, true, k->board->way);
    return k->board->census;
}

/* --- building and taking down ----------------------------------------------------------------- */

static struct kernel_ring *allocate(const struct ring_kind *kind, const struct ring_wish *w,
                                    struct reason *reason)
{
    struct kernel_ring *k = ring_allocate(kind, w, sizeof *k, reason);
    if (!k)
        return NULL;
    k->first.out = -1;
    k->board_bytes = sizeof *k->board + w->tasks * sizeof *k->board->seats;
    k->board =
        mmap(NULL, k->board_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (k->board == MAP_FAILED) {
        reason_set(reason, "memory for %u tasks: %s", w->tasks, strerror(errno));
        ring_release(&k->ring);
        return NULL;
    }
    k->ring.relay = &k->board->relay;
    return k;
}

/* Without a lap: tasks are gone or never were. */
static void release(struct kernel_ring *k)
{
    pipes_close(k->pipes, k->ring.wish.tasks);
    free(k->threads);
    if (k->first.out >= 0 && !k->pipes)
        close(k->first.out);
    munmap(k->board, k->board_bytes);
    ring_release(&k->ring);
}

static void send_home(struct kernel_ring *k)
{
    if (k->board->tasks == 0)
        return;
    lap(k, false, HOME);
    for (unsigned i = 0; i < k->board->tasks; i++) {
        if (k->threads)
            pthread_join(k->threads[i], NULL);
        else
            waitpid(k->board->seats[i].id, NULL, 0);
    }
}

static void kernel_free(struct ring *r)
{
    struct kernel_ring *k = (struct kernel_ring *)r;
    send_home(k);
    release(k);
}

/* The first lap shows that all are there, and have said which thread they are. */
static struct ring *complete(struct kernel_ring *k, bool built)
{
    if (built) {
        lap(k, false, BY_FUTEX);
        return &k->ring;
    }
    kernel_free(&k->ring);
    return NULL;
}

static int too_many(struct kernel_ring *k, const char *call, int error, struct reason *reason)
{
    return reason_set(reason, "%s %u of %u: %s%s", call, k->board->tasks + 1, k->ring.wish.tasks,
                      strerror(error),
                      error == EAGAIN ? " (RLIMIT_NPROC, threads-max, pid_max or pids.max)" : "");
}

/* --- threads ---------------------------------------------------------------------------------- */

struct start {
    struct board *board;
    unsigned task;
    char *set;
};

static void *live_as_thread(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    live(start.board, start.task, start.set);
    return NULL;
}

static int start_thread(struct kernel_ring *k, unsigned i, const pthread_attr_t *attributes)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return ENOMEM;
    *start = (struct start){.board = k->board, .task = i, .set = working_set(&k->ring, i)};
    int error = pthread_create(&k->threads[i], attributes, live_as_thread, start);
    if (error)
        free(start);
    return error;
}

static int start_threads(struct kernel_ring *k, struct reason *reason)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    int error = pthread_attr_setstacksize(&attributes, k->ring.wish.stack_bytes);
    while (!error && k->board->tasks < k->ring.wish.tasks) {
        error = start_thread(k, k->board->tasks, &attributes);
        k->board->tasks += !error;
    }
    pthread_attr_destroy(&attributes);
    return error ? too_many(k, "thread", error, reason) : 0;
}

static void lay_pipes(struct kernel_ring *k)
{
    unsigned tasks = k->ring.wish.tasks;
    k->pipes = pipes_open(tasks, &k->ring.no_io);
    if (!k->pipes)
        return;
    k->first = k->pipes[0];
    for (unsigned i = 0; i < tasks; i++) {
        k->board->seats[i].pipe = k->pipes[i];
        k->board->seats[i].next = k->pipes[(i + 1) % tasks].out;
    }
}

static struct ring *build_threads(const struct ring_wish *w, struct reason *reason)
{
    struct kernel_ring *k = allocate(&ring_of_threads, w, reason);
    if (!k)
        return NULL;
    k->board->is_private = true;
    if (w->pipes)
        lay_pipes(k);
    k->threads = calloc(w->tasks, sizeof *k->threads);
    if (!k->threads) {
        reason_set(reason, "no memory for %u threads", w->tasks);
        release(k);
        return NULL;
    }
    return complete(k, start_threads(k, reason) == 0);
}

/* --- processes -------------------------------------------------------------------------------- */

static void shut(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* All but the first pipe's write end, by which the ring is set going. */
static void let_go(const struct kernel_ring *k, struct pipe p)
{
    shut(p.in);
    if (p.out != k->first.out)
        shut(p.out);
}

static const struct pipe no_pipe = {.in = -1, .out = -1};

static struct pipe next_pipe(struct kernel_ring *k, unsigned i)
{
    int ends[2];
    if (!k->ring.wish.pipes || *k->ring.no_io.text)
        return no_pipe;
    if (i + 1 == k->ring.wish.tasks)
        return (struct pipe){.in = -1, .out = k->first.out};
    if (pipe2(ends, O_CLOEXEC) == 0)
        return (struct pipe){.in = ends[0], .out = ends[1]};
    reason_set(&k->ring.no_io, "pipe %u: %s", i + 1, strerror(errno));
    return no_pipe;
}

static _Noreturn void live_as_process(struct kernel_ring *k, unsigned i, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(1);
    live(k->board, i, working_set(&k->ring, i));
    _exit(0);
}

/* A child inherits the two ends that it needs and, at most, the first pipe's: the table of
 * descriptors that fork copies stays small, however many pipes there are. */
static int start_process(struct kernel_ring *k, unsigned i, struct pipe *own)
{
    struct pipe next = next_pipe(k, i);
    pid_t parent = getpid();
    k->board->seats[i].pipe = *own;
    k->board->seats[i].next = next.out;
    pid_t child = fork();
    if (child == 0)
        live_as_process(k, i, parent);
    int error = errno;
    let_go(k, *own);
    *own = next;
    if (child < 0)
        return error;
    k->board->seats[i].id = child;
    return 0;
}

static int start_processes(struct kernel_ring *k, struct reason *reason)
{
    struct pipe own = no_pipe;
    int ends[2], error = 0;
    if (k->ring.wish.pipes && pipe2(ends, O_CLOEXEC) == 0)
        own = k->first = (struct pipe){.in = ends[0], .out = ends[1]};
    else if (k->ring.wish.pipes)
        reason_set(&k->ring.no_io, "the first pipe: %s", strerror(errno));
    while (!error && k->board->tasks < k->ring.wish.tasks) {
        error = start_process(k, k->board->tasks, &own);
        k->board->tasks += !error;
    }
    let_go(k, own);
    return error ? too_many(k, "fork", error, reason) : 0;
}

static struct ring *build_processes(const struct ring_wish *w, struct reason *reason)
{
    struct kernel_ring *k = allocate(&ring_of_processes, w, reason);
    return k ? complete(k, start_processes(k, reason) == 0) : NULL;
}

static pid_t process_id(const struct ring *r, unsigned task)
{
    return ((const struct kernel_ring *)r)->board->seats[task].id;
}

const struct ring_kind ring_of_processes = {.name = "process",
                                            .by_kernel = true,
                                            .build = build_processes,
                                            .run = kernel_run,
                                            .count = kernel_count,
                                            .free = kernel_free,
                                            .child = process_id};

const struct ring_kind ring_of_threads = {.name = "thread",
                                          .by_kernel = true,
                                          .build = build_threads,
                                          .run = kernel_run,
                                          .count = kernel_count,
                                          .free = kernel_free};
