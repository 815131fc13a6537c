/* The stop flag: how often the user has asked bench to end.
 *
 * Once: end the current measurement, keep everything, say how to resume.
 * Twice: do not wait for anybody. */
#ifndef BENCH_STOP_H
#define BENCH_STOP_H

#include <signal.h>

extern volatile sig_atomic_t bench_stop;

/* Makes SIGINT, SIGTERM and SIGHUP count. They stay blocked except where bench
 * waits (child.c, journal.c), so that no file is left half written. */
void stop_on_signals(void);

#endif
