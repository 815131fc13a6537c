#include "switches/memory.h"

#include <linux/membarrier.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct memory_source memory_sources[MEMORY_PARTS] = {
    [MEMORY_USER] = {"user_bytes", "Pss in /proc/PID/smaps_rollup"},
    [MEMORY_PAGE_TABLES] = {"page_table_bytes", "VmPTE in /proc/PID/status"},
    [MEMORY_KERNEL_STACKS] = {"kernel_stack_bytes", "KernelStack in /proc/meminfo"},
    [MEMORY_SLAB] = {"slab_bytes", "Slab in /proc/meminfo"},
};

double memory_line_bytes(const char *text, const char *label)
{
    size_t length = strlen(label);
    for (const char *line = text; line && *line;) {
        if (strncmp(line, label, length) == 0 && line[length] == ':')
            return strtod(line + length + 1, NULL) * 1024;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NAN;
}

static double file_bytes(const char *path, const char *label)
{
    char text[8192];
    FILE *file = fopen(path, "re");
    if (!file)
        return NAN;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return memory_line_bytes(text, label);
}

static void add_process(struct memory *m, long pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
    m->bytes[MEMORY_USER] += file_bytes(path, "Pss");
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    m->bytes[MEMORY_PAGE_TABLES] += file_bytes(path, "VmPTE");
}

/* What was freed before must not pass for what the next ones take: malloc gives its pages back, and
 * the kernel frees some of what it had when all CPUs have passed a point of rest (RCU). */
static void settle(void)
{
    malloc_trim(0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

struct memory memory_now(const pid_t *children, size_t count)
{
    struct memory m = {{0}};
    settle();
    add_process(&m, getpid());
    for (size_t i = 0; i < count; i++)
        add_process(&m, children[i]);
    m.bytes[MEMORY_KERNEL_STACKS] = file_bytes("/proc/meminfo", "KernelStack");
    m.bytes[MEMORY_SLAB] = file_bytes("/proc/meminfo", "Slab");
    return m;
}
