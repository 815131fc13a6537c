/* Truths about time: a known service time, a known stall, a known law of arrivals. */
#include "bench/json.h"
#include "bench/theory.h"
#include "bench/validation.h"
#include "common/histogram_codec.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double US_PER_S = 1e6, US_PER_MS = 1e3;

/* --- a known service time --------------------------------------------------------------------- */

/* So much work, and the gap at which one client asks for it: never before it was answered. */
static const struct {
    const char *parameter;
    double amount, amount_us;
} works[] = {
    {"wait_ms", 1, 1e3},  {"wait_ms", 5, 5e3},   {"wait_ms", 20, 20e3},
    {"cpu_us", 200, 200}, {"cpu_us", 1000, 1e3}, {"cpu_us", 5000, 5e3},
};
enum { WORKS = sizeof works / sizeof *works };

/* The median response time of a server that is asked at leisure, us; NaN: none. */
static int median_at_leisure(struct validation *v, const char *model, const char *query,
                             double gap_us, unsigned trial, double *median_us, struct error *error)
{
    const struct observation o = {
        .check = "service-time", .subject = model, .model = model, .trial = trial};
    json_t *run = observe(v, &o, error,
                          "path = /work%s\nmode = open\narrivals = constant\nconnections = 1\n"
                          "rate_rps = %g\nduration_s = %g\n",
                          query, US_PER_S / gap_us, pick(v, 2, 0.6));
    if (!run)
        return -1;
    *median_us = json_number_at(run, "response_us.p50");
    json_decref(run);
    return 0;
}

static int check_work(struct validation *v, const char *model, size_t work, FILE *figures,
                      struct error *error)
{
    double gap_us = 2 * works[work].amount_us + 3e3, base_us, median_us;
    char query[64];
    snprintf(query, sizeof query, "?%s=%g", works[work].parameter, works[work].amount);
    /* What an empty request takes at the same pace: CPUs that slept longer wake more slowly. */
    if (median_at_leisure(v, model, "", gap_us, (unsigned)(2 * work), &base_us, error) != 0 ||
        median_at_leisure(v, model, query, gap_us, (unsigned)(2 * work + 1), &median_us, error) !=
            0)
        return -1;
    struct finding f = {.check = "service-time",
                        .unit = "us",
                        .expected = works[work].amount_us,
                        .measured = median_us - base_us};
    f.tolerance = fmax(pick(v, 100, 300), pick(v, 0.02, 0.15) * f.expected);
    snprintf(f.subject, sizeof f.subject, "%s", model);
    snprintf(f.quantity, sizeof f.quantity, "%s=%g, median beyond empty", works[work].parameter,
             works[work].amount);
    fprintf(figures, "%s\t%s=%g\t%g\t%g\t%g\n", model, works[work].parameter, works[work].amount,
            f.expected, f.measured, f.tolerance);
    return found(v, &f, error);
}

int check_service_time(struct validation *v, struct error *error)
{
    struct figures figures;
    if (figures_open(&figures, error) != 0)
        return -1;
    fputs("model\twork\texpected_us\tmeasured_us\ttolerance_us\n", figures.out);
    int result = 0;
    for (size_t w = 0; w < WORKS && result == 0; w++)
        for (size_t m = 0; m < v->model_count && result == 0; m++)
            result = check_work(v, v->models[m], w, figures.out, error);
    int closed = figures_close(&figures, v, "service-time", error);
    return result != 0 ? result : closed;
}

/* --- a known stall ---------------------------------------------------------------------------- */

static const double STALL_RATE_RPS = 500;
enum { STALL_CLIENTS = 4 };

/* A result's whole distribution; NULL: there is none, or no memory. */
static struct histogram *distribution_of(const json_t *run, const char *path)
{
    const char *text = json_string_value(json_at(run, path));
    struct histogram *h = histogram_new();
    if (h && text && histogram_decode(h, text) == 0)
        return h;
    histogram_free(h);
    return NULL;
}

static void put_spectrum(FILE *out, const char *series, const struct histogram *h)
{
    for (double inverse = 1; h && inverse <= (double)h->count; inverse *= 1.05)
        fprintf(out, "%s\t%g\t%g\n", series, inverse,
                (double)histogram_quantile_ns(h, 1 - 1 / inverse) / 1e6);
}

static uint64_t count_above(const struct histogram *h, double limit_s)
{
    uint64_t count = 0;
    for (unsigned i = histogram_cell((uint64_t)(limit_s * 1e9)); i < HISTOGRAM_CELLS; i++)
        count += h->cells[i];
    return count;
}

