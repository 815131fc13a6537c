/* Truths about time: a known service time, a known stall, a known law of arrivals. */
#include "bench/base/json.h"
#include "bench/validate/theory.h"
#include "bench/validate/validation.h"
#include "common/histogram_codec.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double US_PER_S = 1e6;

/* --- a known service time --------------------------------------------------------------------- */

int check_service_time(struct validation *v, struct error *error)
{
    struct figures figures;
    size_t first = v->findings.count;
    int result = check_table(v, "service-time", error);
    if (result != 0 || figures_open(&figures, error) != 0)
        return -1;
    fputs("model\twork\texpected_us\tmeasured_us\ttolerance_us\n", figures.out);
    for (const struct finding *f = v->findings.all + first; f < v->findings.all + v->findings.count;
         f++)
        fprintf(figures.out, "%s\t%s\t%g\t%g\t%g\n", f->subject, strrchr(f->quantity, ' ') + 1,
                f->expected, f->measured, f->tolerance);
    return figures_close(&figures, v, "service-time", error);
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
    double inverse = 1;
    while (h && inverse <= (double)h->count) {
        fprintf(out, "%s\t%g\t%g\n", series, inverse,
                (double)histogram_quantile_ns(h, 1 - 1 / inverse) / 1e6);
        inverse *= 1.05;
    }
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
    double inverse = 1;
    while (inverse <= STALL_RATE_RPS * window_s) {
        fprintf(figures, "theory\t%g\t%g\n", inverse,
                1e3 * stall_quantile_s(stall_s, window_s, base_s, 1 - 1 / inverse));
        inverse *= 1.02;
    }
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

/* Gaps between arrivals, s. */
struct gaps {
    double *all;
    size_t count;
};

/* Adds those that the specimen wrote down. -1 without memory; of a file that is not there, none. */
static int take_gaps(struct gaps *g, const struct validation *v, const char *log)
{
    char *text = file_read(path_of("%s/%s", v->folder, log).text, NULL);
    double *all = text ? realloc(g->all, (g->count + strlen(text) / 2 + 1) * sizeof *all) : g->all;
    uint64_t before_ns = 0;
    if (text && !all) {
        free(text);
        return -1;
    }
    g->all = all;
    for (char *at = text, *end; at && *at; at = end) {
        uint64_t at_ns = strtoull(at, &end, 10);
        if (end == at)
            break;
        if (before_ns > 0)
            g->all[g->count++] = (double)(at_ns - before_ns) / 1e9;
        before_ns = at_ns;
    }
    free(text);
    return 0;
}

static const double LAW_RATE_RPS = 100;

/* By several seeds: one may have its own luck. */
static int collect_gaps(struct validation *v, struct gaps *g, struct error *error)
{
    enum { SEEDS = 4 };
    for (unsigned trial = 0; trial < SEEDS; trial++) {
        char log[32], options[64];
        snprintf(log, sizeof log, "arrivals-%u.log", trial + 1);
        snprintf(options, sizeof options, "--log %s", log);
        const struct observation o = {
            .check = "arrivals", .subject = "law", .specimen = options, .trial = trial};
        json_t *run = observe(v, &o, error,
                              "path = /hello\nmode = open\narrivals = poisson\nrate_rps = %g\n"
                              "duration_s = %g\n",
                              LAW_RATE_RPS, pick(v, 10, 2.5));
        if (!run)
            return -1;
        json_decref(run);
        if (take_gaps(g, v, log) != 0)
            return error_set(error, "no memory for the arrivals");
    }
    return 0;
}

static void put_law(FILE *out, const struct gaps *g)
{
    fputs("gap_ms\tempirical\tlaw\n", out);
    for (size_t i = 0; i < g->count; i += g->count / 400 + 1)
        fprintf(out, "%g\t%g\t%g\n", g->all[i] * 1e3, (double)(i + 1) / (double)g->count,
                -expm1(-g->all[i] * LAW_RATE_RPS));
}

/* As the server saw them, by a clock and a program that are not the generator's. At 100/s
 * the way through the kernel (some 20 us, less for the second of two that come close) bends the
 * law by 1 part in 500; at a high rate it would be seen. */
static int check_law(struct validation *v, struct error *error)
{
    struct gaps g = {.all = NULL};
    struct figures figures;
    int result = collect_gaps(v, &g, error);
    if (result == 0)
        result = figures_open(&figures, error);
    if (result == 0) {
        gsl_sort(g.all, 1, g.count);
        put_law(figures.out, &g);
        result = figures_close(&figures, v, "arrivals", error);
    }
    struct finding f = {.check = "arrivals",
                        .subject = "Poisson, as served",
                        .quantity = "Kolmogorov-Smirnov distance",
                        .unit = "1",
                        .measured = NAN,
                        .tolerance = ks_critical(g.count, SIGNIFICANCE)};
    if (g.count > 0)
        f.measured = ks_exponential(g.all, g.count, 1 / LAW_RATE_RPS);
    snprintf(f.note, sizeof f.note, "%zu gaps, against the exponential law at the 1 %% level",
             g.count);
    free(g.all);
    return result == 0 ? found(v, &f, error) : result;
}

int check_arrivals(struct validation *v, struct error *error)
{
    return check_law(v, error) == 0 ? check_table(v, "arrivals", error) : -1;
}
