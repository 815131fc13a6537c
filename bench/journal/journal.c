#include "bench/journal/journal.h"

#include "bench/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const FILE_NAME = "runs.jsonl";

/* Size of the file up to and including its last newline. */
static off_t whole_lines_size(int fd, off_t size)
{
    char bytes[4096];
    while (size > 0) {
        off_t start = size > (off_t)sizeof bytes ? size - (off_t)sizeof bytes : 0;
        ssize_t got = pread(fd, bytes, (size_t)(size - start), start);
        if (got < (ssize_t)(size - start))
            return -1;
        const char *newline = memrchr(bytes, '\n', (size_t)got);
        if (newline)
            return start + (newline - bytes) + 1;
        size = start;
    }
    return 0;
}

static int cut_torn_line(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    off_t whole = whole_lines_size(fd, status.st_size);
    if (whole < 0)
        return -1;
    if (whole == status.st_size)
        return 0;
    return ftruncate(fd, whole) == 0 ? fsync(fd) : -1;
}

int journal_open(struct journal *j, const char *folder, struct error *error)
{
    struct path path = path_of("%s/%s", folder, FILE_NAME);
    snprintf(j->folder, sizeof j->folder, "%s", folder);
    j->fd = open(path.text, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0)
        return error_set(error, "cannot open %s: %s", path.text, strerror(errno));
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0) {
        error_set(error, "another bench is at work in %s: wait for it, or give another folder",
                  folder);
        goto fail;
    }
    if (cut_torn_line(j->fd) != 0 || folder_sync(folder) != 0) {
        error_set(error, "cannot use %s: %s", path.text, strerror(errno));
        goto fail;
    }
    return 0;
fail:
    close(j->fd);
    return -1;
}

void journal_close(struct journal *j)
{
    close(j->fd);
}

/* -1 with errno: nothing of the line is left in the file. */
static int write_whole(int fd, const char *line, size_t size)
{
    struct stat before;
    if (fstat(fd, &before) != 0)
        return -1;
    ssize_t written = write(fd, line, size);
    if (written == (ssize_t)size && fsync(fd) == 0)
        return 0;
    int reason = written < 0 || written == (ssize_t)size ? errno : ENOSPC;
    if (written > 0 && ftruncate(fd, before.st_size) != 0)
        reason = errno;
    errno = reason;
    return -1;
}

int journal_append(struct journal *j, const json_t *object, struct error *error)
{
    char *text = json_dumps(object, JSON_COMPACT);
    size_t size = text ? strlen(text) : 0;
    char *line = text ? realloc(text, size + 2) : NULL;
    if (!line) {
        free(text);
        return error_set(error, "cannot make a line of %s: no memory", FILE_NAME);
    }
    line[size] = '\n';
    line[size + 1] = '\0';
    int result = write_whole(j->fd, line, size + 1);
    if (result != 0)
        error_set(error,
                  "cannot write %s/%s: %s. All measurements before this one are kept: make room, "
                  "then go on with bench run --resume %s",
                  j->folder, FILE_NAME, strerror(errno), j->folder);
    free(line);
    return result;
}

json_t *journal_read(const char *folder, struct error *error)
{
    struct path path = path_of("%s/%s", folder, FILE_NAME);
    size_t size;
    char *text = file_read(path.text, &size);
    if (!text) {
        error_set(error, "cannot read %s: %s", path.text, strerror(errno));
        return NULL;
    }
    json_t *runs = json_array();
    unsigned number = 0;
    char *line = text;
    for (char *end; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        json_error_t reason;
        json_t *run = json_loadb(line, (size_t)(end - line), 0, &reason);
        number++;
        if (json_is_object(run))
            json_array_append_new(runs, run);
        else
            fprintf(stderr, "bench: %s:%u is left out: it is not a JSON object\n", path.text,
                    number);
        if (!json_is_object(run))
            json_decref(run);
    }
    free(text);
    return runs;
}
