/* A search for the capacity, as the member of the result object and as text for a person. */
#ifndef LOADGEN_CAPACITY_REPORT_H
#define LOADGEN_CAPACITY_REPORT_H

#include "loadgen/capacity.h"

#include <jansson.h>
#include <stdio.h>

/* A new reference, or NULL when memory is short. */
json_t *capacity_json(const struct capacity *);

/* The headline, and the windows as a table. */
void capacity_print(const struct capacity *, FILE *);

#endif
