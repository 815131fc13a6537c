/* Event loop: one thread waits for all clients at once (libev).
 *
 * What the loop does with them is servers/event_loop.c. Switch points: the
 * return to the loop. By which interface the kernel is asked who is ready can be
 * chosen: select and poll name every descriptor in every call, epoll names
 * them once (the C10K problem). */
#include "servers/event_loop.h"

#include <string.h>

static unsigned backend = EVBACKEND_EPOLL;

static error_t parse(int key, char *value, struct argp_state *state)
{
    if (key != 'b')
        return ARGP_ERR_UNKNOWN;
    if (strcmp(value, "select") == 0)
        backend = EVBACKEND_SELECT;
    else if (strcmp(value, "poll") == 0)
        backend = EVBACKEND_POLL;
    else if (strcmp(value, "epoll") == 0)
        backend = EVBACKEND_EPOLL;
    else
        argp_error(state, "--backend %s: expected select, poll or epoll", value);
    return 0;
}

static const struct argp options = {
    .options =
        (const struct argp_option[]){
            {"backend", 'b', "NAME", 0, "How to wait: select, poll or epoll (epoll)", 0}, {0}},
    .parser = parse,
};

static int run(struct server *server)
{
    struct loop loop;
    if (event_loop_start(&loop, server, server->listen_fd, backend) < 0)
        return 1;
    server_ready(server);
    loop_run(&loop);
    return 0;
}

const struct model model = {.name = "epoll", .options = &options, .run = run};
