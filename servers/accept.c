#include "servers/accept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int accept_one(struct server *server, int flags)
{
    int fd = accept4(server->listen_fd, NULL, NULL, flags | SOCK_CLOEXEC);
    if (fd >= 0)
        return fd;
    bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!is_short)
        return ACCEPT_NOBODY; /* anything else is one client's misfortune (accept(2)) */
    if (!server->said_short)  /* once: it may happen again with every client that leaves */
        fprintf(stderr, "%s: accepting pauses: %s\n", server->name, strerror(errno));
    server->said_short = true;
    return ACCEPT_SHORT;
}
