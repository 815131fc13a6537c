#include "loadgen/steadiness.h"

#include <math.h>
#include <stdbool.h>

/* A smaller difference between the halves, relative to the smaller figure, does not matter. */
static const double RELEVANT_SHARE = 0.10;

/* A larger one than so many standard errors is no chance (99.7 % of a normal distribution). */
static const double STANDARD_ERRORS = 3;

static bool is_relevant(double a, double b)
{
    return fabs(a - b) > RELEVANT_SHARE * fmin(a, b);
}

/* The variance of a Poisson count is its mean, that of the difference of two is their sum. */
static bool counts_differ(double a, double b)
{
    return is_relevant(a, b) && fabs(a - b) > STANDARD_ERRORS * sqrt(a + b);
}

static uint64_t value_of_rank(const struct histogram *h, double rank)
{
    return histogram_quantile_ns(h, (rank - 0.5) / (double)h->count); /* rounded up to the rank */
}

/* The values between which the median of the whole population lies with 99.7 % probability,
 * whatever its distribution: how many of n independent values lie below it is binomial(n, 1/2),
 * taken as normal (J.-Y. Le Boudec, "Performance Evaluation of Computer and Communication
 * Systems", EPFL Press 2010, theorem 2.1 and the approximation for large n). */
struct median_interval {
    bool known; /* there are enough values */
    uint64_t low_ns, high_ns;
};

static struct median_interval median_interval_of(const struct histogram *h)
{
    double n = (double)h->count, reach = STANDARD_ERRORS * sqrt(n) / 2;
    double low = floor(n / 2 - reach), high = ceil(n / 2 + reach) + 1;
    if (low < 1 || high > n)
        return (struct median_interval){.known = false};
    return (struct median_interval){true, value_of_rank(h, low), value_of_rank(h, high)};
}

enum steadiness steadiness_of(const struct histogram *first, const struct histogram *second)
{
    if (counts_differ((double)first->count, (double)second->count))
        return UNSTEADY;
    struct median_interval a = median_interval_of(first), b = median_interval_of(second);
    if (!a.known || !b.known)
        return STEADINESS_UNKNOWN;
    bool apart = a.high_ns < b.low_ns || b.high_ns < a.low_ns;
    bool relevant = is_relevant((double)histogram_quantile_ns(first, 0.5),
                                (double)histogram_quantile_ns(second, 0.5));
    return apart && relevant ? UNSTEADY : STEADY;
}
