#include "common/units.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_decimal(const char *text, size_t length, double *value)
{
    double whole = 0, scale = 1;
    bool digits = false, point = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && !point) {
            point = true;
        } else if (text[i] >= '0' && text[i] <= '9') {
            digits = true;
            whole = whole * 10 + (text[i] - '0');
            scale = point ? scale * 10 : scale;
        } else {
            return false;
        }
    }
    /* A few hundred digits reach infinity, and infinity / infinity is no number. */
    if (!digits || whole > 1e18 || scale > 1e18)
        return false;
    *value = whole / scale;
    return true;
}

/* The digits at *text as a number up to `most`; *text moves behind them. */
static bool scan_count(const char **text, uint64_t most, uint64_t *value)
{
    const char *at = *text;
    uint64_t number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (digit > most || number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *value = number;
    return true;
}

bool parse_count(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
    uint64_t number;
    if (!scan_count(&text, most, &number) || *text || number < least)
        return false;
    *value = number;
    return true;
}

bool parse_seconds_ns(const char *text, double most_s, uint64_t *value_ns)
{
    double seconds;
    if (!parse_decimal(text, strlen(text), &seconds) || seconds > most_s)
        return false;
    *value_ns = (uint64_t)(seconds * (double)NS_PER_S + 0.5);
    return true;
}

bool parse_bytes(const char *text, uint64_t most_bytes, uint64_t *value_bytes)
{
    uint64_t number;
    unsigned shift = 0;
    if (!scan_count(&text, most_bytes, &number))
        return false;
    if (*text) {
        const char *suffix = strchr("KMGkmg", *text);
        if (!suffix || text[1])
            return false;
        shift = (unsigned)((suffix - "KMGkmg") % 3 + 1) * 10;
    }
    if (number > most_bytes >> shift)
        return false;
    *value_bytes = number << shift;
    return true;
}

bool parse_cpu_list(const char *text, cpu_set_t *cpus)
{
    cpu_set_t allowed, chosen;
    CPU_ZERO(&chosen);
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return false;
    for (;;) {
        uint64_t first, last;
        if (!scan_count(&text, CPU_SETSIZE - 1, &first))
            return false;
        last = first;
        if (*text == '-') {
            text++;
            if (!scan_count(&text, CPU_SETSIZE - 1, &last) || last < first)
                return false;
        }
        for (uint64_t cpu = first; cpu <= last; cpu++) {
            if (!CPU_ISSET(cpu, &allowed))
                return false;
            CPU_SET(cpu, &chosen);
        }
        if (*text != ',')
            break;
        text++;
    }
    if (*text)
        return false;
    *cpus = chosen;
    return true;
}

void format_cpu_list(const cpu_set_t *cpus, char *text, size_t size)
{
    size_t length = 0;
    *text = '\0';
    for (size_t cpu = 0; cpu < CPU_SETSIZE && length < size; cpu++) {
        size_t last = cpu;
        if (!CPU_ISSET(cpu, cpus))
            continue;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
            last++;
        length += (size_t)snprintf(text + length, size - length, last > cpu ? "%s%zu-%zu" : "%s%zu",
                                   length > 0 ? "," : "", cpu, last);
        cpu = last;
    }
}
