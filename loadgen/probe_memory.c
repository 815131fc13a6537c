#include "loadgen/probe_memory.h"

#include "loadgen/probe_proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 64, TEXT_SIZE = 8192, GUARD_MAX_BYTES = 64 << 10, KIB = 1024 };

/* A line of /proc/PID/smaps that opens a mapping. */
struct mapping {
    uint64_t start, end;
    bool writable, no_access, anonymous, main_stack;
};

static bool parse_mapping(const char *line, struct mapping *m)
{
    char access[5];
    uint64_t inode;
    int name_at = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*s %" SCNu64 " %n", &m->start, &m->end,
               access, &inode, &name_at) != 4)
        return false;
    m->writable = access[1] == 'w';
    m->no_access = strncmp(access, "---", 3) == 0;
    m->anonymous = inode == 0;
    m->main_stack = name_at && strncmp(line + name_at, "[stack]", 7) == 0;
    return true;
}

/* glibc and musl put a guard without access below each thread's stack, by
 * default of one page. The reserve of a malloc arena has no access either, but
 * is megabytes long, and lies above the arena. */
static bool is_stack(const struct mapping *below, const struct mapping *m)
{
    if (m->main_stack)
        return true;
    return m->anonymous && m->writable && below->no_access && below->anonymous &&
           below->end == m->start && below->end - below->start <= GUARD_MAX_BYTES;
}

/* "Rss:  12 kB" of the current mapping goes to one of three kinds; what a
 * process wrote into its private mapping of a file is anonymous memory. */
static bool read_kinds(pid_t pid, struct memory *m)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;

    struct mapping below = {0}, now = {0};
    bool stack = false;
    int64_t rss = 0, stack_bytes = 0, anonymous = 0, file = 0, stacks = 0;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, f) > 0) {
        struct mapping next;
        if (strncmp(line, "Rss:", 4) == 0) {
            rss = strtoll(line + 4, NULL, 10) * KIB;
            if (stack)
                stack_bytes += rss;
        } else if (strncmp(line, "Anonymous:", 10) == 0 && !stack) {
            int64_t own = strtoll(line + 10, NULL, 10) * KIB;
            anonymous += own;
            file += rss - own;
        } else if (parse_mapping(line, &next)) {
            below = now;
            now = next;
            stack = is_stack(&below, &now);
            stacks += stack;
        }
    }
    free(line);
    bool whole = !ferror(f);
    fclose(f);
    if (!whole)
        return false;
    m->stack_bytes = stack_bytes;
    m->anonymous_bytes = anonymous;
    m->file_bytes = file;
    m->stack_count = stacks;
    return true;
}

bool memory_read(pid_t pid, struct memory *m)
{
    char path[PATH_SIZE], text[TEXT_SIZE];
    *m = (struct memory){-1, -1, -1, -1, -1, -1, -1, -1};

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (proc_read(path, text, sizeof text))
        return false;
    m->rss_bytes = proc_field(text, "VmRSS:", KIB);
    m->rss_peak_bytes = proc_field(text, "VmHWM:", KIB);
    m->page_table_bytes = proc_field(text, "VmPTE:", KIB);
    if (m->rss_bytes < 0) /* a zombie has no memory */
        return false;

    /* The page tables are exact; the counters behind VmRSS are kept per CPU
     * and may be off by some dozens of pages for each. */
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    if (proc_read(path, text, sizeof text) == 0) {
        m->rss_bytes = proc_field(text, "Rss:", KIB);
        m->pss_bytes = proc_field(text, "Pss:", KIB);
    }
    if (m->rss_peak_bytes >= 0 && m->rss_peak_bytes < m->rss_bytes)
        m->rss_peak_bytes = m->rss_bytes;
    read_kinds(pid, m);
    return true;
}

int64_t memory_peak_bytes(pid_t pid)
{
    char path[PATH_SIZE], text[TEXT_SIZE];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return proc_read(path, text, sizeof text) ? -1 : proc_field(text, "VmHWM:", 1024);
}

/* proc_pid_clear_refs(5), Linux 4.0. */
int memory_reset_peak(pid_t pid)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, "5", 1);
    close(fd);
    return n == 1 ? 0 : -1;
}

/* The machine's kernel stacks divided by its tasks, rounded to the power of two
 * that a stack's size is. Some stacks are kept for reuse or belong to a task
 * that is ending, so the quotient lies a little above it. */
int64_t memory_kernel_stack_bytes(void)
{
    char text[TEXT_SIZE];
    long tasks = 0;
    if (proc_read("/proc/loadavg", text, sizeof text) ||
        sscanf(text, "%*s %*s %*s %*d/%ld", &tasks) != 1 || tasks < 1)
        return -1;
    if (proc_read("/proc/meminfo", text, sizeof text))
        return -1;
    int64_t all = proc_field(text, "KernelStack:", KIB);
    if (all <= 0)
        return -1;
    int64_t size = KIB;
    while (size * 3 / 2 < all / tasks) /* nearest: the boundary is half way up */
        size *= 2;
    return size;
}
