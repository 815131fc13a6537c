/* A service level objective: a condition on response times or errors, such as
 * p99<10ms or errors<0.1%, and whether a load has met it. */
#ifndef LOADGEN_SLO_H
#define LOADGEN_SLO_H

#include "loadgen/tally.h"

#include <stdbool.h>
#include <stddef.h>

enum { SLOS_MOST = 8 };

enum slo_quantity { SLO_QUANTILE, SLO_MEAN, SLO_ERRORS };

struct slo {
    const char *text; /* as the user wrote it */
    enum slo_quantity quantity;
    double quantile; /* SLO_QUANTILE: 0 to 1, which is the longest */
    double limit;    /* us; for SLO_ERRORS a share */
};

/* Understands p50, p75, p90, p95, p99, p99.9, p99.99, max and mean, below a time in us, ms or s,
 * and errors below a percentage or a share. The text must outlive the objective. NULL, or what
 * was expected instead. */
const char *slo_parse(const char *text, struct slo *);

/* What was observed, in the limit's unit. Censored values count with their age: who was not
 * answered has waited for at least so long. Errors are a share of what ended. NAN: nothing was. */
double slo_observed(const struct slo *, const struct tally *);

/* Nothing that ended is no service at any level. */
bool slo_met(const struct slo *, const struct tally *);

/* The tightest time of all objectives, in us; 100 ms where none is about time. */
double slo_tightest_us(const struct slo *, size_t count);

#endif
