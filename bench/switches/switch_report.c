#include "bench/switches/switch_report.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what there is to show -------------------------------------------------------------------- */

/* Kinds of tasks by where they run: a line in a plot, a column in a table. */
static const struct series {
    const char *name, *kind, *cpu;
} all_series[] = {
    {"process", "process", "same"},         {"process-across", "process", "across"},
    {"thread", "thread", "same"},           {"thread-across", "thread", "across"},
    {"coroutine", "coroutine", "same"},     {"callback", "callback", "same"},
    {"one task, no switch", "one", "same"},
};
enum { SERIES = sizeof all_series / sizeof *all_series, RINGS = SERIES - 1 };

static const char *const ways[] = {"none", "pipe"};
enum { WAYS = 2, SIZES_MOST = 64 };

struct sizes {
    size_t values[SIZES_MOST], count;
};

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static void note_size(struct sizes *s, size_t value)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->values[i] == value)
            return;
    if (s->count < SIZES_MOST)
        s->values[s->count++] = value;
}

/* The values of a member of all rings' lines, ascending. */
static struct sizes sizes_of(const struct switch_rows *r, const char *member)
{
    struct sizes s = {.count = 0};
    size_t index;
    json_t *line;
    json_array_foreach (json_array_get(r->trials, 0), index, line)
        if (json_is_integer(json_object_get(line, member)) &&
            json_object_get(line, "working_bytes"))
            note_size(&s, (size_t)json_integer_value(json_object_get(line, member)));
    qsort(s.values, s.count, sizeof *s.values, compare_sizes);
    return s;
}

typedef void cell_visitor(FILE *, const struct switch_rows *, const struct series *,
                          const struct switch_cell *);

/* Every ring that was asked for, in the order of tables. */
static void visit(FILE *out, const struct switch_rows *r, cell_visitor *visitor)
{
    struct sizes tasks = sizes_of(r, "tasks"), sets = sizes_of(r, "working_bytes");
    for (size_t s = 0; s < SERIES; s++)
        for (size_t way = 0; way < WAYS; way++)
            for (size_t t = 0; t < tasks.count; t++)
                for (size_t w = 0; w < sets.count; w++) {
                    const struct switch_cell c = {.kind = all_series[s].kind,
                                                  .cpu = all_series[s].cpu,
                                                  .io = ways[way],
                                                  .tasks = (unsigned)tasks.values[t],
                                                  .working_bytes = sets.values[w]};
                    if (switch_was_asked(r, &c))
                        visitor(out, r, &all_series[s], &c);
                }
}

/* --- for programs ----------------------------------------------------------------------------- */

static void write_estimate(FILE *out, const struct estimate *e)
{
    if (e->count > 0)
        fprintf(out, "%.6g\t%.6g\t%.6g\t%zu", e->median, e->low, e->high, e->count);
    else
        fputs("-\t-\t-\t0", out);
}

static const struct {
    const char *name, *unit;
    switch_figure *figure;
    bool of_rings, of_one, with_sets_only;
} metrics[] = {
    {"hop", "ns", switch_hop_ns, true, true, false},
    {"switches_per_hop", "1", switch_count, true, true, false},
    {"switch", "ns", switch_ns, true, false, false},
    {"beyond_one", "ns", switch_beyond_one_ns, true, false, false},
    {"indirect", "ns", switch_indirect_ns, true, false, true},
    {"crowding", "ns", switch_crowding_ns, false, true, true},
};
enum { METRICS = sizeof metrics / sizeof *metrics };

static void write_cell(FILE *out, const struct switch_rows *r, const struct series *s,
                       const struct switch_cell *c)
{
    bool is_one = strcmp(c->kind, "one") == 0;
    const char *reason = switch_reason(r, c);
    (void)s;
    for (size_t m = 0; m < METRICS; m++) {
        if (!(is_one ? metrics[m].of_one : metrics[m].of_rings) ||
            (metrics[m].with_sets_only && c->working_bytes == 0))
            continue;
        struct estimate e = switch_estimate(r, metrics[m].figure, c);
        fprintf(out, "ring\t%s\t%s\t%s\t%u\t%zu\t%s\t%s\t", c->kind, c->cpu, c->io, c->tasks,
                c->working_bytes, metrics[m].name, metrics[m].unit);
        write_estimate(out, &e);
        fprintf(out, "\t%s\n", reason ? reason : "-");
    }
}

/* What else is measured of each kind. */
static const char *const lives[] = {"process", "thread", "coroutine", "coroutine-cold",
                                    "connection"};
