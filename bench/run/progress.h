/* How far a run is, on standard error: one line that changes on a terminal, a line for each block
 * elsewhere. Knows nothing of what is measured. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>

/* `what` is being measured; `left_s` seconds of the run are left, infinite where nobody knows. */
void progress_show(const char *what, double left_s);

/* A block is measured. */
void progress_block(const char *what, double took_s, double left_s);

/* Something that a person who watches should know at once. */
void progress_note(const char *what, const char *note);

/* Clears the line of a terminal. */
void progress_end(void);

/* "2 h 5 min", "3 min 20 s", "45 s". */
struct span {
    char text[32];
};
struct span span_of(double seconds);

#endif
