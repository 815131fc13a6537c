#include "bench/statistics/estimate.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

static const double LEFT_OUT = 0.05;

double median_of(double *values, size_t count)
{
    gsl_sort(values, 1, count);
    return count > 0 ? gsl_stats_median_from_sorted_data(values, 1, count) : NAN;
}

/* The probability that the median lies outside the k-th lowest and the k-th highest value. */
static double outside(size_t k, size_t count)
{
    return 2 * gsl_cdf_binomial_P((unsigned)k - 1, 0.5, (unsigned)count);
}

struct estimate estimate_of(double *values, size_t count)
{
    size_t finite = 0, k = 1;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[finite++] = values[i];
    if (finite == 0)
        return (struct estimate){.count = 0};
    double median = median_of(values, finite);
    while (2 * (k + 1) <= finite && outside(k + 1, finite) <= LEFT_OUT)
        k++;
    return (struct estimate){.median = median,
                             .low = values[k - 1],
                             .high = values[finite - k],
                             .count = finite,
                             .confidence = finite > 1 ? 1 - outside(k, finite) : 0};
}

double least_squares_slope(const double *x, const double *y, size_t count)
{
    double lowest = INFINITY, highest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        lowest = fmin(lowest, x[i]);
        highest = fmax(highest, x[i]);
    }
    if (count < 2 || !(highest > lowest))
        return NAN;
    double intercept, slope, cov00, cov01, cov11, residuals;
    gsl_fit_linear(x, 1, y, 1, count, &intercept, &slope, &cov00, &cov01, &cov11, &residuals);
    return slope;
}
