/* A run's result as the object of schema "switchpoint.run/1", and as text for a person. */
#ifndef LOADGEN_REPORT_H
#define LOADGEN_REPORT_H

#include "loadgen/capacity.h"
#include "loadgen/machine.h"
#include "loadgen/options.h"
#include "loadgen/probe.h"
#include "loadgen/requests.h"
#include "loadgen/steadiness.h"
#include "loadgen/tally.h"
#include "loadgen/target.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { RUN_WARNINGS_MOST = 32 };

struct run {
    const struct options *options;
    const struct mix *mix;                /* NULL: the run ended before there was one */
    const char *url;                      /* with the real port */
    pid_t target_pid;                     /* 0: not known */
    const struct tally *tally;            /* merged; NULL: nothing was measured */
    const struct probe_result *server;    /* NULL: not probed */
    const struct machine_result *machine; /* NULL: nothing was measured */
    char machine_cpus[256];               /* a list: whose time the shares are of */
    int server_cpus;                      /* how many the server may use; 0: not known */
    double window_s;
    double generator_utilisation;  /* CPU of the busiest generator thread, 0 to 1; NAN: unknown */
    int64_t backend_cpu_ns;        /* of what the server asks in turn; PROBE_UNKNOWN */
    bool backend_beside_generator; /* the two share one CPU */
    unsigned idle_established;
    uint64_t syscall_requests;              /* completed while system calls were counted */
    const struct target_lifetime *lifetime; /* NULL: not ours, or not ended */
    const struct capacity *capacity;        /* NULL: none was sought */
    bool interrupted;
    bool failed; /* could not be carried out: never valid */
    char *warnings[RUN_WARNINGS_MOST];
    unsigned warning_count;
};

/* Adds a warning, as by printf. */
void run_warn(struct run *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void run_free_warnings(struct run *);

/* Did every hundredth request begin more than 1 ms after its time? Then it is not quite the load
 * that it says, though its response times count from where they should. */
bool run_is_late(const struct run *);

/* Of its CPU, the busiest generator thread's share, and the backend's where that runs beside it. */
double run_generator_share(const struct run *);

/* Was the generator itself the bottleneck? Its CPU was full, and the server's were not; in an open
 * loop it was late besides, for its threads look for the next arrival as often as they can. */
bool run_is_saturated(const struct run *);

/* Was the window's second half like its first? Unknown when there is no whole window. */
enum steadiness run_steadiness(const struct run *);
double run_half_rps(const struct run *, size_t half); /* of a run that has one: its throughput */

/* Did anything succeed, in any window? */
bool run_is_answered(const struct run *);

/* Can the figures be used: something succeeded, nobody interrupted it, the books balance, and
 * the server lived? */
bool run_is_valid(const struct run *);

/* A new reference, or NULL when memory is short. */
json_t *run_json(const struct run *);

void run_print(const struct run *, FILE *);

#endif