/* What a closed loop sees of the stall: a long response for each client, and no more. */
static int check_stall_closed(struct validation *v, const char *stall, double stall_s,
                              double window_s, FILE *figures, struct error *error)
{
    const struct observation o = {
        .check = "stall", .subject = "closed loop", .model = "epoll", .loadgen = stall};
    json_t *run =
        observe(v, &o, error, "path = /hello\nconnections = %d\nthink_ms = %g\nduration_s = %g\n",
                STALL_CLIENTS, STALL_CLIENTS / STALL_RATE_RPS * 1e3, window_s);
    if (!run)
        return -1;
    struct histogram *h = distribution_of(run, "response_us.histogram");
    put_spectrum(figures, "closed loop", h);
    struct finding f = {.check = "stall",
                        .subject = "closed loop",
                        .quantity = "responses that show the stall",
                        .unit = "requests",
                        .expected = STALL_CLIENTS,
                        .measured = h ? (double)count_above(h, stall_s / 4) : NAN,
                        .tolerance = 1};
    histogram_free(h);
    json_decref(run);
    snprintf(f.note, sizeof f.note, "of the %.0f that were due in it: the rest is omitted",
             STALL_RATE_RPS * stall_s);
    return found(v, &f, error);
}

static int check_stall_quantiles(struct validation *v, const json_t *run, double stall_s,
                                 double window_s, FILE *figures, struct error *error)
{
    static const struct {
        const char *name, *path;
        double quantile;
    } quantiles[] = {
        {"p95", "response_us.p95", 0.95},      {"p99", "response_us.p99", 0.99},
        {"p99.9", "response_us.p99_9", 0.999}, {"p99.99", "response_us.p99_99", 0.9999},
        {"the longest", "response_us.max", 1},
    };
    double base_s = json_number_at(run, "response_us.p50") / US_PER_S;
    for (double inverse = 1; inverse <= STALL_RATE_RPS * window_s; inverse *= 1.02)
        fprintf(figures, "theory\t%g\t%g\n", inverse,
                1e3 * stall_quantile_s(stall_s, window_s, base_s, 1 - 1 / inverse));
    int result = 0;
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles && result == 0; i++) {
        struct finding f = {.check = "stall",
                            .subject = "open loop",
                            .unit = "us",
                            .expected = US_PER_S * stall_quantile_s(stall_s, window_s, base_s,
                                                                    quantiles[i].quantile),
                            .measured = json_number_at(run, quantiles[i].path)};
        f.tolerance = pick(v, 0.02, 0.04) * f.expected;
        snprintf(f.quantity, sizeof f.quantity, "response time %s", quantiles[i].name);
        result = found(v, &f, error);
    }
    /* A stall of S delays S/T of all by S/2 on the average. */
    struct finding mean = {.check = "stall",
                           .subject = "open loop",
                           .quantity = "response time, mean",
                           .unit = "us",
                           .expected = US_PER_S * (base_s + stall_s * stall_s / (2 * window_s)),
                           .measured = json_number_at(run, "response_us.mean")};
    mean.tolerance = pick(v, 0.02, 0.1) * mean.expected;
    return result == 0 ? found(v, &mean, error) : result;
}

int check_stall(struct validation *v, struct error *error)
{
    if (!validation_has_model(v, "epoll"))
        return found_impossible(v, "stall", "epoll", "there is no server-epoll here", error);
    double window_s = pick(v, 10, 5), stall_s = window_s / 10;
    char stall[64];
    snprintf(stall, sizeof stall, "--stall %g:%g --histograms", window_s * 0.4, stall_s);
    const struct observation o = {
        .check = "stall", .subject = "open loop", .model = "epoll", .loadgen = stall};
    json_t *run = observe(v, &o, error,
                          "path = /hello\nmode = open\narrivals = constant\nrate_rps = %g\n"
                          "connections = 1024\nduration_s = %g\n",
                          STALL_RATE_RPS, window_s);
    struct figures figures;
    if (!run)
        return -1;
    if (figures_open(&figures, error) != 0) {
        json_decref(run);
        return -1;
    }
    fputs("series\tone_by_one_minus_p\tms\n", figures.out);
    struct histogram *h = distribution_of(run, "response_us.histogram");
    put_spectrum(figures.out, "open loop", h);
    histogram_free(h);
    int result = check_stall_quantiles(v, run, stall_s, window_s, figures.out, error);
    json_decref(run);
    if (result == 0)
        result = check_stall_closed(v, stall, stall_s, window_s, figures.out, error);
    int closed = figures_close(&figures, v, "stall", error);
    return result != 0 ? result : closed;
}

/* --- a known law of arrivals ------------------------------------------------------------------ */

static const double SIGNIFICANCE = 0.01;

