#include "loadgen/capacity_report.h"

#include <math.h>
#include <stdbool.h>

/* NULL: not known. */
static const char *limit_name(enum capacity_limit limit)
{
    static const char *const names[] = {
        [CAPACITY_LIMIT_UNKNOWN] = NULL,
        [CAPACITY_LIMIT_SLO] = "slo",
        [CAPACITY_LIMIT_GENERATOR] = "generator",
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

static json_t *window_json(const struct capacity_window *w)
{
    bool decided = w->verdict != CAPACITY_UNDECIDED;
    return json_pack("{s:f, s:I, s:f, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}",
                     "rate_rps", w->rate_rps,
                     "seed", (json_int_t)w->seed,
                     "duration_s", w->duration_s,
                     "intended", (json_int_t)w->intended,
                     "completed", (json_int_t)w->completed,
                     "errors", (json_int_t)w->errors,
                     "throughput_rps", number(w->throughput_rps),
                     "p50_us", number(w->p50_us),
                     "p99_us", number(w->p99_us),
                     "held", decided ? json_boolean(w->verdict == CAPACITY_HELD) : json_null(),
                     "generator_bound", w->generator_bound,
                     "cpu_us_per_request", number(w->cpu_us_per_request),
                     "steal_share", number(w->steal_share),
                     "reason", text_or_null(w->reason));
}

json_t *capacity_json(const struct capacity *c)
{
    json_t *conditions = json_array(), *windows = json_array();
    for (size_t i = 0; i < c->plan.slo_count; i++)
        json_array_append_new(conditions, json_string(c->plan.slos[i].text));
    for (size_t i = 0; i < c->window_count; i++)
        json_array_append_new(windows, window_json(&c->windows[i]));
    return json_pack("{s:f, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}",
                     "rate_rps", c->rate_rps,
                     "low_rps", number(c->low_rps),
                     "high_rps", number(c->high_rps),
                     "lower_bound", c->lower_bound,
                     "limited_by", text_or_null(limit_name(c->limit)),
                     "slo", conditions,
                     "bound_rps", number(c->bound_rps),
                     "peak_throughput_rps", c->peak_throughput_rps > 0
                                                ? json_real(c->peak_throughput_rps) : json_null(),
                     "windows", windows);
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
    char rate[GROUPED_BYTES], low[GROUPED_BYTES], high[GROUPED_BYTES], more[GROUPED_BYTES];
    if (c->rate_rps > 0)
        fprintf(out, "capacity: %s%s requests/s", c->lower_bound ? "at least " : "",
                grouped(rate, c->rate_rps));
    else if (c->limit == CAPACITY_LIMIT_NOTHING)
        fprintf(out, "capacity: no rate was sustained");
    else
        fprintf(out, "capacity: not found");
    if (c->rate_rps > 0 && isfinite(c->low_rps) && isfinite(c->high_rps))
        fprintf(out, " (%s to %s)", grouped(low, c->low_rps), grouped(high, c->high_rps));
    for (size_t i = 0; i < c->plan.slo_count; i++)
        fprintf(out, "%s%s", i ? ", " : " at ", c->plan.slos[i].text);
    if (isfinite(c->bound_rps))
        fprintf(out, "; bound by CPU %s/s", grouped(more, c->bound_rps));
    if (c->peak_throughput_rps > 0)
        fprintf(out, "; peak throughput %s/s", grouped(more, c->peak_throughput_rps));
    if (c->limit == CAPACITY_LIMIT_GENERATOR)
        fprintf(out, "; the generator was the limit");
    fputs("\n\n", out);
}

static void print_window(const struct capacity_window *w, FILE *out)
{
    char rate[GROUPED_BYTES], throughput[GROUPED_BYTES];
    fprintf(out, "  %12s %12s", grouped(rate, w->rate_rps),
            isfinite(w->throughput_rps) ? grouped(throughput, w->throughput_rps) : "?");
    if (isfinite(w->p99_us))
        fprintf(out, " %12.1f %12.1f", w->p50_us, w->p99_us);
    else
        fprintf(out, " %12s %12s", "?", "?");
    static const char *const verdicts[] = {
        [CAPACITY_UNDECIDED] = "skipped: ", [CAPACITY_HELD] = "held", [CAPACITY_FAILED] = ""};
    fprintf(out, "  %s%s%s%s\n", verdicts[w->verdict], w->reason,
            w->generator_bound ? ", but the generator was late or at its limit" : "",
            w->cut_short ? " (cut short)" : "");
}

void capacity_print(const struct capacity *c, FILE *out)
{
    print_headline(c, out);
    fprintf(out, "  %12s %12s %12s %12s\n", "rate/s", "answered/s", "p50 us", "p99 us");
    for (size_t i = 0; i < c->window_count; i++)
        print_window(&c->windows[i], out);
    fputs("\n", out);
}
