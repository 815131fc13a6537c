/* Made-up measurements: results that no server has given. */
#ifndef TESTS_UNIT_MADE_UP_H
#define TESTS_UNIT_MADE_UP_H

#include "bench/journal/results.h"
#include "common/histogram_codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One measurement of one model. What is 0 is left out of the line. */
struct made_up {
    double rps, response_us, cpu_us, pss_bytes, switches;
    unsigned requests, censored, unserved, intended;
    bool held_back, disturbed;
    double half_ratio; /* of the second half's throughput to the first */
};

/* Results without a line, of a workload at one point; to be freed. */
static inline struct results made_up_results(size_t models, struct workload w)
{
    struct plan p = {.seed = 1, .model_count = models, .workload_count = 1};
    struct results r;
    struct error error;
    p.models = calloc(models, sizeof *p.models);
    for (size_t i = 0; i < models; i++)
        snprintf(p.models[i], NAME_SIZE, "model-%zu", i);
    p.workloads = malloc(sizeof w);
    *p.workloads = w;
    strcpy(p.workloads->name, "plain");
    if (results_begin(&r, &p, &error) != 0)
        abort();
    return r;
}

/* Response times spread evenly from half of `us` to one and a half of it. */
static inline json_t *made_up_responses(const struct made_up *m)
{
    struct histogram *h = histogram_new();
    for (unsigned i = 0; i < m->requests; i++)
        histogram_record(h, (uint64_t)(m->response_us * 1e3 * (0.5 + (double)i / m->requests)));
    char *text = histogram_encode(h);
    json_t *json =
        json_pack("{s:i, s:i, s:f, s:f, s:f, s:s}", "count", (int)m->requests, "censored",
                  (int)m->censored, "p50", (double)histogram_quantile_ns(h, 0.5) / 1e3, "p99",
                  (double)histogram_quantile_ns(h, 0.99) / 1e3, "p99_9",
                  (double)histogram_quantile_ns(h, 0.999) / 1e3, "histogram", text);
    free(text);
    histogram_free(h);
    return json;
}

static inline json_t *made_up_line(const struct made_up *m)
{
    int completed = m->requests > 0 ? (int)m->requests : m->rps > 0;
    json_t *line = json_pack(
        "{s:b, s:f, s:{s:i, s:i}, s:{s:i, s:i}, s:{s:b}, s:{s:{s:f}, s:{s:f}, s:{s:f}}, s:[]}",
        "valid", 1, "throughput_rps", m->rps, "requests", "completed", completed, "intended",
        m->intended > 0 ? (int)m->intended : completed, "connections", "served", 4, "unserved",
        (int)m->unserved, "generator", "saturated", m->held_back, "server", "cpu", "us_per_request",
        m->cpu_us, "context_switches", "total", m->switches * completed, "memory", "pss_bytes",
        m->pss_bytes, "disturbed");
    if (m->requests > 0)
        json_object_set_new(line, "response_us", made_up_responses(m));
    if (m->disturbed)
        json_array_append_new(json_object_get(line, "disturbed"),
                              json_string("other processes used 30 % of a CPU"));
    if (m->half_ratio > 0)
        json_object_set_new(line, "halves",
                            json_pack("[{s:f, s:f}, {s:f, s:f}]", "throughput_rps", 1000.0,
                                      "p50_us", 100.0, "throughput_rps", 1000 * m->half_ratio,
                                      "p50_us", 100 / m->half_ratio));
    return line;
}

static inline void made_up_add(struct results *r, size_t model, unsigned block,
                               const struct made_up *m)
{
    json_t *line = made_up_line(m);
    if (results_add(r, (struct group){model, 0, 0}, block, line) != 0)
        abort();
    json_decref(line);
}

/* Noise of `noise`, relative, that differs from model to model, and a drift that does not. */
static inline double made_up_factor(size_t model, unsigned block, double noise)
{
    static const double drift[] = {1, 1.3, 0.8, 1.1, 0.7, 1.2};
    static const double noises[] = {-1, 0.6, 1, -0.4, 0.3, -0.5};
    return drift[block % 6] * (1 + noise * noises[(block * (model + 1) + model) % 6]);
}

/* Six blocks or fewer of a model that is like `m` on average. */
static inline void made_up_blocks(struct results *r, size_t model, unsigned blocks, double noise,
                                  struct made_up m)
{
    for (unsigned block = 1; block <= blocks; block++) {
        double factor = made_up_factor(model, block, noise);
        struct made_up one = m;
        one.rps *= factor;
        one.response_us /= factor;
        one.cpu_us /= factor;
        made_up_add(r, model, block, &one);
    }
}

#endif
