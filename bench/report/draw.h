/* gnuplot, called for one figure: a script, its data, and the formats that are wanted.
 *
 * Knows nothing of what is drawn. */
#ifndef BENCH_DRAW_H
#define BENCH_DRAW_H

#include "bench/base/error.h"

struct drawing {
    const char *script; /* in the folder of scripts */
    const char *data;   /* an absolute path, for the script */
    const char *stem;   /* an absolute path, to which .svg, .png and .pdf are added */
    const char *title, *axis;
};

/* Draws all formats, with `scripts` (an absolute path) as the working folder, so that a script
 * finds the style beside it. 0, or -1 with gnuplot's own words. */
int draw(const struct drawing *, const char *scripts, struct error *);

#endif
