/* What a failed call on a socket means, for servers and clients alike. */
#ifndef COMMON_SOCKETS_H
#define COMMON_SOCKETS_H

#include <errno.h>
#include <stdbool.h>

/* Does this errno of send or recv only say "not now": nothing is wrong with the connection? */
static inline bool not_ready(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

#endif
