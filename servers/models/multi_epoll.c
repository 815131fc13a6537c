/* Multi-epoll: an event loop for each CPU, and nothing shared between them.
 *
 * Each thread runs the loop of `epoll` on a CPU and a listening socket of its
 * own: the kernel divides the clients among the sockets by a hash of their
 * addresses (SO_REUSEPORT), and from then on a client stays where it is. Switch
 * points: the return to each loop. A busy loop does not help an idle one: with
 * few clients the division is uneven. */
#include "servers/event_loop.h"
#include "servers/listen.h"
#include "servers/serve.h"
#include "servers/stop.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    struct loop loop;
    pthread_t thread;
};

static void *work(void *argument)
{
    loop_run(argument);
    return NULL;
}

/* The n-th of the CPUs that the process may use, beginning again after the last. */
static void stay_on_cpu(pthread_t thread, unsigned n)
{
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) < 0)
        return;
    n %= (unsigned)CPU_COUNT(&all);
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &all) || n-- > 0)
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(thread, sizeof one, &one);
}

/* Each socket listens before the server says that it is ready: a client is never turned away. */
static int open_loops(struct server *server, struct worker *workers)
{
    for (unsigned i = 0; i < server->workers; i++) {
        int fd = server->listen_fd;
        if (i > 0 && (fd = listen_beside(server->listen_fd, server->backlog)) < 0) {
            fprintf(stderr, "%s: no listening socket for loop %u of %u: %s\n", server->name, i + 1,
                    server->workers, strerror(errno));
            return -1;
        }
        if (i > 0)
            stop_watch_listening(fd);
        if (event_loop_start(&workers[i].loop, server, fd, EVBACKEND_EPOLL) < 0)
            return -1;
    }
    return 0;
}

static int run(struct server *server)
{
    struct worker *workers = calloc(server->workers, sizeof *workers);
    if (!workers || open_loops(server, workers) < 0)
        return 1;
    for (unsigned i = 0; i < server->workers; i++) {
        int error = start_thread(server, &workers[i].thread, work, &workers[i].loop);
        if (error) {
            fprintf(stderr, "%s: no thread for loop %u of %u: %s\n", server->name, i + 1,
                    server->workers, strerror(error));
            return 1;
        }
        stay_on_cpu(workers[i].thread, i);
    }
    server_ready(server);
    for (unsigned i = 0; i < server->workers; i++)
        pthread_join(workers[i].thread, NULL);
    free(workers);
    return 0;
}

const struct model model = {
    .name = "multi-epoll", .workers = WORKER_PER_CPU, .listens_apart = true, .run = run};
