#include "bench/validate/theory.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdbool.h>

static double utilisation_of(double lambda, double service_s, unsigned servers)
{
    return lambda * service_s / servers;
}

double erlang_c(double lambda, double service_s, unsigned servers)
{
    double load = lambda * service_s, utilisation = utilisation_of(lambda, service_s, servers);
    if (!(utilisation < 1))
        return NAN;
    /* Erlang's B by its recursion, which overflows for no number of servers, and C from it. */
    double blocked = 1;
    for (unsigned c = 1; c <= servers; c++)
        blocked = load * blocked / (c + load * blocked);
    return blocked / (1 - utilisation * (1 - blocked));
}

double mmc_mean_s(double lambda, double service_s, unsigned servers)
{
    double waits = erlang_c(lambda, service_s, servers);
    return service_s + waits / (servers / service_s - lambda);
}

/* P(response > t). The waiting time is 0, or exponential with rate c mu - lambda; the service is
 * exponential with rate mu; this is their convolution. */
static double mmc_exceeds(double t, double lambda, double service_s, unsigned servers)
{
    double waits = erlang_c(lambda, service_s, servers), mu = 1 / service_s;
    double drain = servers * mu - lambda, serve = exp(-mu * t);
    if (fabs(drain - mu) < 1e-9 * mu)
        return serve * (1 + waits * mu * t);
    return serve + waits * mu * (serve - exp(-drain * t)) / (drain - mu);
}

double mmc_quantile_s(double lambda, double service_s, unsigned servers, double quantile)
{
    if (isnan(erlang_c(lambda, service_s, servers)))
        return NAN;
    double low = 0, high = service_s;
    while (mmc_exceeds(high, lambda, service_s, servers) > 1 - quantile)
        high *= 2;
    while (high - low > 1e-9 * high) {
        double middle = (low + high) / 2;
        if (mmc_exceeds(middle, lambda, service_s, servers) > 1 - quantile)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double exponential_quantile(double mean, double quantile)
{
    return -mean * log1p(-quantile);
}

struct simulated {
    size_t count, beyond; /* requests; those that took as long as the limit, or longer */
    double sum_s;
};

static struct simulated simulate(const struct mdc *q, double lambda, unsigned long seed)
{
    struct simulated w = {.count = 0};
    double free_s[MDC_SERVERS_MOST] = {0};
    double end_s = q->warmup_s + fmax(q->window_s, q->requests_least / lambda);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    gsl_rng_set(rng, seed);
    for (double now_s = 0;;) {
        now_s += gsl_ran_exponential(rng, 1) / lambda;
        if (now_s >= end_s)
            break;
        unsigned first = 0;
        for (unsigned k = 1; k < q->servers; k++)
            first = free_s[k] < free_s[first] ? k : first;
        free_s[first] = fmax(now_s, free_s[first]) + q->service_s;
        if (now_s < q->warmup_s)
            continue;
        double response_s = fmin(free_s[first] + q->beyond_s, end_s) - now_s;
        w.count++;
        w.beyond += response_s >= q->limit_s;
        w.sum_s += response_s;
    }
    gsl_rng_free(rng);
    return w;
}

double mdc_simulated_mean_s(const struct mdc *q, double lambda, unsigned long seed)
{
    struct simulated w = simulate(q, lambda, seed);
    return w.sum_s / (double)w.count;
}

/* The value at rank ceil(q n) is the quantile. */
static bool window_holds(const struct mdc *q, double lambda, unsigned long seed)
{
    struct simulated w = simulate(q, lambda, seed);
    double n = (double)w.count;
    return (double)w.beyond <= n - ceil(q->quantile * n);
}

/* Each rate meets the same random numbers, so that fewer windows hold at a higher one. */
double mdc_capacity_rps(const struct mdc *q, unsigned long seed)
{
    enum { WINDOWS = 400, HALVINGS = 12 };
    double low = 0.1 * q->servers / q->service_s, high = 1.5 * q->servers / q->service_s;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = sqrt(low * high);
        unsigned held = 0;
        for (unsigned n = 0; n < WINDOWS; n++)
            held += window_holds(q, middle, seed + n);
        if (held > WINDOWS / 2)
            low = middle;
        else
            high = middle;
    }
    return sqrt(low * high);
}

double stall_quantile_s(double stall_s, double window_s, double base_s, double quantile)
{
    double late_s = stall_s - (1 - quantile) * window_s;
    return late_s > 0 ? base_s + late_s : base_s;
}

double ks_exponential(const double *values, size_t count, double mean)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double law = -expm1(-values[i] / mean);
        most = fmax(most, law - (double)i / (double)count);
        most = fmax(most, (double)(i + 1) / (double)count - law);
    }
    return most;
}

double ks_critical(size_t count, double significance)
{
    return sqrt(-log(significance / 2) / (2 * (double)count));
}
