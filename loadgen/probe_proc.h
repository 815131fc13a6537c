/* What /proc says of processes and their threads. Needs no privilege for
 * processes of the same user. Every function may find the process gone: that is
 * a return value, not an error. Knows nothing of the measured window. */
#ifndef LOADGEN_PROBE_PROC_H
#define LOADGEN_PROBE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The whole text of a small file, with a terminating 0; -1 when it cannot be read. */
int proc_read(const char *path, char *text, size_t size);

/* The number after `label` at the start of a line ("VmRSS:"), times `unit`; -1: no such line. */
int64_t proc_field(const char *text, const char *label, int64_t unit);

/* Of a process: its dead threads are included. The children are those that it
 * has waited for. Times are in clock ticks, as the kernel gives them. */
struct process_counts {
    pid_t parent;
    int64_t start_ticks;
    int64_t faults_minor, faults_major, child_faults_minor, child_faults_major;
    int64_t user_ticks, system_ticks, child_user_ticks, child_system_ticks;
};

bool proc_counts(pid_t, struct process_counts *);

/* Nanoseconds of a clock tick, in which /proc gives times. */
int64_t proc_tick_ns(void);

/* CPU time of the process, dead threads included; -1: gone. */
int64_t proc_cpu_ns(pid_t);

/* Threads of the process without reading any of them; 0: gone. */
int64_t proc_threads(pid_t);

/* Processes and threads that the machine has created since boot; -1: unknown. */
int64_t proc_forks(void);

/* CPU time of all processes of the machine, with that of the children that they have waited for, so
 * that it is not lost when one ends. -1: there are more than `most`, or not all can be seen (in a
 * PID namespace, or proc(5)'s hidepid). Takes about 10 us a process. */
int64_t proc_cpu_of_all_ns(size_t most);

/* A process tree. Members stay until they end, even if their parent ended before them. */
struct tree {
    pid_t *pids;
    size_t count, capacity;
};

/* 0, or -1 with ENOMEM; a member is not added twice. */
int tree_add(struct tree *, pid_t);
/* Adds the descendants of all members: reads every process of the machine. */
int tree_scan(struct tree *);
/* Makes these the members, without those that have ended. */
int tree_set(struct tree *, const pid_t *pids, size_t count);
void tree_free(struct tree *);

/* Does this kernel count how long threads wait for a CPU (CONFIG_SCHED_INFO)? */
bool proc_knows_waits(void);

/* Every thread of a tree, in the order of their ids. */
struct task {
    pid_t tid;
    int64_t voluntary, involuntary, cpu_ns; /* -1 when only ids were asked for */
    int64_t wait_ns, migrations;            /* -1 also when the kernel does not tell */
};

struct tasks {
    struct task *tasks;
    size_t count, capacity;
};

/* 0, or -1 with ENOMEM. */
int tasks_read(struct tasks *, const struct tree *, bool ids_only);
const struct task *tasks_find(const struct tasks *, pid_t tid);
void tasks_free(struct tasks *);

#endif
