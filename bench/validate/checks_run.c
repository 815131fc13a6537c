/* Truths about a whole benchmark: that a server does not differ from itself, and that the
 * generator knows its own limit. */
#include "bench/base/json.h"
#include "bench/run/ceiling.h"
#include "bench/statistics/estimate.h"
#include "bench/validate/validation.h"

#include <math.h>
#include <stdio.h>

/* --- a server against itself ------------------------------------------------------------------ */

enum { BLOCKS_MOST = 16, COMPARISONS = 2000 };

static const struct {
    const char *name, *path;
} compared[] = {{"throughput", "throughput_rps"},
                {"response time p99", "response_us.p99"},
                {"CPU per request", "server.cpu.us_per_request"}};
enum { COMPARED = sizeof compared / sizeof *compared };

static int measure_block(struct validation *v, unsigned block, double values[COMPARED][BLOCKS_MOST],
                         const char *name, struct error *error)
{
    const struct observation o = {.check = "same-server",
                                  .subject = name,
                                  .model = v->models[v->model_count - 1],
                                  .trial = block};
    json_t *run = observe(v, &o, error, "path = /hello\nconnections = 16\nduration_s = %g\n",
                          pick(v, 0.8, 0.3));
    if (!run)
        return -1;
    for (size_t i = 0; i < COMPARED; i++)
        values[i][block] = json_number_at(run, compared[i].path);
    json_decref(run);
    return 0;
}

/* One server under two names: whoever says that they differ is wrong, and may be so as often as
 * the test's error rate says, and as chance allows in so many comparisons. */
int check_same_server(struct validation *v, struct error *error)
{
    double a[COMPARED][BLOCKS_MOST], b[COMPARED][BLOCKS_MOST];
    unsigned blocks = (unsigned)pick(v, BLOCKS_MOST, 6);
    for (unsigned block = 0; block < blocks; block++)
        for (int turn = 0; turn < 2; turn++) {
            bool is_a = (block + (unsigned)turn) % 2 == 0; /* A, B, B, A, A, B … */
            if (measure_block(v, block, is_a ? a : b, is_a ? "one" : "the same", error) != 0)
                return -1;
        }
    for (size_t i = 0; i < COMPARED; i++) {
        size_t different = compare_resampled(a[i], b[i], blocks, COMPARISONS, 1);
        struct finding f = {.check = "same-server",
                            .unit = "1",
                            .expected = 0,
                            .measured = (double)different / COMPARISONS,
                            .tolerance = SIGNIFICANCE +
                                         3 * sqrt(SIGNIFICANCE * (1 - SIGNIFICANCE) / COMPARISONS)};
        snprintf(f.subject, sizeof f.subject, "%s", v->models[v->model_count - 1]);
        snprintf(f.quantity, sizeof f.quantity, "called different, %s", compared[i].name);
        snprintf(f.note, sizeof f.note, "%d comparisons of %u blocks; the rate should be %g",
                 COMPARISONS, blocks, SIGNIFICANCE);
        if (found(v, &f, error) != 0)
            return -1;
    }
    return 0;
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
