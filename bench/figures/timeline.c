/* A timeline: what happened in each interval of one block. */
#include "bench/base/files.h"
#include "bench/figures/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Splits a line at its tabs, in place. */
static size_t split(char *line, char *fields[], size_t limit)
{
    size_t count = 0;
    for (char *field; count < limit && (field = strsep(&line, "\t"));)
        fields[count++] = field;
    return count;
}

enum { FIELD_LIMIT = 64 };
static const char *const timeline_columns[] = {"time_s", "throughput_rps", "p50_us", "p99_us",
                                               "max_us"};
static const double timeline_scales[] = {1, 1, 1e-3, 1e-3, 1e-3};
enum { TIMELINE_COLUMNS = sizeof timeline_columns / sizeof *timeline_columns };

/* Where the columns that are wanted stand in the file. */
static void find_columns(char *header, size_t places[TIMELINE_COLUMNS])
{
    char *names[FIELD_LIMIT];
    size_t count = split(header, names, FIELD_LIMIT);
    for (size_t c = 0; c < TIMELINE_COLUMNS; c++) {
        places[c] = 0;
        while (places[c] < count && strcmp(names[places[c]], timeline_columns[c]) != 0)
            places[c]++;
    }
}

static char *timeline_read(const struct subject *s, size_t model, unsigned block)
{
    const struct plan *p = &s->results->plan;
    struct path path = path_of("%s/timeline/%s-%s-%u.tsv", s->folder, p->models[model],
                               p->workloads[s->workload].name, block);
    return file_read(path.text, NULL);
}

static size_t timeline_rows(FILE *out, const struct subject *s, size_t model, unsigned block)
{
    const struct plan *p = &s->results->plan;
    struct group g = {model, s->workload, 0};
    char *text = timeline_read(s, model, block);
    char *rest = text;
    size_t rows = 0, places[TIMELINE_COLUMNS];
    if (rest)
        find_columns(strsep(&rest, "\n"), places);
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        char *fields[FIELD_LIMIT];
        size_t count = split(line, fields, FIELD_LIMIT);
        if (count < 2)
            continue;
        fprintf(out, "%s\t%s", p->models[model], group_remark(s->results, g).text);
        for (size_t c = 0; c < TIMELINE_COLUMNS; c++) {
            char *end = NULL;
            double value = places[c] < count ? strtod(fields[places[c]], &end) : NAN;
            put(out, end && end != fields[places[c]] ? value * timeline_scales[c] : NAN);
        }
        fputc('\n', out);
        rows++;
    }
    free(text);
    return rows;
}

/* In a block every model gets the same requests at the same times: one block for all of them, the
 * one in the middle by the p99 of the first model that has one. */
static unsigned common_block(const struct subject *s)
{
    for (size_t m = 0; m < s->results->plan.model_count; m++) {
        const struct measurement *typical =
            group_typical(s->results, (struct group){m, s->workload, 0});
        if (typical)
            return typical->block;
    }
    return 0;
}

size_t write_timeline(FILE *out, const struct subject *s)
{
    unsigned block = common_block(s);
    size_t rows = 0;
    fputs("model\tremark\ttime_s\trps\tp50_ms\tp99_ms\tmax_ms\n", out);
    for (size_t m = 0; m < s->results->plan.model_count; m++)
        rows += timeline_rows(out, s, m, block);
    return rows;
}
