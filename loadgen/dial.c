#include "loadgen/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { CONNECTIONS_PER_SOURCE = 500, SOURCES = 250 * 250 };

void dialler_init(struct dialler *d, const struct address *to, unsigned index)
{
    *d = (struct dialler){.to = *to, .first_source = index * 1009};
}

/* Only IPv4 has more than one loopback address: 127.0.a.b, without the 0 and 255 of old. */
static int bind_source(struct dialler *d, int fd)
{
    uint32_t source = (d->first_source + d->dialled++ / CONNECTIONS_PER_SOURCE) % SOURCES;
    struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(0x7f000001 + (source / 250 << 8) + source % 250),
    };
    /* The port is chosen by connect, which sees that only all four numbers must differ. */
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&from, sizeof from);
}

int dial(struct dialler *d, int receive_bytes)
{
    int family = d->to.socket.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_bytes)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (family == AF_INET && address_is_loopback(&d->to) && bind_source(d, fd) < 0)
        goto fail;
    if (connect(fd, (struct sockaddr *)&d->to.socket, d->to.length) < 0 && errno != EINPROGRESS)
        goto fail;
    return fd;

fail:;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
