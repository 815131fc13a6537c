#include "bench/report/answer.h"

#include "bench/base/figure.h"
#include "bench/base/files.h"
#include "bench/base/json.h"
#include "bench/report/questions.h"
#include "bench/statistics/group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- sentences -------------------------------------------------------------------------------- */

/* In how many rows each model is at the top; how many rows have anybody there. */
static size_t count_tops(const struct questions *a, size_t *tops)
{
    size_t decided = 0;
    for (size_t i = 0; i < a->count; i++) {
        bool any = false;
        for (size_t m = 0; m < a->results->plan.model_count; m++) {
            tops[m] += is_at_the_top(&a->all[i], m);
            any |= is_at_the_top(&a->all[i], m);
        }
        decided += any;
    }
    return decided;
}

static void write_winners(FILE *out, const struct questions *a)
{
    const struct plan *p = &a->results->plan;
    size_t *tops = calloc(p->model_count + 1, sizeof *tops);
    size_t decided = tops ? count_tops(a, tops) : 0;
    if (decided == 0)
        fprintf(out, "No model is shown to be the best at any of the %zu questions yet.", a->count);
    for (size_t named = 0; decided > 0 && named < 3; named++) {
        size_t most = 0;
        for (size_t m = 1; m < p->model_count; m++)
            if (tops[m] > tops[most])
                most = m;
        if (tops[most] == 0)
            break;
        if (named == 0)
            fprintf(out, "Best, or within %g %% of the best, most often: ", p->margin * 100);
        fprintf(out, "%s`%s` (at %zu of %zu questions)", named > 0 ? ", " : "", p->models[most],
                tops[most], a->count);
        tops[most] = 0;
    }
    if (decided > 0)
        fputc('.', out);
    free(tops);
}

/* Where the choice among the card's four matters most, and where least. */
static void write_stakes(FILE *out, const struct questions *a)
{
    const struct question *most = NULL, *least = NULL;
    double highest = 0, lowest = INFINITY;
    char name[3 * NAME_SIZE];
    for (size_t i = 0; i < a->count; i++) {
        size_t worst = worst_of_card(a, &a->all[i]);
        if (worst == a->results->plan.model_count)
            continue;
        double times = times_worse(a, &a->all[i], worst);
        if (times > highest) {
            highest = times;
            most = &a->all[i];
        }
        if (times < lowest) {
            lowest = times;
            least = &a->all[i];
        }
    }
    if (!most || !least)
        return;
    fprintf(out, "The choice matters most at `%s`, where `%s` is %s times worse than `%s`",
            question_name(a, most, name, sizeof name),
            a->results->plan.models[worst_of_card(a, most)], figure_of(highest).text,
            a->results->plan.models[most->best]);
    if (least != most)
        fprintf(out, "; it matters least at `%s`: factor %s",
                question_name(a, least, name, sizeof name), figure_of(lowest).text);
    fputc('.', out);
}

/* Seconds that one block of every point takes. */
static double round_s(const struct results *r)
{
    double sum = 0;
    struct group g;
    for (g.workload = 0; g.workload < r->plan.workload_count; g.workload++)
        for (g.point = 0; g.point < workload_points(&r->plan.workloads[g.workload]); g.point++)
            sum += plan_block_s(&r->plan, g.workload, g.point, false);
    return sum;
}

/* What is shown so far, and what further ten minutes would buy. */
static void write_outlook(FILE *out, const struct questions *a)
{
    static const double FURTHER_S = 600;
    size_t shown = 0, all = 0, soon = 0;
    double round = round_s(a->results);
    unsigned blocks = round > 0 ? (unsigned)(FURTHER_S / round) : 0;
    bool preview = false;
    for (size_t i = 0; i < a->count; i++)
        for (size_t m = 0; m < a->results->plan.model_count; m++) {
            const struct place *s = &a->all[i].of[m];
            preview |= results_is_preview(a->results, question_group(&a->all[i], m));
            if (s->standing == STANDING_NONE)
                continue;
            all++;
            shown += s->standing != STANDING_NOT_SHOWN;
            soon += s->standing == STANDING_NOT_SHOWN && s->blocks_more <= blocks;
        }
    fprintf(out, "Of %zu verdicts %zu are shown", all, shown);
    if (shown < all && blocks > 0)
        fprintf(out,
                "; ten minutes more (about %u block%s of each point) are expected to settle %zu of "
                "the other %zu",
                blocks, blocks == 1 ? "" : "s", soon, all - shown);
    fputc('.', out);
    if (preview)
        fputs(" Some figures are a first look with short windows (preview): nothing is shown by "
              "them.",
              out);
}

