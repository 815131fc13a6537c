/* What was found, a line each: JSON for programs, or columns for people. */
#ifndef SWITCHES_REPORT_H
#define SWITCHES_REPORT_H

#include "switches/footprint.h"
#include "switches/lifecycle.h"
#include "switches/ring.h"

#include <stdio.h>

struct report {
    FILE *out;
    bool json;
};

/* A NULL result: it was not possible, for the reason. */
void report_passage(const struct report *, const char *kind, unsigned tasks, const struct order *,
                    const struct passage *, const struct reason *);
void report_lifecycle(const struct report *, const char *kind, const struct lifecycle *,
                      const struct reason *);
void report_footprint(const struct report *, const char *kind, const struct footprint *,
                      const struct reason *);

#endif
