/* The plots of a run: for each its data file, and gnuplot to draw it.
 *
 * A data file holds all that its figure shows, so that any figure can be drawn
 * again, or drawn differently, years later. What is in it is decided in
 * bench/figures, what a figure looks like by the scripts in scripts/plot. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "bench/base/error.h"
#include "bench/journal/results.h"

#include <stdbool.h>

/* Writes DIR/plots/NAME.tsv and draws NAME.svg, .png and .pdf with the scripts in `scripts`; with
 * `all_variants` also NAME-slide.svg and .png, and NAME-column.pdf and .png. -1: not all could be
 * drawn; the data files are there all the same if `error` says so. */
int plot_all(const struct results *, const char *folder, const char *scripts, bool all_variants,
             struct error *);

#endif
