#include "servers/backend/link.h"

#include "common/clock.h"
#include "common/sockets.h"
#include "servers/time_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between a failure and the next attempt to connect. */
#define RETRY_NS (100 * NS_PER_MS)

enum { ROOM_BYTES = 16 * 1024 };

void link_init(struct backend_link *link, const struct address *address)
{
    *link = (struct backend_link){.address = address, .fd = -1};
}

static void drop_socket(struct backend_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->blocks = false;
    link->receive_limit_ns = 0;
}

void link_close(struct backend_link *link)
{
    drop_socket(link);
    link->address = NULL; /* nobody may ask again while the queries fail */
    redis_free(&link->redis);
}

/* Whose queries ask again while they fail finds the link as it is to be. */
static void fail(struct backend_link *link)
{
    drop_socket(link);
    /* Who is only slow may be asked again at once: each attempt takes long enough. */
    link->retry_ns = link->redis.is_stuck ? 0 : clock_now_ns() + RETRY_NS;
    redis_fail(&link->redis);
}

/* --- connecting ------------------------------------------------------------------------------- */

/* Has `link` a socket that is connected, or that will be? */
static bool open_socket(struct backend_link *link)
{
    const struct sockaddr *to = (const struct sockaddr *)&link->address->socket;
    link->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0)
        return false;
    link->opened++;
    int on = 1;
    if (to->sa_family != AF_UNIX)
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    link->is_connecting = connect(link->fd, to, link->address->length) < 0;
    /* EINPROGRESS comes from TCP alone: a Unix socket connects at once or not at all. */
    return !link->is_connecting || errno == EINPROGRESS;
}

static bool ensure_open(struct backend_link *link)
{
    if (link->fd >= 0)
        return true;
    if (!link->address || clock_now_ns() < link->retry_ns)
        return false;
    if (open_socket(link))
        return true;
    drop_socket(link);
    link->retry_ns = clock_now_ns() + RETRY_NS;
    return false;
}

static bool has_connected(struct backend_link *link)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
        return false;
    link->is_connecting = false;
    return true;
}

/* --- in a loop -------------------------------------------------------------------------------- */

bool link_ask(struct backend_link *link, struct redis_query *query)
{
    return !link->redis.is_stuck && ensure_open(link) && redis_ask(&link->redis, query) == 0;
}

void link_flush(struct backend_link *link)
{
    if (link->redis.is_stuck)
        fail(link);
    if (link->fd < 0 || link->is_connecting)
        return;
    size_t length;
    const char *bytes;
    while ((bytes = redis_output(&link->redis, &length))) {
        ssize_t n = send(link->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && !not_ready(errno))
            fail(link);
        if (n < 0)
            return;
        redis_sent(&link->redis, (size_t)n);
    }
}

short link_events(const struct backend_link *link)
{
    size_t length;
    if (link->is_connecting)
        return POLLOUT;
    return redis_output(&link->redis, &length) ? POLLIN | POLLOUT : POLLIN;
}

/* One recv(2), which blocks if `flags` let it. */
static void receive(struct backend_link *link, int flags)
{
    char bytes[ROOM_BYTES];
    ssize_t n = recv(link->fd, bytes, sizeof bytes, flags);
    if (n < 0 && not_ready(errno))
        return;
    if (n <= 0 || redis_received(&link->redis, bytes, (size_t)n) < 0)
        fail(link);
}

void link_ready(struct backend_link *link)
{
    if (link->is_connecting && !has_connected(link))
        fail(link);
    else if (link->fd >= 0)
        receive(link, MSG_DONTWAIT);
}

/* --- in a thread ------------------------------------------------------------------------------ */

static pthread_key_t own_key;

static void free_own(void *link)
{
    link_close(link);
    free(link);
}

static void make_key(void)
{
    pthread_key_create(&own_key, free_own);
}

struct backend_link *link_of_thread(const struct address *address)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    struct backend_link *link = pthread_getspecific(own_key);
    if (link || !(link = malloc(sizeof *link)))
        return link;
    link_init(link, address);
    if (pthread_setspecific(own_key, link) == 0)
        return link;
    free(link);
    return NULL;
}

static void await_ready(struct backend_link *link, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    struct pollfd one = {.fd = link->fd, .events = link_events(link)};
    struct timespec left = timespec_of_ns(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    if (ppoll(&one, 1, &left, NULL) > 0)
        link_ready(link);
}

/* What a thread waits in nearly always: one system call for the waiting and the bytes. */
static void await_bytes(struct backend_link *link, uint64_t deadline_ns)
{
    if (!link->blocks) {
        fcntl(link->fd, F_SETFL, 0);
        link->blocks = true;
    }
    limit_blocking(link->fd, SO_RCVTIMEO, &link->receive_limit_ns, deadline_ns);
    receive(link, 0);
}

static void stop_waiting(struct redis_query *query)
{
    (void)query; /* its state says it all */
}

void link_converse(struct backend_link *link, struct redis_query *query, uint64_t deadline_ns)
{
    query->done = stop_waiting;
    link_flush(link);
    if (!link_ask(link, query))
        return;
    link_flush(link);
    while (query->state == REDIS_ASKED && clock_now_ns() < deadline_ns) {
        if (link_events(link) == POLLIN)
            await_bytes(link, deadline_ns);
        else
            await_ready(link, deadline_ns);
        link_flush(link);
    }
}
