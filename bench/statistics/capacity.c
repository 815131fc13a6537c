#include "bench/statistics/capacity.h"

#include "bench/base/json.h"
#include "common/threshold.h"

#include <math.h>
#include <stdlib.h>

static const json_t *windows_in(const json_t *line)
{
    return json_at(line, "capacity.windows");
}

size_t capacity_blocks(const struct results *r, struct group g, unsigned *blocks)
{
    const struct measurements *of = results_of(r, g);
    size_t count = 0;
    if (json_array_size(windows_in(results_run(r, g, 0))) > 0)
        blocks[count++] = 0;
    for (size_t i = 0; i < of->count && count < ESTIMATE_MOST; i++)
        if (of->at[i].block > 0 && json_array_size(windows_in(of->at[i].line)) > 0)
            blocks[count++] = of->at[i].block;
    return count;
}

/* --- the fit ---------------------------------------------------------------------------------- */

struct windows {
    struct threshold_window *at;
    size_t count, failed, generator_bound;
};

/* Those that say something; `block` is their place among the blocks that are fitted. */
static int add_windows(struct windows *w, const json_t *list, unsigned block)
{
    size_t index;
    json_t *window;
    void *larger = realloc(w->at, (w->count + json_array_size(list) + 1) * sizeof *w->at);
    if (!larger)
        return -1;
    w->at = larger;
    json_array_foreach (list, index, window) {
        const json_t *held = json_object_get(window, "held");
        double rate_rps = json_number_at(window, "rate_rps");
        if (!json_is_boolean(held) || !(rate_rps > 0))
            continue;
        w->at[w->count++] = (struct threshold_window){
            .rate_rps = rate_rps, .held = json_is_true(held), .block = block};
        w->failed += json_is_false(held);
        w->generator_bound += json_is_true(json_object_get(window, "generator_bound"));
    }
    return 0;
}

/* NULL: there is no window, or no memory. `windows` is to be freed in any case. */
static struct threshold *fit(const struct results *r, struct group g, const unsigned *blocks,
                             size_t count, struct windows *windows)
{
    *windows = (struct windows){.count = 0};
    for (size_t i = 0; i < count; i++)
        if (add_windows(windows, windows_in(results_run(r, g, blocks[i])), (unsigned)i) != 0)
            return NULL;
    return windows->count > 0 ? threshold_fit(windows->at, windows->count, count) : NULL;
}

static double log_of_blocks(const void *data, const unsigned *weights, size_t blocks)
{
    struct threshold *const *fitted = data;
    (void)blocks;
    return log(threshold_estimate(*fitted, weights).rate_rps);
}

int capacity_halve(const struct results *r, struct group g, const unsigned *blocks, size_t count,
                   struct halved *h)
{
    struct windows windows;
    struct threshold *fitted = fit(r, g, blocks, count, &windows);
    int result = fitted ? halve(log_of_blocks, &fitted, count, h) : -1;
    threshold_free(fitted);
    free(windows.at);
    return result;
}

struct estimate capacity_estimate(const struct results *r, struct group g, struct halved *halved)
{
    unsigned blocks[ESTIMATE_MOST];
    size_t count = capacity_blocks(r, g, blocks);
    struct windows windows;
    struct threshold *fitted = fit(r, g, blocks, count, &windows);
    struct estimate e = {.count = 0};
    *halved = (struct halved){.count = 0};
    if (fitted) {
        struct threshold_estimate t = threshold_estimate(fitted, NULL);
        if (t.rate_rps > 0)
            e = (struct estimate){.median = t.rate_rps,
                                  .low = t.low_rps,
                                  .high = t.high_rps,
                                  .count = count,
                                  .confidence = 0.95,
                                  .at_least =
                                      !t.has_high || 2 * windows.generator_bound > windows.failed};
        else
            e.why = "no rate was sustained";
        if (e.count > 0 && halve(log_of_blocks, &fitted, count, halved) != 0)
            halved->count = 0;
        if (e.count > 2 && halved->count > 0) {
            struct estimate of_blocks = halved_estimate(halved);
            e.low = fmin(e.low, of_blocks.low);
            e.high = fmax(e.high, of_blocks.high);
        }
    }
    threshold_free(fitted);
    free(windows.at);
    return e;
}

/* --- for figures ------------------------------------------------------------------------------ */

void capacity_windows(const struct results *r, struct group g,
                      void (*take)(void *, const struct capacity_window *), void *argument)
{
    unsigned blocks[ESTIMATE_MOST];
    size_t count = capacity_blocks(r, g, blocks);
    for (size_t i = 0; i < count; i++) {
        size_t index;
        json_t *window;
        json_array_foreach (windows_in(results_run(r, g, blocks[i])), index, window) {
            const json_t *held = json_object_get(window, "held");
            const struct capacity_window w = {.rate_rps = json_number_at(window, "rate_rps"),
                                              .p99_us = json_number_at(window, "p99_us"),
                                              .held = json_is_true(held)    ? 1
                                                      : json_is_false(held) ? 0
                                                                            : -1};
            take(argument, &w);
        }
    }
}
