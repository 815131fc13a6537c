/* Lists of names as people write them: "a,b" on the command line, "a b" in files. */
#ifndef BENCH_LIST_H
#define BENCH_LIST_H

#include "bench/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether `name` stands in the list. */
bool is_listed(const char *list, const char *name);

/* Whether all that is listed is there: `count` names, the first at `names` and each `stride` bytes
 * after the one before. 0, or -1 with what is not there and what is; `what` is the singular of
 * the option's name. */
int list_verify(const char *list, const char *what, const void *names, size_t stride, size_t count,
                struct error *);

#endif
