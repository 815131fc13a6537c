/* The answer of a run: which models are best for which workload, by how much, and why.
 *
 * Three sentences and a table, made from the verdicts (statistics/standing.h) and a few figures. */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include "bench/journal/results.h"

#include <stdio.h>

/* In Markdown, for the head of summary.md and for the README. */
void answer_write(FILE *, const struct results *);

/* The same for a terminal, to be freed; NULL without memory. */
char *answer_text(const struct results *);

#endif
