#include "common/arguments.h"

#include "common/clock.h"
#include "common/units.h"

unsigned argument_count(struct argp_state *state, const char *option, const char *value,
                        unsigned least, unsigned most)
{
    uint64_t number = 0;
    if (!parse_count(value, least, most, &number))
        argp_error(state, "%s %s: expected a whole number from %u to %u", option, value, least,
                   most);
    return (unsigned)number;
}

uint64_t argument_seconds_ns(struct argp_state *state, const char *option, const char *value,
                             double least_s)
{
    uint64_t ns = 0;
    if (!parse_seconds_ns(value, 86400, &ns) || (double)ns < least_s * (double)NS_PER_S)
        argp_error(state, "%s %s: expected seconds from %g to 86400", option, value, least_s);
    return ns;
}

cpu_set_t argument_cpus(struct argp_state *state, const char *option, const char *value)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (!parse_cpu_list(value, &cpus))
        argp_error(state, "%s %s: expected CPUs that this process may use, as in 0 or 0,2-3",
                   option, value);
    return cpus;
}
