/* bench compare: two models of a run, or each model of two runs, in every headline figure.
 *
 * Writes the table. What can be compared, and how, is decided in contest.c. */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include "bench/base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct compare_request {
    const char *a, *b;  /* two models, or two runs' folders */
    const char *folder; /* where the models were measured; NULL: results/latest */
    double margin;      /* differences up to this share are of no interest: 0.05 */
    bool tsv;           /* for programs */
};

enum compare_result {
    COMPARE_DONE,
    COMPARE_FAILED,
    COMPARE_REFUSED, /* there is no such model or run, or they have nothing in common */
};

/* Says with `error` what the request names wrongly. */
enum compare_result compare_write(FILE *, const struct compare_request *, struct error *);

#endif
