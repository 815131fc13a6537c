#include "bench/run/run.h"

#include "bench/base/json.h"
#include "bench/base/stop.h"
#include "bench/journal/journal.h"
#include "bench/run/backend.h"
#include "bench/run/begin.h"
#include "bench/run/block.h"
#include "bench/run/progress.h"
#include "bench/run/schedule.h"
#include "bench/run/stage.h"
#include "bench/statistics/group.h"
#include "common/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tables and figures take about so long until it is known how long they take. */
static const double REPORT_GUESS_S = 12;

/* The last report draws seven files for each figure, those before it three. */
static const double LAST_REPORT = 7.0 / 3;

/* A point of a workload while the run goes on. */
struct point {
    size_t workload, point;
    unsigned blocks; /* whole ones; further measurements may belong to the next */
    double slowness; /* what a block took, relative to what it was expected to take */
};

struct work {
    struct results results; /* and in it the plan */
    const char *folder;
    struct path scratch;
    struct journal journal;
    struct backend backend;
    struct blocks blocks;
    run_report *report;
    void *report_argument;
    struct point *points;
    size_t point_count;
    uint64_t start_ns;
    double time_s; /* for everything; infinite: until the figures are precise */
    double set_up_s, reports_s;
    double report_s;      /* that the last report took, or is guessed to take */
    double next_report_s; /* when tables and figures are due again, from the start */
};

static double elapsed_s(const struct work *work)
{
    return (double)(clock_now_ns() - work->start_ns) / (double)NS_PER_S;
}

/* For measuring: the report at the end takes its time, too, and a little is lost on the way. */
static double left_s(const struct work *work)
{
    static const double LOST_S = 1;
    return work->time_s - elapsed_s(work) - work->report_s - LOST_S;
}

/* --- a block ---------------------------------------------------------------------------------- */

/* One block in which a server hung says little of the next. */
static void note_slowness(struct point *at, double slowness)
{
    at->slowness = at->blocks == 0 ? slowness : (at->slowness + slowness) / 2;
}

static enum run_result measure_block(struct work *work, struct point *at, unsigned block,
                                     struct error *error)
{
    double took_s;
    bool is_begun = false;
    for (size_t m = 0; m < work->results.plan.model_count; m++)
        is_begun |=
            results_run(&work->results, (struct group){m, at->workload, at->point}, block) != NULL;
    enum block_result result =
        block_measure(&work->blocks, at->workload, at->point, block, &took_s, error);
    if (result != BLOCK_WHOLE)
        return result == BLOCK_INTERRUPTED ? RUN_INTERRUPTED : RUN_FAILED;
    if (!is_begun)
        note_slowness(
            at, took_s / plan_block_s(&work->results.plan, at->workload, at->point, block == 0));
    return RUN_COMPLETE;
}

/* --- the report ------------------------------------------------------------------------------- */

/* What the measurements of one workload took. */
struct spent {
    size_t measurements;
    double all_s, windows_s;
};

static void add_spent(struct spent *spent, const struct measurements *of)
{
    for (size_t i = 0; i < of->count; i++) {
        double all_s = json_number_at(of->at[i].line, "cell_s");
        double window_s = json_number_at(of->at[i].line, "window_s");
        spent->measurements++;
        spent->all_s += isnan(all_s) ? 0 : all_s;
        spent->windows_s += isnan(window_s) ? 0 : window_s;
    }
}

static struct spent spent_on(const struct results *r, size_t workload)
{
    struct spent spent = {0};
    struct group g = {.workload = workload};
    for (g.point = 0; g.point < workload_points(&r->plan.workloads[workload]); g.point++)
        for (g.model = 0; g.model < r->plan.model_count; g.model++) {
            if (!results_is_preview(r, g))
                add_spent(&spent, results_of(r, g));
            add_spent(&spent, results_preview_of(r, g));
        }
    return spent;
}

/* DIR/time.tsv: where the time went. */
static int write_time(const struct work *work, struct error *error)
{
    const struct results *r = &work->results;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        fputs("what\tmeasurements\tseconds\tof_these_in_windows\n", out);
        fprintf(out, "(set-up)\t-\t%.1f\t-\n", work->set_up_s);
        for (size_t w = 0; w < r->plan.workload_count; w++) {
            struct spent spent = spent_on(r, w);
            fprintf(out, "%s\t%zu\t%.1f\t%.1f\n", r->plan.workloads[w].name, spent.measurements,
                    spent.all_s, spent.windows_s);
        }
        fprintf(out, "(tables and figures)\t-\t%.1f\t-\n", work->reports_s);
    }
    return file_replace_with(path_of("%s/time.tsv", work->folder).text, text_finish(out, &text),
                             error);
}