/* --- the table -------------------------------------------------------------------------------- */

struct cell_text {
    char text[160];
};

/* How many times worse than the best a model is. */
static struct cell_text cell_of(const struct questions *a, const struct question *q, size_t m,
                                bool markdown)
{
    struct cell_text cell = {""};
    strcpy(cell.text, markdown ? "–" : "-");
    double times = times_worse(a, q, m);
    struct remark remark = group_remark(a->results, question_group(q, m));
    const char *mark = markdown && is_at_the_top(q, m) ? "**" : "";
    bool sure = q->of[m].standing != STANDING_NOT_SHOWN;
    struct estimate e =
        group_estimate(a->results, question_group(q, m), metric_find(q->headline->metric));
    const char *bound = e.at_least && !q->headline->more_is_better ? "≥ " : "";
    bool says_more = isnan(times) || remark.kind >= REMARK_NO_ANSWER; /* than a figure would */
    if (says_more && *remark.text && remark.kind != REMARK_NOT_MEASURED)
        snprintf(cell.text, sizeof cell.text, "%s", remark.text);
    else if (!isnan(times))
        snprintf(cell.text, sizeof cell.text, "%s%s%s%s%s%s", mark, bound,
                 times < 1.005 ? "1" : figure_of(times).text, sure ? "" : "?", mark,
                 *remark.text ? " *" : "");
    return cell;
}

/* A figure in the unit in which the table gives it. */
static struct cell_text in_words(const struct headline *h, double figure)
{
    static const struct {
        const char *metric, *unit;
    } units[] = {{"capacity", "requests/s"},
                 {"throughput", "requests/s"},
                 {"response_p50", "ms at p50"},
                 {"response_p99", "ms at p99"},
                 {"cpu_per_request", "µs of CPU a request"},
                 {"switches_per_request", "switches a request"},
                 {"memory_pss", "MiB"}};
    struct cell_text text = {""};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].metric, h->metric) == 0)
            snprintf(text.text, sizeof text.text, "%s %s", figure_of(figure * h->scale).text,
                     units[i].unit);
    return text;
}

/* The models at the top, the best first, with its figure. */
static void write_best(FILE *out, const struct questions *a, const struct question *q,
                       bool markdown)
{
    const struct plan *p = &a->results->plan;
    const char *quote = markdown ? "`" : "";
    if (q->best == p->model_count) {
        fputs("–", out);
        return;
    }
    double figure = question_figure(a, q, q->best, q->headline->metric);
    bool shown = is_at_the_top(q, q->best);
    fprintf(out, "%s%s%s%s (%s)", shown ? "" : "not shown yet; leads: ", quote, p->models[q->best],
            quote, in_words(q->headline, figure).text);
    for (size_t m = 0; m < p->model_count; m++)
        if (m != q->best && is_at_the_top(q, m))
            fprintf(out, ", %s%s%s", quote, p->models[m], quote);
}

