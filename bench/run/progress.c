#include "bench/run/progress.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

struct span span_of(double seconds)
{
    struct span span;
    long whole = lround(fmax(seconds, 0));
    if (whole >= 3600)
        snprintf(span.text, sizeof span.text, "%ld h %ld min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(span.text, sizeof span.text, "%ld min %ld s", whole / 60, whole % 60);
    else
        snprintf(span.text, sizeof span.text, "%ld s", whole);
    return span;
}

static bool is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

struct left {
    char text[48];
};

static struct left left_of(double seconds)
{
    struct left left = {""};
    if (isfinite(seconds))
        snprintf(left.text, sizeof left.text, ", %s left", span_of(seconds).text);
    return left;
}

void progress_show(const char *what, double left_s)
{
    if (is_terminal())
        fprintf(stderr, "\r\033[K%s%s", what, left_of(left_s).text);
}

void progress_block(const char *what, double took_s, double left_s)
{
    if (!is_terminal())
        fprintf(stderr, "%s (%.1f s)%s\n", what, took_s, left_of(left_s).text);
}

void progress_note(const char *what, const char *note)
{
    fprintf(stderr, "%s%s: %s\n", is_terminal() ? "\r\033[K" : "", what, note);
}

void progress_end(void)
{
    if (is_terminal())
        fputs("\r\033[K", stderr);
}
