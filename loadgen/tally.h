/* What one thread counted and measured. Threads share nothing: merge when they are done. */
#ifndef LOADGEN_TALLY_H
#define LOADGEN_TALLY_H

#include "common/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_error {
    ERROR_CONNECT, /* no connection */
    ERROR_READ,    /* it ended or was reset before the answer was complete */
    ERROR_WRITE,   /* the request could not be sent */
    ERROR_TIMEOUT, /* older than --timeout */
    ERROR_STATUS,  /* answered, but not with 2xx */
    ERROR_PARSE,   /* the answer is not HTTP */
    ERROR_BODY,    /* another length or content than the route fixes */
    ERROR_KINDS,
};

struct tally {
    /* Requests of the measured window. Every one that began before it is over is in exactly one
     * of completed, errors and unfinished: intended + carried_in == their sum. */
    uint64_t intended;   /* whose time to begin lay in the window */
    uint64_t carried_in; /* that began before the window and were not answered yet */
    uint64_t sent;       /* handed to the kernel within the window */
    uint64_t completed;  /* answered, and correctly */
    uint64_t errors[ERROR_KINDS];
    uint64_t unfinished; /* neither when the window closed */

    /* Durations. The first two hold the completed, and as censored values the unfinished and
     * the timed-out with their age at that moment: a lower bound of what they would have taken. */
    struct histogram *response, *service, *connect, *send_lag;
    uint64_t response_censored, service_censored;

    /* Response times of the completed requests of the window's two halves, by the moment in which
     * they were completed. While the window is open they are recorded here alone: `response` has
     * them from tally_close on. */
    struct histogram *halves[2];

    /* Connections: slots, each of which may be reconnected many times. */
    uint64_t slots_used, slots_served;
    uint64_t opened;                   /* connections established, warm-up included */
    double served_sum, served_squares; /* of the completed requests of each used slot */

    uint64_t slow_completed, slow_errors;
};

/* 0, or -1 when memory is short. */
int tally_init(struct tally *);
void tally_free(struct tally *);

/* The window is over: `response` receives what was completed in it. Once for each thread. */
void tally_close(struct tally *);

/* Both must be closed. */
void tally_merge(struct tally *into, const struct tally *from);

uint64_t tally_errors(const struct tally *);

/* Does every request appear in exactly one place? */
bool tally_is_consistent(const struct tally *);

/* Jain's fairness index of the completed requests over the used slots: 1 when all were served
 * alike, 1/n when one of n got everything (Jain, Chiu, Hawe, DEC-TR-301, 1984). NAN when nothing
 * was served. */
double tally_fairness(const struct tally *);

#endif
