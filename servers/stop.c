#include "servers/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* Untouched pages of it cost nothing. main limits descriptors to this many. */
enum { MOST_DESCRIPTORS = 1 << 20 };

atomic_int stop_requested;

static atomic_bool watched[MOST_DESCRIPTORS];
static atomic_int highest_watched = -1;
static int listening = -1;

static void on_stop(int signal_number)
{
    (void)signal_number;
    int interrupted_errno = errno; /* whoever is interrupted may be about to look at it */
    if (atomic_exchange(&stop_requested, 1))
        _exit(1);
    shutdown(listening, SHUT_RDWR);
    int last = atomic_load(&highest_watched);
    for (int fd = 0; fd <= last; fd++)
        if (atomic_load(&watched[fd]))
            shutdown(fd, SHUT_RD);
    alarm(STOP_GRACE_S);
    errno = interrupted_errno;
}

static void on_grace_over(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

void stop_install(int listen_fd)
{
    listening = listen_fd;
    struct sigaction action = {.sa_handler = on_stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = on_grace_over;
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = SIG_IGN; /* sendfile has no MSG_NOSIGNAL */
    sigaction(SIGPIPE, &action, NULL);
}

void stop_watch(int fd)
{
    int highest = atomic_load(&highest_watched);
    while (fd > highest && !atomic_compare_exchange_weak(&highest_watched, &highest, fd))
        ;
    atomic_store(&watched[fd], true);
    /* Either the handler saw the entry, or we see its flag: both orders end here. */
    if (stop_requested)
        shutdown(fd, SHUT_RD);
}

void stop_unwatch(int fd)
{
    atomic_store(&watched[fd], false);
}
