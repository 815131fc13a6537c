/* The folder of a new run or validation, below results/ or where the user wants it.
 *
 * Knows nothing of what will stand in it, but that plan.json, validation.tsv or
 * switches.jsonl mean that it is taken. */
#ifndef BENCH_FOLDER_H
#define BENCH_FOLDER_H

#include "bench/base/error.h"
#include "bench/base/files.h"

#include <jansson.h>

/* Makes `out`, or results/TIME-`kind` where that is NULL. 0, or -1: it cannot be made, or holds
 * results already. */
int folder_choose(const char *out, const char *kind, struct path *folder, struct error *);

/* Writes the JSON as DIR/`name`, to be read by people too. 0 or -1. */
int folder_write_json(const char *folder, const char *name, const json_t *, struct error *);

#endif
