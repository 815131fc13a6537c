#include "servers/accept.h"

#include "servers/stop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int accept_failed(struct server *server, int error)
{
    bool is_short = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    if (!is_short)
        return ACCEPT_NOBODY; /* anything else is one client's misfortune (accept(2)) */
    if (!atomic_exchange(&server->said_short, true)) /* it may happen with every client again */
        fprintf(stderr, "%s: accepting pauses: %s\n", server->name, strerror(error));
    return ACCEPT_SHORT;
}

int accept_one(struct server *server, int listen_fd, int flags)
{
    int fd = accept4(listen_fd, NULL, NULL, flags | SOCK_CLOEXEC);
    return fd < 0 ? accept_failed(server, errno) : fd;
}

bool place_try(struct server *server)
{
    return !server->free_places || sem_trywait(server->free_places) == 0;
}

bool place_await(struct server *server)
{
    if (!server->free_places)
        return true;
    while (!stop_requested) {
        struct timespec until; /* sem_timedwait knows the wall clock only */
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)ACCEPT_PAUSE_NS;
        until.tv_sec += until.tv_nsec / (long)NS_PER_S;
        until.tv_nsec %= (long)NS_PER_S;
        if (sem_timedwait(server->free_places, &until) == 0)
            return true;
    }
    return false;
}

void place_give(struct server *server)
{
    if (server->free_places)
        sem_post(server->free_places);
}
