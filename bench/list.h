/* Lists of names as people write them on the command line: "a,b". */
#ifndef BENCH_LIST_H
#define BENCH_LIST_H

#include <stdbool.h>

/* Whether `name` stands in the list. */
bool is_listed(const char *list, const char *name);

#endif
