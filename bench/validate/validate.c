#include "bench/validate/validate.h"

#include "bench/base/stop.h"
#include "bench/journal/disturbance.h"
#include "bench/plan/list.h"
#include "bench/report/draw.h"
#include "bench/run/calibrate.h"
#include "bench/run/cell.h"
#include "bench/run/cpus.h"
#include "bench/run/environment.h"
#include "bench/run/folder.h"
#include "bench/validate/validation.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a measurement that is disturbed. */
enum { ATTEMPTS = 3 };

static const struct {
    char name[NAME_SIZE];
    int (*make)(struct validation *, struct error *); /* NULL: it is a table and no more */
} checks[] = {
    {"service-time", check_service_time}, {"stall", check_stall}, {"arrivals", check_arrivals},
    {"queueing", check_queueing},         {"littles-law", NULL},  {"capacity", check_capacity},
    {"switches", check_switches},         {"memory", NULL},       {"cpu", NULL},
    {"same-server", check_same_server},   {"power", check_power}, {"ceiling", check_ceiling},
};
enum { CHECK_COUNT = sizeof checks / sizeof *checks };

/* --- what the checks share -------------------------------------------------------------------- */

double pick(const struct validation *v, double whole, double brief)
{
    return v->brief ? brief : whole;
}

bool validation_has_model(const struct validation *v, const char *model)
{
    for (size_t i = 0; i < v->model_count; i++)
        if (strcmp(v->models[i], model) == 0)
            return true;
    return false;
}

/* The workload that the text describes. */
static int read_load(struct workload *w, const char *text, struct error *error)
{
    char *whole = NULL;
    if (asprintf(&whole, "title = -\nquestion = -\n%s", text) < 0)
        return error_set(error, "no memory");
    int result = workload_parse(w, "validate.conf", whole, error);
    workload_set_windows(w, 0.3, 1);
    free(whole);
    return result;
}

static int keep(struct validation *v, const struct observation *o, unsigned attempt, json_t *run,
                struct error *error)
{
    json_object_set_new(run, "workload", json_string(o->check));
    json_object_set_new(run, "model", json_string(o->model ? o->model : "specimen"));
    json_object_set_new(run, "subject", json_string(o->subject));
    json_object_set_new(run, "trial", json_integer(o->trial + 1));
    json_object_set_new(run, "attempt", json_integer(attempt));
    json_object_set_new(run, "disturbed", disturbance_of(run));
    return journal_append(&v->journal, run, error);
}

/* A measurement that somebody else has disturbed says nothing of the instrument: another attempt.
 */
/* How often something is measured at most until nothing disturbs it. */
enum { ATTEMPTS_MOST = 3 };

static json_t *measure_undisturbed(struct validation *v, const struct observation *o,
                                   const struct cell_order *order, struct error *error)
{
    for (unsigned attempt = 1;; attempt++) {
        json_t *run = cell_measure(order);
        if (!run) {
            error_set(error, "interrupted");
            return NULL;
        }
        const char *what = json_string_value(json_object_get(run, "error"));
        if (what)
            fprintf(stderr, "bench: %s, %s: %s\n", o->check, o->subject, what);
        if (keep(v, o, attempt, run, error) != 0) {
            json_decref(run);
            return NULL;
        }
        if (o->once || !is_disturbed(run) || attempt == ATTEMPTS)
            return run;
        fprintf(stderr, "bench: %s, %s: disturbed (%s), once more\n", o->check, o->subject,
                first_disturbance(run));
        json_decref(run);
    }
}

json_t *observe(struct validation *v, const struct observation *o, struct error *error,
                const char *workload, ...)
{
    struct workload w;
    char *text = NULL;
    va_list values;
    va_start(values, workload);
    int length = vasprintf(&text, workload, values);
    va_end(values);
    int failed = length < 0 ? error_set(error, "no memory") : read_load(&w, text, error);
    free(text);
    if (failed)
        return NULL;
    char label[128];
    snprintf(label, sizeof label, "%s-%s-%u", o->check, o->subject, o->trial + 1);
    for (char *c = label; *c; c++)
        if (*c == ' ' || *c == '/')
            *c = '_';
    const struct cell_order order = {
        .programs = v->places->programs.text,
        .folder = v->folder,
        .model = o->model,
        .specimen = o->specimen,
        .loadgen_options = o->loadgen,
        .workload = &w,
        .label = label,
        .server_cpus = v->server_cpus,
        .loadgen_cpus = v->loadgen_cpus,
        .compute_rate = v->compute_rate,
        .seed = 1 + o->trial,
    };
    return measure_undisturbed(v, o, &order, error);
}

static void show(const struct finding *f)
{
    printf("%-13s %-22s %-34s ", f->check, f->subject, f->quantity);
    if (f->judgement == JUDGED_IMPOSSIBLE)
        printf("%s: %s\n", judgement_text(f->judgement), f->note);
    else
        printf("%11.5g, expected %.5g ± %.3g %-10s %s%s%s\n", f->measured, f->expected,
               f->tolerance, f->unit, judgement_text(f->judgement), *f->note ? ": " : "", f->note);
    fflush(stdout);
}

