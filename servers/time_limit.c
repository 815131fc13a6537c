#include "servers/time_limit.h"

#include "common/clock.h"

#include <sys/socket.h>
#include <sys/time.h>

void limit_blocking(int fd, int option, uint64_t *limit_ns, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 1;
    if (deadline_ns == NEVER_NS)
        left_ns = 0; /* the socket's own word for no limit */
    uint64_t off_ns = *limit_ns > left_ns ? *limit_ns - left_ns : left_ns - *limit_ns;
    if (*limit_ns && off_ns <= left_ns / 16)
        return;
    uint64_t up_us = left_ns / NS_PER_US + (left_ns ? 1 : 0);
    struct timeval limit = {(time_t)(up_us / 1000000), (suseconds_t)(up_us % 1000000)};
    setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit);
    *limit_ns = left_ns;
}
