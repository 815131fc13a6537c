#include "bench/base/child.h"

#include "bench/base/stop.h"
#include "common/clock.h"
#include "common/units.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a child that was asked to end may take: a server finishes what is in flight within
 * 5 s, and loadgen waits for its server. */
static const uint64_t FAREWELL_NS = 8 * NS_PER_S;

/* Beyond this much, output is thrown away: a child gone mad must not take the memory. */
static const size_t OUTPUT_LIMIT = 64 << 20;

struct text {
    char *bytes;
    size_t size;
};

struct running {
    const char *program;
    pid_t pid;
    int pid_fd, out_fd, err_fd;
    struct text out, err;
    uint64_t kill_ns;
    bool told_to_end;
};

static _Noreturn void become(const struct child_order *order, const cpu_set_t *cpus, pid_t parent,
                             int out, int err, int report)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
    int input = open(order->input ? order->input : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(err, STDERR_FILENO) >= 0 && (!order->folder || chdir(order->folder) == 0) &&
        (!cpus || sched_setaffinity(0, sizeof *cpus, cpus) == 0)) {
        signal(SIGXFSZ, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(order->argv[0], (char *const *)order->argv);
    }
    int reason = errno;
    if (write(report, &reason, sizeof reason) < 0)
        _exit(126);
    _exit(127);
}

/* Starts it; the write end of a close-on-exec pipe tells why exec failed, if it did. */
static int start(const struct child_order *order, struct running *r, struct error *error)
{
    int out[2], err[2], report[2], reason = 0;
    cpu_set_t cpus;
    bool pinned = order->cpus && *order->cpus;
    if (pinned && !parse_cpu_list(order->cpus, &cpus))
        return error_set(error, "cannot start %s on the CPUs %s", order->argv[0], order->cpus);
    if (pipe2(out, O_CLOEXEC) != 0)
        return error_set(error, "cannot make a pipe: %s", strerror(errno));
    if (pipe2(err, O_CLOEXEC) != 0)
        goto fail_out;
    if (pipe2(report, O_CLOEXEC) != 0)
        goto fail_err;
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid < 0)
        goto fail_report;
    if (pid == 0)
        become(order, pinned ? &cpus : NULL, self, out[1], err[1], report[1]);
    setpgid(pid, pid); /* here and in the child: whoever comes first */
    close(out[1]);
    close(err[1]);
    close(report[1]);
    ssize_t got = read(report[0], &reason, sizeof reason);
    close(report[0]);
    if (got > 0) {
        waitpid(pid, NULL, 0);
        close(out[0]);
        close(err[0]);
        return error_set(error, "cannot start %s: %s", order->argv[0], strerror(reason));
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    *r =
        (struct running){.program = order->argv[0], .pid = pid, .out_fd = out[0], .err_fd = err[0]};
    r->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return 0;

fail_report:
    reason = errno;
    close(report[0]);
    close(report[1]);
fail_err:
    reason = reason ? reason : errno;
    close(err[0]);
    close(err[1]);
fail_out:
    reason = reason ? reason : errno;
    close(out[0]);
    close(out[1]);
    return error_set(error, "cannot start %s: %s", order->argv[0], strerror(reason));
}

static void append(struct text *t, const char *bytes, size_t size)
{
    char *larger = t->size < OUTPUT_LIMIT ? realloc(t->bytes, t->size + size + 1) : NULL;
    if (!larger)
        return;
    t->bytes = larger;
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    t->bytes[t->size] = '\0';
}

