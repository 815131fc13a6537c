/* How fast this machine computes: found out once, and told to every server. */
#ifndef BENCH_CALIBRATE_H
#define BENCH_CALIBRATE_H

#include "bench/base/error.h"

/* Iterations of compute per microsecond on this machine: the median of three starts of a server,
 * which calibrates when it is not told the rate. Any will do, their handler is the same; the
 * simplest, server-blocking, has the least around it: that of `otherwise` where it is not there.
 * 0, or -1. */
int calibrate(const char *programs, const char *otherwise, const char *cpus, double *rate,
              struct error *);

#endif