static const char *const residents[] = {"process", "thread", "coroutine", "callback", "connection"};
static const char *const life_members[] = {"create_ns", "whole_ns"};
static const char *const memory_members[] = {"user_bytes", "kernel_stack_bytes", "page_table_bytes",
                                             "slab_bytes"};
#define KERNEL_BYTES "kernel_stack_bytes+page_table_bytes+slab_bytes"
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void write_part(FILE *out, const struct switch_rows *r, const char *part,
                       const char *const *kinds, size_t kind_count, const char *const *members,
                       size_t member_count, const char *unit)
{
    for (size_t k = 0; k < kind_count; k++)
        for (size_t m = 0; m < member_count; m++) {
            struct estimate e = switch_estimate_of(r, part, kinds[k], members[m]);
            int length = (int)(strrchr(members[m], '_') - members[m]); /* without the unit */
            fprintf(out, "%s\t%s\t-\t-\t-\t-\t%.*s\t%s\t", part, kinds[k], length, members[m],
                    unit);
            write_estimate(out, &e);
            fputs("\t-\n", out);
        }
}

static void write_tsv(FILE *out, const struct switch_rows *r)
{
    fputs("part\tkind\tcpu\tio\ttasks\tworking_bytes\tmetric\tunit\tmedian\tlow\thigh\ttrials\t"
          "reason\n",
          out);
    visit(out, r, write_cell);
    write_part(out, r, "lifecycle", lives, COUNT_OF(lives), life_members, COUNT_OF(life_members),
               "ns");
    write_part(out, r, "memory", residents, COUNT_OF(residents), memory_members,
               COUNT_OF(memory_members), "bytes");
}

/* --- published figures ------------------------------------------------------------------------ */

const char *published_verdict(const struct published *p, const struct estimate *e)
{
    double low = p->low / p->factor, high = p->high * p->factor;
    if (e->count == 0)
        return "not measured";
    if (e->low >= low && e->high <= high)
        return "reproduced";
    return e->high < low || e->low > high ? "refuted" : "undecided";
}

enum { CLAIM_TASKS = 100 };
static const struct switch_cell coroutine = {"coroutine", "same", "none", CLAIM_TASKS, 0},
                                coroutine_io = {"coroutine", "same", "pipe", CLAIM_TASKS, 0},
                                thread = {"thread", "same", "none", CLAIM_TASKS, 0},
                                thread_io = {"thread", "same", "pipe", CLAIM_TASKS, 0};

/* Time: a cell's hop beyond one task that never switches, as in the study, which subtracts what the
 * I/O takes without switches; or the ratio of two such. Memory: members of a kind. */
static const struct claim {
    const char *what, *published, *unit;
    struct published value;
    const struct switch_cell *cell, *over;
    const char *kind, *members;
    double scale;
} claims[] = {
    {"switch between coroutines, no I/O",
     "0.2 µs (async tasks)",
     "µs",
     {0.2, 0.2, 2},
     &coroutine,
     NULL,
     NULL,
     NULL,
     1e-3},
    {"switch between threads, no I/O",
     "1.7 µs",
     "µs",
     {1.7, 1.7, 2},
     &thread,
     NULL,
     NULL,
     NULL,
     1e-3},
    {"thread : coroutine, no I/O",
     "8.5 (1.7 : 0.2)",
     "1",
     {8.5, 8.5, 1.5},
     &thread,
     &coroutine,
     NULL,
     NULL,
     1},
    {"switch between coroutines due to I/O",
     "1.7 µs (async tasks)",
     "µs",
     {1.7, 1.7, 2},
     &coroutine_io,
     NULL,
     NULL,
     NULL,
     1e-3},
    {"switch between threads due to I/O",
     "1.7 µs",
     "µs",
     {1.7, 1.7, 2},
     &thread_io,
     NULL,
     NULL,
     NULL,
     1e-3},
    {"thread : coroutine due to I/O",
     "1 (they converge)",
     "1",
     {1, 1, 1.5},
     &thread_io,
     &coroutine_io,
     NULL,
     NULL,
     1},
    {"memory of a coroutine, user",
     "a few hundred bytes (async task)",
     "bytes",
     {200, 500, 2},
     NULL,
     NULL,
     "coroutine",
     "user_bytes",
     1},
    {"memory of a callback, user",
     "a few hundred bytes (async task)",
     "bytes",
     {200, 500, 2},
     NULL,
     NULL,
     "callback",
     "user_bytes",
     1},
    {"memory of a thread, user",
     "9.5 KiB",
     "KiB",
     {9.5, 9.5, 2},
     NULL,
     NULL,
     "thread",
     "user_bytes",
     1.0 / 1024},
    {"memory of a thread, kernel",
     "10 KiB",
     "KiB",
     {10, 10, 2},
     NULL,
     NULL,
     "thread",
     KERNEL_BYTES,
     1.0 / 1024},
};

