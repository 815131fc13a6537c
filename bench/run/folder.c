#include "bench/run/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* results/20261120T201500Z-quick, and -2, -3 after it where that is taken. */
static int make_default(const char *kind, struct path *folder, struct error *error)
{
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(now, sizeof now, "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &utc));
    if (folder_ensure("results", error) != 0)
        return -1;
    *folder = path_of("results/%s-%s", now, kind);
    for (unsigned n = 2; mkdir(folder->text, 0777) != 0; n++) {
        if (errno != EEXIST || n > 100)
            return error_set(error, "cannot make the folder %s: %s", folder->text, strerror(errno));
        *folder = path_of("results/%s-%s-%u", now, kind, n);
    }
    return 0;
}

int folder_choose(const char *out, const char *kind, struct path *folder, struct error *error)
{
    if (!out)
        return make_default(kind, folder, error);
    *folder = path_of("%s", out);
    if (access(path_of("%s/plan.json", out).text, F_OK) == 0)
        return error_set(error,
                         "--out %s: there is a run in it already: give another folder, or "
                         "finish that one with --resume %s",
                         out, out);
    if (access(path_of("%s/validation.tsv", out).text, F_OK) == 0)
        return error_set(error,
                         "--out %s: there is a validation in it already: give another folder", out);
    if (access(path_of("%s/switches.jsonl", out).text, F_OK) == 0)
        return error_set(
            error, "--out %s: bench switches has written to it already: give another folder", out);
    return folder_ensure(out, error);
}

int folder_write_json(const char *folder, const char *name, const json_t *json, struct error *error)
{
    char *text = json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    if (!text)
        return error_set(error, "no memory for %s", name);
    int result = file_replace(path_of("%s/%s", folder, name).text, text, strlen(text), error);
    free(text);
    return result;
}
