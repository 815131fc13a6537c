/* The memory of one process, as the kernel accounts for it. Reading it walks
 * the page tables under the memory-map lock: not for use while the process is
 * being measured. Knows nothing of other processes and of sockets. */
#ifndef LOADGEN_PROBE_MEMORY_H
#define LOADGEN_PROBE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* -1: could not be read. */
struct memory {
    int64_t rss_bytes, rss_peak_bytes, pss_bytes;
    int64_t stack_bytes, anonymous_bytes, file_bytes; /* they add up to rss */
    int64_t page_table_bytes;
    int64_t stack_count; /* mappings that look like a thread's stack */
};

/* False when the process has ended. */
bool memory_read(pid_t, struct memory *);

/* Since exec, or since memory_reset_peak; -1: unknown. Off by some dozens of pages per CPU. */
int64_t memory_peak_bytes(pid_t);

/* The peak starts anew from what is resident now. 0, or -1 with errno. */
int memory_reset_peak(pid_t);

/* Kernel stack of a thread; -1: unknown. */
int64_t memory_kernel_stack_bytes(void);

#endif
