/* Truths about queues: Erlang's formulas. */
#include "bench/base/json.h"
#include "bench/validate/theory.h"
#include "bench/validate/validation.h"
#include "common/histogram_codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One request per connection, so that the queue is the listening socket's, and service times that
 * are exponential: then each model is a textbook's. */
struct queue_case {
    const char *model, *theory;
    unsigned servers; /* 0: nobody waits */
    const char *work; /* a parameter of /work and the mean it is given */
    double mean_s;
    const char *amount, *server_options;
};

static const struct queue_case cases[] = {
    {"blocking", "M/M/1", 1, "cpu_us", 1e-3, "1000", ""},
    {"thread-pool", "M/M/4", 4, "wait_ms", 5e-3, "5", "[server]\noptions = --workers 4\n"},
    {"epoll", "M/M/∞", 0, "wait_ms", 5e-3, "5", ""},
};
enum { CASES = sizeof cases / sizeof *cases, UTILISATIONS = 5, TRIALS_MOST = 5 };
static const double utilisations[UTILISATIONS] = {0.3, 0.5, 0.7, 0.8, 0.9};

/* What the theory takes as given, measured without a queue at the begin of each trial. */
struct given {
    double service_s; /* how long a request keeps its server busy, on the average */
    double cpu_s;     /* the part of it that is CPU time, where the work is a computation */
    double beyond_s;  /* what a client sees beyond that: the way there and back */
};

struct point {
    double lambda[TRIALS_MOST], expected_mean_us[TRIALS_MOST], expected_p99_us[TRIALS_MOST];
    double mean_us[TRIALS_MOST], p99_us[TRIALS_MOST];
    struct histogram *merged;
};

static const char CLOSED[] =
    "path = /work?%s=%s\nclose = yes\nconnections = %d\nduration_s = %g\n%s";

static int measure_given(struct validation *v, const struct queue_case *q, unsigned trial,
                         struct given *g, struct error *error)
{
    const struct observation o = {
        .check = "queueing", .subject = q->model, .model = q->model, .trial = trial};
    json_t *serial =
        observe(v, &o, error, CLOSED, q->work, q->amount, 1, pick(v, 1.5, 0.5), q->server_options);
    if (!serial)
        return -1;
    double response_s = json_number_at(serial, "response_us.mean") / 1e6;
    json_decref(serial);
    *g = (struct given){.service_s = response_s};
    if (q->servers != 1)
        return 0;
    /* A single server that always has a next request answers at the rate 1 / service time. */
    json_t *busy =
        observe(v, &o, error, CLOSED, q->work, q->amount, 4, pick(v, 1.5, 0.5), q->server_options);
    if (!busy)
        return -1;
    g->service_s = 1 / json_number_at(busy, "throughput_rps");
    g->cpu_s = json_number_at(busy, "server.cpu.us_per_request") / 1e6;
    g->beyond_s = fmax(response_s - g->service_s, 0);
    json_decref(busy);
    return 0;
}

/* As it was in that window. A computation takes as long as the CPU's speed of the moment makes it,
 * and near saturation a few per cent more double the queue: what the kernel charged for it is put
 * in the place of what was given. */
static struct given given_in(const struct given *g, const json_t *run)
{
    struct given now = *g;
    if (g->cpu_s > 0)
        now.service_s += json_number_at(run, "server.cpu.us_per_request") / 1e6 - g->cpu_s;
    return now;
}

static void predict(const struct queue_case *q, const struct given *g, struct point *p,
                    unsigned trial)
{
    double lambda = p->lambda[trial], mean_s, p99_s;
    if (q->servers > 0) {
        mean_s = mmc_mean_s(lambda, g->service_s, q->servers);
        p99_s = mmc_quantile_s(lambda, g->service_s, q->servers, 0.99);
    } else { /* the wait alone is exponential, not what is done around it */
        mean_s = g->service_s;
        p99_s = g->service_s - q->mean_s + exponential_quantile(q->mean_s, 0.99);
    }
    p->expected_mean_us[trial] = (mean_s + g->beyond_s) * 1e6;
    p->expected_p99_us[trial] = (p99_s + g->beyond_s) * 1e6;
}

