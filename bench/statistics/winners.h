/* Which model of a table is shown to be the best in a column.
 *
 * The one with the best figure is compared with every other of the table. It
 * wins where it is better than each of them, and every such comparison of the
 * run is in one family. That the candidate was chosen by its figure does no
 * harm: to win it must beat the second, too. */
#ifndef BENCH_WINNERS_H
#define BENCH_WINNERS_H

#include "bench/journal/results.h"

#include <stdbool.h>
#include <stddef.h>

struct winners;

/* Of all tables in which `is_shown` says that a metric stands for a workload. To be freed; NULL
 * without memory. */
struct winners *winners_of(const struct results *,
                           bool (*is_shown)(const struct workload *, const char *metric));
void winners_free(struct winners *);

/* Is the group's model shown to be the best of all models in this metric? */
bool winners_have(const struct winners *, struct group, const char *metric);

/* The size of the family. */
size_t winners_comparisons(const struct winners *);

#endif
