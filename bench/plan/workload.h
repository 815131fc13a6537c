/* A workload: one question put to every model, read from a file that a person writes.
 *
 * The file is INI. What a person can set stands in one table (workload.c), which also says the
 * limits. A section [point.NAME] replaces settings where the workload is put at that point; a
 * section [server.MODEL] gives options to that model's server only. Knows nothing of the order of
 * measurements, of processes, or of what a setting does to the load generator. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench/base/error.h"

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
    double order;                /* workloads are listed by it, then by name */
    bool core;                   /* measured when nobody says which workloads */
    char core_points[TEXT_SIZE]; /* of its points, those that are core; "": all */
    char headline[NAME_SIZE];    /* the metric that answers the question */

    bool open;     /* arrivals at a rate, whatever the answers do; otherwise a closed loop */
    bool capacity; /* the highest such rate that the service level allows is sought */
    char mode[NAME_SIZE], arrivals[NAME_SIZE], http[NAME_SIZE];
    char method[NAME_SIZE], path[TEXT_SIZE];
    char mix[NAME_SIZE]; /* a file of weighted requests beside the workload's own, instead of method
                            and path; "": none */
    bool close;          /* one request per connection */
    double connections, idle, slow, pipeline, threads;
    double rate_rps, think_ms, timeout_s;
    double warmup_s, duration_s; /* of a window; NaN: as the run's profile has it */
    double cores;                /* CPUs that the server gets; 0: those that --server-cpus names */
    char backend[NAME_SIZE];     /* what the servers ask in turn: "redis", "sqlite"; "": nothing */
    double file_bytes;           /* size of the file that `path` asks for below /files/; 0: none */
    double timeline_s;           /* interval of the timeline that is plotted; 0: no such plot */
    char slo[TEXT_SIZE];         /* conditions of the service level, separated by blanks */
    double step_s, steps; /* of a search for the capacity: length of a window, and how many */

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

/* Reads the file. -1: `error` names the file and the line. */
int workload_read(struct workload *, const char *file, struct error *error);

/* The same from text; `file` names it in messages and, by its last part, the workload. */
int workload_parse(struct workload *, const char *file, const char *text, struct error *error);

/* Gives the windows a length where the file says none. */
void workload_set_windows(struct workload *, double warmup_s, double duration_s);

/* Whether two workloads put the same load on a server, whatever they are called, how long they
 * measure, and what options the servers get (which can be the very thing that is compared). */
bool workload_same_load(const struct workload *, const struct workload *);

/* --- points ----------------------------------------------------------------------------------- */

/* How often a block of it is measured: once for each value of its sweep, or named point. */
size_t workload_points(const struct workload *);

/* Whether it is put at several points, however they are called. */
bool workload_has_points(const struct workload *);

/* Whether any of its points needs that backend. */
bool workload_needs(const struct workload *, const char *backend);

/* What its points differ in, for people: "rate_rps", "connections", "kind of request". */
const char *workload_varies(const struct workload *);

/* The workload as it stands at one point of its sweep. */
struct workload workload_at(const struct workload *, size_t point);

/* How a point is called in files and tables: its value or name, or "-" where there is one only. */
struct point_name {
    char text[NAME_SIZE];
};
struct point_name point_name_of(const struct workload *, size_t point);

/* Keeps the points whose names are listed, separated by commas or blanks; returns how many. A
 * workload of one point keeps it. */
size_t workload_keep_points(struct workload *, const char *list);

/* Takes out the points that want more cores than `most`; returns how many are left: 0 where it
 * cannot be measured at all. */
size_t workload_limit_cores(struct workload *, unsigned most);

/* Seconds that one measurement of it is expected to take, start of the processes included. */
double workload_cell_s(const struct workload *);

#endif
