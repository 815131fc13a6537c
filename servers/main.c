/* From the command line to a listening socket to the model's hands: the same in every server. */
#include "common/address.h"
#include "common/clock.h"
#include "common/descriptors.h"
#include "servers/backend/database.h"
#include "servers/handler/compute.h"
#include "servers/listen.h"
#include "servers/lock.h"
#include "servers/model.h"
#include "servers/options.h"
#include "servers/stop.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Iterations per microsecond when nothing disturbs: the best of several short runs. */
static double calibrate(void)
{
    enum { RUNS = 20, ITERATIONS = 1000000 };
    uint64_t best_ns = NEVER_NS;
    for (int i = 0; i < RUNS; i++) {
        uint64_t start_ns = clock_now_ns();
        compute(ITERATIONS);
        uint64_t took_ns = clock_now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    return ITERATIONS * 1000.0 / (double)best_ns;
}

/* More would not fit the table of stop.c; "unlimited" is 2^30 descriptors on some systems. */
enum { MOST_DESCRIPTORS = 1 << 20 };

/* The table grows once, before the first client, and not under load; it is half a MiB at most. */
enum { EXPECTED_DESCRIPTORS = 1 << 16 };

/* How many CPUs this process may run on. */
static unsigned own_cpus(void)
{
    cpu_set_t cpus;
    return sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (unsigned)CPU_COUNT(&cpus) : 1;
}

static int open_root(const char *root)
{
    if (!root)
        return -1;
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) < 0)
        err(1, "cannot serve files from %s", root);
    return fd;
}

static uint64_t unix_epoch_ns(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (uint64_t)wall.tv_sec * NS_PER_S + (uint64_t)wall.tv_nsec - clock_now_ns();
}

static void format_ready_line(int listen_fd, double compute_rate, char *line, size_t size)
{
    struct address bound = {.length = sizeof bound.socket};
    char text[ADDRESS_TEXT_BYTES];
    getsockname(listen_fd, (struct sockaddr *)&bound.socket, &bound.length);
    address_text(&bound, text);
    snprintf(line, size, "ready %s model=%s pid=%d compute_rate=%.3f\n", text, model.name,
             (int)getpid(), compute_rate);
}

void server_ready(const struct server *server)
{
    fputs(server->ready_line, stdout);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct options options;
    options_parse(argc, argv, &model, &options);

    if (options.pinned && sched_setaffinity(0, sizeof options.cpus, &options.cpus) < 0)
        err(1, "cannot pin to the CPUs of --cpus");
    descriptors_prepare(MOST_DESCRIPTORS, EXPECTED_DESCRIPTORS);
    /* A sleeping thread wakes when its time is up, not up to 50 us later (prctl(2)):
     * a thread's wait must be as precise as a loop's timerfd. Threads inherit it. */
    prctl(PR_SET_TIMERSLACK, 1);

    int root_fd = open_root(options.root);
    const char *refused = options.database ? database_prepare(options.database) : NULL;
    if (refused)
        errx(1, "--database %s: %s", options.database, refused);
    int listen_fd = listen_on(options.listen, options.backlog, model.listens_apart);
    stop_install();
    stop_watch_listening(listen_fd);
    double compute_rate = options.compute_rate > 0 ? options.compute_rate : calibrate();
    char ready_line[160];
    format_ready_line(listen_fd, compute_rate, ready_line, sizeof ready_line);

    pthread_mutex_t *lock = lock_new();
    if (!lock)
        err(1, "no memory for the lock");
    sem_t free_places;
    sem_init(&free_places, 0, options.max_connections);
    const struct connection_config http = {
        .handler = {.compute_rate = compute_rate,
                    .has_root = root_fd >= 0,
                    .has_backend = options.has_redis,
                    .database = options.database},
        .head_max_bytes = (size_t)options.max_header_bytes,
        .head_max_fields = (unsigned)options.max_header_fields,
        .body_max_bytes = (size_t)options.max_body_bytes,
        .keepalive_requests = options.keepalive_requests,
        .idle_timeout_ns = options.idle_timeout_ns,
        .header_timeout_ns = options.header_timeout_ns,
        .backend_timeout_ns = options.backend_timeout_ns,
        .unix_epoch_ns = unix_epoch_ns(),
        .stopping = &stop_requested,
    };
    struct server server = {
        .name = program_invocation_short_name,
        .listen_fd = listen_fd,
        .root_fd = root_fd,
        .workers = options.workers ? options.workers : own_cpus(),
        .backlog = options.backlog,
        .max_connections = options.max_connections,
        .stack_bytes = (size_t)options.stack_bytes,
        .lock = lock,
        .free_places = options.max_connections ? &free_places : NULL,
        .ready_line = ready_line,
        .redis = options.has_redis ? &options.redis : NULL,
        .http = http,
    };
    return model.run(&server);
}
