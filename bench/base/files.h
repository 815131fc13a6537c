/* Paths, and files that are either whole or not there.
 *
 * A run can take hours and can be killed at any moment; what it leaves behind
 * must be readable. Every file but the journal is therefore written beside its
 * place and renamed into it. Knows nothing of what the files mean. */
#ifndef BENCH_FILES_H
#define BENCH_FILES_H

#include "bench/base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A path by value: nothing to free. */
struct path {
    char text[PATH_MAX];
};

/* The formatted path; an empty one, which no call accepts, when it would be too long. */
struct path path_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool is_folder(const char *path);
bool is_program(const char *path);

/* Makes the folder if it is not there; its parent must be. 0 or -1. */
int folder_ensure(const char *path, struct error *);

/* Removes the folder and all below it; one that is not there is no error. 0 or -1. */
int folder_remove(const char *path, struct error *);

/* Flushes a folder's entries to the disk. 0 or -1 with errno. */
int folder_sync(const char *path);

/* The whole file and a terminating NUL that `size` (may be NULL) does not count, to be
 * freed by the caller; NULL with errno. */
char *file_read(const char *path, size_t *size);

/* Puts a file of `size` bytes in the place of `path`, atomically and durably. 0 or -1. */
int file_replace(const char *path, const char *text, size_t size, struct error *);

/* Ends a text that was printed into `out`, which open_memstream gave for `text`. The text, to be
 * freed by the caller; NULL: there was no memory for it, as where `out` is NULL. */
char *text_finish(FILE *out, char **text);

/* Puts a text in the place of `path` as file_replace does, and frees it. NULL, a text that there
 * was no memory for, is an error. 0 or -1. */
int file_replace_with(const char *path, char *text, struct error *);

/* Points the symbolic link `path` to `target`, atomically. 0 or -1. */
int link_replace(const char *path, const char *target, struct error *);

#endif
