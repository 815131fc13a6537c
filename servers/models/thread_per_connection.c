/* Thread per connection: the kernel is the scheduler.
 *
 * Every accepted connection gets a thread of its own, which blocks in read,
 * write and sleep, and ends with it. Switch points: wherever the kernel decides. */
#include "servers/serve.h"
#include "servers/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client {
    struct server *server;
    int fd;
};

static void *serve_one(void *argument)
{
    struct client client = *(struct client *)argument;
    free(argument);
    serve_client(client.server, client.fd);
    return NULL;
}

/* A thread can be refused for the moment (pthread_create(3), EAGAIN): its client is not turned
 * away, and no other is accepted before it is served. */
static void give_thread(struct client *client)
{
    int error, said = 0;
    while ((error = start_thread(client->server, NULL, serve_one, client)) != 0) {
        if (stop_requested) { /* no other client will need this thread */
            serve_one(client);
            return;
        }
        if (!said++)
            fprintf(stderr, "%s: no thread for a client, waiting: %s\n", client->server->name,
                    strerror(error));
        pause_accepting();
    }
}

static int run(struct server *server)
{
    server_ready(server);
    int fd;
    while ((fd = accept_client(server)) >= 0) {
        struct client *client = malloc(sizeof *client);
        if (!client) {
            serve_client(server, fd); /* with what memory there is */
            continue;
        }
        *client = (struct client){server, fd};
        give_thread(client);
    }
    wait_for_clients(server);
    return 0;
}

const struct model model = {.name = "thread-per-connection", .run = run};
