/* The inside of `bench validate`: what the checks share. validate.c runs them,
 * checks_*.c hold them, a file for each kind of truth.
 *
 * A check describes its load in the language of workloads, lets loadgen measure
 * it, and adds findings. It knows the truth; how it is measured it leaves to
 * the instrument, which is what is on trial. */
#ifndef BENCH_VALIDATION_H
#define BENCH_VALIDATION_H

#include "bench/base/error.h"
#include "bench/journal/journal.h"
#include "bench/plan/places.h"
#include "bench/plan/workload.h"
#include "bench/validate/finding.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct validation {
    const struct places *places;
    const char *folder;
    struct journal journal;
    char (*models)[NAME_SIZE];
    size_t model_count;
    char server_cpus[NAME_SIZE], loadgen_cpus[NAME_SIZE];
    double compute_rate;
    bool brief; /* short windows, and tolerances for a machine that is shared */
    struct findings findings;
};

/* What is to be observed. */
struct observation {
    const char *check;
    const char *subject;  /* for people, and for files' names */
    const char *model;    /* NULL: the specimen */
    const char *specimen; /* its options, or NULL */
    const char *loadgen;  /* further options of loadgen, or NULL */
    unsigned trial;       /* 0 and up: other random numbers */
    bool once;            /* even where it was disturbed */
};

/* Has loadgen measure the load that the text describes, in the language of workloads. The result
 * object, a new reference, which is in runs.jsonl by then; NULL: interrupted, or a defect that
 * `error` names. A load that went wrong has no figures, and fails the findings about them. */
json_t *observe(struct validation *, const struct observation *, struct error *,
                const char *workload, ...) __attribute__((format(printf, 4, 5)));

bool validation_has_model(const struct validation *, const char *model);

/* Of a whole check and of a short one. */
double pick(const struct validation *, double whole, double brief);

/* Adds a finding and tells the person who waits. 0 or -1. */
int found(struct validation *, const struct finding *, struct error *);

/* A finding that cannot be made here, and why. */
int found_impossible(struct validation *, const char *check, const char *subject, const char *why,
                     struct error *);

/* A file of figures for the page of plots: DIR/plots/validation-NAME.tsv, to be written to
 * and given back. NULL without memory. */
struct figures {
    FILE *out;
    char *text;
    size_t size;
};
int figures_open(struct figures *, struct error *);
int figures_close(struct figures *, const struct validation *, const char *name, struct error *);

/* Mean, and half the width of its interval of 95 % by Student's t (0 for a single value). */
struct mean {
    double mean, half_width;
};
struct mean mean_of(const double *values, size_t count);

/* A check that is a table of loads and truths, or that part of it. 0 or -1. */
int check_table(struct validation *, const char *check, struct error *);

/* The checks that are more. Each: 0, or -1 (and nothing more is checked). */
int check_service_time(struct validation *, struct error *);
int check_stall(struct validation *, struct error *);
int check_arrivals(struct validation *, struct error *);
int check_queueing(struct validation *, struct error *);
int check_capacity(struct validation *, struct error *);
int check_switches(struct validation *, struct error *);
int check_same_server(struct validation *, struct error *);
int check_power(struct validation *, struct error *);
int check_ceiling(struct validation *, struct error *);

#endif
