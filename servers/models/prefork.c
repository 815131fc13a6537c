/* Prefork: a fixed number of processes, each serving one client at a time (Apache's first model).
 *
 * Every worker blocks in accept on the one listening socket, and the kernel wakes
 * one of them for each client; what follows is the blocking model, as many times
 * as there are workers. Switch points: wherever the kernel decides, and each is a
 * change of address space as well. The parent serves nobody: it watches over the
 * workers, and replaces one that dies. */
#include "common/clock.h"
#include "servers/processes.h"
#include "servers/serve.h"
#include "servers/stop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Workers that die at once are not replaced more often than this. */
#define REPLACE_PAUSE_NS NS_PER_S

static _Noreturn void work(struct server *server)
{
    int fd;
    while ((fd = accept_client(server)) >= 0)
        serve_client(server, fd);
    _exit(0);
}

/* true once there are as many as there should be. */
static bool start_processes(struct server *server, struct processes *workers)
{
    while (workers->count < server->workers) {
        pid_t pid = processes_fork(workers);
        if (pid == 0)
            work(server);
        if (pid < 0) {
            fprintf(stderr, "%s: cannot start worker %zu of %u: %s\n", server->name,
                    workers->count + 1, server->workers, strerror(errno));
            return false;
        }
    }
    return true;
}

/* A worker without a place could never serve: their number alone keeps the limit, and no worker
 * that dies can leave a place taken. */
static void limit_by_workers(struct server *server)
{
    if (server->max_connections && server->max_connections < server->workers)
        server->workers = server->max_connections;
    server->free_places = NULL;
}

static int run(struct server *server)
{
    limit_by_workers(server);
    struct processes workers;
    processes_init(&workers, server->name);
    if (!start_processes(server, &workers))
        return 1;
    server_ready(server);

    uint64_t replace_ns = 0;
    while (!stop_requested) {
        bool complete = workers.count == server->workers;
        processes_wait(&workers, -1, complete ? NEVER_NS : replace_ns);
        if (workers.count < server->workers && !stop_requested && clock_now_ns() >= replace_ns) {
            start_processes(server, &workers);
            replace_ns = clock_now_ns() + REPLACE_PAUSE_NS;
        }
    }
    processes_stop(&workers);
    processes_join(&workers);
    return 0;
}

const struct model model = {.name = "prefork", .workers = 16, .run = run};
