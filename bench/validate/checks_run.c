/* Truths about a whole benchmark: that a server does not differ from itself, that one which is
 * dearer does, and that the generator knows its own limit. */
#include "bench/base/json.h"
#include "bench/run/ceiling.h"
#include "bench/statistics/halves.h"
#include "bench/statistics/merged.h"
#include "bench/validate/validation.h"
#include "common/histogram_codec.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- two servers, as a run compares them ------------------------------------------------------ */

/* An experiment is what a run of the standard profile has at least: six blocks, in each of which
 * both servers are measured, one soon after the other, in turns A B, B A. */
enum { BLOCKS = 6, WINDOWS = 2 * BLOCKS };

enum quantity { THROUGHPUT, P99, CPU, QUANTITIES };
static const struct {
    const char *name, *path;
} quantities[QUANTITIES] = {[THROUGHPUT] = {"throughput", "throughput_rps"},
                            [P99] = {"response time p99", "response_us.p99"},
                            [CPU] = {"CPU per request", "server.cpu.us_per_request"}};

struct side {
    const char *load; /* in the language of workloads */
    double values[QUANTITIES][BLOCKS];
    struct histogram *responses[BLOCKS];
};

/* The error rate of a two-sided comparison. */
static const double SIGNIFICANCE = 0.05;

/* What the suite says of B against A: 1 more, -1 less, 0 no difference shown. */
static int said_of(struct shift s)
{
    if (!(fabs(s.log_ratio) > shift_reach(s, SIGNIFICANCE / 2)))
        return 0;
    return s.log_ratio > 0 ? 1 : -1;
}

/* The same of a percentile of all blocks' requests together. */
static int said_of_p99(const struct side *a, const struct side *b)
{
    int result = 0;
    struct halved halves[2];
    struct merged *merged[2] = {merged_of(a->responses, BLOCKS), merged_of(b->responses, BLOCKS)};
    if (merged[0] && merged[1] && merged_halve(merged[0], 0.99, &halves[0]) == 0 &&
        merged_halve(merged[1], 0.99, &halves[1]) == 0)
        result = said_of(shift_of(&halves[0], &halves[1], true));
    merged_free(merged[0]);
    merged_free(merged[1]);
    return result;
}

static int said(const struct side *a, const struct side *b, enum quantity q)
{
    return q == P99 ? said_of_p99(a, b) : said_of(shift_paired(a->values[q], b->values[q], BLOCKS));
}

/* The model with the least that could scatter: one thread. */
static const char *model_of(const struct validation *v)
{
    return validation_has_model(v, "epoll") ? "epoll" : v->models[0];
}

static int measure_window(struct validation *v, const struct observation *o, struct side *s,
                          unsigned block, double window_s, struct error *error)
{
    json_t *run = observe(v, o, error, "duration_s = %g\nwarmup_s = 0.05\n%s\n", window_s, s->load);
    if (!run)
        return -1;
    for (size_t q = 0; q < QUANTITIES; q++)
        s->values[q][block] = json_number_at(run, quantities[q].path);
    const char *text = json_string_value(json_at(run, "response_us.histogram"));
    histogram_clear(s->responses[block]);
    int result = text && histogram_decode(s->responses[block], text) != 0
                     ? error_set(error, "a histogram cannot be read")
                     : 0;
    json_decref(run);
    return result;
}

/* As in a run, each window is measured once, whatever disturbs it: it is a block's other window
 * that tells how the machine was. */
static int measure_experiment(struct validation *v, const char *check, unsigned experiment,
                              struct side sides[2], double window_s, struct error *error)
{
    for (unsigned block = 0; block < BLOCKS; block++)
        for (unsigned turn = 0; turn < 2; turn++) {
            unsigned side = (block + turn) % 2;
            const struct observation o = {.check = check,
                                          .subject = side == 0 ? "one" : "other",
                                          .model = model_of(v),
                                          .trial = experiment * BLOCKS + block,
                                          .once = true};
            if (measure_window(v, &o, &sides[side], block, window_s, error) != 0)
                return -1;
        }
    return 0;
}

