#include "loadgen/timeline.h"

#include <stdbool.h>
#include <stdlib.h>

/* Most intervals see a few hundred different values: only those cells are kept. */
struct cell {
    uint32_t index, count;
};

struct interval {
    struct cell *cells;
    size_t cell_count;
    uint64_t min_ns, max_ns, sum_ns;
    uint64_t completed, errors;
};

struct timeline {
    uint64_t interval_ns;
    size_t count, current;
    struct interval *intervals;
    struct histogram *now; /* of the current interval */
};

struct timeline *timeline_new(uint64_t duration_ns, uint64_t interval_ns)
{
    struct timeline *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->interval_ns = interval_ns;
    t->count = (size_t)((duration_ns + interval_ns - 1) / interval_ns);
    t->intervals = calloc(t->count, sizeof *t->intervals);
    t->now = histogram_new();
    if (t->intervals && t->now)
        return t;
    timeline_free(t);
    return NULL;
}

void timeline_free(struct timeline *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->intervals && i < t->count; i++)
        free(t->intervals[i].cells);
    free(t->intervals);
    histogram_free(t->now);
    free(t);
}

/* Puts the current interval away. Without memory for its cells it keeps its counts alone. */
static void close_interval(struct timeline *t)
{
    struct interval *into = &t->intervals[t->current];
    struct histogram *h = t->now;
    into->completed = h->count;
    if (h->count == 0)
        return;
    into->min_ns = h->min_ns;
    into->max_ns = h->max_ns;
    into->sum_ns = h->sum_ns;
    unsigned first = histogram_cell(h->min_ns), last = histogram_cell(h->max_ns);
    size_t used = 0;
    for (unsigned i = first; i <= last; i++)
        used += h->cells[i] != 0;
    into->cells = malloc(used * sizeof *into->cells);
    for (unsigned i = first; into->cells && i <= last; i++)
        if (h->cells[i])
            into->cells[into->cell_count++] = (struct cell){i, (uint32_t)h->cells[i]};
    histogram_clear(h);
}

static bool move_to(struct timeline *t, uint64_t at_ns)
{
    size_t wanted = (size_t)(at_ns / t->interval_ns);
    if (wanted >= t->count)
        return false;
    while (t->current < wanted) {
        close_interval(t);
        t->current++;
    }
    return true;
}

void timeline_completed(struct timeline *t, uint64_t at_ns, uint64_t response_ns)
{
    if (move_to(t, at_ns))
        histogram_record(t->now, response_ns);
}

void timeline_error(struct timeline *t, uint64_t at_ns)
{
    if (move_to(t, at_ns))
        t->intervals[t->current].errors++;
}

static void add(struct histogram *h, const struct interval *i, uint64_t *errors)
{
    *errors += i->errors;
    if (i->completed == 0)
        return;
    for (size_t k = 0; k < i->cell_count; k++)
        h->cells[i->cells[k].index] += i->cells[k].count;
    h->count += i->completed;
    h->sum_ns += i->sum_ns;
    h->min_ns = i->min_ns < h->min_ns ? i->min_ns : h->min_ns;
    h->max_ns = i->max_ns > h->max_ns ? i->max_ns : h->max_ns;
}

static void write_row(const struct histogram *h, uint64_t start_ns, uint64_t length_ns,
                      uint64_t errors, FILE *file)
{
    fprintf(file, "%.3f\t%.1f", (double)start_ns / 1e9,
            (double)h->count / ((double)length_ns / 1e9));
    static const double quantiles[] = {0.5, 0.9, 0.99, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        if (h->count)
            fprintf(file, "\t%.3f", (double)histogram_quantile_ns(h, quantiles[i]) / 1e3);
        else
            fputs("\tnan", file);
    }
    fprintf(file, "\t%llu\n", (unsigned long long)errors);
}

int timeline_write(struct timeline *const *all, size_t count, uint64_t measured_ns, FILE *file)
{
    struct histogram *merged = histogram_new();
    if (!merged)
        return -1;
    for (size_t t = 0; t < count; t++)
        close_interval(all[t]);
    fputs("time_s\tthroughput_rps\tp50_us\tp90_us\tp99_us\tmax_us\terrors\n", file);
    const struct timeline *first = all[0];
    for (size_t i = 0; i < first->count && i * first->interval_ns < measured_ns; i++) {
        uint64_t errors = 0, start_ns = i * first->interval_ns;
        for (size_t t = 0; t < count; t++)
            add(merged, &all[t]->intervals[i], &errors);
        uint64_t length_ns = measured_ns - start_ns;
        length_ns = length_ns < first->interval_ns ? length_ns : first->interval_ns;
        write_row(merged, start_ns, length_ns, errors, file);
        histogram_clear(merged);
    }
    histogram_free(merged);
    return 0;
}
