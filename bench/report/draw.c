#include "bench/report/draw.h"

#include "bench/base/child.h"
#include "bench/base/stop.h"

#include <stdbool.h>

/* A figure that is being drawn. */
struct lane {
    const struct drawing *drawing;
    struct running *child;
    unsigned polls;
};

enum { LANES = 2 };
static const double POLL_S = 0.01;
static const unsigned POLLS_MOST = 12000; /* two minutes: far more than any figure takes */

static int begin(struct lane *l, const struct drawing *d, const char *scripts, struct error *error)
{
    const char *const argv[] = {"gnuplot",    "-c",     "draw.gp", d->script,   d->data.text,
                                d->stem.text, d->title, d->axis,   d->variants, NULL};
    const struct child_order order = {.argv = argv, .folder = scripts};
    *l = (struct lane){.drawing = d, .child = child_start(&order, error)};
    return l->child ? 0 : -1;
}

/* A run that was interrupted draws what it has measured: only a stop since then ends the drawing,
 * or a second one. */
static bool is_told_to_stop(int stops_before)
{
    return bench_stop > stops_before || bench_stop > 1;
}

static int finish(struct lane *l, int stops_before, struct error *error)
{
    struct outcome outcome;
    int ended = child_end(l->child, &outcome, error), result = 0;
    l->child = NULL;
    if (ended != 0)
        return -1;
    if (is_told_to_stop(stops_before))
        result = error_set(error, "interrupted");
    else if (outcome.exit_code != 0)
        result = error_set(error, "gnuplot could not draw %s: %s", l->drawing->stem.text,
                           outcome.messages);
    outcome_free(&outcome);
    return result;
}

/* Waits a little for it. Whoever has had enough time, or is asked to stop, is ended. */
static bool is_over(struct lane *l, int stops_before)
{
    return child_ends_within(l->child, POLL_S) || is_told_to_stop(stops_before) ||
           ++l->polls > POLLS_MOST;
}

int draw(const struct drawing *drawings, size_t count, const char *scripts, struct error *error)
{
    struct lane lanes[LANES] = {{0}};
    size_t next = 0, busy = 0;
    int result = 0, stops_before = bench_stop;
    while (busy > 0 || (next < count && result == 0))
        for (struct lane *l = lanes; l < lanes + LANES; l++) {
            struct error later = {""}; /* of several failures the first is told */
            struct error *told = result == 0 ? error : &later;
            if (l->child && is_over(l, stops_before)) {
                result |= finish(l, stops_before, told);
                busy--;
            } else if (!l->child && next < count && result == 0) {
                result |= begin(l, &drawings[next++], scripts, told);
                busy += l->child != NULL;
            }
        }
    return result;
}
