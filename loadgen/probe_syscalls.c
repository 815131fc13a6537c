#include "loadgen/probe_syscalls.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>

/* Pairs rather than a table by number: a number may have two names, and some are large. */
static const struct {
    unsigned long number;
    const char *name;
} known[] = {
#include "syscall_names.h" /* the Makefile makes it of <sys/syscall.h> */
};

const char *syscall_name(unsigned number, char buffer[SYSCALL_NAME_SIZE])
{
    if (number >= SYSCALL_OTHER)
        return "other";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == number)
            return known[i].name;
    snprintf(buffer, SYSCALL_NAME_SIZE, "syscall_%u", number);
    return buffer;
}
