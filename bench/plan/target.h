/* A target: a server that is not one of our models, as its file in targets/ describes it.
 *
 * How it is started, how one knows that it is ready, where it answers what our
 * servers answer, how it is stopped, and what configuration it wants. Placeholders
 * such as {folder} stand for what is known only when it is started. Knows nothing
 * of processes and of plans. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include "bench/base/error.h"
#include "bench/plan/workload.h"

#include <stdbool.h>
#include <stddef.h>

enum { CONFIG_SIZE = 8192, PATHS_LIMIT = 16, FILES_LIMIT = 8 };

struct target {
    char name[NAME_SIZE]; /* the file's name without .conf: what tables and figures call it */
    char here[TEXT_SIZE]; /* the folder of that file */
    char title[TEXT_SIZE];
    char needs[TEXT_SIZE]; /* programs and files that must be there, separated by blanks */
    char command[TEXT_SIZE];
    char ready[NAME_SIZE];    /* "port": it accepts connections; "line": it says so, as ours do */
    char stop[NAME_SIZE];     /* the signal that asks it to end */
    char routes[NAME_SIZE];   /* "all": it answers all that our servers do; "listed": see paths */
    char config[CONFIG_SIZE]; /* text of its configuration; "": it wants none */
    struct {
        char ours[TEXT_SIZE / 4], its[TEXT_SIZE / 4];
    } paths[PATHS_LIMIT]; /* a path of a workload, and where this server answers it */
    size_t path_count;
    struct {
        char name[NAME_SIZE], text[TEXT_SIZE / 4];
    } files[FILES_LIMIT]; /* further files in its folder */
    size_t file_count;
};

/* Reads the file. -1: `error` names the file and the line. */
int target_read(struct target *, const char *file, struct error *);

/* The same from text; `file` names it in messages and, by its last part, the target. */
int target_parse(struct target *, const char *file, const char *text, struct error *);

/* Whether all that it needs is there: then `program` receives the path of the first program. If
 * not, false, and `error` says what is missing. Programs are looked for in PATH and in the folders
 * of servers, which PATH has for root only. */
bool target_is_installed(const struct target *, char *program, size_t size, struct error *);

/* Where it answers what this workload (as it stands at a point) asks for; false: nowhere. */
bool target_path(const struct target *, const struct workload *, char *path, size_t size);

/* What the placeholders stand for; {port} is not among them, for loadgen chooses it. */
struct target_values {
    const char *folder;  /* its own, for this start */
    const char *here;    /* of its file in targets/, where its program may be, too */
    const char *root;    /* of the files that are served */
    const char *cpus;    /* that it may use, as "0" or "0-3" */
    const char *bin;     /* folder of our own programs */
    const char *program; /* the first that it needs, as it was found */
    unsigned workers;    /* how many CPUs these are */
    double compute_rate;
};

/* The text with its placeholders replaced, to be freed; NULL without memory. */
char *target_expand(const char *text, const struct target_values *);

/* Makes its folder with its files and, as a template for loadgen, its configuration. Everybody can
 * read them: a server that root starts gives its workers another user. 0 or -1. */
int target_prepare(const struct target *, const struct target_values *, struct error *);

#endif
