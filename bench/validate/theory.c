#include "bench/validate/theory.h"

#include <math.h>

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
