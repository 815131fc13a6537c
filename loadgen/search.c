#include "loadgen/search.h"

#include <math.h>

/* The lower end is sustained (0: none known), the upper one is not (INFINITY: none known). */
struct bracket {
    double low_rps, high_rps;
    bool high_is_generator;
    bool stopped;
};

/* Whether the rate is sustained; narrows the bracket. */
static bool try(const struct search *s, enum search_phase phase, double rate_rps, struct bracket *b)
{
    enum search_answer answer = s->step(s->argument, phase, rate_rps);
    if (answer == STEP_NEARLY || answer == STEP_GENERATOR)
        answer = s->step(s->argument, phase, rate_rps);
    b->stopped = answer == STEP_STOPPED;
    if (b->stopped)
        return false;
    if (answer == STEP_SUSTAINED) {
        b->low_rps = fmax(b->low_rps, rate_rps);
        return true;
    }
    b->high_rps = rate_rps;
    b->high_is_generator = answer == STEP_GENERATOR;
    return false;
}

/* Up by doubling, or down by halving. */
static void find_bracket(const struct search *s, struct bracket *b)
{
    double rate_rps = fmin(s->start_rps, s->ceiling_rps);
    if (try(s, SEARCH_BRACKET, rate_rps, b)) {
        while (rate_rps < s->ceiling_rps) {
            rate_rps = fmin(2 * rate_rps, s->ceiling_rps);
            if (!try(s, SEARCH_BRACKET, rate_rps, b))
                return;
        }
        return;
    }
    while (!b->stopped && rate_rps > s->least_rps) {
        rate_rps = fmax(rate_rps / 2, s->least_rps);
        if (try(s, SEARCH_BRACKET, rate_rps, b))
            return;
    }
}

static void bisect(const struct search *s, struct bracket *b)
{
    while (!b->stopped && isfinite(b->high_rps) && b->low_rps > 0 &&
           b->high_rps / b->low_rps > 1 + s->precision)
        try(s, SEARCH_BISECT, sqrt(b->low_rps * b->high_rps), b);
}

/* Down by ever longer strides until a rate holds for the whole time. */
static double confirm(const struct search *s, struct bracket *b)
{
    double rate_rps = b->low_rps;
    for (int stride = 1; rate_rps >= s->least_rps; stride *= 2) {
        if (try(s, SEARCH_CONFIRM, rate_rps, b))
            return rate_rps;
        if (b->stopped)
            return 0;
        rate_rps *= pow(1 + s->precision, -stride);
    }
    return 0;
}

struct search_result search_capacity(const struct search *s)
{
    struct bracket b = {.high_rps = INFINITY};
    find_bracket(s, &b);
    bisect(s, &b);
    double rate_rps = b.stopped || b.low_rps == 0 ? 0 : confirm(s, &b);
    if (b.stopped)
        return (struct search_result){.limit = SEARCH_STOPPED};
    if (rate_rps == 0)
        return (struct search_result){.limit = NOTHING_SUSTAINED};
    if (!isfinite(b.high_rps))
        return (struct search_result){rate_rps, LIMITED_BY_CEILING};
    return (struct search_result){rate_rps,
                                  b.high_is_generator ? LIMITED_BY_GENERATOR : LIMITED_BY_SLO};
}
