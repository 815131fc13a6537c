#include "common/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_PER_HALVING = 5 };

struct histogram *histogram_new(void)
{
    struct histogram *h = calloc(1, sizeof *h); /* pages that no value falls into cost nothing */
    if (h)
        h->min_ns = UINT64_MAX;
    return h;
}

void histogram_free(struct histogram *h)
{
    free(h);
}

static unsigned shift_of_cell(unsigned cell)
{
    unsigned row = cell >> HISTOGRAM_SUB_BITS;
    return row ? row - 1 : 0;
}

uint64_t histogram_cell_low_ns(unsigned cell)
{
    unsigned shift = shift_of_cell(cell);
    return (uint64_t)(cell - (shift << HISTOGRAM_SUB_BITS)) << shift;
}

uint64_t histogram_cell_width_ns(unsigned cell)
{
    return UINT64_C(1) << shift_of_cell(cell);
}

static uint64_t middle_ns(unsigned cell)
{
    return histogram_cell_low_ns(cell) + histogram_cell_width_ns(cell) / 2;
}

void histogram_record_cell(struct histogram *h, unsigned cell, uint64_t count)
{
    if (count == 0)
        return;
    uint64_t ns = middle_ns(cell);
    h->count += count;
    h->sum_ns += count * ns;
    h->min_ns = ns < h->min_ns ? ns : h->min_ns;
    h->max_ns = ns > h->max_ns ? ns : h->max_ns;
    h->cells[cell] += count;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    if (from->count == 0)
        return;
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    into->min_ns = from->min_ns < into->min_ns ? from->min_ns : into->min_ns;
    into->max_ns = from->max_ns > into->max_ns ? from->max_ns : into->max_ns;
    for (unsigned i = histogram_cell(from->min_ns); i <= histogram_cell(from->max_ns); i++)
        into->cells[i] += from->cells[i];
}

void histogram_clear(struct histogram *h)
{
    if (h->count) {
        unsigned first = histogram_cell(h->min_ns), last = histogram_cell(h->max_ns);
        memset(&h->cells[first], 0, (last - first + 1) * sizeof *h->cells);
    }
    h->count = h->sum_ns = h->max_ns = 0;
    h->min_ns = UINT64_MAX;
}

/* The cell that holds the value of this rank (from 1); *cumulated counts up to and with it. */
static unsigned cell_of_rank(const struct histogram *h, uint64_t rank, uint64_t *cumulated)
{
    uint64_t seen = 0;
    unsigned cell = histogram_cell(h->min_ns);
    for (unsigned last = histogram_cell(h->max_ns); cell <= last; cell++) {
        seen += h->cells[cell];
        if (seen >= rank)
            break;
    }
    *cumulated = seen;
    return cell;
}

static uint64_t rank_of_quantile(const struct histogram *h, double quantile)
{
    double rank = ceil(quantile * (double)h->count);
    if (rank < 1)
        return 1;
    return rank >= (double)h->count ? h->count : (uint64_t)rank;
}

static uint64_t clamp_ns(const struct histogram *h, uint64_t ns)
{
    ns = ns < h->min_ns ? h->min_ns : ns;
    return ns > h->max_ns ? h->max_ns : ns;
}

uint64_t histogram_quantile_ns(const struct histogram *h, double quantile)
{
    if (h->count == 0)
        return 0;
    if (quantile >= 1)
        return h->max_ns;
    uint64_t cumulated;
    return clamp_ns(h, middle_ns(cell_of_rank(h, rank_of_quantile(h, quantile), &cumulated)));
}

double histogram_mean_ns(const struct histogram *h)
{
    return h->count ? (double)h->sum_ns / (double)h->count : 0;
}

double histogram_stddev_ns(const struct histogram *h)
{
    if (h->count == 0)
        return 0;
    double mean = histogram_mean_ns(h), squares = 0;
    for (unsigned i = histogram_cell(h->min_ns); i <= histogram_cell(h->max_ns); i++) {
        double off = (double)clamp_ns(h, middle_ns(i)) - mean;
        squares += (double)h->cells[i] * off * off;
    }
    return sqrt(squares / (double)h->count);
}

/* The quantile one step beyond `quantile`: five steps from 0 to 50 %, five more to 75 %, … */
static double next_quantile(double quantile)
{
    double halvings = floor(log2(1 / (1 - quantile))) + 1;
    return quantile + 1 / (STEPS_PER_HALVING * exp2(halvings));
}

void histogram_write_hgrm(const struct histogram *h, FILE *file)
{
    fprintf(file, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    uint64_t cumulated = 0;
    for (double q = 0; h->count && cumulated < h->count; q = next_quantile(q)) {
        unsigned cell = cell_of_rank(h, rank_of_quantile(h, q), &cumulated);
        if (cumulated == h->count)
            break; /* the last line stands for all that is left */
        fprintf(file, "%12.3f %14.12f %10llu %14.2f\n", (double)clamp_ns(h, middle_ns(cell)) / 1e3,
                q, (unsigned long long)cumulated, 1 / (1 - q));
    }
    if (h->count)
        fprintf(file, "%12.3f %14.12f %10llu %14s\n", (double)h->max_ns / 1e3, 1.0,
                (unsigned long long)h->count, "inf");
    fprintf(file, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", histogram_mean_ns(h) / 1e3,
            histogram_stddev_ns(h) / 1e3);
    fprintf(file, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)h->max_ns / 1e3,
            (unsigned long long)h->count);
    fprintf(file, "#[Buckets = %12d, SubBuckets     = %12d]\n",
            HISTOGRAM_MOST_BITS - HISTOGRAM_SUB_BITS, 1 << (HISTOGRAM_SUB_BITS + 1));
}
