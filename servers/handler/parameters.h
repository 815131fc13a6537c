/* The parameters of requests, read from a query string. Knows nothing of what they cause. */
#ifndef SERVERS_HANDLER_PARAMETERS_H
#define SERVERS_HANDLER_PARAMETERS_H

#include <stdbool.h>
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

enum { KEY_MAX_BYTES = 256 };

/* Reads "key=K", and where `sleep_ms` is not NULL also "&sleep_ms=T", which may be missing: 0.
 * The key is decoded and ends with a NUL. As work_parse. */
int lookup_parse(const char *query, size_t length, char key[KEY_MAX_BYTES], double *sleep_ms,
                 char *why, size_t why_size);

/* Decodes %XX into `text`, which ends with a NUL. false: it is cut short, longer than `size` - 1,
 * or holds a NUL itself. */
bool percent_decode(const char *at, size_t length, char *text, size_t size);

/* As percent_decode, but + is a blank: the way forms are sent. */
bool form_decode(const char *at, size_t length, char *text, size_t size);

#endif
