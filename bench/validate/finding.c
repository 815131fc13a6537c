#include "bench/validate/finding.h"

#include "bench/base/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_free(struct findings *f)
{
    free(f->all);
    *f = (struct findings){.all = NULL};
}

int findings_add(struct findings *f, const struct finding *finding, struct error *error)
{
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 64;
        struct finding *all = realloc(f->all, capacity * sizeof *all);
        if (!all)
            return error_set(error, "no memory for the findings");
        f->all = all;
        f->capacity = capacity;
    }
    struct finding *kept = &f->all[f->count++];
    *kept = *finding;
    if (kept->judgement != JUDGED_IMPOSSIBLE) {
        bool within = fabs(kept->measured - kept->expected) <= kept->tolerance;
        kept->judgement = within ? JUDGED_PASS : JUDGED_FAIL;
        if (isnan(kept->measured) && !*kept->note)
            strcpy(kept->note, "there is no such figure in the result");
    }
    return 0;
}

size_t findings_with(const struct findings *f, enum judgement judgement)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++)
        count += f->all[i].judgement == judgement;
    return count;
}

const char *judgement_text(enum judgement judgement)
{
    static const char *const texts[] = {
        [JUDGED_PASS] = "pass", [JUDGED_FAIL] = "FAIL", [JUDGED_IMPOSSIBLE] = "impossible"};
    return texts[judgement];
}

struct number {
    char text[32];
};

static struct number number_of(double value)
{
    struct number n = {"-"};
    if (isfinite(value))
        snprintf(n.text, sizeof n.text, fabs(value) >= 1e6 ? "%.0f" : "%.5g", value);
    return n;
}

static void write_tsv(FILE *out, const struct findings *f, const char *heading)
{
    (void)heading; /* programs need none */
    fputs("check\tsubject\tquantity\tunit\texpected\tmeasured\ttolerance\tverdict\tnote\n", out);
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *x = &f->all[i];
        fprintf(out, "%s\t%s\t%s\t%s\t%.10g\t%.10g\t%.10g\t%s\t%s\n", x->check, x->subject,
                x->quantity, x->unit, x->expected, x->measured, x->tolerance,
                judgement_text(x->judgement), x->note);
    }
}

static void write_check(FILE *out, const struct findings *f, size_t from)
{
    const char *check = f->all[from].check;
    fprintf(out, "## %s\n\n| of | quantity | expected | measured | tolerance | unit | verdict |\n",
            check);
    fputs("| --- | --- | ---: | ---: | ---: | --- | --- |\n", out);
    for (size_t i = from; i < f->count; i++) {
        const struct finding *x = &f->all[i];
        if (strcmp(x->check, check) != 0)
            continue;
        fprintf(out, "| %s | %s | %s | %s | %s | %s | %s%s%s |\n", x->subject, x->quantity,
                number_of(x->expected).text, number_of(x->measured).text,
                number_of(x->tolerance).text, x->unit,
                x->judgement == JUDGED_FAIL ? "**FAIL**" : judgement_text(x->judgement),
                *x->note ? ": " : "", x->note);
    }
    fputc('\n', out);
}

static void write_markdown(FILE *out, const struct findings *f, const char *heading)
{
    fprintf(out,
            "# %s\n\n%zu passed, %zu failed, %zu impossible on this machine. A finding passes when "
            "what was measured is no further from what was expected than the tolerance.\n\n",
            heading, findings_with(f, JUDGED_PASS), findings_with(f, JUDGED_FAIL),
            findings_with(f, JUDGED_IMPOSSIBLE));
    for (size_t i = 0; i < f->count; i++)
        if (i == 0 || strcmp(f->all[i].check, f->all[i - 1].check) != 0)
            write_check(out, f, i);
}

static int write_file(const struct findings *f, const char *heading,
                      void (*write)(FILE *, const struct findings *, const char *),
                      const struct path *path, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        write(out, f, heading);
    return file_replace_with(path->text, text_finish(out, &text), error);
}

int findings_write(const struct findings *f, const char *folder, const char *heading,
                   struct error *error)
{
    struct path tsv = path_of("%s/validation.tsv", folder),
                md = path_of("%s/validation.md", folder);
    if (write_file(f, heading, write_tsv, &tsv, error) != 0)
        return -1;
    return write_file(f, heading, write_markdown, &md, error);
}
