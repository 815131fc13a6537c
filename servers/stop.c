#include "servers/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* Untouched pages of it cost nothing. main limits descriptors to this many. */
enum { MOST_DESCRIPTORS = 1 << 20 };

/* What a stop does to a descriptor. */
enum { NOT_WATCHED, SHUT_RECEIVING, SHUT_WHOLE };

atomic_int stop_requested;

static atomic_uchar watched[MOST_DESCRIPTORS];
static atomic_int highest_watched = -1;
static bool second_ends_at_once = true; /* a second signal; written with the signals blocked */

static void shut(int fd)
{
    switch (atomic_load(&watched[fd])) {
    case SHUT_RECEIVING: shutdown(fd, SHUT_RD); break;
    case SHUT_WHOLE: shutdown(fd, SHUT_RDWR); break;
    default: break;
    }
}

static void on_stop(int signal_number)
{
    (void)signal_number;
    int interrupted_errno = errno; /* whoever is interrupted may be about to look at it */
    if (atomic_exchange(&stop_requested, 1)) {
        if (second_ends_at_once)
            _exit(1);
        return;
    }
    int last = atomic_load(&highest_watched);
    for (int fd = 0; fd <= last; fd++)
        shut(fd);
    alarm(STOP_GRACE_S);
    errno = interrupted_errno;
}

static void on_grace_over(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

void stop_install(void)
{
    struct sigaction action = {.sa_handler = on_stop};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = on_grace_over;
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = SIG_IGN; /* sendfile has no MSG_NOSIGNAL */
    sigaction(SIGPIPE, &action, NULL);
}

void stop_in_child(void)
{
    second_ends_at_once = false;
    for (int fd = 0; fd <= highest_watched; fd++)
        stop_unwatch(fd);
    highest_watched = -1;
}

static void watch(int fd, unsigned char how)
{
    int highest = atomic_load(&highest_watched);
    while (fd > highest && !atomic_compare_exchange_weak(&highest_watched, &highest, fd))
        ;
    atomic_store(&watched[fd], how);
    /* Either the handler saw the entry, or we see its flag: both orders end here. */
    if (stop_requested)
        shut(fd);
}

void stop_watch_listening(int fd)
{
    watch(fd, SHUT_WHOLE);
}

void stop_watch(int fd)
{
    watch(fd, SHUT_RECEIVING);
}

void stop_unwatch(int fd)
{
    atomic_store(&watched[fd], NOT_WATCHED);
}
