/* runs.jsonl: every measurement that was ever finished, a line each.
 *
 * A line is one write(2) to a file opened with O_APPEND and is on the disk
 * (fsync) before the next measurement begins. Whatever interrupts bench leaves
 * whole lines and at most one torn last one, which the next opening cuts off.
 * Knows nothing of what stands in the lines but that they are JSON. */
#ifndef BENCH_JOURNAL_H
#define BENCH_JOURNAL_H

#include "bench/base/error.h"

#include <jansson.h>
#include <limits.h>
#include <stddef.h>

struct journal {
    int fd;
    char folder[PATH_MAX]; /* for messages */
};

/* Opens DIR/runs.jsonl for appending, made if it is not there, and cuts off a torn last line.
 * Only one process may have it open: -1 says when another has. */
int journal_open(struct journal *, const char *folder, struct error *);
void journal_close(struct journal *);

/* Appends `object` as a line. When it cannot be written whole (the disk is full), what was written
 * of it is cut off again, and -1 is returned with a message that says how to go on. */
int journal_append(struct journal *, const json_t *object, struct error *);

/* The whole lines of DIR/runs.jsonl, a new array of objects; a line that is not an object is
 * left out and told on standard error, a torn last one is left out. NULL: it cannot be read. */
json_t *journal_read(const char *folder, struct error *);

#endif
