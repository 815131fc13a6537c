/* What the numbers of system calls mean, by the headers of the machine that this was compiled
 * for. Knows nothing of how calls are counted. */
#ifndef LOADGEN_PROBE_SYSCALLS_H
#define LOADGEN_PROBE_SYSCALLS_H

/* Counts are kept by number; the last one is for all numbers from there on. Linux gives new calls
 * consecutive numbers, which are below 500 on every architecture that has no bases of its own. */
enum { SYSCALL_NUMBERS = 1024, SYSCALL_OTHER = SYSCALL_NUMBERS - 1, SYSCALL_NAME_SIZE = 32 };

/* "read"; "syscall_467" if the headers do not know the number; "other" for SYSCALL_OTHER. The
 * text is in `buffer`, or constant. */
const char *syscall_name(unsigned number, char buffer[SYSCALL_NAME_SIZE]);

#endif
