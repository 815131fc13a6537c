#include "loadgen/slo.h"

#include "common/units.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    enum slo_quantity quantity;
    double quantile;
} quantities[] = {
    {"p50", SLO_QUANTILE, 0.5},       {"p75", SLO_QUANTILE, 0.75}, {"p90", SLO_QUANTILE, 0.9},
    {"p95", SLO_QUANTILE, 0.95},      {"p99", SLO_QUANTILE, 0.99}, {"p99.9", SLO_QUANTILE, 0.999},
    {"p99.99", SLO_QUANTILE, 0.9999}, {"max", SLO_QUANTILE, 1},    {"mean", SLO_MEAN, 0},
    {"errors", SLO_ERRORS, 0},
};

static const struct {
    const char *name;
    double factor;
} times[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}}, shares[] = {{"%", 0.01}, {"", 1}};

static bool parse_limit(const char *text, struct slo *s)
{
    bool share = s->quantity == SLO_ERRORS;
    size_t length = strspn(text, "0123456789.");
    size_t units = share ? sizeof shares / sizeof *shares : sizeof times / sizeof *times;
    double number;
    if (length == 0 || !parse_decimal(text, length, &number) || !(number > 0))
        return false;
    for (size_t i = 0; i < units; i++)
        if (strcmp(text + length, share ? shares[i].name : times[i].name) == 0) {
            s->limit = number * (share ? shares[i].factor : times[i].factor);
            return !share || s->limit <= 1;
        }
    return false;
}

const char *slo_parse(const char *text, struct slo *s)
{
    static const char *const expected =
        "p50, p75, p90, p95, p99, p99.9, p99.99, max or mean below a time (p99<10ms), or errors "
        "below a share (errors<0.1%)";
    size_t length = strcspn(text, "<");
    *s = (struct slo){.text = text};
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        if (strlen(quantities[i].name) != length || strncmp(quantities[i].name, text, length) != 0)
            continue;
        s->quantity = quantities[i].quantity;
        s->quantile = quantities[i].quantile;
        return text[length] == '<' && parse_limit(text + length + 1, s) ? NULL : expected;
    }
    return expected;
}

double slo_observed(const struct slo *s, const struct tally *t)
{
    double errors = (double)tally_errors(t), ended = (double)t->completed + errors;
    if (s->quantity == SLO_ERRORS)
        return ended > 0 ? errors / ended : NAN;
    if (t->response->count == 0)
        return NAN;
    if (s->quantity == SLO_MEAN)
        return histogram_mean_ns(t->response) / 1e3;
    return (double)histogram_quantile_ns(t->response, s->quantile) / 1e3;
}

bool slo_met(const struct slo *s, const struct tally *t)
{
    return t->completed > 0 && slo_observed(s, t) < s->limit;
}

double slo_tightest_us(const struct slo *slos, size_t count)
{
    double tightest_us = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (slos[i].quantity != SLO_ERRORS)
            tightest_us = fmin(tightest_us, slos[i].limit);
    return isfinite(tightest_us) ? tightest_us : 100e3;
}
