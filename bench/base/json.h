/* Three small things that jansson leaves to its users.
 *
 * Results of other programs and of later versions are read with these, so that
 * a missing member is "not measured" and never a zero or a crash. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <jansson.h>

/* The value at a path such as "server.cpu.user_s"; NULL: not there. A borrowed reference. */
json_t *json_at(const json_t *object, const char *path);

/* The number at the path; NaN: not there, null, or no number. */
double json_number_at(const json_t *object, const char *path);

/* A new integer where `number` is whole, a real otherwise, null where it is not finite. */
json_t *json_number_of(double number);

#endif
