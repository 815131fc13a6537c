#include "loadgen/probe_proc.h"

#include "common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 64, TEXT_SIZE = 8192 };

static int read_text(int fd, char *text, size_t size)
{
    size_t have = 0;
    ssize_t n = 0;
    while (have < size - 1 && (n = read(fd, text + have, size - 1 - have)) > 0)
        have += (size_t)n;
    text[have] = '\0';
    return n < 0 || have == 0 ? -1 : 0;
}

int proc_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = read_text(fd, text, size);
    int error = errno;
    close(fd);
    errno = error;
    return failed;
}

int64_t proc_field(const char *text, const char *label, int64_t unit)
{
    size_t length = strlen(label);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, label, length) == 0)
            return strtoll(line + length, NULL, 10) * unit;
    }
    return -1;
}

/* proc_pid_stat(5). The command's name may hold anything, also a parenthesis. */
bool proc_counts(pid_t pid, struct process_counts *c)
{
    char path[PATH_SIZE], text[TEXT_SIZE];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (proc_read(path, text, sizeof text))
        return false;
    const char *after_name = strrchr(text, ')');
    if (!after_name)
        return false;
    int parent;
    int n = sscanf(after_name + 1,
                   " %*c %d %*d %*d %*d %*d %*u %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                   " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %*d %*d %*d %*d %" SCNd64,
                   &parent, &c->faults_minor, &c->child_faults_minor, &c->faults_major,
                   &c->child_faults_major, &c->user_ticks, &c->system_ticks, &c->child_user_ticks,
                   &c->child_system_ticks, &c->start_ticks);
    c->parent = parent;
    return n == 10;
}

int64_t proc_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The directory has a link for each thread and two of its own, and costs no
 * look at any of them (proc_task_getattr in the kernel's fs/proc/base.c). */
int64_t proc_threads(pid_t pid)
{
    char path[PATH_SIZE];
    struct stat about;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    if (stat(path, &about) || about.st_nlink < 3)
        return 0;
    return (int64_t)about.st_nlink - 2;
}

/* /proc/stat can be long (a number for each interrupt), its last lines matter. */
int64_t proc_forks(void)
{
    FILE *f = fopen("/proc/stat", "re");
    if (!f)
        return -1;
    char *line = NULL;
    size_t size = 0;
    int64_t forks = -1;
    while (forks < 0 && getline(&line, &size, f) > 0)
        forks = proc_field(line, "processes ", 1);
    free(line);
    fclose(f);
    return forks;
}

/* Room for one more element; 0, or -1 with ENOMEM. */
static int make_room(void **elements, size_t *capacity, size_t count, size_t element_size)
{
    if (count < *capacity)
        return 0;
    size_t more = *capacity ? *capacity * 2 : 16;
    void *grown = reallocarray(*elements, more, element_size);
    if (!grown)
        return -1;
    *elements = grown;
    *capacity = more;
    return 0;
}

/* --- processes -------------------------------------------------------------------------------- */

static bool is_member(const struct tree *t, pid_t pid)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->pids[i] == pid)
            return true;
    return false;
}

static int append(struct tree *t, pid_t pid)
{
    void *pids = t->pids;
    if (make_room(&pids, &t->capacity, t->count, sizeof *t->pids))
        return -1;
    t->pids = pids;
    t->pids[t->count++] = pid;
    return 0;
}

int tree_add(struct tree *t, pid_t pid)
{
    return is_member(t, pid) ? 0 : append(t, pid);
}

int tree_set(struct tree *t, const pid_t *pids, size_t count)
{
    t->count = 0;
    for (size_t i = 0; i < count; i++)
        if (proc_threads(pids[i]) > 0 && append(t, pids[i]))
            return -1;
    return 0;
}

/* Decimal and nothing else, as process and thread directories are named; else 0. */
static pid_t id_of_name(const char *name)
{
    char *end;
    if (name[0] < '0' || name[0] > '9')
        return 0;
    long id = strtol(name, &end, 10);
    return *end == '\0' ? (pid_t)id : 0;
}

int64_t proc_tick_ns(void)
{
    return (int64_t)NS_PER_S / sysconf(_SC_CLK_TCK);
}

static bool all_are_visible(void)
{
    char name[32];
    return proc_read("/proc/2/comm", name, sizeof name) == 0 && strcmp(name, "kthreadd\n") == 0;
}

int64_t proc_cpu_of_all_ns(size_t most)
{
    DIR *all = all_are_visible() ? opendir("/proc") : NULL;
    if (!all)
        return -1;
    const int64_t tick_ns = proc_tick_ns();
    int64_t sum_ns = 0;
    size_t count = 0;
    for (struct dirent *entry; count <= most && (entry = readdir(all));) {
        struct process_counts c;
        pid_t pid = id_of_name(entry->d_name);
        if (!pid || !proc_counts(pid, &c))
            continue;
        count++;
        int64_t own_ns = proc_cpu_ns(pid);
        sum_ns += own_ns < 0 ? 0 : own_ns;
        sum_ns += (c.child_user_ticks + c.child_system_ticks) * tick_ns;
    }
    closedir(all);
    return count <= most ? sum_ns : -1;
}

