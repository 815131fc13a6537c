/* What queueing theory and arithmetic say that an instrument must show.
 *
 * Pure functions in seconds and arrivals per second, each with its source. Knows
 * nothing of servers, runs and files.
 *
 * Symbols as in the books: lambda is the arrival rate, service_s the mean
 * service time 1/mu, servers their number c, and utilisation
 * lambda * service_s / c. */
#ifndef BENCH_THEORY_H
#define BENCH_THEORY_H

#include <stddef.h>

/* The probability that an arrival has to wait in M/M/c (Erlang's C formula; Kleinrock, "Queueing
 * Systems", vol. 1, 1975, section 3.5). NaN unless the utilisation is below 1. */
double erlang_c(double lambda, double service_s, unsigned servers);

/* Mean and quantile of the response time (waiting and service) in M/M/c, first come, first served;
 * with one server that is M/M/1. NaN unless the utilisation is below 1. */
double mmc_mean_s(double lambda, double service_s, unsigned servers);
double mmc_quantile_s(double lambda, double service_s, unsigned servers, double quantile);

/* The quantile of the exponential law; also that of the response time in M/M/infinity, where
 * nobody waits. */
double exponential_quantile(double mean, double quantile);

/* Windows of an open loop with Poisson arrivals against `servers` that each take `service_s` for
 * every request, first come, first served (M/D/c), seen by clients to whom the way there and back
 * takes `beyond_s`. A window begins after a warm-up, which begins with an empty queue. It holds if
 * the quantile of its response times stays below the limit, where a request without an answer at
 * its end has waited until then. For such short windows there is no formula: they are simulated,
 * with random numbers from the seed. */
struct mdc {
    double service_s, beyond_s;
    unsigned servers; /* at most MDC_SERVERS_MOST */
    double warmup_s, window_s;
    double requests_least; /* a window is as long as this takes, if that is longer */
    double quantile, limit_s;
};
enum { MDC_SERVERS_MOST = 64 };

/* Mean response time over one window at the rate lambda. */
double mdc_simulated_mean_s(const struct mdc *, double lambda, unsigned long seed);

/* The rate at which half of all windows hold. */
double mdc_capacity_rps(const struct mdc *, unsigned long seed);

/* The quantile of response times of an open loop at a constant rate within a window of `window_s`,
 * in which the server stood still for `stall_s` and otherwise answers in `base_s`: the arrivals
 * of the stall wait for its end, and so are late by anything from 0 to stall_s, evenly. */
double stall_quantile_s(double stall_s, double window_s, double base_s, double quantile);

/* The largest distance between the empirical distribution of `values` (sorted) and the exponential
 * law of that mean: the Kolmogorov-Smirnov statistic. */
double ks_exponential(const double *values, size_t count, double mean);

/* The value that the statistic exceeds with the probability `significance` if the law holds:
 * asymptotically sqrt(-ln(significance / 2) / (2 n)) (Smirnov 1948, first term of his series). */
double ks_critical(size_t count, double significance);

#endif
