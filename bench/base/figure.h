/* A number as people read it in a table. */
#ifndef BENCH_FIGURE_H
#define BENCH_FIGURE_H

struct figure {
    char text[64];
};

/* Three significant digits, two below 0.1; with k and M. */
struct figure figure_of(double value);

#endif
