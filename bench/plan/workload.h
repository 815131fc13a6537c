/* A workload: one question put to every model, read from a file a person writes.
 *
 * The file is INI: what a person can set stands in one table (workload.c),
 * which also says the limits and carries a workload into plan.json and back.
 * A section [profile.NAME] replaces settings when that profile runs, a section
 * [point.NAME] where the workload is put at that point; a section [server.MODEL]
 * gives options to that model's server only. Knows nothing of
 * trials' order, of processes, or of what a setting does to the load generator. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench/base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    NAME_SIZE = 64,
    TEXT_SIZE = 1024,
    VALUES_LIMIT = 64,
    SERVERS_LIMIT = 16,
    VARIANTS_LIMIT = 16,
    CHANGES_LIMIT = 8
};

/* A named point of a workload: what it is that differs there. */
struct variant {
    char name[NAME_SIZE];
    struct {
        char key[NAME_SIZE], value[TEXT_SIZE / 4];
    } changes[CHANGES_LIMIT];
    size_t change_count;
};

struct workload {
    char name[NAME_SIZE]; /* the file's name without .conf */
    char title[TEXT_SIZE], question[TEXT_SIZE];
    double order; /* workloads are listed by it, then by name */

    bool open;     /* arrivals at a rate, whatever the answers do; otherwise a closed loop */
    bool capacity; /* the highest such rate that the service level allows is sought */
    char mode[NAME_SIZE], arrivals[NAME_SIZE], http[NAME_SIZE];
    char method[NAME_SIZE], path[TEXT_SIZE];
    char mix[TEXT_SIZE]; /* a file of weighted requests, instead of method and path; "": none */
    bool close;          /* one request per connection */
    double connections, idle, slow, pipeline, threads;
    double rate_rps, think_ms, timeout_s, warmup_s, duration_s;
    double cores;               /* CPUs that the server gets; 0: those that --server-cpus names */
    char backend[NAME_SIZE];    /* what the servers ask in turn: "redis", "sqlite"; "": nothing */
    double file_bytes;          /* size of the file that `path` asks for below /files/; 0: none */
    double timeline_s;          /* interval of the timeline that is plotted; 0: no such plot */
    char slo[TEXT_SIZE];        /* conditions of the service level, separated by blanks */
    double step_s;              /* length of a step of the search */
    double trials, trials_most; /* more than `trials` only until the figures are precise */

    char sweep[NAME_SIZE]; /* the setting that is varied, or "total"; "": none */
    double values[VALUES_LIMIT];
    size_t value_count; /* 0 without a sweep */
    struct variant variants[VARIANTS_LIMIT];
    size_t variant_count; /* 0 without named points; a workload has these or a sweep */

    struct {
        char model[NAME_SIZE]; /* "": every model */
        char options[TEXT_SIZE];
    } servers[SERVERS_LIMIT];
    size_t server_count;
};

/* How long and how often a profile measures, where a workload's file does not say it. */
struct profile {
    const char *name, *purpose;
    double trials, trials_most, warmup_s, duration_s;
};

extern const struct profile profiles[];
extern const size_t profile_count;

/* NULL: there is no such profile. */
const struct profile *profile_find(const char *name);

/* Reads the file as `profile` wants it. -1: `error` names the file and the line. */
int workload_read(struct workload *, const char *file, const struct profile *profile,
                  struct error *error);

/* The same from text; `file` names it in messages and, by its last part, the workload. */
int workload_parse(struct workload *, const char *file, const char *text,
                   const struct profile *profile, struct error *error);

/* How often a trial of it is measured: once for each value of its sweep, or named point. */
size_t workload_points(const struct workload *);

/* Whether it is put at several points, however they are called. */
bool workload_has_points(const struct workload *);

/* Whether any of its points needs that backend. */
bool workload_needs(const struct workload *, const char *backend);

/* What its points differ in, for people: "rate_rps", "connections", "kind of request". */
const char *workload_varies(const struct workload *);

/* The workload as it stands at one point of its sweep. */
struct workload workload_at(const struct workload *, size_t point);

/* Whether both, each as it stands at a point, put the same load on a server: all settings but how
 * long and how often is measured, and but the file of a mix, of which only the content matters. What
 * the servers are told may differ: it can be the very thing that is compared. */
bool workload_same_load(const struct workload *, const struct workload *);

/* Takes out what wants more cores than `most`; returns how many points are left: 0 where it cannot
 * be measured at all. */
size_t workload_limit_cores(struct workload *, unsigned most);

/* What the named point sets `key` to; NULL: it does not change it. */
char *variant_value(struct variant *, const char *key);

/* Seconds that one measurement of it is planned to take, start of the processes included. */
double workload_cell_s(const struct workload *);

/* A new reference; NULL without memory. */
json_t *workload_to_json(const struct workload *);
int workload_from_json(struct workload *, const json_t *, struct error *);

#endif
