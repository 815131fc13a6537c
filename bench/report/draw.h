/* gnuplot, called for figures: a script, its data, and the variants that are wanted.
 *
 * Knows nothing of what is drawn. */
#ifndef BENCH_DRAW_H
#define BENCH_DRAW_H

#include "bench/base/error.h"
#include "bench/base/files.h"

#include <stddef.h>

struct drawing {
    const char *script; /* in the folder of scripts */
    struct path data;   /* an absolute path, for the script */
    struct path stem;   /* an absolute path, to which .svg, .png and the like are added */
    char title[2048];
    char axis[128];
    const char *variants; /* as scripts/plot/draw.gp knows them: "all slide column" */
};

/* Draws them, two at a time, each by one process, with `scripts` (an absolute path) as the working
 * folder. 0, or -1 with gnuplot's own words about the first that failed; no others are begun. */
int draw(const struct drawing *, size_t count, const char *scripts, struct error *);

#endif