/* The gaps between the arrivals that the specimen wrote down, in s; NULL: it wrote none, or there
 * is no memory. To be freed. */
static double *gaps_of(const struct validation *v, const char *log, size_t *count)
{
    char *text = file_read(path_of("%s/%s", v->folder, log).text, NULL);
    *count = 0;
    double *gaps = text ? calloc(strlen(text) / 2 + 1, sizeof *gaps) : NULL;
    uint64_t before_ns = 0;
    for (char *at = text, *end; gaps && *at; at = end) {
        uint64_t at_ns = strtoull(at, &end, 10);
        if (end == at)
            break;
        if (before_ns > 0)
            gaps[(*count)++] = (double)(at_ns - before_ns) / 1e9;
        before_ns = at_ns;
    }
    free(text);
    if (*count > 0)
        return gaps;
    free(gaps);
    return NULL;
}

/* As the server saw them, by a clock and a program that are not the generator's. The rate is low
 * enough that the way through the kernel (some 20 us, more or less) does not bend the law. */
static int check_law(struct validation *v, struct error *error)
{
    static const double RATE_RPS = 500;
    const struct observation o = {
        .check = "arrivals", .subject = "law", .specimen = "--log arrivals.log"};
    json_t *run = observe(v, &o, error,
                          "path = /hello\nmode = open\narrivals = poisson\nrate_rps = %g\n"
                          "duration_s = %g\n",
                          RATE_RPS, pick(v, 10, 3));
    size_t count;
    if (!run)
        return -1;
    json_decref(run);
    double *gaps = gaps_of(v, "arrivals.log", &count);
    struct finding f = {.check = "arrivals",
                        .subject = "Poisson, as served",
                        .quantity = "Kolmogorov-Smirnov distance",
                        .unit = "1",
                        .measured = NAN,
                        .tolerance = gaps ? ks_critical(count, SIGNIFICANCE) : NAN};
    struct figures figures;
    if (figures_open(&figures, error) != 0) {
        free(gaps);
        return -1;
    }
    fputs("gap_ms\tempirical\tlaw\n", figures.out);
    if (gaps) {
        gsl_sort(gaps, 1, count);
        f.measured = ks_exponential(gaps, count, 1 / RATE_RPS);
        for (size_t i = 0; i < count; i += count / 400 + 1)
            fprintf(figures.out, "%g\t%g\t%g\n", gaps[i] * 1e3, (double)(i + 1) / (double)count,
                    -expm1(-gaps[i] * RATE_RPS));
    }
    free(gaps);
    snprintf(f.note, sizeof f.note, "%zu gaps, against the exponential law at the 1 %% level",
             count);
    int closed = figures_close(&figures, v, "arrivals", error);
    return closed == 0 ? found(v, &f, error) : closed;
}

/* Chance alone moves a Poisson count by its square root. */
static int check_rate(struct validation *v, const char *arrivals, struct error *error)
{
    static const double RATE_RPS = 10000;
    const bool poisson = strcmp(arrivals, "poisson") == 0;
    const struct observation o = {.check = "arrivals", .subject = arrivals};
    double window_s = pick(v, poisson ? 40 : 5, 2), expected = RATE_RPS;
    json_t *run = observe(v, &o, error,
                          "path = /hello\nmode = open\narrivals = %s\nrate_rps = %g\n"
                          "duration_s = %g\n",
                          arrivals, RATE_RPS, window_s);
    if (!run)
        return -1;
    double chance = poisson ? 3 * sqrt(RATE_RPS / window_s) : 0;
    struct finding rate = {.check = "arrivals",
                           .quantity = "rate of 10,000/s",
                           .unit = "1/s",
                           .expected = expected,
                           .measured = json_number_at(run, "requests.intended") /
                                       json_number_at(run, "window_s"),
                           .tolerance = fmax(0.005 * expected, chance)};
    struct finding lag = {.check = "arrivals",
                          .quantity = "send lag p99 at 10,000/s",
                          .unit = "us",
                          .expected = 0,
                          .measured = json_number_at(run, "send_lag_us.p99"),
                          .tolerance = pick(v, 100, 5 * US_PER_MS)};
    snprintf(rate.subject, sizeof rate.subject, "%s", arrivals);
    snprintf(lag.subject, sizeof lag.subject, "%s", arrivals);
    json_decref(run);
    return found(v, &rate, error) == 0 ? found(v, &lag, error) : -1;
}

int check_arrivals(struct validation *v, struct error *error)
{
    if (check_law(v, error) != 0 || check_rate(v, "poisson", error) != 0)
        return -1;
    return check_rate(v, "constant", error);
}
