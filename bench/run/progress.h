/* How far a run is, on standard error: one line that changes on a terminal, a
 * line for each measurement elsewhere.
 *
 * The time left is what is planned, times how much longer than planned it has
 * taken so far; "at most" that where measurements may prove unnecessary. Knows
 * nothing of what is measured. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    size_t done, total;
    double planned_done_s, planned_left_s, taken_s;
    bool terminal;
    bool at_most; /* some of what is planned may be skipped */
};

struct progress progress_start(size_t total, double planned_s, bool at_most);

/* `what` is about to be measured. */
void progress_show(const struct progress *, const char *what);

/* It is measured: planned to take `planned_s`, it took `taken_s`; `note` says what was odd about
 * it, or is NULL. */
void progress_done(struct progress *, const char *what, const char *note, double planned_s,
                   double taken_s);

/* It is measured, and will be again: `note` says why. */
void progress_again(const struct progress *, const char *what, const char *note);

/* What was planned to take `planned_s` is not needed. */
void progress_skip(struct progress *, double planned_s);

/* Clears the line of a terminal. */
void progress_end(const struct progress *);

/* "2 h 5 min", "3 min 20 s", "45 s". */
struct span {
    char text[32];
};
struct span span_of(double seconds);

#endif