static int report(struct work *work, bool last, struct error *error)
{
    double before_s = elapsed_s(work);
    progress_end();
    int result = work->report(work->report_argument, &work->results, work->folder, last, error);
    double took_s = elapsed_s(work) - before_s;
    work->reports_s += took_s;
    work->report_s = took_s * LAST_REPORT;
    work->next_report_s = 2 * elapsed_s(work);
    return write_time(work, error) == 0 ? result : -1;
}

/* --- what comes next -------------------------------------------------------------------------- */

/* How precisely the main figure of the point is known. */
static void look_at(const struct work *work, const struct point *at, struct prospect *prospect)
{
    const struct plan *p = &work->results.plan;
    const struct metric *metric = metric_find(p->workloads[at->workload].headline);
    double sum = 0;
    size_t count = 0;
    prospect->precise = true;
    for (size_t m = 0; m < p->model_count; m++) {
        struct estimate e =
            group_estimate(&work->results, (struct group){m, at->workload, at->point}, metric);
        if (e.count < 2 || !(e.median > 0))
            continue; /* a model that never has a figure gains nothing by another block */
        double half_width = (e.high - e.low) / 2 / e.median;
        prospect->precise &= half_width < p->profile->precision;
        sum += half_width;
        count++;
    }
    prospect->half_width = count > 0 ? sum / (double)count : NAN;
}

static struct prospect prospect_of(const struct work *work, const struct point *at)
{
    const struct plan *p = &work->results.plan;
    struct prospect prospect = {.blocks = at->blocks,
                                .half_width = NAN,
                                .block_s =
                                    at->slowness * plan_block_s(p, at->workload, at->point, false)};
    if (p->trials == 0 && at->blocks >= BLOCKS_LEAST)
        look_at(work, at, &prospect);
    return prospect;
}

/* The point whose block comes next; NULL: none. */
static struct point *next_point(struct work *work, double time_s)
{
    const struct plan *p = &work->results.plan;
    struct prospect *prospects = calloc(work->point_count, sizeof *prospects);
    struct point *next = NULL;
    if (!prospects)
        return NULL;
    for (size_t i = 0; i < work->point_count; i++)
        prospects[i] = prospect_of(work, &work->points[i]);
    size_t place = schedule_next(prospects, work->point_count, time_s,
                                 p->trials > 0 ? p->trials : BLOCKS_LEAST,
                                 p->trials > 0 ? p->trials : p->profile->blocks_most);
    if (place < work->point_count)
        next = &work->points[place];
    free(prospects);
    return next;
}

/* --- the run ---------------------------------------------------------------------------------- */

static int find_points(struct work *work, struct error *error)
{
    const struct plan *p = &work->results.plan;
    work->points = calloc(plan_point_count(p) + 1, sizeof *work->points);
    if (!work->points)
        return error_set(error, "no memory");
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t i = 0; i < workload_points(&p->workloads[w]); i++) {
            struct point *at = &work->points[work->point_count++];
            *at = (struct point){.workload = w, .point = i, .slowness = 1};
            while (block_is_whole(&work->blocks, w, i, at->blocks + 1))
                at->blocks++;
        }
    return 0;
}

/* Every model at every point, with short windows. */
static enum run_result first_pass(struct work *work, struct error *error)
{
    enum run_result result = RUN_COMPLETE;
    if (work->results.plan.trials > 0)
        return result;
    for (size_t i = 0; i < work->point_count && result == RUN_COMPLETE; i++) {
        struct point *at = &work->points[i];
        if (at->blocks > 0 || block_is_whole(&work->blocks, at->workload, at->point, 0))
            continue;
        if (left_s(work) < plan_block_s(&work->results.plan, at->workload, at->point, true)) {
            fprintf(stderr, "bench: warning: there is no time for a first look at every point\n");
            break;
        }
        result = measure_block(work, at, 0, error);
    }
    return result;
}

static enum run_result measure_all(struct work *work, struct error *error)
{
    enum run_result result = first_pass(work, error);
    work->next_report_s = 0;
    for (struct point *at; result == RUN_COMPLETE && (at = next_point(work, left_s(work)));) {
        /* A report now and one at the end, if there is time for both. */
        bool is_due = work->results.plan.trials == 0 && elapsed_s(work) >= work->next_report_s;
        if (is_due && next_point(work, left_s(work) - work->report_s)) {
            if (report(work, false, error) != 0)
                return RUN_FAILED;
            continue;
        }
        result = measure_block(work, at, at->blocks + 1, error);
        at->blocks += result == RUN_COMPLETE;
    }
    progress_end();
    return result;
}

double run_least_s(const struct plan *p, double *preview_s)
{
    double blocks_s = 0;
    *preview_s = 0;
    for (size_t w = 0; w < p->workload_count; w++)
        for (size_t i = 0; i < workload_points(&p->workloads[w]); i++) {
            *preview_s += plan_block_s(p, w, i, true);
            blocks_s += plan_block_s(p, w, i, false);
        }
    return *preview_s + BLOCKS_LEAST * blocks_s;
}

