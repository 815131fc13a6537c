/* Files that people write, as INI, with messages that name file and line.
 *
 * inih calls back without a line number where it was built so (Debian's is), but it takes its lines
 * from a reader that we give it: this one counts. Knows nothing of what the settings mean. */
#ifndef BENCH_INI_READER_H
#define BENCH_INI_READER_H

#include "bench/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct ini_reader {
    const char *file; /* its name, for messages */
    const char *rest; /* of its text */
    unsigned line;
    bool indented; /* the line continues the one before */
    bool failed;
    struct error *error;
};

/* Calls `take` for each setting, as inih does; it returns 1, or what ini_reader_fail returns. 0, or
 * -1 with the first fault. */
int ini_reader_parse(struct ini_reader *,
                     int (*take)(void *arg, const char *section, const char *key,
                                 const char *value),
                     void *arg);

/* The first fault is told: `what` is wrong, with which `value` (may be NULL), and what is `wanted`
 * instead (may be NULL). Returns 0, which tells inih of a fault. */
int ini_reader_fail(struct ini_reader *, const char *what, const char *value, const char *wanted);

/* A thing is called as its file is, without the folder and .conf: a-z, 0-9 and -. `what` it is, for
 * the message. 0 or -1. */
int ini_name_of_file(char *name, size_t size, const char *file, const char *what, struct error *);

#endif
