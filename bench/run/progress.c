#include "bench/run/progress.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

struct span span_of(double seconds)
{
    struct span span;
    long whole = lround(seconds);
    if (whole >= 3600)
        snprintf(span.text, sizeof span.text, "%ld h %ld min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(span.text, sizeof span.text, "%ld min %ld s", whole / 60, whole % 60);
    else
        snprintf(span.text, sizeof span.text, "%ld s", whole);
    return span;
}

struct progress progress_start(size_t total, double planned_s, bool at_most)
{
    return (struct progress){.total = total,
                             .planned_left_s = planned_s,
                             .terminal = isatty(STDERR_FILENO) == 1,
                             .at_most = at_most};
}

void progress_skip(struct progress *p, double planned_s)
{
    p->total--;
    p->planned_left_s -= planned_s;
}

struct left {
    char text[64];
};

static struct left left_of(const struct progress *p)
{
    double slowness = p->planned_done_s > 0 ? p->taken_s / p->planned_done_s : 1;
    struct left left;
    snprintf(left.text, sizeof left.text, "%s%s left", p->at_most ? "at most " : "",
             span_of(p->planned_left_s * slowness).text);
    return left;
}

void progress_show(const struct progress *p, const char *what)
{
    if (p->terminal)
        fprintf(stderr, "\r\033[K[%zu/%zu] %s, %s", p->done + 1, p->total, what, left_of(p).text);
}

void progress_done(struct progress *p, const char *what, const char *note, double planned_s,
                   double taken_s)
{
    p->done++;
    p->planned_done_s += planned_s;
    p->planned_left_s -= planned_s;
    p->taken_s += taken_s;
    if (!p->terminal)
        fprintf(stderr, "[%zu/%zu] %s%s%s, %s\n", p->done, p->total, what, note ? ": " : "",
                note ? note : "", left_of(p).text);
    else if (note)
        fprintf(stderr, "\r\033[K%s: %s\n", what, note);
}

void progress_again(const struct progress *p, const char *what, const char *note)
{
    fprintf(stderr, "%s%s: disturbed, so measured again: %s\n", p->terminal ? "\r\033[K" : "", what,
            note);
}

void progress_end(const struct progress *p)
{
    if (p->terminal)
        fputs("\r\033[K", stderr);
}
