/* A spoiled instrument: its quantiles are 5 % too long. Linked into loadgen with
 * --wrap=histogram_quantile_ns, so that everything else is the real thing. */
#include "common/histogram.h"

uint64_t __real_histogram_quantile_ns(const struct histogram *h, double quantile);
uint64_t __wrap_histogram_quantile_ns(const struct histogram *h, double quantile);

uint64_t __wrap_histogram_quantile_ns(const struct histogram *h, double quantile)
{
    return __real_histogram_quantile_ns(h, quantile) * 21 / 20;
}