int found(struct validation *v, const struct finding *f, struct error *error)
{
    if (findings_add(&v->findings, f, error) != 0)
        return -1;
    show(&v->findings.all[v->findings.count - 1]);
    return 0;
}

int found_impossible(struct validation *v, const char *check, const char *subject, const char *why,
                     struct error *error)
{
    struct finding f = {.unit = "-",
                        .expected = NAN,
                        .measured = NAN,
                        .tolerance = NAN,
                        .judgement = JUDGED_IMPOSSIBLE};
    snprintf(f.check, sizeof f.check, "%s", check);
    snprintf(f.subject, sizeof f.subject, "%s", subject);
    snprintf(f.quantity, sizeof f.quantity, "-");
    snprintf(f.note, sizeof f.note, "%s", why);
    return found(v, &f, error);
}

int figures_open(struct figures *f, struct error *error)
{
    *f = (struct figures){.text = NULL};
    f->out = open_memstream(&f->text, &f->size);
    return f->out ? 0 : error_set(error, "no memory for figures");
}

int figures_close(struct figures *f, const struct validation *v, const char *name,
                  struct error *error)
{
    struct path path = path_of("%s/plots/validation-%s.tsv", v->folder, name);
    return file_replace_with(path.text, text_finish(f->out, &f->text), error);
}

struct mean mean_of(const double *values, size_t count)
{
    struct mean m = {.mean = gsl_stats_mean(values, 1, count)};
    if (count > 1)
        m.half_width = gsl_cdf_tdist_Pinv(0.975, (double)(count - 1)) *
                       gsl_stats_sd(values, 1, count) / sqrt((double)count);
    return m;
}

/* --- the run ---------------------------------------------------------------------------------- */

static bool is_wanted(const struct validate_request *r, const char *name)
{
    return !r->checks || is_listed(r->checks, name);
}

static int prepare(struct validation *v, const struct validate_request *r, struct path *folder,
                   struct error *error)
{
    if (folder_choose(r->out, "validate", folder, error) != 0)
        return -1;
    v->folder = folder->text;
    static const char *const parts[] = {"plots", "timeline"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (folder_ensure(path_of("%s/%s", v->folder, parts[i]).text, error) != 0)
            return -1;
    if (cpus_choose(r->server_cpus, r->loadgen_cpus, v->server_cpus, v->loadgen_cpus, NAME_SIZE,
                    error) != 0)
        return -1;
    if (calibrate(v->places->programs.text, v->models[0], v->server_cpus, &v->compute_rate,
                  error) != 0)
        return -1;
    json_t *environment = environment_describe(v->places->programs.text);
    int result = folder_write_json(v->folder, "environment.json", environment, error);
    json_decref(environment);
    return result == 0 ? journal_open(&v->journal, v->folder, error) : -1;
}

/* The page of plots, of the figures that the checks have left. */
static int plot(const struct validation *v, struct error *error)
{
    struct path data, scripts;
    if (!realpath(path_of("%s/plots", v->folder).text, data.text) ||
        !realpath(v->places->plot_scripts.text, scripts.text))
        return error_set(error,
                         "cannot draw the plots: no folder scripts/plot here or beside bench");
    struct path stem = path_of("%s/validation", data.text);
    const struct drawing page = {.script = "validation.gp",
                                 .data = stem,
                                 .stem = stem,
                                 .title = "The instrument against the truth",
                                 .variants = "all"};
    return draw(&page, 1, scripts.text, error);
}

static int make_checks(struct validation *v, const struct validate_request *r, struct error *error)
{
    static const char *const heading = "Validation of the instrument";
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        if (!is_wanted(r, checks[i].name))
            continue;
        if (bench_stop > 0)
            return error_set(error, "interrupted");
        /* What was found before something went wrong is kept. */
        struct error unused;
        int result =
            checks[i].make ? checks[i].make(v, error) : check_table(v, checks[i].name, error);
        if (findings_write(&v->findings, v->folder, heading, result == 0 ? error : &unused) != 0 ||
            result != 0)
            return -1;
    }
    return 0;
}

enum validate_result validate(const struct validate_request *r, const struct places *places,
                              struct path *folder, struct error *error)
{
    struct validation v = {.places = places, .brief = r->brief, .journal = {.fd = -1}};
    enum validate_result result = VALIDATE_BROKEN;
    if (r->checks &&
        list_verify(r->checks, "check", checks, sizeof *checks, CHECK_COUNT, error) != 0)
        return VALIDATE_REFUSED;
    if (places_models(places, &v.models, &v.model_count, error) != 0)
        return VALIDATE_BROKEN;
    if (prepare(&v, r, folder, error) == 0 && make_checks(&v, r, error) == 0 &&
        plot(&v, error) == 0)
        result = findings_with(&v.findings, JUDGED_FAIL) > 0 ? VALIDATE_FAILED : VALIDATE_PASSED;
    if (v.findings.count > 0)
        printf("\n%zu passed, %zu failed, %zu impossible on this machine\n",
               findings_with(&v.findings, JUDGED_PASS), findings_with(&v.findings, JUDGED_FAIL),
               findings_with(&v.findings, JUDGED_IMPOSSIBLE));
    if (v.journal.fd >= 0)
        journal_close(&v.journal);
    findings_free(&v.findings);
    free(v.models);
    return result;
}
