#include "bench/plan/ini_reader.h"

#include <ini.h>
#include <string.h>

int ini_reader_fail(struct ini_reader *r, const char *what, const char *value, const char *wanted)
{
    if (r->failed)
        return 0;
    r->failed = true;
    error_set(r->error, "%s:%u: %s%s%s%s%s%s", r->file, r->line, what, value ? " \"" : "",
              value ? value : "", value ? "\"" : "", wanted ? "; expected: " : "",
              wanted ? wanted : "");
    return 0;
}

static char *next_line(char *line, int size, void *arg)
{
    struct ini_reader *r = arg;
    if (*r->rest == '\0')
        return NULL;
    r->line++;
    size_t length = strcspn(r->rest, "\n");
    bool ended = r->rest[length] == '\n';
    if (length + 2 > (size_t)size) {
        ini_reader_fail(r, "the line is too long", NULL, "to be continued on an indented line");
        length = (size_t)size - 2;
        ended = false;
    }
    r->indented = *r->rest == ' ' || *r->rest == '\t';
    memcpy(line, r->rest, length);
    strcpy(line + length, ended ? "\n" : "");
    r->rest += strcspn(r->rest, "\n");
    r->rest += *r->rest == '\n';
    return line;
}

int ini_reader_parse(struct ini_reader *r,
                     int (*take)(void *, const char *, const char *, const char *), void *arg)
{
    int bad_line = ini_parse_stream(next_line, r, take, arg);
    if (r->failed)
        return -1;
    if (bad_line != 0)
        return error_set(r->error, "%s:%d: expected: NAME = VALUE or [SECTION]", r->file, bad_line);
    return 0;
}

int ini_name_of_file(char *name, size_t size, const char *file, const char *what,
                     struct error *error)
{
    const char *slash = strrchr(file, '/');
    const char *start = slash ? slash + 1 : file;
    size_t length = strlen(start);
    if (length > 5 && strcmp(start + length - 5, ".conf") == 0)
        length -= 5;
    if (length == 0 || length >= size ||
        strspn(start, "abcdefghijklmnopqrstuvwxyz0123456789-") < length)
        return error_set(error, "%s: a %s's name is made of a-z, 0-9 and -", file, what);
    memcpy(name, start, length);
    name[length] = '\0';
    return 0;
}