/* Takes what is there; closes `*fd` at its end. */
static void drain(int *fd, struct text *t)
{
    char bytes[16384];
    while (*fd >= 0) {
        ssize_t got = read(*fd, bytes, sizeof bytes);
        if (got > 0) {
            append(t, bytes, (size_t)got);
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        close(*fd);
        *fd = -1;
    }
}

static void tell_to_end(struct running *r, int signal)
{
    if (r->told_to_end)
        return;
    r->told_to_end = true;
    kill(r->pid, signal);
    uint64_t farewell_ns = clock_now_ns() + FAREWELL_NS;
    if (farewell_ns < r->kill_ns)
        r->kill_ns = farewell_ns;
}

/* Without a pidfd (before Linux 5.3) the child's end shows as the end of its output. */
static bool has_ended(const struct running *r, const struct pollfd *watched)
{
    return r->pid_fd >= 0 ? watched[2].revents != 0 : r->out_fd < 0 && r->err_fd < 0;
}

/* Listens until the child has ended; kills it when its time is over. */
static void listen_to(const struct child_order *order, struct running *r, struct outcome *o)
{
    sigset_t waiting;
    sigprocmask(SIG_SETMASK, NULL, &waiting);
    sigdelset(&waiting, SIGINT);
    sigdelset(&waiting, SIGTERM);
    sigdelset(&waiting, SIGHUP);
    for (;;) {
        if (bench_stop > 0 && !o->interrupted) {
            o->interrupted = true;
            tell_to_end(r, SIGINT);
        }
        if (order->one_line && r->out.size > 0 && strchr(r->out.bytes, '\n'))
            tell_to_end(r, SIGTERM);
        uint64_t now_ns = clock_now_ns();
        if (now_ns >= r->kill_ns || bench_stop > 1) {
            o->timed_out = now_ns >= r->kill_ns;
            return;
        }
        struct timespec left = timespec_of_ns(r->kill_ns - now_ns);
        struct pollfd watched[] = {{.fd = r->out_fd, .events = POLLIN},
                                   {.fd = r->err_fd, .events = POLLIN},
                                   {.fd = r->pid_fd, .events = POLLIN}};
        if (ppoll(watched, sizeof watched / sizeof *watched, &left, &waiting) < 0)
            continue;
        drain(&r->out_fd, &r->out);
        drain(&r->err_fd, &r->err);
        if (has_ended(r, watched))
            return;
    }
}

/* The group is killed in any case: what the child started and left must not stay. */
static void finish(struct running *r, struct outcome *o)
{
    int status = 0;
    bool ended = r->pid_fd >= 0 && waitpid(r->pid, &status, WNOHANG) == r->pid;
    kill(-r->pid, SIGKILL);
    if (!ended)
        waitpid(r->pid, &status, 0);
    drain(&r->out_fd, &r->out);
    drain(&r->err_fd, &r->err);
    o->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    o->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (r->out_fd >= 0)
        close(r->out_fd);
    if (r->err_fd >= 0)
        close(r->err_fd);
    if (r->pid_fd >= 0)
        close(r->pid_fd);
}

/* To its end, which is certain; its words become the outcome's. */
static int see_out(const struct child_order *order, struct running *r, struct outcome *o,
                   struct error *error)
{
    *o = (struct outcome){.exit_code = -1};
    append(&r->out, "", 0);
    append(&r->err, "", 0);
    listen_to(order, r, o);
    finish(r, o);
    o->output = r->out.bytes;
    o->output_size = r->out.size;
    o->messages = r->err.bytes;
    if (o->output && o->messages)
        return 0;
    outcome_free(o);
    return error_set(error, "no memory for the output of %s", r->program);
}

int child_run(const struct child_order *order, struct outcome *o, struct error *error)
{
    struct running r = {.pid = -1, .out_fd = -1, .err_fd = -1, .pid_fd = -1};
    if (start(order, &r, error) != 0)
        return -1;
    uint64_t start_ns = clock_now_ns();
    r.kill_ns = start_ns + (uint64_t)(order->limit_s * (double)NS_PER_S);
    int result = see_out(order, &r, o, error);
    o->elapsed_s = (double)(clock_now_ns() - start_ns) / (double)NS_PER_S;
    return result;
}

void outcome_free(struct outcome *o)
{
    free(o->output);
    free(o->messages);
    *o = (struct outcome){.exit_code = -1};
}

struct running *child_start(const struct child_order *order, struct error *error)
{
    struct running *r = malloc(sizeof *r);
    if (!r)
        error_set(error, "no memory to start %s", order->argv[0]);
    else if (start(order, r, error) != 0) {
        free(r);
        r = NULL;
    }
    return r;
}

pid_t child_pid(const struct running *r)
{
    return r->pid;
}

bool child_ends_within(const struct running *r, double seconds)
{
    struct pollfd watched = {.fd = r->pid_fd, .events = POLLIN};
    return poll(&watched, 1, (int)(seconds * 1e3)) > 0;
}

int child_end(struct running *r, struct outcome *o, struct error *error)
{
    const struct child_order order = {.one_line = false};
    r->kill_ns = UINT64_MAX;
    tell_to_end(r, SIGTERM);
    int result = see_out(&order, r, o, error);
    free(r);
    return result;
}
