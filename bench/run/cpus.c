#include "bench/run/cpus.h"

#include "common/units.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The first CPU that this process may run on and the second; false, and two empty texts: there
 * is only one. */
static bool first_two_cpus(char *server, char *loadgen, size_t size)
{
    cpu_set_t allowed;
    server[0] = loadgen[0] = '\0';
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
        return false;
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    snprintf(server, size, "%zu", cpu++);
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    snprintf(loadgen, size, "%zu", cpu);
    return true;
}

int cpus_choose(const char *server_wanted, const char *loadgen_wanted, char *server, char *loadgen,
                size_t size, struct error *error)
{
    if (!first_two_cpus(server, loadgen, size) && (!server_wanted || !loadgen_wanted))
        fprintf(stderr, "bench: warning: only one CPU: the server and the load generator share "
                        "it, nothing is pinned, and the figures say little\n");
    const char *const wanted[] = {server_wanted, loadgen_wanted};
    char *const places[] = {server, loadgen};
    for (size_t i = 0; i < 2; i++) {
        if (wanted[i] && strlen(wanted[i]) >= size)
            return error_set(error, "the list of CPUs is too long: %s", wanted[i]);
        if (wanted[i])
            strcpy(places[i], wanted[i]);
    }
    return 0;
}

static void append_cpus(const cpu_set_t *cpus, char *text, size_t size)
{
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        size_t length = strlen(text);
        if (CPU_ISSET(cpu, cpus) && size - length > 8)
            snprintf(text + length, size - length, "%s%zu", length > 0 ? "," : "", cpu);
    }
}

void cpus_order(const char *server, const char *loadgen, char *text, size_t size)
{
    cpu_set_t first, last, rest;
    CPU_ZERO(&rest);
    sched_getaffinity(0, sizeof rest, &rest);
    if (!*server || !parse_cpu_list(server, &first))
        CPU_ZERO(&first);
    if (!*loadgen || !parse_cpu_list(loadgen, &last))
        CPU_ZERO(&last);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &first))
            CPU_CLR(cpu, &last);
        if (CPU_ISSET(cpu, &first) || CPU_ISSET(cpu, &last))
            CPU_CLR(cpu, &rest);
    }
    *text = '\0';
    append_cpus(&first, text, size);
    append_cpus(&rest, text, size);
    append_cpus(&last, text, size);
}
