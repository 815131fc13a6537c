/* A session with one server: what is known of it, and one measured load after the other.
 *
 * main.c begins and ends it; a plain run measures once, a search for the
 * capacity many times. The figures of the last measurement stand in `run`. */
#ifndef LOADGEN_SESSION_H
#define LOADGEN_SESSION_H

#include "common/address.h"
#include "loadgen/idle.h"
#include "loadgen/load.h"
#include "loadgen/machine.h"
#include "loadgen/report.h"

struct session {
    struct options options;
    const volatile bool *stop; /* a signal has come */
    struct run run;
    struct mix *mix;
    struct address address;
    uint16_t port;
    struct target target;
    bool has_target;
    struct probe *probe; /* NULL: the server is not probed */
    struct idle_clients idle;
    struct load load;       /* the last one measured */
    struct options applied; /* its options */
    bool has_load;
    bool cut_short;           /* its window was: too much was outstanding */
    struct capacity capacity; /* where one was sought */
    cpu_set_t machine_cpus;   /* that the server and the generator may run on */
    enum machine_answer irq_time_is_apart;
    struct machine_snapshot machine_begin, machine_end;
    struct machine_result machine;
    int64_t backend_begin_ns, backend_end_ns; /* CPU time of the backend; 0: there is none */
    bool terminal;                            /* somebody watches the progress line */
    const char *doing;                        /* for that line; NULL: what a plain run does */
};

/* After the server's start and before the first load: takes some milliseconds. */
void session_prepare(struct session *);

/* One load from its first request to its last, by these options, in the place of the one before.
 * When more requests are outstanding than `most_outstanding` (0: any number may be), its window
 * is cut short. The connections stay open until session_close_load. */
void session_measure(struct session *, const struct options *, double most_outstanding);

/* Closes the connections of the last load; its figures stay. */
void session_close_load(struct session *);

/* What the reader of the figures should know: warnings in `run`. */
void session_judge(struct session *);

void session_free(struct session *);

#endif
