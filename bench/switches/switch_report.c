#include "bench/switches/switch_report.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* --- for programs and plots ------------------------------------------------------------------- */

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Kinds of tasks by where they run: a line in a plot, a column in a table. */
struct series {
    char name[64];
};

static struct series series_of(const struct switch_key *k)
{
    struct series s;
    snprintf(s.name, sizeof s.name, "%s%s", is(k->kind, "one") ? "one task, no switch" : k->kind,
             is(k->cpu, "across") ? "-across" : "");
    return s;
}

static void put_estimate(FILE *out, const struct switch_rows *r, const struct switch_row *row)
{
    struct estimate e = switch_estimate(r, row);
    if (e.count > 0)
        fprintf(out, "%.6g\t%.6g\t%.6g\t%zu", e.median, e.low, e.high, e.count);
    else
        fputs("-\t-\t-\t0", out);
}

static void write_tsv(FILE *out, const struct switch_rows *r)
{
    fputs("part\tkind\tcpu\tio\ttasks\tworking_bytes\tmetric\tunit\tmedian\tlow\thigh\ttrials\t"
          "reason\n",
          out);
    for (const struct switch_row *row = r->at; row < r->at + r->count; row++) {
        const struct switch_key *k = &row->key;
        fprintf(out, "%s\t%s\t%s\t%s\t", row->metric->part, k->kind, k->cpu, k->io);
        if (is(row->metric->part, "ring"))
            fprintf(out, "%u\t%zu\t", k->tasks, k->working_bytes);
        else
            fputs("-\t-\t", out);
        fprintf(out, "%s\t%s\t", row->metric->name, row->metric->unit);
        put_estimate(out, r, row);
        fprintf(out, "\t%s\n", row->reason ? row->reason : "-");
    }
}

static void write_hop_points(FILE *out, const struct switch_rows *r)
{
    fputs("series\tio\ttasks\tmedian\tlow\thigh\ttrials\n", out);
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, "hop", row));) {
        if (row->key.working_bytes != 0 || is(row->key.kind, "one"))
            continue;
        fprintf(out, "%s\t%s\t%u\t", series_of(&row->key).name, row->key.io, row->key.tasks);
        put_estimate(out, r, row);
        fputc('\n', out);
    }
}

static void write_indirect_points(FILE *out, const struct switch_rows *r)
{
    fputs("series\ttasks\tworking_kib\tmedian\tlow\thigh\ttrials\n", out);
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, "indirect", row));) {
        if (!is(row->key.io, "none"))
            continue;
        fprintf(out, "%s\t%u\t%zu\t", series_of(&row->key).name, row->key.tasks,
                row->key.working_bytes / 1024);
        put_estimate(out, r, row);
        fputc('\n', out);
    }
}

static void write_life_points(FILE *out, const struct switch_rows *r)
{
    fputs("kind\tmedian\tlow\thigh\ttrials\n", out);
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, "whole", row));) {
        fprintf(out, "%s\t", row->key.kind);
        put_estimate(out, r, row);
        fputc('\n', out);
    }
}

/* --- published figures ------------------------------------------------------------------------ */

const char *published_verdict(double low, double high, const struct estimate *e)
{
    if (e->count == 0)
        return "not measured";
    if (e->low >= low && e->high <= high)
        return "reproduced";
    return e->high < low || e->low > high ? "refuted" : "undecided";
}

/* Time: a hop beyond one task that never switches, as in the study, which subtracts what the I/O
 * takes without switches, in rings of CLAIM_TASKS on one CPU; or the ratio to that of coroutines.
 * A figure between low / factor and high * factor reproduces the published one. */
enum { CLAIM_TASKS = 100 };
static const double US = 1e-3, KIB = 1.0 / 1024;
static const struct claim {
    const char *what, *published, *unit;
    double low, high, factor;
    const char *metric, *kind, *io, *over; /* io: NULL where there is no ring */
} claims[] = {
    {"switch between coroutines, no I/O", "0.2 µs (async tasks)", "µs", 0.2, 0.2, 2, "beyond_one",
     "coroutine", "none", NULL},
    {"switch between threads, no I/O", "1.7 µs", "µs", 1.7, 1.7, 2, "beyond_one", "thread", "none",
     NULL},
    {"thread : coroutine, no I/O", "8.5 (1.7 : 0.2)", "1", 8.5, 8.5, 1.5, "beyond_one", "thread",
     "none", "coroutine"},
    {"switch between coroutines due to I/O", "1.7 µs (async tasks)", "µs", 1.7, 1.7, 2,
     "beyond_one", "coroutine", "pipe", NULL},
    {"switch between threads due to I/O", "1.7 µs", "µs", 1.7, 1.7, 2, "beyond_one", "thread",
     "pipe", NULL},
    {"thread : coroutine due to I/O", "1 (they converge)", "1", 1, 1, 1.5, "beyond_one", "thread",
     "pipe", "coroutine"},
    {"memory of a coroutine, user", "a few hundred bytes (async task)", "bytes", 200, 500, 2,
     "user", "coroutine", NULL, NULL},
    {"memory of a callback, user", "a few hundred bytes (async task)", "bytes", 200, 500, 2, "user",
     "callback", NULL, NULL},
    {"memory of a thread, user", "9.5 KiB", "KiB", 9.5, 9.5, 2, "user", "thread", NULL, NULL},
    {"memory of a thread, kernel", "10 KiB", "KiB", 10, 10, 2, "kernel", "thread", NULL, NULL},
};