int tree_scan(struct tree *t)
{
    DIR *all = opendir("/proc");
    if (!all)
        return -1;
    int failed = 0;
    size_t before;
    do { /* a child may be listed before its parent */
        before = t->count;
        rewinddir(all);
        for (struct dirent *entry; !failed && (entry = readdir(all));) {
            struct process_counts c;
            pid_t pid = id_of_name(entry->d_name);
            if (pid && proc_counts(pid, &c) && is_member(t, c.parent))
                failed = tree_add(t, pid);
        }
    } while (!failed && t->count != before);
    closedir(all);
    return failed;
}

void tree_free(struct tree *t)
{
    free(t->pids);
    *t = (struct tree){0};
}

/* --- threads ---------------------------------------------------------------------------------- */

static int read_at(int directory, const char *name, char *text, size_t size)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = read_text(fd, text, size);
    close(fd);
    return failed;
}

/* schedstat: time on a CPU, time waiting for one, how often it got one (sched-stats.rst in the
 * kernel's documentation). */
enum { SCHED_CPU_NS, SCHED_WAIT_NS, SCHED_TIMES, SCHED_COLUMNS };

static bool parse_schedstat(const char *text, int64_t columns[SCHED_COLUMNS])
{
    return sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &columns[SCHED_CPU_NS],
                  &columns[SCHED_WAIT_NS], &columns[SCHED_TIMES]) == SCHED_COLUMNS;
}

/* Whoever asks has been given a CPU at least once, if the kernel counts that. */
bool proc_knows_waits(void)
{
    char text[TEXT_SIZE];
    int64_t columns[SCHED_COLUMNS];
    return proc_read("/proc/thread-self/schedstat", text, sizeof text) == 0 &&
           parse_schedstat(text, columns) && columns[SCHED_TIMES] > 0;
}

/* "se.nr_migrations    :   12"; kernels without CONFIG_SCHED_DEBUG have no such file. */
static int64_t read_migrations(int directory, pid_t tid)
{
    char name[PATH_SIZE], text[TEXT_SIZE];
    snprintf(name, sizeof name, "%d/sched", (int)tid);
    if (read_at(directory, name, text, sizeof text))
        return -1;
    const char *line = strstr(text, "\nse.nr_migrations");
    const char *colon = line ? strchr(line, ':') : NULL;
    return colon ? strtoll(colon + 1, NULL, 10) : -1;
}

static bool read_task(int directory, struct task *t)
{
    char name[PATH_SIZE], text[TEXT_SIZE];
    snprintf(name, sizeof name, "%d/status", (int)t->tid);
    if (read_at(directory, name, text, sizeof text))
        return false;
    t->voluntary = proc_field(text, "voluntary_ctxt_switches:", 1);
    t->involuntary = proc_field(text, "nonvoluntary_ctxt_switches:", 1);
    snprintf(name, sizeof name, "%d/schedstat", (int)t->tid);
    if (read_at(directory, name, text, sizeof text))
        return false;
    int64_t columns[SCHED_COLUMNS];
    if (!parse_schedstat(text, columns))
        return false;
    t->cpu_ns = columns[SCHED_CPU_NS];
    t->wait_ns = columns[SCHED_WAIT_NS];
    t->migrations = read_migrations(directory, t->tid);
    return t->voluntary >= 0 && t->involuntary >= 0;
}

static int add_tasks_of(struct tasks *ts, pid_t pid, bool ids_only)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    if (!d)
        return 0; /* ended */
    int failed = 0;
    for (struct dirent *entry; !failed && (entry = readdir(d));) {
        struct task t = {id_of_name(entry->d_name), -1, -1, -1, -1, -1};
        if (t.tid == 0 || (!ids_only && !read_task(dirfd(d), &t)))
            continue;
        void *tasks = ts->tasks;
        failed = make_room(&tasks, &ts->capacity, ts->count, sizeof t);
        ts->tasks = tasks;
        if (!failed)
            ts->tasks[ts->count++] = t;
    }
    closedir(d);
    return failed;
}

static int by_tid(const void *a, const void *b)
{
    const struct task *left = a, *right = b;
    return (left->tid > right->tid) - (left->tid < right->tid);
}

int tasks_read(struct tasks *ts, const struct tree *tree, bool ids_only)
{
    ts->count = 0;
    for (size_t i = 0; i < tree->count; i++)
        if (add_tasks_of(ts, tree->pids[i], ids_only))
            return -1;
    if (ts->count > 1)
        qsort(ts->tasks, ts->count, sizeof *ts->tasks, by_tid);
    return 0;
}

const struct task *tasks_find(const struct tasks *ts, pid_t tid)
{
    struct task key = {.tid = tid};
    return ts->count ? bsearch(&key, ts->tasks, ts->count, sizeof key, by_tid) : NULL;
}

void tasks_free(struct tasks *ts)
{
    free(ts->tasks);
    *ts = (struct tasks){0};
}
