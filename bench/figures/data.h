/* What the files with figures' data have in common, and the functions that write them.
 *
 * A data file has a header line and rows of values with tabs between them; "-" is what was not
 * measured. A function writes the data of one kind of figure and returns how many rows it wrote.
 * What a figure looks like is decided by the scripts in scripts/plot and by nothing here. */
#ifndef BENCH_FIGURES_DATA_H
#define BENCH_FIGURES_DATA_H

#include "bench/journal/results.h"
#include "bench/statistics/group.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static const double MS_PER_US = 1e-3, MIB_PER_BYTE = 1.0 / (1 << 20);

/* What is being drawn: the whole run, or one workload of it. */
struct subject {
    const struct results *results;
    const char *folder;
    size_t workload; /* where the figure is about one */
};

/* A tab and the number; a tab and "-" where it is not finite. */
void put(FILE *, double value);

/* Median, low and high, each times `scale`. */
void put_estimate(FILE *, struct estimate, double scale);

/* The metric's estimate, and its median alone (NaN: not measured). */
struct estimate estimate_metric(const struct subject *, struct group, const char *metric);
double figure_of_group(const struct subject *, struct group, const char *metric);

/* The median over blocks of something that is worked out from each result. */
typedef double value_of_run(const json_t *run);
struct estimate estimate_value(const struct subject *, struct group, value_of_run *);

/* One row, or some, of a group; how many. */
typedef size_t write_group(FILE *, const struct subject *, struct group);

/* Figures about all workloads. Where a figure shows no points, workloads that have some are not in
 * it: they have figures of their own. */
size_t write_capacity(FILE *, const struct subject *);
size_t write_heatmap(FILE *, const struct subject *);
size_t write_throughput(FILE *, const struct subject *);
size_t write_latency(FILE *, const struct subject *);
size_t write_spectrum(FILE *, const struct subject *);
size_t write_switches(FILE *, const struct subject *);
size_t write_cpu(FILE *, const struct subject *);

/* Figures about one workload. */
size_t write_curve(FILE *, const struct subject *);
size_t write_sweep_latency(FILE *, const struct subject *);
size_t write_sweep_goodput(FILE *, const struct subject *);
size_t write_sweep_switches(FILE *, const struct subject *);
size_t write_memory(FILE *, const struct subject *);
size_t write_timeline(FILE *, const struct subject *);

#endif
