#include "loadgen/slo.h"

#include "common/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is taken for chance in a Poisson count: so many standard deviations (its square root), and
 * so many more, since small counts have longer tails. */
#define CHANCE_DEVIATIONS 4
#define CHANCE_MORE 8

static const struct quantity {
    const char *name;
    enum slo_kind kind;
    double quantile;
} quantities[] = {
    {"p50", SLO_QUANTILE, 0.5},       {"p75", SLO_QUANTILE, 0.75}, {"p90", SLO_QUANTILE, 0.9},
    {"p95", SLO_QUANTILE, 0.95},      {"p99", SLO_QUANTILE, 0.99}, {"p99.9", SLO_QUANTILE, 0.999},
    {"p99.99", SLO_QUANTILE, 0.9999}, {"max", SLO_QUANTILE, 1},    {"mean", SLO_MEAN, 0},
    {"errors", SLO_ERRORS, 0},
};

/* --- reading ---------------------------------------------------------------------------------- */

static const struct quantity *find_quantity(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++)
        if (strlen(quantities[i].name) == length && memcmp(quantities[i].name, name, length) == 0)
            return &quantities[i];
    return NULL;
}

static bool parse_time_us(const char *text, double *us)
{
    static const struct {
        const char *name;
        double us;
    } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};
    size_t digits = strspn(text, "0123456789.");
    if (!parse_decimal(text, digits, us))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text + digits, units[i].name) == 0) {
            *us *= units[i].us;
            return true;
        }
    }
    return false;
}

static bool parse_share(const char *text, double *share)
{
    size_t length = strlen(text);
    bool percent = length > 0 && text[length - 1] == '%';
    if (!parse_decimal(text, length - percent, share))
        return false;
    *share /= percent ? 100 : 1;
    return *share <= 1;
}

bool slo_parse(const char *text, struct slo *slo)
{
    size_t length = strcspn(text, "<");
    const struct quantity *q = find_quantity(text, length);
    if (!q || text[length] != '<')
        return false;
    const char *limit = text + length + 1;
    *slo = (struct slo){.text = text, .kind = q->kind, .quantile = q->quantile};
    bool read =
        q->kind == SLO_ERRORS ? parse_share(limit, &slo->limit) : parse_time_us(limit, &slo->limit);
    return read && slo->limit > 0; /* nothing stays below 0 */
}

/* --- holding it against a measurement --------------------------------------------------------- */

double slo_observe(const struct slo *slo, const struct tally *t)
{
    uint64_t errors = tally_errors(t), ended = t->completed + errors;
    if (slo->kind == SLO_ERRORS)
        return ended ? (double)errors / (double)ended : NAN;
    if (t->response->count == 0)
        return NAN;
    if (slo->kind == SLO_MEAN)
        return histogram_mean_ns(t->response) / 1e3;
    return (double)histogram_quantile_ns(t->response, slo->quantile) / 1e3;
}

bool slo_holds(const struct slo *slo, double observed)
{
    return observed < slo->limit; /* and not if it is NAN */
}

static void describe_time(double us, char *text, size_t size)
{
    if (us < 1e3)
        snprintf(text, size, "%.3g us", us);
    else if (us < 1e6)
        snprintf(text, size, "%.3g ms", us / 1e3);
    else
        snprintf(text, size, "%.3g s", us / 1e6);
}

void slo_describe(const struct slo *slo, double observed, char *text, size_t size)
{
    char value[32];
    int name = (int)strcspn(slo->text, "<");
    if (isnan(observed))
        snprintf(value, sizeof value, "not measured");
    else if (slo->kind == SLO_ERRORS)
        snprintf(value, sizeof value, "%.3g %%", observed * 100);
    else
        describe_time(observed, value, sizeof value);
    snprintf(text, size, "%.*s was %s", name, slo->text, value);
}

double slo_tightest_us(const struct slo *slos, size_t count)
{
    double tightest_us = NAN;
    for (size_t i = 0; i < count; i++)
        if (slos[i].kind != SLO_ERRORS)
            tightest_us = fmin(tightest_us, slos[i].limit);
    return tightest_us;
}

double slo_errors_allowed(const struct slo *slos, size_t count, double otherwise)
{
    double allowed = NAN;
    for (size_t i = 0; i < count; i++)
        if (slos[i].kind == SLO_ERRORS)
            allowed = fmin(allowed, slos[i].limit);
    return isnan(allowed) ? otherwise : allowed;
}

double slo_least_requests(const struct slo *slos, size_t count)
{
    static const double LEAST = 100, LEAST_BEYOND = 5;
    double least = LEAST;
    for (size_t i = 0; i < count; i++)
        if (slos[i].kind == SLO_QUANTILE && slos[i].quantile < 1)
            least = fmax(least, round(LEAST_BEYOND / (1 - slos[i].quantile)));
    return least;
}

/* As many as arrive in that time, and chance on top. */
static double arrivals_in(double rate_rps, double s)
{
    return rate_rps * s + CHANCE_DEVIATIONS * sqrt(rate_rps * s) + CHANCE_MORE;
}

/* A quantile q below L: of those unanswered, no more arrived within the last L than arrive in
 * such a time. All others are older than L, and if they are more than the share 1 - q of all
 * requests, the quantile is above L, however fast they are answered now.
 *
 * A mean below L: n unanswered requests are at least as old as the n that arrived last, which
 * makes n * n / (2 * rate) of waiting; the limit allows L for each request. */
static double most_outstanding(const struct slo *slo, double rate_rps, double span_s)
{
    double limit_s = slo->limit / 1e6, all = arrivals_in(rate_rps, span_s);
    switch (slo->kind) {
    case SLO_QUANTILE: return arrivals_in(rate_rps, limit_s) + (1 - slo->quantile) * all;
    case SLO_MEAN: return arrivals_in(rate_rps, sqrt(2 * limit_s * all / rate_rps));
    default: return INFINITY;
    }
}

double slo_most_outstanding(const struct slo *slos, size_t count, double rate_rps, double span_s)
{
    double least = INFINITY;
    for (size_t i = 0; i < count; i++)
        least = fmin(least, most_outstanding(&slos[i], rate_rps, span_s));
    return least;
}
