/* Was a measurement disturbed by something that is neither the server nor the load generator?
 *
 * The one place with the thresholds, and with what is done about it: which of
 * several attempts at a cell counts. Knows loadgen's result object, and nothing
 * of plans and processes. */
#ifndef BENCH_DISTURBANCE_H
#define BENCH_DISTURBANCE_H

#include <jansson.h>
#include <stdbool.h>

/* How often a cell is measured at most until it is undisturbed. */
enum { ATTEMPTS_MOST = 3 };

/* The reasons, in words and with figures: a new array, empty when nothing is known to have
 * disturbed the run. What was not measured is no reason. NULL without memory. */
json_t *disturbance_of(const json_t *run);

/* Of a line of runs.jsonl: does it give reasons? */
bool is_disturbed(const json_t *line);

/* The first of them; NULL: none. */
const char *first_disturbance(const json_t *line);

/* Of a line of runs.jsonl: do its halves differ? */
bool is_unsteady(const json_t *line);

/* The line that counts, of the one that did so far (NULL: none yet) and a later one of the same
 * cell: the first undisturbed one, else the last; one with a result before one without. */
const json_t *attempt_that_counts(const json_t *so_far, const json_t *later);

#endif
