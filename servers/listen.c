#include "servers/listen.h"

#include "common/address.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum sharing { ALONE, FIRST, BESIDE };

/* -1 with errno. The first of several sockets is bound as if it were to be alone: that fails where
 * another server listens already, even if that one would share its port. */
static int listen_at(const struct address *address, unsigned backlog, enum sharing sharing)
{
    int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (sharing == BESIDE)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    /* Accepted sockets inherit it: an answer goes out when it is written. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bool is_bound = bind(fd, (const struct sockaddr *)&address->socket, address->length) == 0;
    if (sharing == FIRST)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (is_bound && listen(fd, (int)backlog) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int listen_on(const char *where, unsigned backlog, bool shared)
{
    struct address address;
    const char *why;
    if (!address_parse(where, &address, &why))
        errx(1, "cannot listen on %s: %s", where, why);
    int fd = listen_at(&address, backlog, shared ? FIRST : ALONE);
    if (fd < 0)
        err(1, "cannot listen on %s", where);
    return fd;
}

int listen_beside(int listen_fd, unsigned backlog)
{
    struct address bound = {.length = sizeof bound.socket};
    if (getsockname(listen_fd, (struct sockaddr *)&bound.socket, &bound.length) < 0)
        return -1;
    return listen_at(&bound, backlog, BESIDE);
}
