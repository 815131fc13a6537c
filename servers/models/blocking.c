/* Single-threaded and blocking: one client at a time, from its first byte to its last.
 *
 * Switch points: none of its own. While it waits for one client (to send, to
 * read, or for the work's own waiting), every other client waits for it. */
#include "servers/serve.h"

static int run(struct server *server)
{
    server_ready(server);
    int fd;
    while ((fd = accept_client(server)) >= 0)
        serve_client(server, fd);
    return 0;
}

const struct model model = {.name = "blocking", .run = run};
