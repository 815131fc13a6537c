/* A run's figures for programs (summary.tsv, hgrm/) and for people (summary.md).
 *
 * All are written anew from runs.jsonl whenever they are asked for. */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include "bench/base/error.h"
#include "bench/journal/results.h"

/* Writes them into the folder. 0 or -1. */
int summary_write(const struct results *, const char *folder, struct error *);

/* The text of summary.md, to be freed by the caller; NULL without memory. */
char *summary_text(const struct results *);

#endif
