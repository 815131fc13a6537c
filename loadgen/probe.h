/* What the server cost while the load was measured: context switches, CPU,
 * memory, threads, page faults, of the server's whole process tree.
 *
 * The life of a probe: open it before the server executes (or on one that
 * runs), let it look on during the warm-up, begin the window, sample it about
 * every 50 ms, end the window, read the result, close. All from one thread.
 *
 * Every quantity is either measured or PROBE_UNKNOWN, never a 0 that stands for
 * "do not know"; for what is unknown a warning says why and how to permit it.
 * docs/probes.md has the kernel interface, error and cost of each. Knows
 * nothing of requests and of the server's concurrency model. */
#ifndef LOADGEN_PROBE_H
#define LOADGEN_PROBE_H

#include "loadgen/probe_syscalls.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROBE_UNKNOWN INT64_C(-1)

enum { PROBE_WARNINGS_MAX = 24 };

/* What the probe may use to count switches. A lesser one is for tests, and for
 * showing what an unprivileged user gets. */
enum probe_means {
    PROBE_BEST,       /* the kernel's ledger, else switch records, else /proc */
    PROBE_NO_LEDGER,  /* switch records, else /proc */
    PROBE_PROC_ALONE, /* no perf events and no BPF */
};

struct probe_result {
    int64_t window_ns;

    int64_t switches_voluntary, switches_involuntary, switches_total;
    const char *switches_source; /* "ledger", "records", "proc" */

    int64_t cpu_ns;                     /* exact */
    int64_t cpu_user_ns, cpu_system_ns; /* its split, known once there was a clock tick to go by */

    /* At the window's end, but for the peak. Shared pages count once for each
     * process in rss, proportionally in pss. */
    int64_t rss_bytes, rss_peak_bytes, pss_bytes;
    /* Parts of rss: resident user stacks, other anonymous memory, files. */
    int64_t stack_bytes, anonymous_bytes, file_bytes;
    /* Of the largest process, from its exec until the window's end. The kernel forgets what was
     * before the window when the peak starts anew, also in the account that wait4(2) gives. */
    int64_t rss_peak_of_life_bytes;
    int64_t kernel_stack_bytes, page_table_bytes;
    int64_t socket_bytes;        /* data queued in the kernel and memory reserved for it */
    int64_t socket_count;        /* sockets on the server's port, the listening one included */
    int64_t socket_struct_bytes; /* the kernel's objects behind those sockets */

    /* Time that threads were runnable and waited for a CPU, and moves from one CPU to another. */
    int64_t wait_ns, migrations;

    /* The processor's counters, if probe_count_hardware asked for them. */
    int64_t instructions, cycles, cache_misses;

    /* System calls in the phase after the window: all, and by number (probe_syscalls.h). */
    int64_t syscalls;
    uint64_t syscalls_by_number[SYSCALL_NUMBERS];

    int64_t threads_max;
    int64_t threads_born, threads_died; /* within the window */
    int64_t faults_minor, faults_major;

    char *warnings[PROBE_WARNINGS_MAX];
    size_t warning_count;
};

struct probe;

/* NULL with a message in `error` when there is no such process or no memory.
 * The process may have execed or not, have threads, have children. */
struct probe *probe_open(pid_t root, enum probe_means, char *error, size_t error_size);
void probe_close(struct probe *);

/* Has the processor count instructions, cycles and cache misses too. At once after probe_open, and
 * only on request, since it costs the server time for each thread and switch. Where the machine
 * does not have or permit it, the result says so. */
void probe_count_hardware(struct probe *);

/* The server's listening port, by which its sockets are found. */
void probe_set_port(struct probe *, uint16_t port);

/* About every 50 ms before the window: shows whether threads come and go. */
void probe_warmup_sample(struct probe *);

void probe_window_begin(struct probe *);
/* About every 50 ms inside the window; a few microseconds for each process. */
void probe_sample(struct probe *);
/* Takes the counters at once, then reads memory: that holds the server's
 * memory-map lock for milliseconds, which no longer matters. */
void probe_window_end(struct probe *);

/* System calls, in an extra phase after the window, since counting them slows
 * each of them down. Begin: 0, or -1 and a warning in the result. End: the result has what the
 * tree called since. */
int probe_syscalls_begin(struct probe *);
void probe_syscalls_end(struct probe *);

/* Valid until probe_close; before probe_window_end all is unknown. */
const struct probe_result *probe_result(const struct probe *);

#endif