/* How often the suite said something of B against A, in so many experiments. */
struct tally {
    unsigned experiments, more[QUANTITIES], less[QUANTITIES];
};

static int measure_experiments(struct validation *v, const char *check, const char *load_a,
                               const char *load_b, double window_s, struct tally *t,
                               struct error *error)
{
    struct side sides[2] = {{.load = load_a}, {.load = load_b}};
    int result = 0;
    for (unsigned i = 0; i < WINDOWS; i++)
        if (!(sides[i / BLOCKS].responses[i % BLOCKS] = histogram_new()))
            result = error_set(error, "no memory for the histograms");
    for (unsigned i = 0; i < t->experiments && result == 0; i++) {
        result = measure_experiment(v, check, i, sides, window_s, error);
        for (enum quantity q = 0; q < QUANTITIES && result == 0; q++) {
            int b = said(&sides[0], &sides[1], q);
            t->more[q] += b > 0;
            t->less[q] += b < 0;
        }
    }
    for (unsigned i = 0; i < WINDOWS; i++)
        histogram_free(sides[i / BLOCKS].responses[i % BLOCKS]);
    return result;
}

/* --- a server against itself ------------------------------------------------------------------ */

/* In one of 200 validations chance alone gives more. */
static unsigned most_by_chance(unsigned experiments)
{
    unsigned most = 0;
    while (gsl_cdf_binomial_Q(most, SIGNIFICANCE, experiments) > 0.005)
        most++;
    return most;
}

/* One server under two names: to say that they differ is wrong, and happens as often as the test's
 * error rate says, and as chance allows. */
int check_same_server(struct validation *v, struct error *error)
{
    struct tally t = {.experiments = (unsigned)pick(v, 20, 4)};
    static const char load[] = "path = /hello\nconnections = 16";
    if (measure_experiments(v, "same-server", load, load, 0.2, &t, error) != 0)
        return -1;
    for (enum quantity q = 0; q < QUANTITIES; q++) {
        struct finding f = {.check = "same-server",
                            .unit = "1",
                            .measured = (t.more[q] + t.less[q]) / (double)t.experiments,
                            .tolerance = most_by_chance(t.experiments) / (double)t.experiments};
        snprintf(f.subject, sizeof f.subject, "%s", model_of(v));
        snprintf(f.quantity, sizeof f.quantity, "called different, %s", quantities[q].name);
        snprintf(f.note, sizeof f.note, "%u pairs of %d blocks; the rate should be %g",
                 t.experiments, BLOCKS, SIGNIFICANCE);
        if (found(v, &f, error) != 0)
            return -1;
    }
    return 0;
}

/* --- a server that is dearer ------------------------------------------------------------------ */

static const double CPU_US = 200, DEARER = 0.05;

static int measure_price(struct validation *v, unsigned trial, double cpu_us, double *price_us,
                         struct error *error)
{
    const struct observation o = {
        .check = "power", .subject = "price", .model = model_of(v), .trial = trial};
    json_t *run =
        observe(v, &o, error, "path = /work?cpu_us=%g\nconnections = 4\nduration_s = 1\n", cpu_us);
    if (!run)
        return -1;
    *price_us = json_number_at(run, "server.cpu.us_per_request");
    json_decref(run);
    return 0;
}

/* A request that costs 5 % more CPU time, all of it: what the protocol costs is not multiplied, so
 * the computation grows by more. To be found at least four times out of five. */