static int measure_point(struct validation *v, const struct queue_case *q, const struct given *g,
                         double utilisation, struct point *p, unsigned trial, struct error *error)
{
    const struct observation o = {.check = "queueing",
                                  .subject = q->model,
                                  .model = q->model,
                                  .loadgen = "--histograms",
                                  .trial = trial};
    unsigned servers = q->servers > 0 ? q->servers : 4;
    /* The nearer to saturation, the longer a queue remembers, and the longer chance needs. */
    double window_s = pick(v, utilisation < 0.75 ? 5 : 15, 1.5);
    p->lambda[trial] = utilisation * servers / g->service_s;
    json_t *run = observe(v, &o, error,
                          "path = /work?%s={exp:%s}\nclose = yes\nmode = open\nconnections = 4096\n"
                          "rate_rps = %.3f\nduration_s = %g\nwarmup_s = 0.5\n%s",
                          q->work, q->amount, p->lambda[trial], window_s, q->server_options);
    if (!run)
        return -1;
    const struct given now = given_in(g, run);
    p->lambda[trial] = json_number_at(run, "requests.intended") / json_number_at(run, "window_s");
    predict(q, &now, p, trial);
    p->mean_us[trial] = json_number_at(run, "response_us.mean");
    p->p99_us[trial] = json_number_at(run, "response_us.p99");
    const char *text = json_string_value(json_at(run, "response_us.histogram"));
    if (text)
        histogram_decode(p->merged, text);
    json_decref(run);
    return 0;
}

static int conclude_quantity(struct validation *v, const struct queue_case *q, const char *name,
                             double utilisation, double lambda, const double *expected_us,
                             double measured_us, const double *of_trials_us, unsigned trials,
                             FILE *figures, struct error *error)
{
    double half_width_us = mean_of(of_trials_us, trials).half_width;
    /* Trials that scatter by as much as the figure itself say nothing, and prove nothing. */
    double scatter_us = fmin(half_width_us, pick(v, 0.5, 1) * mean_of(expected_us, trials).mean);
    struct finding f = {.check = "queueing",
                        .unit = "us",
                        .expected = mean_of(expected_us, trials).mean,
                        .measured = measured_us};
    f.tolerance = fmax(pick(v, 0.1, 0.4) * f.expected, scatter_us);
    snprintf(f.subject, sizeof f.subject, "%s, %s", q->model, q->theory);
    snprintf(f.quantity, sizeof f.quantity, "%s at utilisation %.1f", name, utilisation);
    fprintf(figures, "%s\t%s\t%s\t%g\t%g\t%g\t%g\t%g\t%g\n", q->model, q->theory, name, utilisation,
            lambda, f.expected / 1e3, f.measured / 1e3, (f.measured - half_width_us) / 1e3,
            (f.measured + half_width_us) / 1e3);
    return found(v, &f, error);
}

static int conclude_point(struct validation *v, const struct queue_case *q, double utilisation,
                          const struct point *p, unsigned trials, FILE *figures,
                          struct error *error)
{
    double lambda = mean_of(p->lambda, trials).mean;
    double p99_us = p->merged->count ? (double)histogram_quantile_ns(p->merged, 0.99) / 1e3 : NAN;
    if (conclude_quantity(v, q, "mean", utilisation, lambda, p->expected_mean_us,
                          mean_of(p->mean_us, trials).mean, p->mean_us, trials, figures,
                          error) != 0)
        return -1;
    return conclude_quantity(v, q, "p99", utilisation, lambda, p->expected_p99_us, p99_us,
                             p->p99_us, trials, figures, error);
}