static struct estimate scaled(struct estimate e, double scale)
{
    e.median *= scale;
    e.low *= scale;
    e.high *= scale;
    return e;
}

static struct estimate claim_estimate(const struct switch_rows *r, const struct claim *c)
{
    if (c->kind)
        return scaled(switch_estimate_of(r, "memory", c->kind, c->members), c->scale);
    if (c->over)
        return switch_ratio(r, switch_beyond_one_ns, c->cell, c->over);
    return scaled(switch_estimate(r, switch_beyond_one_ns, c->cell), c->scale);
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

static void write_claims(FILE *out, const struct switch_rows *r)
{
    fprintf(out,
            "## Published figures\n\nFrom a study of async tasks and threads in Rust (J. Blandy, "
            "github.com/jimblandy/context-switch), on another machine. A switch is, there as here, "
            "what a hop takes beyond one task that does the same and never switches. Here: rings "
            "of %d on one CPU. A figure is *reproduced* if the whole 95 %% interval is within the "
            "factor of it, *refuted* if none of it is: on this machine.\n\n"
            "| | published | here | unit | factor | verdict |\n| --- | --- | ---: | --- | ---: | "
            "--- |\n",
            CLAIM_TASKS);
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        struct estimate e = claim_estimate(r, &claims[i]);
        fprintf(out, "| %s | %s | %s | %s | %g | %s |\n", claims[i].what, claims[i].published,
                shown_of(e).text, claims[i].unit, claims[i].value.factor,
                published_verdict(&claims[i].value, &e));
    }
    fputs("\nThe study's async tasks have no stack: their state lies in a record, as a callback's "
          "does. A coroutine has a stack, of which a page at least is touched.\n\n",
          out);
}

/* A row for each size of ring, a column for each series. */
static void write_hops(FILE *out, const struct switch_rows *r, const char *io, const char *title,
                       switch_figure *figure)
{
    struct sizes tasks = sizes_of(r, "tasks");
    fprintf(out, "### %s\n\n| tasks |", title);
    for (size_t s = 0; s < RINGS; s++)
        fprintf(out, " %s |", all_series[s].name);
    fputs("\n| ---: |", out);
    for (size_t s = 0; s < RINGS; s++)
        fputs(" ---: |", out);
    for (size_t t = 0; t < tasks.count; t++) {
        if (tasks.values[t] < 2)
            continue;
        fprintf(out, "\n| %zu |", tasks.values[t]);
        for (size_t s = 0; s < RINGS; s++) {
            const struct switch_cell c = {.kind = all_series[s].kind,
                                          .cpu = all_series[s].cpu,
                                          .io = io,
                                          .tasks = (unsigned)tasks.values[t]};
            fprintf(out, " %s |", shown_of(switch_estimate(r, figure, &c)).text);
        }
    }
    fputs("\n\n", out);
}

static void write_working_row(FILE *out, const struct switch_rows *r, const struct series *s,
                              const struct switch_cell *c)
{
    if (c->working_bytes == 0 || c->tasks < 2 || strcmp(c->io, "none") != 0)
        return;
    bool is_one = strcmp(c->kind, "one") == 0;
    fprintf(out, "| %s | %u | %zu | %s | %s |\n", s->name, c->tasks, c->working_bytes / 1024,
            shown_of(switch_estimate(r, switch_hop_ns, c)).text,
            shown_of(switch_estimate(r, is_one ? switch_crowding_ns : switch_indirect_ns, c)).text);
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
    visit(out, r, write_working_row);
    fputc('\n', out);
}

static void write_lives(FILE *out, const struct switch_rows *r)
{
    fputs("## To create and to destroy\n\nOne after the other, so that whatever is reused is warm. "
          "*Created* is when the call has returned, *whole* when the task has run, done nothing "
          "and is gone. `coroutine-cold` gives its stack's pages back to the system each time.\n\n"
          "| | created, ns | whole, ns |\n| --- | ---: | ---: |\n",
          out);
    for (size_t k = 0; k < COUNT_OF(lives); k++)
        fprintf(out, "| %s | %s | %s |\n", lives[k],
                shown_of(switch_estimate_of(r, "lifecycle", lives[k], "create_ns")).text,
                shown_of(switch_estimate_of(r, "lifecycle", lives[k], "whole_ns")).text);
    fputs("\n## Memory of a waiting task\n\nBytes; the slope over the number of tasks. User: PSS. "
          "Kernel: stacks and slab of the whole machine (/proc/meminfo: whatever else the machine "
          "does is noise in them), page tables of the processes concerned. What the kernel keeps "
          "per CPU is not counted.\n\n"
          "| | user | kernel stacks | page tables | slab | kernel in all |\n"
          "| --- | ---: | ---: | ---: | ---: | ---: |\n",
          out);
    for (size_t k = 0; k < COUNT_OF(residents); k++) {
        fprintf(out, "| %s |", residents[k]);
        for (size_t m = 0; m < COUNT_OF(memory_members); m++)
            fprintf(
                out, " %s |",
                shown_of(switch_estimate_of(r, "memory", residents[k], memory_members[m])).text);
        fprintf(out, " %s |\n",
                shown_of(switch_estimate_of(r, "memory", residents[k], KERNEL_BYTES)).text);
    }
    fputc('\n', out);
}

