/* Numbers as people write them on command lines and in configuration files.
 *
 * Every function takes the whole text or refuses it: no trailing rubbish, no
 * sign, no overflow, no "nan". Each returns false and leaves *value alone when
 * the text is not such a number. Knows nothing of what the numbers mean. */
#ifndef COMMON_UNITS_H
#define COMMON_UNITS_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits with at most one decimal point: "5", "0.25", ".5". No exponent. Needs no final NUL. */
bool parse_decimal(const char *text, size_t length, double *value);

/* A whole number between `least` and `most`. */
bool parse_count(const char *text, uint64_t least, uint64_t most, uint64_t *value);

/* Seconds, fractions allowed, up to `most_s`, as nanoseconds. */
bool parse_seconds_ns(const char *text, double most_s, uint64_t *value_ns);

/* Bytes, with an optional suffix K, M or G (powers of 1024). */
bool parse_bytes(const char *text, uint64_t most_bytes, uint64_t *value_bytes);

/* CPU numbers as in "0,2-3". Refuses a CPU that this process may not use. */
bool parse_cpu_list(const char *text, cpu_set_t *cpus);

/* The other way round. */
void format_cpu_list(const cpu_set_t *, char *text, size_t size);

#endif
