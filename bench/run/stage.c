#include "bench/run/stage.h"

#include "bench/run/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int make_served_file(const struct workload *w, const char *folder, struct error *error)
{
    size_t size = (size_t)w->file_bytes;
    struct path root = path_of("%s/root", folder), own = path_of("%s/%s", root.text, w->name);
    char *bytes = malloc(size + 1);
    if (!bytes)
        return error_set(error, "no memory for a file of %zu bytes", size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i % 64 == 63 ? '\n' : 'a' + i % 23);
    int result = folder_ensure(root.text, error);
    if (result == 0)
        result = folder_ensure(own.text, error);
    if (result == 0)
        result = file_replace(path_of("%s/%s", own.text, w->path + strlen("/files/")).text, bytes,
                              size, error);
    free(bytes);
    return result;
}

static int make_served_files(const struct plan *p, const char *folder, struct error *error)
{
    for (size_t i = 0; i < p->workload_count; i++)
        if (p->workloads[i].file_bytes > 0 &&
            make_served_file(&p->workloads[i], folder, error) != 0)
            return -1;
    return 0;
}

int stage_make(const struct plan *p, const char *folder, struct error *error)
{
    if (folder_ensure(path_of("%s/timeline", folder).text, error) != 0)
        return -1;
    return make_served_files(p, folder, error);
}

int stage_make_scratch(const struct plan *p, struct path *scratch, struct error *error)
{
    const char *temporary = getenv("TMPDIR");
    *scratch = path_of("%s", "");
    if (p->target_count == 0 && !backend_is_needed(p))
        return 0;
    *scratch = path_of("%s/switchpoint-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(scratch->text)) {
        *scratch = path_of("%s", "");
        return error_set(error, "cannot make a temporary folder: %s", strerror(errno));
    }
    mode_t before = umask(022);
    chmod(scratch->text, 0755);
    int result = folder_ensure(path_of("%s/root", scratch->text).text, error);
    if (result == 0)
        result = make_served_files(p, scratch->text, error);
    umask(before);
    return result;
}

void stage_remove(const char *folder, const char *scratch)
{
    struct error error;
    if (*folder && folder_remove(path_of("%s/root", folder).text, &error) != 0)
        fprintf(stderr, "bench: warning: %s\n", error.text);
    if (*scratch && folder_remove(scratch, &error) != 0)
        fprintf(stderr, "bench: warning: %s\n", error.text);
}
