#include "loadgen/idle.h"

#include "common/clock.h"
#include "loadgen/dial.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Half-open at once: well below a usual backlog, so that none waits for a retransmitted SYN. */
enum { BATCH = 256 };

/* The dialler numbers its source addresses; threads have the low ones. */
enum { DIALLER_INDEX = 40 };

/* Waits until the connection is established or refused, or the deadline has come. */
static bool wait_established(int fd, uint64_t deadline_ns)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    uint64_t now_ns = clock_now_ns();
    int left_ms = now_ns < deadline_ns ? (int)((deadline_ns - now_ns) / NS_PER_MS) : 0;
    if (poll(&wait, 1, left_ms) <= 0)
        return false;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0;
}

static unsigned open_batch(struct idle_clients *idle, struct dialler *dialler, unsigned count,
                           uint64_t deadline_ns)
{
    int dialled[BATCH];
    unsigned n = 0, good = 0;
    while (n < count && (dialled[n] = dial(dialler, 0)) >= 0)
        n++;
    for (unsigned i = 0; i < n; i++) {
        if (wait_established(dialled[i], deadline_ns))
            idle->fds[idle->established + good++] = dialled[i];
        else
            close(dialled[i]);
    }
    return good;
}

int idle_open(struct idle_clients *idle, const struct address *to, unsigned count,
              uint64_t patience_ns, const volatile bool *stop)
{
    *idle = (struct idle_clients){.wanted = count};
    if (count == 0)
        return 0;
    idle->fds = malloc(count * sizeof *idle->fds);
    if (!idle->fds)
        return -1;
    struct dialler dialler;
    dialler_init(&dialler, to, DIALLER_INDEX);
    uint64_t deadline_ns = clock_now_ns() + patience_ns;
    while (idle->established < count && !*stop && clock_now_ns() < deadline_ns) {
        unsigned left = count - idle->established;
        unsigned good = open_batch(idle, &dialler, left < BATCH ? left : BATCH, deadline_ns);
        if (good == 0)
            break; /* refused, or out of descriptors: asking again will not help */
        idle->established += good;
    }
    return 0;
}

unsigned idle_still_open(const struct idle_clients *idle)
{
    unsigned open = 0;
    for (unsigned i = 0; i < idle->established; i++) {
        struct pollfd ended = {.fd = idle->fds[i], .events = POLLRDHUP};
        /* Not recv: a server may say something (408) before it closes. */
        open += poll(&ended, 1, 0) == 0;
    }
    return open;
}

void idle_close(struct idle_clients *idle)
{
    for (unsigned i = 0; i < idle->established; i++)
        close(idle->fds[i]);
    free(idle->fds);
    *idle = (struct idle_clients){0};
}
