/* The server under test as a process: start it, know when it is ready, see
 * whether it still lives, stop it.
 *
 * A server that we start never outlives us: it is in a process group of its
 * own, which target_stop kills as a whole. If we are killed, the kernel kills
 * the process that we started (so start it from the main thread), and a keeper,
 * a process that does nothing but wait for our end, kills the group: a server
 * that forks workers would leave them behind. The group also keeps a Ctrl-C on
 * the terminal from the server: the measurement decides when it ends. Knows
 * nothing of HTTP and of what is measured. */
#ifndef LOADGEN_TARGET_H
#define LOADGEN_TARGET_H

#include "common/address.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long target_stop should wait: a server may take 5 s to finish what is in flight. */
#define TARGET_GRACE_S 6.0

/* The kernel's account when a server has ended: its dead threads and the children that it waited
 * for are included. Independent of the probes. */
struct target_lifetime {
    int64_t voluntary, involuntary; /* context switches */
    double user_s, system_s;
    int64_t rss_peak_bytes; /* of the largest process; -1: hidden by what it was before exec */
};

/* What to start, and how. */
struct target_order {
    char *const *argv;      /* argv[0] is found by PATH; NULL-terminated */
    const cpu_set_t *cpus;  /* to pin it to; NULL: as we are */
    int stop_signal;        /* that asks it to end; 0: SIGTERM */
    double ready_timeout_s; /* it is given up after so long */

    /* It is ready when this address accepts a connection; NULL: when it says so, in a line. */
    const struct address *ready_address;

    /* Runs in this process when the new one exists but has not yet executed the command; when it
     * does not return 0, the start is given up. May be NULL. */
    int (*before_exec)(void *arg, pid_t pid);
    void *arg;
};

enum { LAST_WORDS_BYTES = 256 };

struct target {
    pid_t pid;
    bool ours;     /* we started it, and shall stop it */
    char host[64]; /* as in the ready line, IPv6 without brackets; "" when attached */
    int port;      /* 0 when attached */
    char model[64];
    double compute_rate; /* iterations per microsecond; 0 when not told */

    /* How it ended. */
    bool ended;                      /* it is gone; status counts if it is ours */
    bool unasked;                    /* it ended before target_stop asked it to */
    bool was_killed;                 /* it did not end by itself within the grace period */
    int status;                      /* as from waitpid(2) */
    struct target_lifetime lifetime; /* if it is ours */

    int64_t rss_before_exec_bytes;

    int stop_signal;
    int pidfd;
    int output, errors; /* our ends of its standard output and error */
    size_t passed_on;   /* bytes of the latter that are on our own */
    char line[LAST_WORDS_BYTES], last_line[LAST_WORDS_BYTES];
    size_t line_bytes;
    int stop_drain; /* tells the thread below to end */
    bool draining;
    pthread_t drain;
    pid_t keeper;
    int keeper_fd; /* closed when we end, however that is */
};

/* Starts the server and waits until it is ready: until the order's address accepts a connection,
 * or for the line
 *     ready ADDR:PORT model=NAME pid=N compute_rate=R
 * on its standard output. What it prints besides is read and thrown away by a thread, so that it
 * never blocks: the struct must stay where it is until target_stop. What it writes to its standard
 * error appears on ours, up to 64 KiB: a log of every request would be a load of its own.
 * 0, or -1 with a message in `error`; then nothing is left behind. */
int target_start(struct target *, const struct target_order *, char *error, size_t error_size);

/* Refers to a process that runs already. 0, or -1 with a message in `error`. */
int target_attach(struct target *, pid_t pid, char *error, size_t error_size);

/* Once it is false, target_describe_end says how it ended. */
bool target_alive(struct target *);

/* Sends a signal: to its whole process group if it is ours, else to the process alone. */
void target_signal(const struct target *, int signal_number);

/* Its stop signal, `grace_s` seconds to end, SIGKILL for all that is left of the group.
 * Of a target that is not ours it only lets go. Call once. */
void target_stop(struct target *, double grace_s);

/* The last line of its standard error, "" when there was none: why it ended, mostly. To be asked
 * after target_stop. */
const char *target_last_words(const struct target *);

/* "exited with status 3", "was ended by signal 11 (Segmentation fault)", … */
void target_describe_end(const struct target *, char *text, size_t size);

#endif
