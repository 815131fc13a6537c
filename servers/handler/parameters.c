#include "servers/handler/parameters.h"

#include "common/units.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    double most;
    bool whole;
} known[] = {
    {"cpu_us", 10e6, false},
    {"wait_ms", 60e3, false},
    {"lock_us", 10e6, false},
    {"bytes", 16.0 * 1024 * 1024, true},
};
enum { KNOWN = sizeof known / sizeof *known };

/* One "name=value". Returns its index in `known`, or -1 with the reason in `why`. */
static int parse_one(const char *text, size_t length, double *value, char *why, size_t why_size)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals ? (size_t)(equals - text) : length;
    size_t value_length = equals ? length - name_length - 1 : 0;

    for (int i = 0; i < KNOWN; i++) {
        if (strlen(known[i].name) != name_length || memcmp(known[i].name, text, name_length) != 0)
            continue;
        bool number = equals && parse_decimal(equals + 1, value_length, value);
        if (number && known[i].whole)
            number = !memchr(equals + 1, '.', value_length);
        if (number && *value <= known[i].most)
            return i;
        snprintf(why, why_size, "bad parameter %s: expected a %snumber from 0 to %.0f\n",
                 known[i].name, known[i].whole ? "whole " : "", known[i].most);
        return -1;
    }
    /* What the client sent goes back as text/plain, cut short, with nothing unprintable in it. */
    char name[25];
    size_t shown = name_length < sizeof name - 1 ? name_length : sizeof name - 1;
    for (size_t i = 0; i < shown; i++)
        name[i] = text[i] > ' ' && text[i] < 127 ? text[i] : '?';
    name[shown] = '\0';
    snprintf(why, why_size, "bad parameter %s: unknown\n", name);
    return -1;
}

int work_parse(const char *query, size_t length, struct work *work, char *why, size_t why_size)
{
    double values[KNOWN] = {0};
    bool given[KNOWN] = {false};
    const char *end = query + length;

    while (query < end) {
        const char *stop = memchr(query, '&', (size_t)(end - query));
        stop = stop ? stop : end;
        if (stop > query) {
            double value;
            int i = parse_one(query, (size_t)(stop - query), &value, why, why_size);
            if (i < 0)
                return -1;
            if (given[i]) {
                snprintf(why, why_size, "bad parameter %s: given twice\n", known[i].name);
                return -1;
            }
            given[i] = true;
            values[i] = value;
        }
        query = stop < end ? stop + 1 : end;
    }
    *work = (struct work){values[0], values[1], values[2], (uint64_t)values[3]};
    return 0;
}
