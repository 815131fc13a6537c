/* Process per connection: as inetd does it, and the first web servers did.
 *
 * The parent accepts, and forks a child for each connection; the child blocks in
 * read, write and sleep, and ends with its client. Switch points: wherever the
 * kernel decides, and each is a change of address space as well. What a client
 * can spoil is its own process. */
#include "servers/accept.h"
#include "servers/processes.h"
#include "servers/serve.h"
#include "servers/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The child's whole life. What serve_client gives back is its own copy: its parent's account of
 * clients is the children themselves. */
static _Noreturn void serve_in_child(struct server *server, int fd)
{
    close(server->listen_fd);
    serve_client(server, fd);
    _exit(0);
}

static void pause_forking(struct processes *children)
{
    processes_wait(children, -1, clock_now_ns() + ACCEPT_PAUSE_NS);
}

/* A process can be refused for the moment (fork(2), EAGAIN): its client is not turned away, and
 * no other is accepted before it is served. */
static void give_process(struct server *server, struct processes *children, int fd)
{
    pid_t pid;
    while ((pid = processes_fork(children)) < 0) {
        if (stop_requested) { /* no other client will need this process */
            processes_stop(children);
            serve_client(server, fd);
            return;
        }
        if (!server->said_short)
            fprintf(stderr, "%s: no process for a client, waiting: %s\n", server->name,
                    strerror(errno));
        server->said_short = true;
        pause_forking(children);
    }
    if (pid == 0)
        serve_in_child(server, fd);
    close(fd);
}

static bool is_full(const struct server *server, const struct processes *children)
{
    return server->max_connections && children->count >= server->max_connections;
}

static int run(struct server *server)
{
    struct processes children;
    processes_init(&children, server->name);
    fcntl(server->listen_fd, F_SETFL, O_NONBLOCK); /* a client that was there may be gone */
    server_ready(server);
    while (!stop_requested) {
        int listen_fd = is_full(server, &children) ? -1 : server->listen_fd;
        if (!processes_wait(&children, listen_fd, NEVER_NS))
            continue;
        int fd = accept_one(server, server->listen_fd, 0);
        if (fd >= 0)
            give_process(server, &children, fd);
        else if (fd == ACCEPT_SHORT)
            pause_forking(&children);
    }
    processes_stop(&children);
    processes_join(&children);
    return 0;
}

const struct model model = {.name = "fork", .run = run};