static const struct switch_row *claimed(const struct switch_rows *r, const struct claim *c,
                                        const char *kind)
{
    const struct switch_key ring = {kind, "same", c->io, CLAIM_TASKS, 0},
                            task = {kind, "-", "-", 0, 0};
    return switch_rows_find(r, c->metric, c->io ? &ring : &task);
}

static struct estimate estimate_of_claim(const struct switch_rows *r, const struct claim *c)
{
    const struct switch_row *row = claimed(r, c, c->kind);
    if (c->over)
        return switch_ratio(r, row, claimed(r, c, c->over));
    struct estimate e = switch_estimate(r, row);
    double scale = is(c->unit, "µs") ? US : is(c->unit, "KiB") ? KIB : 1;
    e.median *= scale;
    e.low *= scale;
    e.high *= scale;
    return e;
}

/* --- for people ------------------------------------------------------------------------------- */

/* "1.72 [1.70, 1.75]", or a dash. */
struct shown {
    char text[3 * sizeof(struct figure) + 8];
};

static struct shown shown_of(struct estimate e)
{
    struct shown s = {"–"};
    if (e.count == 1)
        snprintf(s.text, sizeof s.text, "%s", figure_of(e.median).text);
    else if (e.count > 1)
        snprintf(s.text, sizeof s.text, "%s [%s, %s]", figure_of(e.median).text,
                 figure_of(e.low).text, figure_of(e.high).text);
    return s;
}

/* A cell of a table. */
static void put_cell(FILE *out, const struct switch_rows *r, const char *metric,
                     const struct switch_key *k)
{
    fprintf(out, " %s |", shown_of(switch_estimate(r, switch_rows_find(r, metric, k))).text);
}

static void write_claims(FILE *out, const struct switch_rows *r)
{
    fprintf(out,
            "## Published figures\n\nFrom a study of async tasks and threads in Rust (J. Blandy, "
            "github.com/jimblandy/context-switch), on another machine. A switch is, there as here, "
            "what a hop takes beyond one task that does the same and never switches. Here: rings "
            "of %d on one CPU. A figure is *reproduced* if the whole interval is within the "
            "factor of it, *refuted* if none of it is: on this machine.\n\n"
            "| | published | here | unit | factor | verdict |\n| --- | --- | ---: | --- | ---: | "
            "--- |\n",
            CLAIM_TASKS);
    for (const struct claim *c = claims; c < claims + COUNT_OF(claims); c++) {
        struct estimate e = estimate_of_claim(r, c);
        fprintf(out, "| %s | %s | %s | %s | %g | %s |\n", c->what, c->published, shown_of(e).text,
                c->unit, c->factor, published_verdict(c->low / c->factor, c->high * c->factor, &e));
    }
    fputs("\nThe study's async tasks have no stack: their state lies in a record, as a callback's "
          "does. A coroutine has a stack, of which a page at least is touched.\n\n",
          out);
}

/* A row for each size of ring, a column for each series. */
static void write_rings(FILE *out, const struct switch_rows *r, const char *title,
                        const char *metric, const char *io)
{
    static const struct switch_key columns[] = {
        {.kind = "process", .cpu = "same"},   {.kind = "process", .cpu = "across"},
        {.kind = "thread", .cpu = "same"},    {.kind = "thread", .cpu = "across"},
        {.kind = "coroutine", .cpu = "same"}, {.kind = "callback", .cpu = "same"}};
    fprintf(out, "### %s\n\n| tasks |", title);
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        fprintf(out, " %s |", series_of(&columns[i]).name);
    fputs("\n| ---: |", out);
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        fputs(" ---: |", out);
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, metric, row));) {
        struct switch_key k = row->key;
        if (!is(series_of(&k).name, columns[0].kind) || !is(k.io, io) || k.working_bytes != 0)
            continue;
        fprintf(out, "\n| %u |", k.tasks);
        for (size_t i = 0; i < COUNT_OF(columns); i++) {
            k.kind = columns[i].kind;
            k.cpu = columns[i].cpu;
            put_cell(out, r, metric, &k);
        }
    }
    fputs("\n\n", out);
}

