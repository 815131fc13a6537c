/* Truths about the capacity: a search finds the rate at which half of the windows hold. */
#include "bench/base/json.h"
#include "bench/validate/theory.h"
#include "bench/validate/validation.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

/* server-thread-pool with so many workers and a constant wait is M/D/c. The limit is so near to the
 * service time that the queue decides, not the length of the overload. */
enum { WORKERS = 4, SEARCHES_MOST = 10, REQUESTS_LEAST = 500 };
static const double WAIT_MS = 5, LIMIT_MS = 20, WARMUP_S = 0.3, STEP_S = 0.6;

static const struct observation observation = {
    .check = "capacity", .subject = "thread-pool", .model = "thread-pool"};

/* What a worker that always has a next request takes for one, and what a client sees beyond that.
 */
static int measure_given(struct validation *v, unsigned trial, struct mdc *q, struct error *error)
{
    struct observation o = observation;
    o.trial = trial;
    double figures[2];
    for (int busy = 0; busy < 2; busy++) {
        json_t *run =
            observe(v, &o, error,
                    "path = /work?wait_ms=%g\nclose = yes\nconnections = %d\nduration_s = %g\n"
                    "[server]\noptions = --workers %d\n",
                    WAIT_MS, busy ? 4 * WORKERS : 1, pick(v, 1.5, 0.8), WORKERS);
        if (!run)
            return -1;
        figures[busy] = json_number_at(run, busy ? "throughput_rps" : "response_us.mean");
        json_decref(run);
    }
    q->service_s = WORKERS / figures[1];
    q->beyond_s = fmax(figures[0] / 1e6 - q->service_s, 0);
    return 0;
}

struct search {
    double truth_rps, rate_rps;
    bool covered; /* the interval has the truth in it */
};

static int search(struct validation *v, unsigned trial, struct search *s, struct error *error)
{
    struct mdc q = {.servers = WORKERS,
                    .warmup_s = WARMUP_S,
                    .window_s = STEP_S,
                    .requests_least = REQUESTS_LEAST,
                    .quantile = 0.99,
                    .limit_s = LIMIT_MS / 1e3};
    struct observation o = observation;
    o.trial = trial;
    o.loadgen = "--steps 12";
    if (measure_given(v, trial, &q, error) != 0)
        return -1;
    s->truth_rps = mdc_capacity_rps(&q, 1 + trial);
    json_t *run = observe(v, &o, error,
                          "path = /work?wait_ms=%g\nclose = yes\nmode = capacity\n"
                          "slo = p99<%gms\nconnections = 4096\nrate_rps = 300\nwarmup_s = %g\n"
                          "step_s = %g\n[server]\noptions = --workers %d\n",
                          WAIT_MS, LIMIT_MS, WARMUP_S, STEP_S, WORKERS);
    if (!run)
        return -1;
    s->rate_rps = json_number_at(run, "capacity.rate_rps");
    double low_rps = json_number_at(run, "capacity.low_rps");
    double high_rps = json_number_at(run, "capacity.high_rps");
    /* An end that is not known excludes nothing. */
    s->covered = s->rate_rps > 0 && !(low_rps > s->truth_rps) && !(high_rps < s->truth_rps);
    json_decref(run);
    return 0;
}

/* Each search has its own truth: the machine is not as fast all the time. */
int check_capacity(struct validation *v, struct error *error)
{
    unsigned searches = (unsigned)pick(v, SEARCHES_MOST, 4), covered = 0;
    double ratios[SEARCHES_MOST], truths_rps[SEARCHES_MOST];
    if (!validation_has_model(v, observation.model))
        return found_impossible(v, observation.check, observation.model,
                                "there is no such server here", error);
    for (unsigned i = 0; i < searches; i++) {
        struct search s;
        if (search(v, i, &s, error) != 0)
            return -1;
        ratios[i] = s.rate_rps / s.truth_rps;
        truths_rps[i] = s.truth_rps;
        covered += s.covered;
    }
    gsl_sort(ratios, 1, searches);
    gsl_sort(truths_rps, 1, searches);
    struct finding median = {.check = "capacity",
                             .subject = "thread-pool, M/D/4",
                             .quantity = "median of the searches",
                             .unit = "requests/s",
                             .expected =
                                 gsl_stats_median_from_sorted_data(truths_rps, 1, searches)};
    median.measured = median.expected * gsl_stats_median_from_sorted_data(ratios, 1, searches);
    median.tolerance = pick(v, 0.05, 0.1) * median.expected;
    /* Fewer than 8 of 10 (3 of 4) intervals of 95 % would be bad luck of 1.2 % (1.4 %). */
    struct finding intervals = {.check = "capacity",
                                .subject = "thread-pool, M/D/4",
                                .quantity = "intervals with the truth in them",
                                .unit = "searches",
                                .expected = searches,
                                .measured = covered,
                                .tolerance = pick(v, 2, 1)};
    return found(v, &median, error) == 0 ? found(v, &intervals, error) : -1;
}
