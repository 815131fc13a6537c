/* The specimen: a server of known costs, against which `bench validate` holds
 * the instrument.
 *
 * It answers every request with the same few bytes, burns exactly the CPU time
 * that /cpu?us=N asks for (by its own thread's CPU clock, not by the wall's),
 * keeps as many threads, and has touched as many bytes of stacks and heap, as it
 * was told, and can write down when each request arrived. None of this is
 * measured with the code that it is to check. It is no HTTP server: it reads a
 * request in one piece from a client that behaves. */
#include "common/arguments.h"
#include "common/clock.h"
#include "common/descriptors.h"

#include <alloca.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

const char *argp_program_version = "specimen (Switchpoint) " SWITCHPOINT_VERSION;

/* What a thread needs beside the bytes that it is to touch. */
enum { STACK_SPARE_BYTES = 64 * 1024, PAGE_BYTES = 4096, ARRIVALS_MOST = 4000000 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
                             "\r\nHello, World!";

static volatile sig_atomic_t stop;

static void on_stop(int number)
{
    (void)number;
    stop = 1;
}

/* --- options ---------------------------------------------------------------------------------- */

struct options {
    unsigned threads;
    size_t stack_bytes, heap_bytes;
    const char *log;
};

enum { KEY_THREADS = 256, KEY_STACK, KEY_HEAP, KEY_LOG, KEY_CPUS };

static const struct argp_option known[] = {
    {"threads", KEY_THREADS, "N", 0, "Further threads, which do nothing (0)", 0},
    {"stack-bytes", KEY_STACK, "N", 0, "Bytes of its stack that each of them touches (0)", 0},
    {"heap-bytes", KEY_HEAP, "N", 0, "Bytes of heap to touch (0)", 0},
    {"log", KEY_LOG, "FILE", 0, "Write when each request arrived, in ns, at the end", 0},
    {"cpus", KEY_CPUS, "LIST", 0, "Pin to these CPUs", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;
    cpu_set_t cpus;
    switch (key) {
    case KEY_THREADS: o->threads = argument_count(state, "--threads", value, 0, 10000); break;
    case KEY_STACK:
        o->stack_bytes = argument_count(state, "--stack-bytes", value, 0, 1 << 28);
        break;
    case KEY_HEAP: o->heap_bytes = argument_count(state, "--heap-bytes", value, 0, 1 << 30); break;
    case KEY_LOG: o->log = value; break;
    case KEY_CPUS:
        cpus = argument_cpus(state, "--cpus", value);
        if (sched_setaffinity(0, sizeof cpus, &cpus) < 0)
            argp_error(state, "--cpus %s: %s", value, strerror(errno));
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

static void touch(volatile char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += PAGE_BYTES)
        bytes[i] = 1;
}

static pthread_barrier_t all_touched;

static void *idle_thread(void *argument)
{
    const struct options *o = argument;
    touch(alloca(o->stack_bytes + 1), o->stack_bytes);
    pthread_barrier_wait(&all_touched);
    while (!stop)
        pause();
    return NULL;
}

/* The heap that it took, to be kept until the end; NULL: none was wanted. */
static char *take_memory(const struct options *o)
{
    char *heap = NULL;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    size_t stack_bytes = (o->stack_bytes + STACK_SPARE_BYTES + PAGE_BYTES) & ~(PAGE_BYTES - 1ul);
    if (pthread_attr_setstacksize(&attributes, stack_bytes) != 0)
        errx(1, "stacks of %zu bytes are not possible", stack_bytes);
    pthread_barrier_init(&all_touched, NULL, o->threads + 1);
    for (unsigned i = 0; i < o->threads; i++) {
        pthread_t thread;
        int error = pthread_create(&thread, &attributes, idle_thread, (void *)o);
        if (error)
            errx(1, "thread %u: %s", i + 1, strerror(error));
    }
    pthread_attr_destroy(&attributes);
    if (o->heap_bytes) {
        heap = malloc(o->heap_bytes);
        if (!heap)
            errx(1, "no memory for %zu bytes", o->heap_bytes);
        touch(heap, o->heap_bytes);
    }
    pthread_barrier_wait(&all_touched);
    return heap;
}

/* --- requests --------------------------------------------------------------------------------- */

struct arrivals {
    uint64_t *at_ns; /* NULL: nobody wants to know */
    size_t count;
};

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void burn(double cpu_us)
{
    uint64_t end_ns = thread_cpu_ns() + (uint64_t)(cpu_us * 1e3);
    while (thread_cpu_ns() < end_ns)
        ;
}

/* Requests come one at a time, and whole. */
static void serve(int fd, struct arrivals *arrivals)
{
    static const char burning[] = "GET /cpu?us=";
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof bytes - 1, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            close(fd);
        return;
    }
    if (arrivals->at_ns && arrivals->count < ARRIVALS_MOST)
        arrivals->at_ns[arrivals->count++] = clock_now_ns();
    bytes[n] = '\0';
    if (strncmp(bytes, burning, sizeof burning - 1) == 0)
        burn(strtod(bytes + sizeof burning - 1, NULL));
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        close(fd);
}

static void write_log(const char *path, const struct arrivals *arrivals)
{
    FILE *file = fopen(path, "we");
    if (!file)
        err(1, "cannot write %s", path);
    for (size_t i = 0; i < arrivals->count; i++)
        fprintf(file, "%llu\n", (unsigned long long)arrivals->at_ns[i]);
    if (fclose(file) != 0)
        err(1, "cannot write %s", path);
}

/* --- the loop --------------------------------------------------------------------------------- */

static int listen_on_loopback(void)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 4096) < 0)
        err(1, "cannot listen on 127.0.0.1");
    getsockname(fd, (struct sockaddr *)&address, &length);
    printf("ready 127.0.0.1:%d model=specimen pid=%d compute_rate=0\n", ntohs(address.sin_port),
           (int)getpid());
    fflush(stdout);
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Signals come only while it waits, so that none is missed between a look at `stop` and the wait.
 */
static void loop(int listening, struct arrivals *arrivals)
{
    sigset_t ending, waiting;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, &waiting);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256];
    watch(epoll, listening);
    while (!stop) {
        int count = epoll_pwait(epoll, events, 256, -1, &waiting);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listening) {
                serve(events[i].data.fd, arrivals);
                continue;
            }
            for (int fd; (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;)
                watch(epoll, fd);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = known,
        .parser = parse,
        .doc = "A server of known costs, for bench validate. Listens on a port of 127.0.0.1 that "
               "the system chooses, and answers every request with 13 bytes; /cpu?us=N burns N "
               "microseconds of CPU time first."};
    struct options options = {0};
    struct arrivals arrivals = {0};
    argp_err_exit_status = 64;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    descriptors_prepare(ULONG_MAX, 16384);
    if (options.log && !(arrivals.at_ns = malloc(ARRIVALS_MOST * sizeof *arrivals.at_ns)))
        err(1, "no memory for the log");
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    char *heap = take_memory(&options);
    loop(listen_on_loopback(), &arrivals);
    if (options.log)
        write_log(options.log, &arrivals);
    free(arrivals.at_ns);
    free(heap);
    return 0;
}
