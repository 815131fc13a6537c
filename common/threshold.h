/* The threshold of a response curve: the rate at which half of all windows hold.
 *
 * A measured window at one rate either holds what is asked of it or does not. Near the threshold
 * that is chance, and the higher the rate, the less likely it holds:
 *
 *     P(holds | rate) = (1 - lapse) * logistic((ln theta - ln rate) / s)
 *
 * theta is the threshold, s how gradual the change is, and lapse the share of windows that fail at
 * any rate, because of something that has nothing to do with it. As in psychophysics, where a
 * person sees a faint light or does not, all windows together give a distribution of theta (Watson,
 * Pelli: "QUEST: a Bayesian adaptive psychometric method", Perception & Psychophysics 33(2), 1983),
 * s and lapse are not taken as known but averaged over (Kontsevich, Tyler: "Bayesian adaptive
 * estimation of psychometric slope and threshold", Vision Research 39(16), 1999), and without lapse
 * one accident would shift the threshold (Wichmann, Hill: "The psychometric function: I",
 * Perception & Psychophysics 63(8), 2001).
 *
 * Pure arithmetic: knows nothing of how a window is measured. */
#ifndef COMMON_THRESHOLD_H
#define COMMON_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>

struct threshold_window {
    double rate_rps; /* above 0 */
    bool held;
    unsigned block; /* windows that belong together; from 0 */
};

struct threshold_estimate {
    double rate_rps;          /* the median of theta's distribution; 0: no window held */
    double low_rps, high_rps; /* its middle 95 % */
    /* false: the windows do not say how low, or how high, theta may be. Without an upper end the
     * rate is a lower bound: no more than the highest that held. */
    bool has_low, has_high;
};

/* The likelihood of each block's windows over one common grid of theta, s and lapse: many weighted
 * combinations of blocks can be estimated quickly. NULL without memory. There must be a window, and
 * each block number must be below `blocks`. */
struct threshold *threshold_fit(const struct threshold_window *, size_t count, size_t blocks);
void threshold_free(struct threshold *);

/* Of the blocks, each as often as its weight says; NULL: each once. Takes some twenty microseconds
 * for each block. */
struct threshold_estimate threshold_estimate(struct threshold *, const unsigned *weights);

/* Where a search looks. */
struct threshold_search {
    double first_rps;               /* without LOW and HIGH, the first window's rate */
    double low_rps, high_rps;       /* the threshold is probably between these; 0: not known */
    double lowest_rps, ceiling_rps; /* no window outside */
};

/* The rate of the next window, given the ones so far: in coarse steps until one has held and one
 * has not, then at a quantile of theta's distribution. `draw`, in [0, 1), says which, so that
 * windows spread around the threshold as it is known by then. NAN without memory. */
double threshold_next_rate(const struct threshold_window *, size_t count,
                           const struct threshold_search *, double draw);

#endif
