#include "bench/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct path path_of(const char *format, ...)
{
    struct path path;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path.text, sizeof path.text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof path.text)
        path.text[0] = '\0';
    return path;
}

bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

int folder_ensure(const char *path, struct error *error)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && is_folder(path)))
        return 0;
    return error_set(error, "cannot make the folder %s: %s", path, strerror(errno));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

int folder_remove(const char *path, struct error *error)
{
    enum { OPEN_FOLDERS = 8 };
    if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return 0;
    return error_set(error, "cannot remove %s: %s", path, strerror(errno));
}

int folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    close(fd);
    return result;
}

/* Reads to the end instead of asking for the size first: files of /proc and /sys do not know
 * theirs. */
static char *read_to_end(int fd, size_t *size)
{
    size_t capacity = 16384, length = 0;
    char *text = malloc(capacity);
    for (;;) {
        ssize_t got = text ? read(fd, text + length, capacity - length - 1) : -1;
        if (got < 0) {
            free(text);
            return NULL;
        }
        if (got == 0)
            break;
        length += (size_t)got;
        if (capacity - length < 2) {
            char *larger = realloc(text, capacity *= 2);
            if (!larger)
                free(text);
            text = larger;
        }
    }
    text[length] = '\0';
    if (size)
        *size = length;
    return text;
}

char *file_read(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = read_to_end(fd, size);
    int reason = errno;
    close(fd);
    errno = reason;
    return text;
}

static int write_whole(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        text += written;
        size -= (size_t)written;
    }
    return fsync(fd);
}

int file_replace(const char *path, const char *text, size_t size, struct error *error)
{
    struct path beside = path_of("%s.new", path);
    int fd = open(beside.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(error, "cannot write %s: %s", path, strerror(errno));
    int result = write_whole(fd, text, size);
    int reason = errno;
    close(fd);
    if (result == 0 && rename(beside.text, path) == 0)
        return 0;
    reason = result == 0 ? errno : reason;
    unlink(beside.text);
    return error_set(error, "cannot write %s: %s", path, strerror(reason));
}

char *text_finish(FILE *out, char **text)
{
    if (!out)
        return NULL;
    if (fclose(out) == 0)
        return *text;
    free(*text);
    return NULL;
}

int file_replace_with(const char *path, char *text, struct error *error)
{
    int result = text ? file_replace(path, text, strlen(text), error)
                      : error_set(error, "no memory for %s", path);
    free(text);
    return result;
}

int link_replace(const char *path, const char *target, struct error *error)
{
    struct path beside = path_of("%s.new", path);
    unlink(beside.text);
    if (symlink(target, beside.text) == 0 && rename(beside.text, path) == 0)
        return 0;
    int reason = errno;
    unlink(beside.text);
    return error_set(error, "cannot point %s to %s: %s", path, target, strerror(reason));
}
