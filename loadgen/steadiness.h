/* Was the load's second half like its first? If not, the warm-up was too short, or the server (or
 * the machine) changed its speed within the window.
 *
 * Judges two distributions; knows nothing of how they came about. */
#ifndef LOADGEN_STEADINESS_H
#define LOADGEN_STEADINESS_H

#include "common/histogram.h"

enum steadiness { STEADINESS_UNKNOWN, STEADY, UNSTEADY };

/* Of the response times of the requests that were completed in the two halves, which are equally
 * long. Unknown when there are too few for a judgement. */
enum steadiness steadiness_of(const struct histogram *first, const struct histogram *second);

#endif
