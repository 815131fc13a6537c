#include "servers/handler/parameters.h"

#include "common/units.h"

#include <stdio.h>
#include <string.h>

/* --- decoding --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(const char *at, size_t length, char plus, char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        char c = at[i] == '+' ? plus : at[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_digit(at[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || n + 1 == size)
            return false;
        text[n++] = c;
    }
    text[n] = '\0';
    return true;
}

bool percent_decode(const char *at, size_t length, char *text, size_t size)
{
    return decode(at, length, '+', text, size);
}

bool form_decode(const char *at, size_t length, char *text, size_t size)
{
    return decode(at, length, ' ', text, size);
}

/* --- a query string --------------------------------------------------------------------------- */

struct parameter {
    const char *name;
    double most; /* if it is a number */
    bool whole;
};

/* What the client sent for one of them. */
struct value {
    const char *at; /* NULL: it is not there */
    size_t length;
};

static int index_of(const struct parameter *known, int count, const char *name, size_t length)
{
    for (int i = 0; i < count; i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return i;
    return -1;
}

static int refuse_unknown(const char *text, size_t length, char *why, size_t why_size)
{
    /* What the client sent goes back as text/plain, cut short, with nothing unprintable in it. */
    char name[25];
    size_t shown = length < sizeof name - 1 ? length : sizeof name - 1;
    for (size_t i = 0; i < shown; i++)
        name[i] = text[i] > ' ' && text[i] < 127 ? text[i] : '?';
    name[shown] = '\0';
    snprintf(why, why_size, "bad parameter %s: unknown\n", name);
    return -1;
}

/* Splits "name=value&…" into the values of the known parameters. */
static int split(const struct parameter *known, int count, const char *query, size_t length,
                 struct value *values, char *why, size_t why_size)
{
    const char *end = query + length;
    while (query < end) {
        const char *stop = memchr(query, '&', (size_t)(end - query));
        stop = stop ? stop : end;
        const char *equals = memchr(query, '=', (size_t)(stop - query));
        const char *name_end = equals ? equals : stop;
        if (stop > query) {
            int i = index_of(known, count, query, (size_t)(name_end - query));
            if (i < 0)
                return refuse_unknown(query, (size_t)(name_end - query), why, why_size);
            if (values[i].at) {
                snprintf(why, why_size, "bad parameter %s: given twice\n", known[i].name);
                return -1;
            }
            const char *at = equals ? equals + 1 : stop;
            values[i] = (struct value){at, (size_t)(stop - at)};
        }
        query = stop < end ? stop + 1 : end;
    }
    return 0;
}

/* The number that a value is; 0 if it is not there. */
static int parse_number(const struct parameter *p, struct value value, double *number, char *why,
                        size_t why_size)
{
    *number = 0;
    if (!value.at)
        return 0;
    bool is_one = parse_decimal(value.at, value.length, number) &&
                  !(p->whole && memchr(value.at, '.', value.length));
    if (is_one && *number <= p->most)
        return 0;
    snprintf(why, why_size, "bad parameter %s: expected a %snumber from 0 to %.0f\n", p->name,
             p->whole ? "whole " : "", p->most);
    return -1;
}

int work_parse(const char *query, size_t length, struct work *work, char *why, size_t why_size)
{
    static const struct parameter known[] = {
        {"cpu_us", 10e6, false},
        {"wait_ms", 60e3, false},
        {"lock_us", 10e6, false},
        {"bytes", 16.0 * 1024 * 1024, true},
    };
    enum { KNOWN = sizeof known / sizeof *known };
    struct value values[KNOWN] = {0};
    double numbers[KNOWN];
    if (split(known, KNOWN, query, length, values, why, why_size) < 0)
        return -1;
    for (int i = 0; i < KNOWN; i++)
        if (parse_number(&known[i], values[i], &numbers[i], why, why_size) < 0)
            return -1;
    *work = (struct work){numbers[0], numbers[1], numbers[2], (uint64_t)numbers[3]};
    return 0;
}

int lookup_parse(const char *query, size_t length, char key[KEY_MAX_BYTES], double *sleep_ms,
                 char *why, size_t why_size)
{
    static const struct parameter known[] = {{.name = "key"}, {"sleep_ms", 60e3, false}};
    struct value values[2] = {0};
    if (split(known, sleep_ms ? 2 : 1, query, length, values, why, why_size) < 0)
        return -1;
    if (!values[0].length || !percent_decode(values[0].at, values[0].length, key, KEY_MAX_BYTES)) {
        snprintf(why, why_size, "bad parameter key: expected 1 to %d bytes\n", KEY_MAX_BYTES - 1);
        return -1;
    }
    return sleep_ms ? parse_number(&known[1], values[1], sleep_ms, why, why_size) : 0;
}
