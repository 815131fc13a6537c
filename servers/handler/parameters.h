/* The parameters of /work, read from a query string. Knows nothing of what they cause. */
#ifndef SERVERS_HANDLER_PARAMETERS_H
#define SERVERS_HANDLER_PARAMETERS_H

#include <stddef.h>
#include <stdint.h>

struct work {
    double cpu_us;
    double wait_ms;
    double lock_us;
    uint64_t bytes;
};

/* Reads "cpu_us=…&wait_ms=…&lock_us=…&bytes=…", each optional. Returns 0, or
 * -1 with a message in `why` that names the parameter that was refused. */
int work_parse(const char *query, size_t length, struct work *, char *why, size_t why_size);

#endif
