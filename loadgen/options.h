/* loadgen's command line. Knows nothing of sockets. */
#ifndef LOADGEN_OPTIONS_H
#define LOADGEN_OPTIONS_H

#include "loadgen/arrivals.h"
#include "loadgen/slo.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { HEADERS_MOST = 32 };

struct options {
    /* the target */
    const char *url;
    char *host;                /* as in the URL, IPv6 without brackets */
    char *authority;           /* "host:port", for the Host field */
    unsigned port;             /* 0: from the ready line */
    const char *path;          /* with the query */
    char **command;            /* NULL-terminated; NULL: none */
    pid_t pid;                 /* of a running server; 0: none */
    pid_t backend_pid;         /* of a process that it asks in turn; 0: none is known */
    bool ready_by_port;        /* it is ready when it accepts connections, not by its own word */
    const char *template_file; /* of its configuration; NULL: none */
    int stop_signal;           /* 0: SIGTERM */
    bool server_pinned;
    cpu_set_t server_cpus;

    /* the load */
    unsigned connections;
    bool open_loop;
    double rate_rps;
    enum arrival_law arrivals;
    double think_ms;
    uint64_t duration_ns, warmup_ns, timeout_ns;
    unsigned threads;
    bool close;
    bool http_1_0;
    unsigned pipeline;
    unsigned idle, slow;
    uint64_t seed;
    const char *method;
    char *headers[HEADERS_MOST + 1];
    unsigned header_count;
    const char *body_file;
    const char *mix_file;
    bool any_body;
    bool pinned;
    cpu_set_t cpus;

    /* a stall of the server: it is stopped so long after the window's begin, for so long */
    uint64_t stall_at_ns, stall_ns; /* stall_ns 0: none */

    /* the search for the capacity; rate_rps is where it starts */
    bool find_capacity;
    struct slo slos[SLO_MOST];
    size_t slo_count;
    unsigned steps; /* windows */
    uint64_t step_ns;
    double between_low_rps, between_high_rps; /* 0: not known */

    /* the report */
    bool syscalls; /* count system calls, in a phase after the window */
    bool hardware; /* count instructions and the like */
    bool no_probe;
    bool histograms; /* in the result object, whole */
    const char *json, *hgrm, *timeline;
    uint64_t interval_ns;
};

/* Streams of random requests: a connection's each in a closed loop, a thread's each in an open one;
 * behind them one for each slow client. */
static inline unsigned options_measured_streams(const struct options *o)
{
    return o->open_loop ? o->threads : o->connections;
}

/* Exits with 64 and a message that names the option and the value, when one is wrong. */
void options_parse(int argc, char **argv, struct options *);

#endif
