#include "bench/report/draw.h"

#include "bench/base/child.h"
#include "bench/base/files.h"

static int draw_as(const char *format, const struct drawing *d, const char *scripts,
                   struct error *error)
{
    static const double LIMIT_S = 120;
    struct path image = path_of("%s.%s", d->stem, format);
    const char *const argv[] = {"gnuplot", "-c",     d->script, d->data, image.text,
                                format,    d->title, d->axis,   NULL};
    const struct child_order order = {.argv = argv, .folder = scripts, .limit_s = LIMIT_S};
    struct outcome outcome;
    if (child_run(&order, &outcome, error) != 0)
        return -1;
    int result = 0;
    if (outcome.interrupted)
        result = error_set(error, "interrupted");
    else if (outcome.exit_code != 0)
        result = error_set(error, "gnuplot could not draw %s: %s", image.text, outcome.messages);
    outcome_free(&outcome);
    return result;
}

int draw(const struct drawing *d, const char *scripts, struct error *error)
{
    static const char *const formats[] = {"svg", "png", "pdf"};
    int result = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats && result == 0; i++)
        result = draw_as(formats[i], d, scripts, error);
    return result;
}
