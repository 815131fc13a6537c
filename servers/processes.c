#include "servers/processes.h"

#include "common/clock.h"
#include "servers/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A signal that is ignored interrupts nothing; one that is handled does. */
static void on_child(int signal_number)
{
    (void)signal_number;
}

void processes_init(struct processes *processes, const char *name)
{
    *processes = (struct processes){.name = name};
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);

    sigset_t held_back;
    sigemptyset(&held_back);
    sigaddset(&held_back, SIGCHLD);
    sigaddset(&held_back, SIGTERM);
    sigaddset(&held_back, SIGINT);
    sigprocmask(SIG_BLOCK, &held_back, &processes->unblocked);
}

/* Before the fork: a child that could not be listed would not be stopped. */
static bool make_room(struct processes *processes)
{
    if (processes->count < processes->room)
        return true;
    size_t room = processes->room ? 2 * processes->room : 64;
    pid_t *pids = reallocarray(processes->pids, room, sizeof *pids);
    if (!pids)
        return false;
    processes->pids = pids;
    processes->room = room;
    return true;
}

static void begin_child(const struct processes *processes, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that could tell us */
        _exit(1);
    stop_in_child();
    sigprocmask(SIG_SETMASK, &processes->unblocked, NULL);
}

pid_t processes_fork(struct processes *processes)
{
    if (!make_room(processes))
        return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid > 0)
        processes->pids[processes->count++] = pid;
    if (pid == 0)
        begin_child(processes, parent);
    return pid;
}

static void say_how_it_ended(const struct processes *processes, pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: process %d was ended by signal %d (%s)\n", processes->name, (int)pid,
                WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        fprintf(stderr, "%s: process %d ended with status %d\n", processes->name, (int)pid,
                WEXITSTATUS(status));
}

/* One child, waiting for it or not (waitpid(2)). false: none has ended, or none is left. */
static bool reap(struct processes *processes, int options)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(-1, &status, options);
    while (pid < 0 && errno == EINTR);
    if (pid <= 0)
        return false;
    say_how_it_ended(processes, pid, status);
    for (size_t i = 0; i < processes->count; i++)
        if (processes->pids[i] == pid)
            processes->pids[i] = processes->pids[--processes->count];
    return true;
}

bool processes_wait(struct processes *processes, int listen_fd, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_now_ns();
    struct timespec left = timespec_of_ns(deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    struct pollfd listening = {.fd = listen_fd, .events = POLLIN}; /* below 0 it is passed over */
    int ready = ppoll(&listening, 1, deadline_ns == NEVER_NS ? NULL : &left, &processes->unblocked);
    while (reap(processes, WNOHANG))
        ;
    return ready > 0;
}

void processes_stop(struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++)
        kill(processes->pids[i], SIGTERM);
    sigprocmask(SIG_SETMASK, &processes->unblocked, NULL);
}

void processes_join(struct processes *processes)
{
    while (reap(processes, 0))
        ;
    free(processes->pids);
}
