/* Was a measurement disturbed by something that is neither the server nor the load generator?
 *
 * The one place with the thresholds. Nothing is thrown away because of it: what was disturbed is
 * kept and marked. Knows loadgen's result object, and nothing of plans and processes. */
#ifndef BENCH_DISTURBANCE_H
#define BENCH_DISTURBANCE_H

#include <jansson.h>
#include <stdbool.h>

/* The reasons, in words and with figures: a new array, empty when nothing is known to have
 * disturbed the run. What was not measured is no reason. NULL without memory. */
json_t *disturbance_of(const json_t *run);

/* Of a line of runs.jsonl: does it give reasons? */
bool is_disturbed(const json_t *line);

/* The first of them; NULL: none. */
const char *first_disturbance(const json_t *line);

#endif