/* Why the worst of the card's models is where it is, beside the best. */
static void write_why(FILE *out, const struct questions *a, const struct question *q)
{
    const struct plan *p = &a->results->plan;
    size_t worst = worst_of_card(a, q), best = q->best;
    if (worst == p->model_count || worst == best) {
        fputs("–", out);
        return;
    }
    static const double IDLE = 0.8, ALIKE = 1.1;
    struct remark remark = group_remark(a->results, question_group(q, worst));
    double utilisation = question_figure(a, q, worst, "server_utilisation");
    double best_utilisation = question_figure(a, q, best, "server_utilisation");
    double cpu = question_figure(a, q, worst, "cpu_per_request");
    double best_cpu = question_figure(a, q, best, "cpu_per_request");
    double switches = question_figure(a, q, worst, "switches_per_request");
    double best_switches = question_figure(a, q, best, "switches_per_request");
    bool of_rate = q->headline->more_is_better;
    if (strcmp(q->headline->metric, "memory_pss") == 0)
        fprintf(out, "threads or processes: %.0f and %.0f (`%s`, `%s`)",
                question_figure(a, q, worst, "threads_max"),
                question_figure(a, q, best, "threads_max"), p->models[worst], p->models[best]);
    else if (of_rate && *remark.text && utilisation < IDLE)
        fprintf(out, "`%s` %s", p->models[worst], remark.text);
    else if (of_rate && utilisation < IDLE)
        fprintf(out, "the workers of `%s` wait: its CPU is idle for %.0f %% of the time",
                p->models[worst], 100 * (1 - utilisation));
    else if (of_rate && utilisation < IDLE * best_utilisation)
        fprintf(out, "CPUs kept busy: %s and %s (`%s`, `%s`)", figure_of(utilisation).text,
                figure_of(best_utilisation).text, p->models[worst], p->models[best]);
    else if (strncmp(q->headline->metric, "response_", strlen("response_")) == 0)
        fprintf(out, "p50 %s and %s ms, p99 %s and %s ms (`%s`, `%s`)",
                figure_of(question_figure(a, q, worst, "response_p50") / 1e3).text,
                figure_of(question_figure(a, q, best, "response_p50") / 1e3).text,
                figure_of(question_figure(a, q, worst, "response_p99") / 1e3).text,
                figure_of(question_figure(a, q, best, "response_p99") / 1e3).text, p->models[worst],
                p->models[best]);
    else if (cpu < ALIKE * best_cpu)
        fputs("the work itself decides: a request costs all of them the same CPU time", out);
    else
        fprintf(out, "CPU %s and %s µs, switches %s and %s a request (`%s`, `%s`)",
                figure_of(cpu).text, figure_of(best_cpu).text, figure_of(switches).text,
                figure_of(best_switches).text, p->models[worst], p->models[best]);
}

static void write_table(FILE *out, const struct questions *a)
{
    char name[3 * NAME_SIZE];
    fputs("| workload | best, or within the margin of it |", out);
    for (size_t i = 0; i < a->shown_count; i++)
        fprintf(out, " %s |", a->results->plan.models[a->shown[i]]);
    fputs(" why |\n| --- | --- |", out);
    for (size_t i = 0; i < a->shown_count; i++)
        fputs(" ---: |", out);
    fputs(" --- |\n", out);
    for (size_t i = 0; i < a->count; i++) {
        const struct question *q = &a->all[i];
        fprintf(out, "| `%s` | ", question_name(a, q, name, sizeof name));
        write_best(out, a, q, true);
        for (size_t c = 0; c < a->shown_count; c++)
            fprintf(out, " | %s", cell_of(a, q, a->shown[c], true).text);
        fputs(" | ", out);
        write_why(out, a, q);
        fputs(" |\n", out);
    }
}

/* The same in columns of so many characters. */
static void write_plain_table(FILE *out, const struct questions *a)
{
    char name[3 * NAME_SIZE];
    fprintf(out, "%-28s", "times worse than the best");
    for (size_t i = 0; i < a->shown_count; i++)
        fprintf(out, " %9s", a->results->plan.models[a->shown[i]]);
    fputs("  best\n", out);
    for (size_t i = 0; i < a->count; i++) {
        fprintf(out, "%-28s", question_name(a, &a->all[i], name, sizeof name));
        for (size_t c = 0; c < a->shown_count; c++) {
            size_t width = strlen(a->results->plan.models[a->shown[c]]);
            fprintf(out, " %*s", width < 9 ? 9 : (int)width,
                    cell_of(a, &a->all[i], a->shown[c], false).text);
        }
        fputs("  ", out);
        write_best(out, a, &a->all[i], false);
        fputc('\n', out);
    }
}

static void write_sentences(FILE *out, const struct questions *a, char between)
{
    write_winners(out, a);
    fputc(between, out);
    write_stakes(out, a);
    fputc(between, out);
    write_outlook(out, a);
    fputc('\n', out);
}

void answer_write(FILE *out, const struct results *r)
{
    struct questions a;
    if (questions_of(&a, r) != 0)
        return;
    write_sentences(out, &a, ' ');
    fputc('\n', out);
    write_table(out, &a);
    fprintf(out,
            "\nThe columns of models say how many times worse than the best each is: 1 is as good, "
            "**bold** is shown to be the best or within %g %% of it, ? is not shown yet, * is "
            "explained below. The figure is the one that answers the workload's question.\n",
            r->plan.margin * 100);
    questions_free(&a);
}

char *answer_text(const struct results *r)
{
    struct questions a;
    char *text = NULL;
    size_t size = 0;
    if (questions_of(&a, r) != 0)
        return NULL;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        write_plain_table(out, &a);
        fputc('\n', out);
        write_sentences(out, &a, '\n');
    }
    questions_free(&a);
    return text_finish(out, &text);
}