/* How long the run may take, and what it will do with that time, said beforehand. */
static void settle_time(struct work *work, const struct run_request *r)
{
    const struct plan *p = &work->results.plan;
    static const double SLOWER = 1.1; /* than planned: servers that take long to start */
    double preview_s, set_up_s = elapsed_s(work) + 2 * REPORT_GUESS_S;
    double least_s = SLOWER * run_least_s(p, &preview_s) + set_up_s;
    work->time_s = r->time_s > 0 ? r->time_s : INFINITY;
    if (!(r->time_s > 0) && p->trials == 0 && p->profile->time_s > 0)
        work->time_s = p->profile->grows ? fmax(p->profile->time_s, least_s) : p->profile->time_s;
    work->report_s = fmin(REPORT_GUESS_S, work->time_s / 5);
    if (isfinite(work->time_s))
        work->blocks.end_ns = work->start_ns + (uint64_t)(work->time_s * (double)NS_PER_S);
    fprintf(stderr, "bench: %zu servers at %zu points, results in %s\n", p->model_count,
            plan_point_count(p), work->folder);
    if (p->trials > 0)
        fprintf(stderr, "bench: %u block%s of each point, about %s\n", p->trials,
                p->trials > 1 ? "s" : "",
                span_of((run_least_s(p, &preview_s) - preview_s) * p->trials / BLOCKS_LEAST).text);
    else if (r->resume)
        fprintf(stderr, "bench: %zu measurements are there; the run goes on%s%s, or until Ctrl-C\n",
                results_count(&work->results), isfinite(work->time_s) ? " for " : "",
                isfinite(work->time_s) ? span_of(work->time_s).text : "");
    else
        fprintf(stderr,
                "bench: a first picture after about %s; intervals after about %s; the run ends "
                "%s%s, or with Ctrl-C at any time\n",
                span_of(elapsed_s(work) + preview_s).text, span_of(least_s).text,
                isfinite(work->time_s) ? "after " : "when its figures are precise",
                isfinite(work->time_s) ? span_of(work->time_s).text : "");
}

static enum run_result measure_folder(struct work *work, const struct run_request *r,
                                      const struct places *places, struct error *error)
{
    enum run_result result = RUN_FAILED;
    if (r->resume && r->time_s > 0)
        work->results.plan.trials = 0; /* it goes on for a time, not for a number of blocks */
    if (r->resume && r->choice.margin > 0)
        work->results.plan.margin = r->choice.margin;
    work->backend = (struct backend){.folder = work->scratch.text};
    work->blocks = (struct blocks){.places = places,
                                   .results = &work->results,
                                   .folder = work->folder,
                                   .scratch = work->scratch.text,
                                   .journal = &work->journal,
                                   .backend = &work->backend};
    if (stage_make_scratch(&work->results.plan, &work->scratch, error) == 0 &&
        stage_make(&work->results.plan, work->folder, error) == 0 &&
        find_points(work, error) == 0) {
        work->set_up_s = elapsed_s(work);
        settle_time(work, r);
        result = measure_all(work, error);
    }
    backend_end(&work->backend);
    stage_remove(work->folder, work->scratch.text);
    /* What is measured is reported, also after a failure: then that is what is to be said. */
    struct error of_report;
    if (results_count(&work->results) > 0 && report(work, true, &of_report) != 0 &&
        result != RUN_FAILED) {
        *error = of_report;
        result = RUN_FAILED;
    }
    free(work->points);
    return result;
}

enum run_result run_measure(const struct run_request *r, const struct places *places,
                            run_report *reporter, void *argument, struct path *folder,
                            struct error *error)
{
    struct work work = {.report = reporter,
                        .report_argument = argument,
                        .start_ns = clock_now_ns(),
                        .time_s = INFINITY,
                        .report_s = REPORT_GUESS_S};
    enum run_result result = RUN_COMPLETE;
    struct path chosen = {""};
    if (r->resume) {
        struct path plan = path_of("%s/plan.json", r->resume);
        chosen = path_of("%s", r->resume);
        if (access(plan.text, R_OK) != 0) {
            error_set(error, "--resume %s: it is no run's folder, for it has no plan.json",
                      r->resume);
            return RUN_FAILED;
        }
        result = journal_open(&work.journal, chosen.text, error) == 0 ? RUN_COMPLETE : RUN_FAILED;
    } else {
        result = begin_new(r, places, &chosen, &work.journal, error);
    }
    if (result != RUN_COMPLETE)
        return result;
    work.folder = chosen.text;
    result = RUN_FAILED;
    if (results_read(&work.results, chosen.text, error) == 0) {
        *folder = chosen;
        result = measure_folder(&work, r, places, error);
        results_free(&work.results);
    }
    journal_close(&work.journal);
    return result;
}
