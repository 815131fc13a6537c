/* What a waiting task takes in memory: the slope over how many there are.
 *
 * User memory is the proportional set size of all processes concerned. The
 * kernel's is what /proc tells: page tables of those processes (VmPTE); stacks
 * and slab objects of the whole machine, for they are not accounted by process,
 * so that what else the machine does is noise. Knows nothing of rings. */
#ifndef SWITCHES_MEMORY_H
#define SWITCHES_MEMORY_H

#include <stddef.h>
#include <sys/types.h>

enum memory_part {
    MEMORY_USER,
    MEMORY_PAGE_TABLES,
    MEMORY_KERNEL_STACKS,
    MEMORY_SLAB,
    MEMORY_PARTS
};

/* In bytes; NaN: cannot be read here. */
struct memory {
    double bytes[MEMORY_PARTS];
};

extern const struct memory_source {
    const char *name;   /* as in results */
    const char *source; /* where it comes from */
} memory_sources[MEMORY_PARTS];

/* Of this process and these children of it. */
struct memory memory_now(const pid_t *children, size_t count);

/* "Label:   123 kB" in a file of that form, in bytes; NaN: it is not there. */
double memory_line_bytes(const char *text, const char *label);

#endif
