/* Values of command-line options, read or refused in the same words by every program.
 *
 * `option` names the option as the user wrote it ("--backlog"). A value that will not do ends the
 * program with argp's status 64 and a message that names the option, the value and what would. */
#ifndef COMMON_ARGUMENTS_H
#define COMMON_ARGUMENTS_H

#include <argp.h>
#include <sched.h>
#include <stdint.h>

/* A whole number from `least` to `most`. */
unsigned argument_count(struct argp_state *, const char *option, const char *value, unsigned least,
                        unsigned most);

/* Seconds from `least_s` to a day, fractions allowed, as nanoseconds. */
uint64_t argument_seconds_ns(struct argp_state *, const char *option, const char *value,
                             double least_s);

/* CPUs that this process may use, as in 0 or 0,2-3. */
cpu_set_t argument_cpus(struct argp_state *, const char *option, const char *value);

#endif
