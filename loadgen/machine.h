/* What the machine did while the load was measured: whose the CPUs' time was,
 * whether they were slowed down, whether memory was short, what the network lost.
 *
 * A snapshot of the kernel's counters at each end of the window, and what lies
 * between the two. It says whether a measurement was disturbed by something
 * that is neither the server nor the generator. docs/loadgen.md has the source
 * and the error of each figure. Knows nothing of requests, and of the server
 * only how much CPU time it took. */
#ifndef LOADGEN_MACHINE_H
#define LOADGEN_MACHINE_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of some CPUs together, since boot. */
struct cpu_times {
    int64_t user_ns, system_ns, irq_ns, softirq_ns, steal_ns, idle_ns;
};

enum machine_resource { RESOURCE_CPU, RESOURCE_MEMORY, RESOURCE_IO, RESOURCES };

enum machine_network {
    NETWORK_LISTEN_OVERFLOWS,
    NETWORK_LISTEN_DROPS,
    NETWORK_RETRANSMISSIONS,
    NETWORK_SYN_RETRANSMISSIONS,
    NETWORK_COUNTERS,
};

/* What the machine does not have is PROBE_UNKNOWN (probe.h). */
struct machine_snapshot {
    int64_t at_ns;
    int64_t own_cpu_ns;       /* of this process */
    int64_t processes_cpu_ns; /* of all of the machine; unknown where they are many */
    unsigned cpu_count;       /* online; 0: /proc/stat could not be read */
    struct cpu_times all, chosen;
    int64_t frequency_min_khz, frequency_max_khz, frequency_mean_khz; /* of the chosen CPUs */
    int64_t throttle_events;                                          /* of the chosen CPUs */
    int64_t swapped_pages;
    int64_t stalled_us[RESOURCES]; /* some task waited for it */
    int64_t disks_busy_ms;         /* all disks' and partitions' time with requests, summed */
    int64_t network[NETWORK_COUNTERS];
};

/* Takes a fifth of a millisecond on a machine with few CPUs, and 10 us for each process of it. */
void machine_snapshot(struct machine_snapshot *, const cpu_set_t *chosen);

/* Is the time that a CPU spends in interrupts kept out of the CPU time of the task that they
 * interrupt (CONFIG_IRQ_TIME_ACCOUNTING)? Reads some megabytes: not for the measured window. */
enum machine_answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN };
enum machine_answer machine_accounts_irq_time(void);

/* Between two snapshots: shares are NAN and counts PROBE_UNKNOWN where they are not known. */
struct machine_result {
    bool has_cpu_times;
    bool too_short; /* for other_cpu_share: less than 0.3 s */
    /* Of the chosen CPUs' time; together they are 1. */
    double user_share, system_share, irq_share, softirq_share, steal_share, idle_share;
    double other_cpu_share; /* of one CPU, in use by neither the server nor this process */
    int64_t frequency_min_khz, frequency_max_khz, frequency_begin_khz, frequency_end_khz;
    int64_t throttle_events, swapped_pages;
    /* Of the time: some task waited for the resource; for IO no more than disks were busy, since
     * the kernel also counts whoever waits for completions of an io_uring, of sockets too. */
    double some_share[RESOURCES];
    int64_t network[NETWORK_COUNTERS];
};

/* server_cpu_ns: the server's CPU time between the two, or PROBE_UNKNOWN. */
struct machine_result machine_between(const struct machine_snapshot *begin,
                                      const struct machine_snapshot *end, int64_t server_cpu_ns,
                                      enum machine_answer irq_time_is_apart);

/* Which figures are missing that a usual machine has, why, and how to get them; "" if none is. */
void machine_describe_missing(const struct machine_result *, char *text, size_t size);

#endif