/* A reason for each kind and size, whatever was to be touched. */
static void write_impossible(FILE *out, const struct switch_rows *r, const struct series *s,
                             const struct switch_cell *c)
{
    const char *reason = switch_reason(r, c);
    if (reason && c->working_bytes == 0)
        fprintf(out, "- %s, %u tasks, I/O %s: %s\n", s->name, c->tasks, c->io, reason);
}

static void write_markdown(FILE *out, const struct switch_rows *r)
{
    fprintf(out,
            "# What a context switch costs here\n\nTasks in a ring pass a token. Medians of %zu "
            "trials, in brackets the 95 %% interval (bootstrap over trials). How it is measured: "
            "docs/switches.md.\n\n",
            json_array_size(r->trials));
    write_claims(out, r);
    fputs("## A hop from task to task, ns\n\n", out);
    write_hops(out, r, "none", "Without I/O", switch_hop_ns);
    write_hops(out, r, "pipe", "With I/O: a byte through a pipe", switch_hop_ns);
    fputs("## Context switches that the kernel counted per hop\n\nMore than one where the task "
          "that wakes the next is interrupted by it and has to come back to fall asleep.\n\n",
          out);
    write_hops(out, r, "none", "Without I/O", switch_count);
    write_hops(out, r, "pipe", "With I/O", switch_count);
    fputs("## One switch, ns\n\nA hop divided by the switches that the kernel counted in it; of "
          "coroutines and callbacks, whose switches it does not see, the hop.\n\n",
          out);
    write_hops(out, r, "none", "Without I/O", switch_ns);
    write_hops(out, r, "pipe", "With I/O", switch_ns);
    write_working_sets(out, r);
    write_lives(out, r);
    fputs("## Not possible here\n\n", out);
    long before = ftell(out);
    visit(out, r, write_impossible);
    if (ftell(out) == before)
        fputs("Everything was.\n", out);
}

/* --- for plots -------------------------------------------------------------------------------- */

static void write_hop_point(FILE *out, const struct switch_rows *r, const struct series *s,
                            const struct switch_cell *c)
{
    if (c->working_bytes != 0 || strcmp(c->kind, "one") == 0)
        return;
    struct estimate e = switch_estimate(r, switch_hop_ns, c);
    fprintf(out, "%s\t%s\t%u\t", s->name, c->io, c->tasks);
    write_estimate(out, &e);
    fputc('\n', out);
}

static void write_hop_points(FILE *out, const struct switch_rows *r)
{
    fputs("series\tio\ttasks\tmedian\tlow\thigh\ttrials\n", out);
    visit(out, r, write_hop_point);
}

static void write_indirect_point(FILE *out, const struct switch_rows *r, const struct series *s,
                                 const struct switch_cell *c)
{
    if (c->working_bytes == 0 || strcmp(c->kind, "one") == 0 || strcmp(c->io, "none") != 0)
        return;
    struct estimate e = switch_estimate(r, switch_indirect_ns, c);
    fprintf(out, "%s\t%u\t%zu\t", s->name, c->tasks, c->working_bytes / 1024);
    write_estimate(out, &e);
    fputc('\n', out);
}

static void write_indirect_points(FILE *out, const struct switch_rows *r)
{
    fputs("series\ttasks\tworking_kib\tmedian\tlow\thigh\ttrials\n", out);
    visit(out, r, write_indirect_point);
}

static void write_life_points(FILE *out, const struct switch_rows *r)
{
    fputs("kind\tmedian\tlow\thigh\ttrials\n", out);
    for (size_t k = 0; k < COUNT_OF(lives); k++) {
        struct estimate e = switch_estimate_of(r, "lifecycle", lives[k], "whole_ns");
        fprintf(out, "%s\t", lives[k]);
        write_estimate(out, &e);
        fputc('\n', out);
    }
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
