/* A ledger of context switches, kept by four small programs in the kernel; and of whatever else
 * the kernel counts in the same place: the wait for a CPU, migrations.
 *
 * The kernel counts every task's voluntary and involuntary switches anyway, in
 * task_struct; what is missing is somebody who writes the figures down before
 * a dead thread takes them along. A BPF program does so at each thread's exit,
 * a second one adds up the living when asked, a third follows fork so that the
 * ledger always covers the whole process tree. Nothing runs at a context
 * switch, and a thread is created and dies without anything to inherit: that
 * is why this is preferred to perf events (docs/probes.md has the figures).
 *
 * Needs CAP_BPF and CAP_PERFMON, and a kernel (5.8 or later) that describes its
 * types. Knows nothing of /proc and of the measured window. */
#ifndef LOADGEN_PROBE_LEDGER_H
#define LOADGEN_PROBE_LEDGER_H

#include "loadgen/probe_syscalls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the ledger knows of a process; the source names the columns. */
struct ledger_row {
    uint64_t column[15];
};

struct ledger {
    int map, exit_link, fork_link, iterator_link; /* descriptors */
    int iterator_program;
    int syscall_map, syscall_link;      /* -1 unless system calls are being counted */
    bool knows_waits, knows_migrations; /* else the kernel does not count them */
    struct ledger_row folded;           /* of processes that ended and were taken out of the map */
};

/* Since a process was entered: dead and living threads together. */
struct ledger_sums {
    uint64_t voluntary, involuntary;
    uint64_t user_ns, system_ns; /* as sampled by the kernel's tick; 0: none came */
    uint64_t wait_ns;            /* runnable, and not running */
    uint64_t migrations;
    uint64_t born, died; /* threads, a new process's first one included */
    uint64_t lost;       /* processes for which the ledger had no room */
};

/* 0, or -1 with errno and `why`, a text that says what failed. */
int ledger_open(struct ledger *, char *why, size_t why_size);
void ledger_close(struct ledger *);

/* Covers a process and all that it forks from now on. 0, or -1 with errno. */
int ledger_enter(struct ledger *, pid_t process);

/* All entered processes and their descendants, as of now. 0, or -1 with errno. */
int ledger_read(const struct ledger *, struct ledger_sums *);

/* Makes room for new processes by adding the rows of those that have ended into
 * one. Needed every now and then while a server forks: the map holds 16384. */
void ledger_fold(struct ledger *);

/* Fills in up to `capacity` covered processes, some of which may have ended; returns how many. */
size_t ledger_processes(const struct ledger *, pid_t *processes, size_t capacity);

/* Costs every system call on the machine some tens of nanoseconds while it is
 * on, and the covered ones more. 0, or -1 with errno. */
int ledger_count_syscalls(struct ledger *);
/* Counts no more, and tells how often each was entered, by number (probe_syscalls.h). 0, or -1 with
 * errno. */
int ledger_take_syscalls(struct ledger *, uint64_t counts[SYSCALL_NUMBERS]);

#endif
