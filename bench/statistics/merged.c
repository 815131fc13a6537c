#include "bench/statistics/merged.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct merged {
    size_t blocks, cells;
    double *us;          /* the middle of each cell that any block occupies, ascending */
    uint64_t *cumulated; /* cell after cell, for each block: how many lie in it or below */
};

static double middle_us(unsigned cell)
{
    uint64_t middle_ns = histogram_cell_low_ns(cell) + histogram_cell_width_ns(cell) / 2;
    return (double)middle_ns / 1e3;
}

static bool is_occupied(struct histogram *const blocks[], size_t count, unsigned cell)
{
    for (size_t i = 0; i < count; i++)
        if (blocks[i]->cells[cell] > 0)
            return true;
    return false;
}

/* The cells between which the values of all blocks lie; false: there are none. */
static bool span_of_cells(struct histogram *const blocks[], size_t count, unsigned *first,
                          unsigned *end)
{
    *first = HISTOGRAM_CELLS;
    *end = 0;
    for (size_t i = 0; i < count; i++) {
        if (blocks[i]->count == 0)
            continue;
        unsigned low = histogram_cell(blocks[i]->min_ns), high = histogram_cell(blocks[i]->max_ns);
        *first = low < *first ? low : *first;
        *end = high + 1 > *end ? high + 1 : *end;
    }
    return *first < *end;
}

static void add_cell(struct merged *m, struct histogram *const blocks[], unsigned cell)
{
    uint64_t *row = &m->cumulated[m->cells * m->blocks];
    for (size_t i = 0; i < m->blocks; i++)
        row[i] = blocks[i]->cells[cell] + (m->cells > 0 ? row[i - m->blocks] : 0);
    m->us[m->cells++] = middle_us(cell);
}

struct merged *merged_of(struct histogram *const blocks[], size_t count)
{
    struct merged *m = calloc(1, sizeof *m);
    unsigned first, end;
    size_t occupied = 0;
    if (!m)
        return NULL;
    m->blocks = count;
    if (!span_of_cells(blocks, count, &first, &end))
        return m;
    for (unsigned cell = first; cell < end; cell++)
        occupied += is_occupied(blocks, count, cell);
    m->us = calloc(occupied, sizeof *m->us);
    m->cumulated = calloc(occupied * count, sizeof *m->cumulated);
    if (!m->us || !m->cumulated) {
        merged_free(m);
        return NULL;
    }
    for (unsigned cell = first; cell < end; cell++)
        if (is_occupied(blocks, count, cell))
            add_cell(m, blocks, cell);
    return m;
}

void merged_free(struct merged *m)
{
    if (!m)
        return;
    free(m->cumulated);
    free(m->us);
    free(m);
}

size_t merged_blocks(const struct merged *m)
{
    return m->blocks;
}

static uint64_t count_upto(const struct merged *m, const unsigned *weights, size_t cell)
{
    const uint64_t *row = &m->cumulated[cell * m->blocks];
    uint64_t count = 0;
    for (size_t i = 0; i < m->blocks; i++)
        count += weights[i] * row[i];
    return count;
}

double merged_quantile_us(const struct merged *m, const unsigned *weights, double quantile)
{
    uint64_t all = m->cells > 0 ? count_upto(m, weights, m->cells - 1) : 0;
    if (all == 0)
        return NAN;
    double wanted = ceil(quantile * (double)all);
    uint64_t rank = wanted < 1 ? 1 : wanted < (double)all ? (uint64_t)wanted : all;
    size_t low = 0, high = m->cells - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (count_upto(m, weights, middle) < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return m->us[low];
}

uint64_t merged_count(const struct merged *m)
{
    uint64_t count = 0;
    for (size_t i = 0; m->cells > 0 && i < m->blocks; i++)
        count += m->cumulated[(m->cells - 1) * m->blocks + i];
    return count;
}

struct question {
    const struct merged *merged;
    double quantile;
};

static double log_quantile(const void *data, const unsigned *weights, size_t blocks)
{
    const struct question *q = data;
    (void)blocks;
    return log(merged_quantile_us(q->merged, weights, q->quantile));
}

int merged_halve(const struct merged *m, double quantile, struct halved *h)
{
    const struct question q = {m, quantile};
    return halve(log_quantile, &q, m->blocks, h);
}
