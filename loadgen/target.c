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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

/* What exec touches before the memory is the server's (0.4 MiB were seen), and how far off the
 * kernel's count of resident pages may be. */
enum { EXEC_MARGIN_BYTES = 1 << 20 };

enum end { READ_END, WRITE_END };

/* Between fork and exec: the gate holds the child back until its parent is
 * ready, the verdict brings back how large the child was before exec, and the
 * errno of a failed exec. */
struct birth {
    int gate[2], verdict[2], output[2];
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

static void become_server(const struct birth *b, char *const argv[], pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above could take effect */
        _exit(127);
    restore_signals();

    char go;
    close(b->gate[WRITE_END]);
    if (read(b->gate[READ_END], &go, 1) != 1)
        _exit(127);
    struct rusage before_exec = {0};
    getrusage(RUSAGE_SELF, &before_exec);
    int64_t rss_kib = before_exec.ru_maxrss;
    if (write(b->verdict[WRITE_END], &rss_kib, sizeof rss_kib) != (ssize_t)sizeof rss_kib)
        _exit(127);
    if (dup2(b->output[WRITE_END], STDOUT_FILENO) >= 0)
        execvp(argv[0], argv);

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
    }
}

static int birth_open(struct birth *b)
{
    *b = (struct birth){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(b->gate, O_CLOEXEC) == 0 && pipe2(b->verdict, O_CLOEXEC) == 0 &&
        pipe2(b->output, O_CLOEXEC) == 0)
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

/* The group may have members that outlived the process which we started. */
static void kill_group(struct target *t)
{
    kill(-t->pid, SIGKILL);
    kill(t->pid, SIGKILL); /* if it did not get as far as having a group */
    if (!t->ended)
        reap(t);
    close_if_open(&t->pidfd);
    close_if_open(&t->output);
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

static int output_ended(struct target *t, char *error, size_t error_size)
{
    char how[96];
    if (!ends_within(t->pidfd, NS_PER_S))
        return fail(error, error_size, "the server closed its standard output and is not ready");
    reap(t);
    target_describe_end(t, how, sizeof how);
    return fail(error, error_size, "the server %s before it was ready", how);
}

/* Reads a byte at a time: a few dozen, once, and none that follow the line. */
static int await_ready(struct target *t, double timeout_s, char *error, size_t error_size)
{
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    uint64_t deadline_ns = clock_now_ns() + ns_of_seconds(timeout_s);

    for (;;) {
        uint64_t now_ns = clock_now_ns();
        struct timespec left = timespec_of_ns(now_ns < deadline_ns ? deadline_ns - now_ns : 0);
        struct pollfd p = {.fd = t->output, .events = POLLIN};
        int polled = ppoll(&p, 1, &left, NULL);
        if (polled < 0 && errno == EINTR)
            continue;
        if (polled == 0)
            return fail(error, error_size, "the server printed no ready line within %g s",
                        timeout_s);

        char c;
        ssize_t n = polled < 0 ? -1 : read(t->output, &c, 1);
        if (n == 0)
            return output_ended(t, error, error_size);
        if (n < 0)
            return fail(error, error_size, "reading the server's standard output: %s",
                        strerror(errno));
        if (c != '\n') {
            if (length < sizeof line - 1)
                line[length++] = c;
            continue;
        }
        line[length] = '\0';
        length = 0;
        int ready = parse_ready(t, line);
        if (ready < 0)
            return fail(error, error_size, "the server's ready line makes no sense: %s", line);
        if (ready)
            return 0;
    }
}

static void *drain_output(void *arg)
{
    const struct target *t = arg;
    char nowhere[4096];
    struct pollfd p[] = {{.fd = t->output, .events = POLLIN},
                         {.fd = t->stop_drain, .events = POLLIN}};
    while (poll(p, 2, -1) >= 0 && !p[1].revents)
        if (read(t->output, nowhere, sizeof nowhere) <= 0)
            break;
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

static int bring_up(struct target *t, struct birth *b, char *const argv[],
                    int (*before_exec)(void *, pid_t), void *arg, double ready_timeout_s,
                    char *error, size_t error_size)
{
    setpgid(t->pid, t->pid); /* the child does so too; whoever comes first */
    if ((t->pidfd = open_pidfd(t->pid)) < 0)
        return fail(error, error_size, "pidfd_open: %s", strerror(errno));
    if (before_exec && before_exec(arg, t->pid))
        return fail(error, error_size, "the server was not started");

    int exec_error = let_it_exec(t, b);
    if (exec_error)
        return fail(error, error_size, "%s: %s", argv[0], strerror(exec_error));

    t->output = b->output[READ_END];
    b->output[READ_END] = -1;
    if (await_ready(t, ready_timeout_s, error, error_size))
        return -1;
    if (start_draining(t))
        return fail(error, error_size, "draining the server's output: %s", strerror(errno));
    return 0;
}

int target_start(struct target *t, char *const argv[], int (*before_exec)(void *, pid_t), void *arg,
                 double ready_timeout_s, char *error, size_t error_size)
{
    *t = (struct target){.ours = true, .pidfd = -1, .output = -1, .stop_drain = -1};
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
        become_server(&b, argv, parent);

    int failed = bring_up(t, &b, argv, before_exec, arg, ready_timeout_s, error, error_size);
    birth_close(&b);
    if (failed)
        kill_group(t);
    return failed;
}

int target_attach(struct target *t, pid_t pid, char *error, size_t error_size)
{
    *t = (struct target){.pid = pid, .pidfd = -1, .output = -1, .stop_drain = -1};
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
        kill(t->pid, SIGTERM);
        t->was_killed = !ends_within(t->pidfd, ns_of_seconds(grace_s));
    }
    stop_draining(t);
    kill_group(t);
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
