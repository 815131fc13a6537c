/* The command line of a measurement: loadgen's options, and behind them the server's.
 *
 * The only place that knows these options. Starts nothing. */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "bench/run/cell.h"

#include <stdbool.h>
#include <stddef.h>

enum { ARGUMENT_LIMIT = 128 };

/* An argument vector that owns its strings. */
struct command {
    char *at[ARGUMENT_LIMIT + 1]; /* NULL-terminated */
    size_t count;
    bool failed; /* without memory, or too many: not to be run */
};

/* A command to be freed, whatever its `failed` says. */
void command_compose(struct command *, const struct cell_order *);
void command_free(struct command *);

/* Makes what the order's target finds on the disk; nothing for others. 0 or -1. */
int command_prepare(const struct cell_order *, struct error *);

/* As a shell in the run's folder takes it, to be freed; NULL without memory. */
char *command_text(const struct command *);

#endif
