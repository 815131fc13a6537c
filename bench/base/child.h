/* A program started, listened to, and certainly gone afterwards.
 *
 * The child leads a process group of its own, so that a terminal's Ctrl-C
 * reaches bench alone and bench decides; it dies with bench, however bench
 * dies (PR_SET_PDEATHSIG); and it has a bound in time, after which it and its
 * group are killed. Knows nothing of what the programs do. */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include "bench/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child_order {
    const char *const *argv; /* argv[0] is the program's path; NULL-terminated */
    const char *folder;      /* to run in; NULL: where bench is */
    const char *input;       /* a file for its standard input; NULL: it reads nothing */
    const char *cpus;        /* to run on, a list; NULL or "": where bench may */
    double limit_s;          /* it is killed after so long */
    bool one_line;           /* it is a server: SIGTERM as soon as it has written a line */
};

struct outcome {
    char *output, *messages; /* what it wrote to standard output and error; NUL-terminated */
    size_t output_size;
    int exit_code; /* -1: it was ended by a signal */
    int signal;    /* that signal, or 0 */
    bool timed_out, interrupted;
    double elapsed_s;
};

/* Runs it to its end. When bench is asked to stop it is sent SIGINT, and `interrupted` is
 * set. 0 with an outcome to free, or -1: it could not be started. */
int child_run(const struct child_order *, struct outcome *, struct error *);
void outcome_free(struct outcome *);

/* A child that runs beside others until it is ended. Nobody listens to it until then: what it
 * writes must fit into a pipe (64 KiB). Its order's bound in time does not count. */
struct running;

/* NULL: it could not be started. */
struct running *child_start(const struct child_order *, struct error *);

pid_t child_pid(const struct running *);

/* Whether it ends by itself within that time. */
bool child_ends_within(const struct running *, double seconds);

/* Sends it SIGTERM, and kills it when that does not help. 0 with an outcome to free, or -1; it is
 * gone in any case. */
int child_end(struct running *, struct outcome *, struct error *);

#endif