static void write_working_sets(FILE *out, const struct switch_rows *r)
{
    fputs("## Working sets: the indirect cost\n\nEach task reads and writes a word in every cache "
          "line of its working set at its turn. *Indirect* is what a hop takes beyond one task "
          "that goes through the same working sets in the same order and never switches, less the "
          "same without working sets: (hop - one task) - (hop - one task, 0 KiB). For the one task "
          "itself the last column is what several working sets cost beyond a single one: that much "
          "any interleaving pays, however it switches. Li, Ding and Shen (2007) subtract a single "
          "working set: their indirect cost is the sum of both. "
          "Without I/O; with I/O in switches.tsv.\n\n| | tasks | KiB | hop, ns | indirect, ns |\n"
          "| --- | ---: | ---: | ---: | ---: |\n",
          out);
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, "hop", row));) {
        const struct switch_key *k = &row->key;
        if (k->working_bytes == 0 || k->tasks < 2 || !is(k->io, "none"))
            continue;
        fprintf(out, "| %s | %u | %zu |", series_of(k).name, k->tasks, k->working_bytes / 1024);
        put_cell(out, r, "hop", k);
        put_cell(out, r, is(k->kind, "one") ? "crowding" : "indirect", k);
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* A row for each kind that has the first metric, a column for each metric. */
static void write_kinds(FILE *out, const struct switch_rows *r, const char *const *metrics,
                        size_t count)
{
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, *metrics, row));) {
        fprintf(out, "| %s |", row->key.kind);
        for (size_t i = 0; i < count; i++)
            put_cell(out, r, metrics[i], &row->key);
        fputc('\n', out);
    }
    fputc('\n', out);
}

static void write_lives(FILE *out, const struct switch_rows *r)
{
    static const char *const lives[] = {"create", "whole"};
    static const char *const memory[] = {"user", "kernel_stack", "page_table", "slab", "kernel"};
    fputs("## To create and to destroy\n\nOne after the other, so that whatever is reused is warm. "
          "*Created* is when the call has returned, *whole* when the task has run, done nothing "
          "and is gone. `coroutine-cold` gives its stack's pages back to the system each time.\n\n"
          "| | created, ns | whole, ns |\n| --- | ---: | ---: |\n",
          out);
    write_kinds(out, r, lives, COUNT_OF(lives));
    fputs("## Memory of a waiting task\n\nBytes; the slope over the number of tasks. User: PSS. "
          "Kernel: stacks and slab of the whole machine (/proc/meminfo: whatever else the machine "
          "does is noise in them), page tables of the processes concerned. What the kernel keeps "
          "per CPU is not counted.\n\n"
          "| | user | kernel stacks | page tables | slab | kernel in all |\n"
          "| --- | ---: | ---: | ---: | ---: | ---: |\n",
          out);
    write_kinds(out, r, memory, COUNT_OF(memory));
}

/* A reason for each kind and size, whatever was to be touched. */
static void write_impossible(FILE *out, const struct switch_rows *r)
{
    bool any = false;
    fputs("## Not possible here\n\n", out);
    for (const struct switch_row *row = NULL; (row = switch_rows_next(r, "hop", row));)
        if (row->reason && row->key.working_bytes == 0) {
            fprintf(out, "- %s, %u tasks, I/O %s: %s\n", series_of(&row->key).name, row->key.tasks,
                    row->key.io, row->reason);
            any = true;
        }
    if (!any)
        fputs("Everything was.\n", out);
}

static void write_markdown(FILE *out, const struct switch_rows *r)
{
    fprintf(out,
            "# What a context switch costs here\n\nTasks in a ring pass a token. Medians of %zu "
            "trials, in brackets their interval over the trials. How it is measured: "
            "docs/switches.md.\n\n",
            r->trials);
    write_claims(out, r);
    fputs("## A hop from task to task, ns\n\n", out);
    write_rings(out, r, "Without I/O", "hop", "none");
    write_rings(out, r, "With I/O: a byte through a pipe", "hop", "pipe");
    fputs("## Context switches that the kernel counted per hop\n\nMore than one where the task "
          "that wakes the next is interrupted by it and has to come back to fall asleep.\n\n",
          out);
    write_rings(out, r, "Without I/O", "switches_per_hop", "none");
    write_rings(out, r, "With I/O", "switches_per_hop", "pipe");
    fputs("## One switch, ns\n\nA hop divided by the switches that the kernel counted in it; of "
          "coroutines and callbacks, whose switches it does not see, the hop.\n\n",
          out);
    write_rings(out, r, "Without I/O", "switch", "none");
    write_rings(out, r, "With I/O", "switch", "pipe");
    write_working_sets(out, r);
    write_lives(out, r);
    write_impossible(out, r);
}

/* --- texts and files -------------------------------------------------------------------------- */

static char *text_of(void (*write_to)(FILE *, const struct switch_rows *),
                     const struct switch_rows *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        write_to(out, r);
    return text_finish(out, &text);
}

char *switch_report_text(const struct switch_rows *r)
{
    return text_of(write_markdown, r);
}

int switch_report_write(const struct switch_rows *r, const char *folder, struct error *error)
{
    static const struct {
        const char *name;
        void (*write)(FILE *, const struct switch_rows *);
    } files[] = {{"switches.tsv", write_tsv},
                 {"switches.md", write_markdown},
                 {"plots/switches-hops.tsv", write_hop_points},
                 {"plots/switches-indirect.tsv", write_indirect_points},
                 {"plots/switches-lifecycle.tsv", write_life_points}};
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(files) && result == 0; i++) {
        struct path path = path_of("%s/%s", folder, files[i].name);
        result = file_replace_with(path.text, text_of(files[i].write, r), error);
    }
    return result;
}
