/* What is measured, and in which order: decided once, before anything runs.
 *
 * A plan is model x workload x sweep point x trial, without what a target does not answer. Trials
 * are blocks: each holds every cell once, so that a slow drift of the machine (heat, a noisy
 * neighbour) meets all models alike. Inside a block the points are shuffled,
 * and inside a point the models, so that none is always first. The order comes
 * from the seed and is kept in plan.json, from which a run is resumed. Where
 * precision decides how many trials there are, the plan holds as many as there
 * can be. Knows nothing of processes and results. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "bench/base/error.h"
#include "bench/plan/target.h"
#include "bench/plan/workload.h"

#include <jansson.h>
#include <stddef.h>

/* One model at one point of one workload: places in the plan's models, workloads, its points. */
struct group {
    size_t model, workload, point;
};

/* One measurement. */
struct cell {
    size_t model, workload, point; /* places in the plan's models, workloads, its values */
    unsigned trial;                /* from 1 */
};

struct plan {
    char profile[NAME_SIZE];
    unsigned long seed;
    double compute_rate;                                  /* iterations per us, for every server */
    char server_cpus[NAME_SIZE], loadgen_cpus[NAME_SIZE]; /* "": not pinned */
    char cpus[TEXT_SIZE]; /* all, in the order in which a server that wants several gets them */
    char (*models)[NAME_SIZE]; /* the last of them are the targets */
    size_t model_count;
    struct target *targets;
    size_t target_count;
    struct workload *workloads;
    size_t workload_count;
    struct cell *cells;
    size_t cell_count;
    json_t *left_out; /* a sentence for each thing that was asked for and is not measured, and why;
                         NULL: there is none */
};

void plan_free(struct plan *);

/* How many groups there are, and a group's place among them. */
size_t plan_group_count(const struct plan *);
size_t plan_group_index(const struct plan *, struct group);

/* Keeps a sentence about what is not measured, for the report, and prints it as a warning. */
void plan_leave_out(struct plan *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The target that the model is; NULL: it is one of ours. */
const struct target *plan_target(const struct plan *, size_t model);

/* What tables and messages call it: "server-epoll", but "nginx". */
struct server_name {
    char text[NAME_SIZE + 8];
};
struct server_name plan_server_name(const struct plan *, size_t model);

/* Whether the model answers what the workload asks at that point: ours answer everything. */
bool plan_serves(const struct plan *, size_t model, size_t workload, size_t point);

/* The CPUs of the server where the workload (as it stands at a point) is measured, as a list. */
struct cpu_list {
    char text[TEXT_SIZE];
};
struct cpu_list plan_server_cpus(const struct plan *, const struct workload *);

/* Fills in `cells` from everything else. 0, or -1 without memory. */
int plan_expand(struct plan *, struct error *);

/* Seconds the cells from `first` on are planned to take. */
double plan_seconds(const struct plan *, size_t first);

/* How many cells are measured in any case, and (may be NULL) the seconds that they take. Fewer than
 * `cell_count` where precision decides. */
size_t plan_least(const struct plan *, double *seconds);

/* How a point is called in files and tables: its value, or "-" without a sweep. */
struct point_name {
    char text[NAME_SIZE];
};
struct point_name point_name_of(const struct workload *, size_t point);

/* A new reference, or NULL without memory. */
json_t *plan_to_json(const struct plan *);
/* 0 with a plan to free, or -1 with the reason. */
int plan_from_json(struct plan *, const json_t *, struct error *);

/* Reads DIR/plan.json: 0 with a plan to free, or -1. */
int plan_read(struct plan *, const char *folder, struct error *);

/* The group that these names stand for, as in a line of runs.jsonl; false: the plan has none. */
bool plan_find(const struct plan *, const json_t *line, struct group *);

/* The cell's place in the plan that a line of runs.jsonl is the result of; `cell_count`: none. */
size_t plan_find_cell(const struct plan *, const json_t *run);

/* Puts the identity of a cell (model, workload, point, trial) into a run. */
void plan_identify(const struct plan *, const struct cell *, json_t *run);

#endif