int check_power(struct validation *v, struct error *error)
{
    struct tally t = {.experiments = (unsigned)pick(v, 10, 5)};
    double empty_us, price_us;
    char loads[2][96];
    if (measure_price(v, 1000, 0, &empty_us, error) != 0 ||
        measure_price(v, 1001, CPU_US, &price_us, error) != 0)
        return -1;
    double more_us = DEARER * price_us * CPU_US / (price_us - empty_us);
    for (size_t i = 0; i < 2; i++)
        snprintf(loads[i], sizeof loads[i], "path = /work?cpu_us=%.2f\nconnections = 4",
                 CPU_US + (i == 1 ? more_us : 0));
    if (measure_experiments(v, "power", loads[0], loads[1], pick(v, 0.5, 0.25), &t, error) != 0)
        return -1;
    struct finding f = {.check = "power",
                        .quantity = "5 % dearer is found",
                        .unit = "1",
                        .expected = 1,
                        .measured = t.more[CPU] / (double)t.experiments,
                        .tolerance = pick(v, 0.2, 0.4)};
    snprintf(f.subject, sizeof f.subject, "%s", model_of(v));
    snprintf(f.note, sizeof f.note,
             "%u times in %u pairs of %d blocks by CPU per request (and %u by throughput): %.1f us "
             "of computation against %.1f",
             t.more[CPU], t.experiments, BLOCKS, t.less[THROUGHPUT], CPU_US + more_us, CPU_US);
    return found(v, &f, error);
}

/* --- the generator's ceiling ------------------------------------------------------------------ */

/* Offered a share of its ceiling, the generator sends all of it, and says that it is at ease;
 * driven as hard as it can be, it says that it was the limit, if it was. */
int check_ceiling(struct validation *v, struct error *error)
{
    const struct observation closed = {.check = "ceiling", .subject = "as fast as it can"};
    json_t *run = observe(v, &closed, error, "path = /hello\nconnections = 64\nduration_s = %g\n",
                          pick(v, 3, 1));
    if (!run)
        return -1;
    double ceiling_rps = ceiling_of_run(run);
    double utilisation = json_number_at(run, "generator.cpu_utilisation");
    double server = json_number_at(run, "server.cpu.utilisation");
    bool saturated = json_is_true(json_at(run, "generator.saturated"));
    json_decref(run);
    printf("%-13s %-22s %.0f requests/s for one thread, at %.0f %% of its CPU\n", "ceiling",
           "generator", ceiling_rps, 100 * utilisation);

    /* Whoever is full first is the limit, and the one that is not must not be blamed. */
    struct finding blamed = {.check = "ceiling",
                             .subject = "as fast as it can",
                             .quantity = "marked as generator-bound",
                             .unit = "1",
                             .expected = utilisation > 0.9 && server < 0.95,
                             .measured = saturated,
                             .tolerance = 0};
    snprintf(blamed.note, sizeof blamed.note, "generator %.2f, server %.2f of a CPU", utilisation,
             server);
    if (found(v, &blamed, error) != 0)
        return -1;

    const struct observation open = {.check = "ceiling", .subject = "half of it"};
    run = observe(v, &open, error,
                  "path = /hello\nmode = open\narrivals = constant\nrate_rps = %.0f\n"
                  "connections = 256\nduration_s = %g\n",
                  ceiling_rps / 2, pick(v, 3, 1));
    if (!run)
        return -1;
    struct finding sent = {.check = "ceiling",
                           .subject = "half of it",
                           .quantity = "sent per second",
                           .unit = "1/s",
                           .expected = round(ceiling_rps / 2),
                           .measured = json_number_at(run, "requests.sent") /
                                       json_number_at(run, "window_s")};
    sent.tolerance = pick(v, 0.005, 0.05) * sent.expected;
    struct finding at_ease = {.check = "ceiling",
                              .subject = "half of it",
                              .quantity = "marked as generator-bound",
                              .unit = "1",
                              .expected = 0,
                              .measured = json_is_true(json_at(run, "generator.saturated")),
                              .tolerance = 0};
    json_decref(run);
    return found(v, &sent, error) == 0 ? found(v, &at_ease, error) : -1;
}
