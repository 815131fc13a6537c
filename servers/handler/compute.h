/* Work for a CPU: a fixed number of iterations, never "until the clock says so".
 *
 * A loop that watches a clock does less work when its thread is preempted; a
 * fixed count is the same work in every model. Knows nothing of requests. */
#ifndef SERVERS_HANDLER_COMPUTE_H
#define SERVERS_HANDLER_COMPUTE_H

#include <stdint.h>

/* Each iteration depends on the one before, so that no processor can overlap them. */
void compute(uint64_t iterations);

/* `duration_us` of work on a machine that does `rate` iterations per microsecond. */
void compute_for(double duration_us, double rate);

#endif