/* The curve that the points should lie on, from the mean of what was given. */
static void put_curve(FILE *out, const struct queue_case *q, const struct given *g)
{
    enum { STEPS = 91 };
    unsigned servers = q->servers > 0 ? q->servers : 4;
    for (int p99 = 0; p99 < 2; p99++)
        for (int i = 0; i < STEPS; i++) {
            double utilisation = 0.05 + 0.01 * i;
            struct point p = {.lambda = {utilisation * servers / g->service_s}};
            predict(q, g, &p, 0);
            fprintf(out, "%s\t%s\t%g\t%g\t%g\n", q->model, p99 ? "p99" : "mean", utilisation,
                    p.lambda[0], (p99 ? p.expected_p99_us : p.expected_mean_us)[0] / 1e3);
        }
}

/* Trials outermost: what drifts meets all models and utilisations alike. */
static int measure_queues(struct validation *v, struct point points[CASES][UTILISATIONS],
                          unsigned trials, FILE *curves, struct error *error)
{
    struct given sum[CASES] = {{0}};
    for (unsigned trial = 0; trial < trials; trial++)
        for (size_t c = 0; c < CASES; c++) {
            struct given g;
            if (!validation_has_model(v, cases[c].model))
                continue;
            if (measure_given(v, &cases[c], trial, &g, error) != 0)
                return -1;
            sum[c].service_s += g.service_s / trials;
            sum[c].beyond_s += g.beyond_s / trials;
            for (size_t u = 0; u < UTILISATIONS; u++)
                if (points[c][u].merged && measure_point(v, &cases[c], &g, utilisations[u],
                                                         &points[c][u], trial, error) != 0)
                    return -1;
        }
    for (size_t c = 0; c < CASES; c++)
        if (sum[c].service_s > 0)
            put_curve(curves, &cases[c], &sum[c]);
    return 0;
}

static int conclude_queues(struct validation *v, struct point points[CASES][UTILISATIONS],
                           unsigned trials, FILE *figures, struct error *error)
{
    for (size_t c = 0; c < CASES; c++) {
        if (!validation_has_model(v, cases[c].model)) {
            if (found_impossible(v, "queueing", cases[c].model, "there is no such server here",
                                 error) != 0)
                return -1;
            continue;
        }
        for (size_t u = 0; u < UTILISATIONS; u++)
            if (points[c][u].merged && conclude_point(v, &cases[c], utilisations[u], &points[c][u],
                                                      trials, figures, error) != 0)
                return -1;
    }
    return 0;
}

int check_queueing(struct validation *v, struct error *error)
{
    unsigned trials = (unsigned)pick(v, TRIALS_MOST, 3);
    struct figures figures, curves;
    struct point(*points)[UTILISATIONS] = calloc(CASES, sizeof *points);
    if (!points || figures_open(&figures, error) != 0)
        goto no_memory;
    if (figures_open(&curves, error) != 0) {
        figures_close(&figures, v, "queueing", error);
        goto no_memory;
    }
    fputs("model\ttheory\tquantity\tutilisation\trate_rps\texpected_ms\tms\tms_low\tms_high\n",
          figures.out);
    fputs("model\tquantity\tutilisation\trate_rps\tms\n", curves.out);
    for (size_t c = 0; c < CASES; c++)
        for (size_t u = 0; u < UTILISATIONS; u++)
            if (!v->brief || utilisations[u] == 0.5 || utilisations[u] == 0.8)
                points[c][u].merged = histogram_new();
    int result = measure_queues(v, points, trials, curves.out, error);
    if (result == 0)
        result = conclude_queues(v, points, trials, figures.out, error);
    for (size_t c = 0; c < CASES; c++)
        for (size_t u = 0; u < UTILISATIONS; u++)
            histogram_free(points[c][u].merged);
    free(points);
    struct error closing;
    int closed = figures_close(&figures, v, "queueing", &closing);
    closed |= figures_close(&curves, v, "queueing-theory", &closing);
    if (result == 0 && closed != 0)
        *error = closing;
    return result != 0 ? result : closed;
no_memory:
    free(points);
    return error_set(error, "no memory for the check of queues");
}
