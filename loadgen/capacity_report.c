#include "loadgen/capacity_report.h"

#include <math.h>
#include <stdbool.h>

const char *capacity_phase_name(enum capacity_phase phase)
{
    static const char *const names[] = {
        [CAPACITY_BRACKET] = "bracket",
        [CAPACITY_BISECT] = "bisect",
        [CAPACITY_CONFIRM] = "confirm",
    };
    return names[phase];
}

/* NULL: not known. */
static const char *limit_name(enum capacity_limit limit)
{
    static const char *const names[] = {
        [CAPACITY_LIMIT_UNKNOWN] = NULL,
        [CAPACITY_LIMIT_SLO] = "slo",
        [CAPACITY_LIMIT_GENERATOR] = "generator",
        [CAPACITY_LIMIT_CEILING] = "ceiling",
        [CAPACITY_LIMIT_NOTHING] = "nothing sustained",
    };
    return names[limit];
}

/* --- the object ------------------------------------------------------------------------------- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

/* Names and values stand in pairs here, which clang-format would tear apart. */
/* clang-format off */

static json_t *step_json(const struct capacity *c, const struct capacity_step *s)
{
    json_t *observed = json_array();
    for (size_t i = 0; i < c->plan.slo_count; i++)
        json_array_append_new(observed, number(s->observed[i]));
    bool decided = s->verdict != CAPACITY_UNDECIDED;
    return json_pack("{s:s, s:f, s:I, s:f, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:b, s:o}",
                     "phase", capacity_phase_name(s->phase),
                     "rate_rps", s->rate_rps,
                     "seed", (json_int_t)s->seed,
                     "duration_s", s->duration_s,
                     "intended", (json_int_t)s->intended,
                     "completed", (json_int_t)s->completed,
                     "throughput_rps", number(s->throughput_rps),
                     "errors", (json_int_t)s->errors,
                     "p50_us", number(s->p50_us),
                     "p99_us", number(s->p99_us),
                     "observed", observed,
                     "sustained", decided ? json_boolean(s->verdict == CAPACITY_SUSTAINED)
                                          : json_null(),
                     "generator_bound", s->verdict == CAPACITY_GENERATOR_BOUND,
                     "cut_short", s->cut_short,
                     "reason", text_or_null(s->reason));
}

json_t *capacity_json(const struct capacity *c)
{
    json_t *conditions = json_array(), *search = json_array();
    for (size_t i = 0; i < c->plan.slo_count; i++)
        json_array_append_new(conditions, json_string(c->plan.slos[i].text));
    for (size_t i = 0; i < c->step_count; i++)
        json_array_append_new(search, step_json(c, &c->steps[i]));
    return json_pack("{s:f, s:b, s:o, s:o, s:f, s:o, s:o}",
                     "rate_rps", c->rate_rps,
                     "lower_bound", capacity_is_lower_bound(c),
                     "limited_by", text_or_null(limit_name(c->limit)),
                     "slo", conditions,
                     "precision", c->plan.precision,
                     "peak_throughput_rps", c->peak_throughput_rps > 0
                                                ? json_real(c->peak_throughput_rps) : json_null(),
                     "search", search);
}

/* clang-format on */

/* --- for a person ----------------------------------------------------------------------------- */

enum { GROUPED_BYTES = 32 };

/* 8430.2 as "8,430"; below 100, where the fraction matters, as "42.3". */
static const char *grouped(char text[GROUPED_BYTES], double value)
{
    if (value < 100) {
        snprintf(text, GROUPED_BYTES, "%.3g", value);
        return text;
    }
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)llround(value));
    char *at = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return text;
}

static void print_headline(const struct capacity *c, FILE *out)
{
    char rate[GROUPED_BYTES], peak[GROUPED_BYTES];
    if (c->rate_rps > 0)
        fprintf(out, "capacity: %s%s requests/s at ", capacity_is_lower_bound(c) ? "at least " : "",
                grouped(rate, c->rate_rps));
    else if (c->limit == CAPACITY_LIMIT_NOTHING)
        fprintf(out, "capacity: no rate was sustained at ");
    else
        fprintf(out, "capacity: not found, at ");
    for (size_t i = 0; i < c->plan.slo_count; i++)
        fprintf(out, "%s%s", i ? ", " : "", c->plan.slos[i].text);
    if (c->peak_throughput_rps > 0)
        fprintf(out, " (peak throughput %s/s)", grouped(peak, c->peak_throughput_rps));
    if (c->limit == CAPACITY_LIMIT_GENERATOR)
        fprintf(out, "; the generator was the limit");
    fputs("\n\n", out);
}

static void print_step(const struct capacity_step *s, FILE *out)
{
    char rate[GROUPED_BYTES], throughput[GROUPED_BYTES];
    fprintf(out, "  %-8s %12s %12s", capacity_phase_name(s->phase), grouped(rate, s->rate_rps),
            isfinite(s->throughput_rps) ? grouped(throughput, s->throughput_rps) : "?");
    if (isfinite(s->p99_us))
        fprintf(out, " %12.1f %12.1f", s->p50_us, s->p99_us);
    else
        fprintf(out, " %12s %12s", "?", "?");
    fprintf(out, "  %s%s%s\n", s->verdict == CAPACITY_SUSTAINED ? "sustained" : s->reason,
            s->verdict == CAPACITY_GENERATOR_BOUND ? ", but the generator was late or at its limit"
                                                   : "",
            s->cut_short ? " (cut short)" : "");
}

void capacity_print(const struct capacity *c, FILE *out)
{
    print_headline(c, out);
    fprintf(out, "  %-8s %12s %12s %12s %12s\n", "step", "rate/s", "answered/s", "p50 us",
            "p99 us");
    for (size_t i = 0; i < c->step_count; i++)
        print_step(&c->steps[i], out);
    fputs("\n", out);
}
