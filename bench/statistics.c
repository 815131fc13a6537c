#include "bench/statistics.h"

#include <gsl/gsl_fit.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

struct estimate estimate_of(double *values, size_t count)
{
    size_t finite = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[finite++] = values[i];
    if (finite == 0)
        return (struct estimate){.count = 0};
    gsl_sort(values, 1, finite);
    return (struct estimate){
        .median = gsl_stats_median_from_sorted_data(values, 1, finite),
        .low = values[0],
        .high = values[finite - 1],
        .count = finite,
    };
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
