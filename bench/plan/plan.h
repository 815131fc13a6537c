/* What is measured: models, targets, and the points of workloads; and how long a window is.
 *
 * A *block* is one point of one workload, measured once with every model, one soon after the other,
 * so that a slow drift of the machine (heat, a noisy neighbour) meets all of them alike. The order
 * of the models in a block is shuffled by the seed, so that none is always first. Which block comes
 * next is not planned but decided while the run goes on (run/schedule.h). Knows nothing of
 * processes and results. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include "bench/base/error.h"
#include "bench/plan/target.h"
#include "bench/plan/workload.h"

#include <jansson.h>
#include <stddef.h>

/* How much time a run may take, and how long its windows are. */
struct profile {
    const char *name, *purpose;
    double time_s;               /* for everything; 0: until the figures are precise */
    bool grows;                  /* where so much time gives no intervals, as much as they need */
    double warmup_s, duration_s; /* of a window, where the workload's file does not say it */
    double precision; /* the run ends when every main figure's interval is so narrow: half
                         its width relative to its middle */
    unsigned blocks_most;
};

extern const struct profile profiles[];
extern const size_t profile_count;

/* NULL: there is no such profile. */
const struct profile *profile_find(const char *name);

/* Differences up to this share decide nobody's choice of an architecture. */
static const double MARGIN_DEFAULT = 0.05;

/* An exact 95 % interval of a median needs so many values: with five it is 94 %. */
enum { BLOCKS_LEAST = 6 };

struct plan {
    const struct profile *profile;
    unsigned long seed;
    unsigned trials;     /* just so many blocks of each point; 0: as many as time allows */
    double margin;       /* differences up to this share are of no interest */
    double compute_rate; /* iterations per us, for every server */
    char server_cpus[NAME_SIZE], loadgen_cpus[NAME_SIZE]; /* "": not pinned */
    char cpus[TEXT_SIZE]; /* all, in the order in which a server that wants several gets them */
    char (*models)[NAME_SIZE]; /* the last of them are the targets */
    size_t model_count;
    struct target *targets;
    size_t target_count;
    struct workload *workloads; /* with the chosen points only */
    size_t workload_count;
    json_t *left_out; /* a sentence for each thing that was asked for and is not measured, and why;
                         NULL: there is none */
};

/* One model at one point of one workload: places in the plan's models, workloads, its points. */
struct group {
    size_t model, workload, point;
};

void plan_free(struct plan *);

/* How many groups there are, and a group's place among them. */
size_t plan_group_count(const struct plan *);
size_t plan_group_index(const struct plan *, struct group);

/* How many points all workloads have together. */
size_t plan_point_count(const struct plan *);

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

/* The workload as it stands at a point, with the windows that the plan gives it. A preview has
 * shorter ones: a first look. */
struct workload plan_workload_at(const struct plan *, size_t workload, size_t point, bool preview);

/* The CPUs of the server where the workload (as it stands at a point) is measured, as a list. */
struct cpu_list {
    char text[TEXT_SIZE];
};
struct cpu_list plan_server_cpus(const struct plan *, const struct workload *);

/* The order of the models in a block, as places in the plan's models; `order` has room for all. */
void plan_shuffle(const struct plan *, size_t workload, size_t point, unsigned block,
                  size_t *order);

/* Seconds that a block of that point is expected to take. */
double plan_block_s(const struct plan *, size_t workload, size_t point, bool preview);

/* --- on disk ---------------------------------------------------------------------------------- */

/* Writes DIR/plan.json, and copies the files of the workloads, their mixes and the targets from
 * these folders to DIR/inputs: the run can be resumed and understood without them. 0 or -1. */
int plan_write(const struct plan *, const char *folder, const char *workloads, const char *targets,
               struct error *);

/* Reads what plan_write wrote: 0 with a plan to free, or -1. */
int plan_read(struct plan *, const char *folder, struct error *);

/* The group that these names stand for, as in a line of runs.jsonl; false: the plan has none. */
bool plan_find(const struct plan *, const json_t *line, struct group *);

/* Puts the names of a group (model, workload, point) into a line. */
void plan_identify(const struct plan *, struct group, json_t *line);

#endif
