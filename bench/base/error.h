/* A message on its way up to main.
 *
 * bench meets people's files and people's machines: an errno alone would not
 * tell them which line or which file is meant. Whoever finds the fault writes
 * the sentence, everybody above passes -1 on, and main prints it. */
#ifndef BENCH_ERROR_H
#define BENCH_ERROR_H

struct error {
    char text[1024];
};

/* Formats the message (cut at the size of `text`) and returns -1, so that a
 * function can end with `return error_set(...)`. */
int error_set(struct error *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
