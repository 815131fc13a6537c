/* Service levels: what a load must not do to its users, as in "p99<10ms" or "errors<0.1%".
 *
 * Reads conditions and holds them against what was measured. Knows nothing of where the
 * measurement comes from, and of what is done about it. */
#ifndef LOADGEN_SLO_H
#define LOADGEN_SLO_H

#include "loadgen/tally.h"

#include <stdbool.h>
#include <stddef.h>

enum slo_kind {
    SLO_QUANTILE, /* of the response time, max included */
    SLO_MEAN,     /* of the response time */
    SLO_ERRORS,   /* of the requests that ended, those that ended in an error */
};

struct slo {
    const char *text; /* as given */
    enum slo_kind kind;
    double quantile; /* SLO_QUANTILE: 1 is the maximum */
    double limit;    /* microseconds, or a fraction; to stay below */
};

enum { SLO_MOST = 8 };

/* What a condition looks like, for a message. */
#define SLO_EXPECTED                                                                           \
    "p50, p75, p90, p95, p99, p99.9, p99.99, max or mean, < and a time in us, ms or s, as in " \
    "p99<10ms; or errors< and a share above 0, as in errors<0.1% or errors<0.001"

/* QUANTITY<LIMIT. Keeps `text`. false when it is none. */
bool slo_parse(const char *text, struct slo *);

/* Its quantity: microseconds, or a fraction. NAN when nothing was measured. */
double slo_observe(const struct slo *, const struct tally *);

/* NAN does not hold. */
bool slo_holds(const struct slo *, double observed);

/* "p99 was 12.3 ms" */
void slo_describe(const struct slo *, double observed, char *text, size_t size);

/* The lowest time among the conditions' limits, in microseconds; NAN when none is of time. */
double slo_tightest_us(const struct slo *, size_t count);

/* The share of errors that the conditions allow; `otherwise` when none is of errors. */
double slo_errors_allowed(const struct slo *, size_t count, double otherwise);

/* How many requests a window must have at least to say whether the conditions hold: five that may
 * lie beyond each quantile (500 for p99), and a hundred in any case. */
double slo_least_requests(const struct slo *, size_t count);

/* How many requests may at most be unanswered at one moment of a window, if one is still to hold
 * all conditions at its end, where requests arrive at `rate_rps` for `span_s` seconds, warm-up
 * included. INFINITY when nothing can be said. */
double slo_most_outstanding(const struct slo *, size_t count, double rate_rps, double span_s);

#endif
