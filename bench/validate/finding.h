/* What a check found: expected, measured, how far apart they may be, and the judgement.
 *
 * Knows nothing of how anything is measured. */
#ifndef BENCH_FINDING_H
#define BENCH_FINDING_H

#include "bench/base/error.h"

#include <stddef.h>

enum judgement {
    JUDGED_PASS,
    JUDGED_FAIL,
    JUDGED_IMPOSSIBLE /* not on this machine, or not by this user: `note` says why */
};

struct finding {
    char check[32];    /* as in --checks */
    char subject[64];  /* what was looked at: a model, a law */
    char quantity[64]; /* what of it */
    const char *unit;  /* a constant; "1" for a bare number */
    double expected;   /* NaN where the check is impossible */
    double measured;   /* NaN: there is no figure, which is a failure */
    double tolerance;  /* pass: |measured - expected| <= tolerance */
    enum judgement judgement;
    char note[256];
};

struct findings {
    struct finding *all;
    size_t count, capacity;
};

void findings_free(struct findings *);

/* Judges and keeps a finding; its text members may be longer than they can be kept. 0, or -1
 * without memory. */
int findings_add(struct findings *, const struct finding *, struct error *);

size_t findings_with(const struct findings *, enum judgement);

/* The word for it in tables: pass, FAIL, impossible. */
const char *judgement_text(enum judgement);

/* DIR/validation.tsv and DIR/validation.md. 0 or -1. */
int findings_write(const struct findings *, const char *folder, const char *heading,
                   struct error *);

#endif
