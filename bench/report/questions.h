/* The questions of a run, and what the verdicts say to each: who is best, and how far the others
 * are from it. Knows nothing of sentences and tables. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include "bench/journal/results.h"
#include "bench/statistics/standing.h"

#include <stdbool.h>
#include <stddef.h>

/* One question: a workload, or one of its named points. */
struct question {
    size_t workload, point;
    const struct headline *headline; /* the figure that answers it */
    struct place *of;                /* how each model stands */
    size_t best; /* the model with the best figure; the number of models: none has one */
};

struct questions {
    const struct results *results;
    struct question *all;
    size_t count;
    size_t *shown; /* models that have a column: the card's, and the targets */
    size_t shown_count;
};

/* 0 with questions to free, or -1 without memory. */
int questions_of(struct questions *, const struct results *);
void questions_free(struct questions *);

/* "io", "capacity hello": the workload and, where it has several, the point. Returns `text`. */
const char *question_name(const struct questions *, const struct question *, char *text,
                          size_t size);

struct group question_group(const struct question *, size_t model);

/* A model's figure in the metric's unit; NaN: it has none. */
double question_figure(const struct questions *, const struct question *, size_t model,
                       const char *metric);

/* Whether the model is shown to be the best, or equivalent to it. */
bool is_at_the_top(const struct question *, size_t model);

/* How many times worse than the best: 1 is as good. NaN: there is no such figure. */
double times_worse(const struct questions *, const struct question *, size_t model);

/* Of the four models that the suite stands on (blocking, thread-per-connection, thread-pool and
 * epoll) the one that is worst; the number of models: none of them has a figure. */
size_t worst_of_card(const struct questions *, const struct question *);

#endif
