#include "loadgen/target.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

/* What exec touches before the memory is the server's (0.4 MiB were seen), and how far off the
 * kernel's count of resident pages may be. */
enum { EXEC_MARGIN_BYTES = 1 << 20 };

/* What of the server's standard error is passed on to ours. */
enum { PASSED_ON_MOST = 64 << 10 };

/* Between two looks whether a port accepts connections. */
#define PORT_LOOK_NS (2 * NS_PER_MS)

enum end { READ_END, WRITE_END };

/* Between fork and exec: the gate holds the child back until its parent is
 * ready, the verdict brings back how large the child was before exec, and the
 * errno of a failed exec. */
struct birth {
    int gate[2], verdict[2], output[2], errors[2];
};

__attribute__((format(printf, 3, 4))) static int fail(char *error, size_t size, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return -1;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* True when the process behind the descriptor has ended within the time. */
static bool ends_within(int pidfd, uint64_t ns)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    uint64_t deadline_ns = clock_now_ns() + ns;
    for (;;) {
        uint64_t now_ns = clock_now_ns();
        struct timespec left = timespec_of_ns(now_ns < deadline_ns ? deadline_ns - now_ns : 0);
        int n = ppoll(&p, 1, &left, NULL);
        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

static uint64_t ns_of_seconds(double s)
{
    return s > 0 ? (uint64_t)(s * 1e9) : 0;
}

/* --- the child, until it is the server -------------------------------------------------------- */

/* Only async-signal-safe calls here: the parent may have threads. */
static void restore_signals(void)
{
    struct sigaction default_action = {.sa_handler = SIG_DFL};
    for (int s = 1; s < NSIG; s++)
        sigaction(s, &default_action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_server(const struct birth *b, const struct target_order *o, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above could take effect */
        _exit(127);
    restore_signals();
    if (o->cpus && sched_setaffinity(0, sizeof *o->cpus, o->cpus) < 0)
        _exit(127);

    char go;
    close(b->gate[WRITE_END]);
    if (read(b->gate[READ_END], &go, 1) != 1)
        _exit(127);
    struct rusage before_exec = {0};
    getrusage(RUSAGE_SELF, &before_exec);
    int64_t rss_kib = before_exec.ru_maxrss;
    if (write(b->verdict[WRITE_END], &rss_kib, sizeof rss_kib) != (ssize_t)sizeof rss_kib)
        _exit(127);
    if (dup2(b->output[WRITE_END], STDOUT_FILENO) >= 0 &&
        dup2(b->errors[WRITE_END], STDERR_FILENO) >= 0)
        execvp(o->argv[0], o->argv);

    int error = errno;
    ssize_t ignored = write(b->verdict[WRITE_END], &error, sizeof error);
    (void)ignored; /* without the verdict, the parent sees exit status 127 */
    _exit(127);
}

/* --- the parent ------------------------------------------------------------------------------- */

static void birth_close(struct birth *b)
{
    for (int i = 0; i < 2; i++) {
        close_if_open(&b->gate[i]);
        close_if_open(&b->verdict[i]);
        close_if_open(&b->output[i]);
        close_if_open(&b->errors[i]);
    }
}

static int birth_open(struct birth *b)
{
    *b = (struct birth){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(b->gate, O_CLOEXEC) == 0 && pipe2(b->verdict, O_CLOEXEC) == 0 &&
        pipe2(b->output, O_CLOEXEC) == 0 && pipe2(b->errors, O_CLOEXEC) == 0)
        return 0;
    int error = errno;
    birth_close(b);
    errno = error;
    return -1;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The kernel carries the peak of a process's memory over exec: a server that
 * stays below what our copy of ourselves had has no peak that we could know. */
static int64_t rss_peak_of(const struct target *t, const struct rusage *usage)
{
    int64_t peak_bytes = usage->ru_maxrss * INT64_C(1024);
    return peak_bytes > t->rss_before_exec_bytes + EXEC_MARGIN_BYTES ? peak_bytes : -1;
}

static void reap(struct target *t)
{
    struct rusage usage = {0};
    while (wait4(t->pid, &t->status, 0, &usage) < 0 && errno == EINTR)
        ;
    t->ended = true;
    t->lifetime = (struct target_lifetime){
        .voluntary = usage.ru_nvcsw,
        .involuntary = usage.ru_nivcsw,
        .user_s = seconds_of(usage.ru_utime),
        .system_s = seconds_of(usage.ru_stime),
        .rss_peak_bytes = rss_peak_of(t, &usage),
    };
}

/* --- the keeper ------------------------------------------------------------------------------- */

/* Waits for the end of the process that holds the pipe's other end. If that said nothing before,
 * it was killed, and could not end the server. */
static _Noreturn void keep(int from_parent, pid_t group)
{
    char done;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setpgid(0, 0); /* who kills our parent's group is not meant to kill us */
    prctl(PR_SET_NAME, "loadgen-keeper");
    if (dup2(from_parent, 0) == 0 && close_range(1, ~0U, 0) == 0 && read(0, &done, 1) == 0)
        kill(-group, SIGKILL);
    _exit(0);
}

static int start_keeper(struct target *t)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    t->keeper = fork();
    if (t->keeper == 0) {
        close(ends[WRITE_END]);
        keep(ends[READ_END], t->pid);
    }
    int error = errno;
    close(ends[READ_END]);
    t->keeper_fd = ends[WRITE_END];
    errno = error;
    return t->keeper < 0 ? -1 : 0;
}

static void dismiss_keeper(struct target *t)
{
    if (t->keeper > 0) {
        /* It reads before it ends, so that this cannot raise SIGPIPE. */
        ssize_t ignored = write(t->keeper_fd, "d", 1);
        (void)ignored; /* the group is gone: nothing is left that it could kill */
        while (waitpid(t->keeper, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    t->keeper = 0;
    close_if_open(&t->keeper_fd);
}

/* --- what the server says --------------------------------------------------------------------- */

static void remember(struct target *t, char c)
{
    if (c != '\n') {
        if (t->line_bytes < sizeof t->line - 1)
            t->line[t->line_bytes++] = c;
        return;
    }
    t->line[t->line_bytes] = '\0';
    if (t->line_bytes > 0)
        strcpy(t->last_line, t->line);
    t->line_bytes = 0;
}

/* Takes what is there of its standard error. false: that has ended. */
static bool hear_errors(struct target *t)
{
    char bytes[4096];
    ssize_t n;
    while (t->errors >= 0 && (n = read(t->errors, bytes, sizeof bytes)) != 0) {
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        for (ssize_t i = 0; i < n; i++)
            remember(t, bytes[i]);
        if (t->passed_on < PASSED_ON_MOST)
            t->passed_on += fwrite(bytes, 1, (size_t)n, stderr);
    }
    return false;
}

const char *target_last_words(const struct target *t)
{
    return t->last_line;
}

/* --- its end ---------------------------------------------------------------------------------- */

/* The group may have members that outlived the process which we started. */
static void kill_group(struct target *t)
{
    kill(-t->pid, SIGKILL);
    kill(t->pid, SIGKILL); /* if it did not get as far as having a group */
    if (!t->ended)
        reap(t);
    dismiss_keeper(t);
    hear_errors(t);
    close_if_open(&t->pidfd);
    close_if_open(&t->output);
    close_if_open(&t->errors);
    close_if_open(&t->stop_drain);
}

/* The next of the child's words; false: it said no more. */
static bool hear(const struct birth *b, void *word, size_t size)
{
    ssize_t n;
    do
        n = read(b->verdict[READ_END], word, size);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size;
}

/* Opens the gate; 0 when the command is running, else the errno of exec. */
static int let_it_exec(struct target *t, struct birth *b)
{
    close_if_open(&b->verdict[WRITE_END]);
    close_if_open(&b->output[WRITE_END]);
    /* The gate's other end stays open here, so that a child that died cannot
     * make this write raise SIGPIPE: its verdict is then an end of file. */
    if (write(b->gate[WRITE_END], "g", 1) != 1)
        return errno;

    int64_t rss_kib;
    int error;
    if (!hear(b, &rss_kib, sizeof rss_kib))
        return 0;
    t->rss_before_exec_bytes = rss_kib * 1024;
    return hear(b, &error, sizeof error) ? error : 0;
}

/* 1: this is the ready line; 0: another line; -1: a ready line that makes no sense. */
static int parse_ready(struct target *t, const char *line)
{
    char address[sizeof t->host + 8];
    if (strncmp(line, "ready ", 6) != 0)
        return 0;
    if (sscanf(line, "ready %71s model=%63s", address, t->model) != 2)
        return -1;
    const char *rate = strstr(line, " compute_rate=");
    t->compute_rate = rate ? strtod(rate + strlen(" compute_rate="), NULL) : 0;

    char *colon = strrchr(address, ':');
    if (!colon)
        return -1;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || port < 1 || port > 65535)
        return -1;
    *colon = '\0';

    char *host = address;
    size_t length = strlen(host);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        host++;
    }
    if (strlen(host) >= sizeof t->host)
        return -1;
    strcpy(t->host, host);
    t->port = (int)port;
    return 1;
}

/* It ended before it was ready: how, and its last words. */
static int ended_early(struct target *t, char *error, size_t error_size)
{
    char how[96];
    reap(t);
    hear_errors(t);
    remember(t, '\n');
    target_describe_end(t, how, sizeof how);
    bool well = WIFEXITED(t->status) && WEXITSTATUS(t->status) == 0;
    return fail(error, error_size, "the server %s before it was ready%s%s%s", how,
                well ? " (it has to stay in the foreground)" : "", *t->last_line ? ": " : "",
                t->last_line);
}

static int output_ended(struct target *t, char *error, size_t error_size)
{
    if (!ends_within(t->pidfd, NS_PER_S))
        return fail(error, error_size, "the server closed its standard output and is not ready");
    return ended_early(t, error, error_size);
}

/* Takes what is there of its standard output, a byte at a time: a few dozen, once, and none that
 * follow the ready line. 1: it is ready; 0: not yet; -1: it will not be. */
static int hear_ready(struct target *t, char *line, size_t *length, char *error, size_t error_size)
{
    char c;
    ssize_t n;
    while ((n = read(t->output, &c, 1)) == 1) {
        if (c != '\n') {
            if (*length < LINE_MAX_BYTES - 1)
                line[(*length)++] = c;
            continue;
        }
        line[*length] = '\0';
        *length = 0;
        int ready = parse_ready(t, line);
        if (ready < 0)
            return fail(error, error_size, "the server's ready line makes no sense: %s", line);
        if (ready)
            return 1;
    }
    if (n == 0)
        return output_ended(t, error, error_size);
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return fail(error, error_size, "reading the server's standard output: %s", strerror(errno));
}

static int await_ready_line(struct target *t, double timeout_s, char *error, size_t error_size)
{
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    uint64_t deadline_ns = clock_now_ns() + ns_of_seconds(timeout_s);
    bool errors_open = true;
    for (;;) {
        uint64_t now_ns = clock_now_ns();
        struct timespec left = timespec_of_ns(now_ns < deadline_ns ? deadline_ns - now_ns : 0);
        struct pollfd p[] = {{.fd = t->output, .events = POLLIN},
                             {.fd = errors_open ? t->errors : -1, .events = POLLIN}};
        int polled = ppoll(p, 2, &left, NULL);
        if (polled == 0)
            return fail(error, error_size, "the server printed no ready line within %g s",
                        timeout_s);
        if (polled < 0)
            continue;
        errors_open = hear_errors(t);
        int ready = hear_ready(t, line, &length, error, error_size);
        if (ready)
            return ready > 0 ? 0 : -1;
    }
}

/* A connection from a port to itself, which TCP allows (RFC 9293, simultaneous open) when the
 * kernel happens to choose that port for it, is none to a server. */
static bool is_to_itself(int fd)
{
    struct address here = {.length = sizeof here.socket}, there = {.length = sizeof there.socket};
    return getsockname(fd, (struct sockaddr *)&here.socket, &here.length) == 0 &&
           getpeername(fd, (struct sockaddr *)&there.socket, &there.length) == 0 &&
           here.length == there.length && memcmp(&here.socket, &there.socket, here.length) == 0;
}

static bool accepts(const struct address *address)
{
    int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool accepted = fd >= 0 &&
                    connect(fd, (const struct sockaddr *)&address->socket, address->length) == 0 &&
                    !is_to_itself(fd);
    close_if_open(&fd);
    return accepted;
}

static void throw_output_away(const struct target *t)
{
    char nowhere[4096];
    while (read(t->output, nowhere, sizeof nowhere) > 0)
        ;
}

static int await_port(struct target *t, const struct target_order *o, char *error,
                      size_t error_size)
{
    uint64_t deadline_ns = clock_now_ns() + ns_of_seconds(o->ready_timeout_s);
    char text[ADDRESS_TEXT_BYTES];
    while (!accepts(o->ready_address)) {
        hear_errors(t);
        throw_output_away(t);
        if (ends_within(t->pidfd, PORT_LOOK_NS))
            return ended_early(t, error, error_size);
        address_text(o->ready_address, text);
        if (clock_now_ns() >= deadline_ns)
            return fail(error, error_size, "the server accepted no connection on %s within %g s",
                        text, o->ready_timeout_s);
    }
    t->port = (int)address_port(o->ready_address);
    return 0;
}

static void *drain_output(void *arg)
{
    struct target *t = arg;
    struct pollfd p[] = {{.fd = t->output, .events = POLLIN},
                         {.fd = t->errors, .events = POLLIN},
                         {.fd = t->stop_drain, .events = POLLIN}};
    while (poll(p, 3, -1) >= 0 && !p[2].revents) {
        throw_output_away(t);
        if (p[0].revents & POLLHUP)
            p[0].fd = -1;
        if (!hear_errors(t))
            p[1].fd = -1;
    }
    return NULL;
}

/* A thread, since whoever measures must not have to think of it. It sleeps in
 * poll(2) and costs nothing while the server is silent. */
static int start_draining(struct target *t)
{
    sigset_t all, before;
    if ((t->stop_drain = eventfd(0, EFD_CLOEXEC)) < 0)
        return -1;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&t->drain, NULL, drain_output, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->draining = !failed;
    errno = failed;
    return failed ? -1 : 0;
}

static void stop_draining(struct target *t)
{
    if (!t->draining)
        return;
    /* A process which left the group may still hold the pipe: do not wait for its end. */
    eventfd_write(t->stop_drain, 1);
    pthread_join(t->drain, NULL);
    t->draining = false;
}

/* Our end of a pipe of the server's, which is never waited for in read(2). */
static int take_end(int *end)
{
    int fd = *end;
    *end = -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static int bring_up(struct target *t, struct birth *b, const struct target_order *o, char *error,
                    size_t error_size)
{
    setpgid(t->pid, t->pid); /* the child does so too; whoever comes first */
    if ((t->pidfd = open_pidfd(t->pid)) < 0)
        return fail(error, error_size, "pidfd_open: %s", strerror(errno));
    if (start_keeper(t))
        return fail(error, error_size, "fork: %s", strerror(errno));
    if (o->before_exec && o->before_exec(o->arg, t->pid))
        return fail(error, error_size, "the server was not started");

    int exec_error = let_it_exec(t, b);
    if (exec_error)
        return fail(error, error_size, "%s: %s", o->argv[0], strerror(exec_error));

    close_if_open(&b->errors[WRITE_END]);
    t->output = take_end(&b->output[READ_END]);
    t->errors = take_end(&b->errors[READ_END]);
    if (o->ready_address ? await_port(t, o, error, error_size)
                         : await_ready_line(t, o->ready_timeout_s, error, error_size))
        return -1;
    if (start_draining(t))
        return fail(error, error_size, "draining the server's output: %s", strerror(errno));
    return 0;
}

static const struct target nothing = {
    .pidfd = -1, .output = -1, .errors = -1, .stop_drain = -1, .keeper_fd = -1};

int target_start(struct target *t, const struct target_order *o, char *error, size_t error_size)
{
    *t = nothing;
    t->ours = true;
    t->stop_signal = o->stop_signal ? o->stop_signal : SIGTERM;
    struct birth b;
    if (birth_open(&b))
        return fail(error, error_size, "pipe: %s", strerror(errno));

    pid_t parent = getpid();
    t->pid = fork();
    if (t->pid < 0) {
        birth_close(&b);
        return fail(error, error_size, "fork: %s", strerror(errno));
    }
    if (t->pid == 0)
        become_server(&b, o, parent);

    int failed = bring_up(t, &b, o, error, error_size);
    birth_close(&b);
    if (failed)
        kill_group(t);
    return failed;
}

int target_attach(struct target *t, pid_t pid, char *error, size_t error_size)
{
    *t = nothing;
    t->pid = pid;
    if (pid > 0 && (t->pidfd = open_pidfd(pid)) >= 0)
        return 0;
    if (pid <= 0 || errno == ESRCH)
        return fail(error, error_size, "there is no process %d", (int)pid);
    if (errno == EINVAL)
        return fail(error, error_size, "%d is a thread; the process's own id is wanted", (int)pid);
    return fail(error, error_size, "process %d: %s", (int)pid, strerror(errno));
}

bool target_alive(struct target *t)
{
    if (t->ended)
        return false;
    if (!ends_within(t->pidfd, 0))
        return true;
    t->unasked = true;
    if (t->ours)
        reap(t);
    t->ended = true;
    return false;
}

void target_signal(const struct target *t, int signal_number)
{
    if (!t->ours || kill(-t->pid, signal_number) < 0)
        kill(t->pid, signal_number);
}

void target_stop(struct target *t, double grace_s)
{
    if (!t->ours) {
        close_if_open(&t->pidfd);
        return;
    }
    if (target_alive(t)) {
        kill(t->pid, t->stop_signal);
        t->was_killed = !ends_within(t->pidfd, ns_of_seconds(grace_s));
    }
    stop_draining(t);
    kill_group(t);
    remember(t, '\n');
}

void target_describe_end(const struct target *t, char *text, size_t size)
{
    if (!t->ended)
        snprintf(text, size, "is running");
    else if (!t->ours)
        snprintf(text, size, "ended");
    else if (t->was_killed)
        snprintf(text, size, "did not end when asked to, and was killed");
    else if (WIFSIGNALED(t->status))
        snprintf(text, size, "was ended by signal %d (%s)", WTERMSIG(t->status),
                 strsignal(WTERMSIG(t->status)));
    else
        snprintf(text, size, "exited with status %d", WEXITSTATUS(t->status));
}
