/* Tables, verdicts and plot data from what `switches` found.
 *
 * Reads rows, writes files; measures nothing. */
#ifndef BENCH_SWITCH_REPORT_H
#define BENCH_SWITCH_REPORT_H

#include "bench/base/error.h"
#include "bench/switches/switch_rows.h"

/* Of a published figure, which a measurement reproduces between `low` and `high`: "reproduced": the
 * whole interval is there; "refuted": none of it; "undecided": it is on the edge; "not measured".
 */
const char *published_verdict(double low, double high, const struct estimate *);

/* The tables for people, to be freed by the caller; NULL without memory. */
char *switch_report_text(const struct switch_rows *);

/* DIR/switches.tsv, DIR/switches.md and DIR/plots/switches-*.tsv. 0 or -1. */
int switch_report_write(const struct switch_rows *, const char *folder, struct error *);

#endif
