/* The begin of a run: from what a person asks for to a folder that holds all but measurements. */
#ifndef BENCH_BEGIN_H
#define BENCH_BEGIN_H

#include "bench/run/run.h"

#include "bench/journal/journal.h"

/* Finds out what can be measured here and how fast the machine computes, and makes the folder with
 * plan.json, inputs/, environment.json and an empty journal, which is open and ours afterwards. */
enum run_result begin_new(const struct run_request *, const struct places *, struct path *folder,
                          struct journal *, struct error *);

#endif
