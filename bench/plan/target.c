#include "bench/plan/target.h"

#include "bench/base/files.h"
#include "bench/plan/ini_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what can be set -------------------------------------------------------------------------- */

#define AT(member) offsetof(struct target, member)
static const struct setting {
    const char *key;
    size_t offset, size;
    const char *choices[3]; /* NULL: any text */
} settings[] = {
    {"title", AT(title), TEXT_SIZE, {NULL}},
    {"needs", AT(needs), TEXT_SIZE, {NULL}},
    {"command", AT(command), TEXT_SIZE, {NULL}},
    {"ready", AT(ready), NAME_SIZE, {"port", "line", NULL}},
    {"stop", AT(stop), NAME_SIZE, {NULL}},
    {"routes", AT(routes), NAME_SIZE, {"listed", "all", NULL}},
    {"config", AT(config), CONFIG_SIZE, {NULL}},
};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

/* What stands for what in commands and configurations. */
enum placeholder {
    PORT,
    ADDRESS,
    FOLDER,
    HERE,
    CONFIG,
    ROOT,
    CPUS,
    WORKERS,
    BIN,
    PROGRAM,
    COMPUTE_RATE,
    PLACEHOLDER_COUNT
};
static const char *const placeholders[] = {[PORT] = "port",
                                           [ADDRESS] = "address",
                                           [FOLDER] = "folder",
                                           [HERE] = "here",
                                           [CONFIG] = "config",
                                           [ROOT] = "root",
                                           [CPUS] = "cpus",
                                           [WORKERS] = "workers",
                                           [BIN] = "bin",
                                           [PROGRAM] = "program",
                                           [COMPUTE_RATE] = "compute_rate"};

/* The length of a placeholder at the text, with its braces; 0: there is none. `which` is
 * PLACEHOLDER_COUNT where it looks like one and is none that is known. */
static size_t placeholder_at(const char *text, enum placeholder *which)
{
    size_t length = *text == '{' ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
    if (length == 0 || text[1 + length] != '}')
        return 0;
    for (*which = 0; *which < PLACEHOLDER_COUNT; (*which)++)
        if (strlen(placeholders[*which]) == length &&
            strncmp(placeholders[*which], text + 1, length) == 0)
            break;
    return length + 2;
}

/* --- the file --------------------------------------------------------------------------------- */

struct parsing {
    struct target *target;
    bool seen[SETTING_COUNT];
    struct ini_reader reader;
};

/* Configurations have many lines, the others one that may be continued. */
static int append(struct parsing *p, const struct setting *s, const char *value)
{
    char *place = (char *)p->target + s->offset;
    const char *between = !*place ? "" : s->offset == AT(config) ? "\n" : " ";
    if (strlen(place) + strlen(between) + strlen(value) >= s->size)
        return ini_reader_fail(&p->reader, "too long:", s->key, NULL);
    strcat(place, between);
    strcat(place, value);
    return 1;
}

static int take_setting(struct parsing *p, const char *key, const char *value)
{
    size_t i = 0;
    while (i < SETTING_COUNT && strcmp(settings[i].key, key) != 0)
        i++;
    if (i == SETTING_COUNT)
        return ini_reader_fail(&p->reader, "unknown setting", key,
                               "title, needs, command, config, ready, stop or routes");
    const struct setting *s = &settings[i];
    if (p->seen[i] && !p->reader.indented)
        return ini_reader_fail(&p->reader, "set twice:", key, NULL);
    if (!p->seen[i])
        *((char *)p->target + s->offset) = '\0'; /* not the default */
    p->seen[i] = true;
    if (s->choices[0] && strcmp(value, s->choices[0]) != 0 && strcmp(value, s->choices[1]) != 0) {
        char wanted[2 * NAME_SIZE];
        snprintf(wanted, sizeof wanted, "%s or %s", s->choices[0], s->choices[1]);
        return ini_reader_fail(&p->reader, key, value, wanted);
    }
    return append(p, s, value);
}

static int take_path(struct parsing *p, const char *ours, const char *its)
{
    struct target *t = p->target;
    if (*ours != '/' || *its != '/')
        return ini_reader_fail(&p->reader, "not a path:", *ours != '/' ? ours : its,
                               "/PATH = /PATH");
    if (t->path_count == PATHS_LIMIT || strlen(ours) >= sizeof t->paths[0].ours ||
        strlen(its) >= sizeof t->paths[0].its)
        return ini_reader_fail(&p->reader, "too much for one target:", ours, "less");
    strcpy(t->paths[t->path_count].ours, ours);
    strcpy(t->paths[t->path_count++].its, its);
    return 1;
}

static int take_file(struct parsing *p, const char *name, const char *text)
{
    struct target *t = p->target;
    if (strchr(name, '/') || *name == '.')
        return ini_reader_fail(&p->reader, "not a file's name:", name,
                               "a name in the target's own folder");
    if (t->file_count == FILES_LIMIT || strlen(name) >= sizeof t->files[0].name ||
        strlen(text) >= sizeof t->files[0].text)
        return ini_reader_fail(&p->reader, "too much for one target:", name, "less");
    strcpy(t->files[t->file_count].name, name);
    strcpy(t->files[t->file_count++].text, text);
    return 1;
}

static int take(void *arg, const char *section, const char *key, const char *value)
{
    struct parsing *p = arg;
    if (strcmp(section, "paths") == 0)
        return take_path(p, key, value);
    if (strcmp(section, "files") == 0)
        return take_file(p, key, value);
    if (*section)
        return ini_reader_fail(&p->reader, "unknown section", section, "paths or files");
    return take_setting(p, key, value);
}

/* --- a target as a whole ---------------------------------------------------------------------- */

/* A configuration may have braces of its own; a command that does is most likely misspelt. */
static int check_command(const struct target *t, const char *file, struct error *error)
{
    enum placeholder which;
    for (const char *at = t->command; *at; at++) {
        size_t length = placeholder_at(at, &which);
        if (length > 0 && which == PLACEHOLDER_COUNT)
            return error_set(
                error,
                "%s: command: unknown placeholder %.*s; expected: {port}, {address}, "
                "{folder}, {here}, {config}, {root}, {cpus}, {workers}, {bin}, {program} or "
                "{compute_rate}",
                file, (int)length, at);
    }
    return 0;
}

static int check(const struct target *t, const char *file, struct error *error)
{
    if (!*t->title || !*t->command)
        return error_set(error,
                         "%s: title and command are missing: what is it, and how is it "
                         "started?",
                         file);
    if (check_command(t, file, error) != 0)
        return -1;
    if (strcmp(t->ready, "port") == 0 && !strstr(t->command, "{port}") &&
        !strstr(t->config, "{port}"))
        return error_set(error,
                         "%s: {port} is neither in command nor in config: how does the "
                         "server know where to listen?",
                         file);
    if (*t->config && !strstr(t->command, "{config}"))
        return error_set(error, "%s: there is a config, and no {config} in command", file);
    if (strstr(t->command, "{program}") && (!*t->needs || *t->needs == '/'))
        return error_set(error,
                         "%s: {program} is the first program that it needs, and needs does "
                         "not begin with one",
                         file);
    if (t->path_count == 0 && strcmp(t->routes, "all") != 0)
        return error_set(error, "%s: what does it answer? [paths] is missing", file);
    return 0;
}

int target_parse(struct target *t, const char *file, const char *text, struct error *error)
{
    *t = (struct target){.ready = "port", .stop = "TERM", .routes = "listed"};
    struct parsing p = {.target = t, .reader = {.file = file, .rest = text, .error = error}};
    if (ini_name_of_file(t->name, sizeof t->name, file, "target", error) != 0 ||
        ini_reader_parse(&p.reader, take, &p) != 0)
        return -1;
    return check(t, file, error);
}

static int find_folder(struct target *t, const char *file, struct error *error)
{
    const char *slash = strrchr(file, '/');
    struct path absolute;
    if (!realpath(slash ? path_of("%.*s", (int)(slash - file), file).text : ".", absolute.text) ||
        strlen(absolute.text) >= sizeof t->here)
        return error_set(error, "%s: the path of its folder is too long", file);
    strcpy(t->here, absolute.text);
    return 0;
}

int target_read(struct target *t, const char *file, struct error *error)
{
    char *text = file_read(file, NULL);
    if (!text)
        return error_set(error, "cannot read %s: %s", file, strerror(errno));
    int result = target_parse(t, file, text, error);
    free(text);
    return result == 0 ? find_folder(t, file, error) : -1;
}

/* --- is it here ------------------------------------------------------------------------------- */

static bool find_program(const char *name, char *found, size_t size)
{
    const char *path = getenv("PATH");
    char folders[2 * TEXT_SIZE], *rest = folders, *folder;
    snprintf(folders, sizeof folders, "%s:/usr/local/sbin:/usr/sbin:/sbin", path ? path : "");
    while ((folder = strsep(&rest, ":"))) {
        struct path candidate = path_of("%s/%s", folder, name);
        if (*folder && is_program(candidate.text) && strlen(candidate.text) < size) {
            strcpy(found, candidate.text);
            return true;
        }
    }
    return false;
}

bool target_is_installed(const struct target *t, char *program, size_t size, struct error *error)
{
    char needs[TEXT_SIZE], found[TEXT_SIZE] = "", *rest = NULL;
    strcpy(needs, t->needs);
    *program = '\0';
    for (char *one = strtok_r(needs, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        if (*one == '/' ? access(one, R_OK) != 0 : !find_program(one, found, sizeof found)) {
            error_set(error, "%s is not installed", one);
            return false;
        }
        if (one == needs && *one != '/')
            snprintf(program, size, "%s", found);
    }
    return true;
}

/* --- what it answers -------------------------------------------------------------------------- */

/* "/hello" is that path, with any query; "/files/" is all that begins so. */
static bool is_path(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);
    if (strncmp(pattern, path, length) != 0)
        return false;
    return pattern[length - 1] == '/' || path[length] == '\0' || path[length] == '?';
}

bool target_path(const struct target *t, const struct workload *w, char *path, size_t size)
{
    if (strcmp(t->routes, "all") == 0 && *w->backend)
        return false; /* only our own servers are told where it is */
    if (strcmp(t->routes, "all") == 0) {
        snprintf(path, size, "%s", w->path);
        return true;
    }
    for (size_t i = 0; !*w->mix && i < t->path_count; i++)
        if (is_path(t->paths[i].ours, w->path)) {
            snprintf(path, size, "%s%s", t->paths[i].its, w->path + strlen(t->paths[i].ours));
            return true;
        }
    return false;
}

/* --- its folder ------------------------------------------------------------------------------- */

static void put_value(FILE *out, enum placeholder which, const struct target_values *v)
{
    switch (which) {
    case PORT: fputs("{port}", out); break; /* loadgen chooses it */
    case ADDRESS: fputs("127.0.0.1", out); break;
    case FOLDER: fputs(v->folder, out); break;
    case HERE: fputs(v->here, out); break;
    case CONFIG: fprintf(out, "%s/config", v->folder); break;
    case ROOT: fputs(v->root, out); break;
    case CPUS: fputs(v->cpus, out); break;
    case WORKERS: fprintf(out, "%u", v->workers); break;
    case BIN: fputs(v->bin, out); break;
    case PROGRAM: fputs(v->program, out); break;
    case COMPUTE_RATE: fprintf(out, "%.10g", v->compute_rate); break;
    case PLACEHOLDER_COUNT: break;
    }
}

char *target_expand(const char *text, const struct target_values *v)
{
    char *expanded = NULL;
    size_t size;
    FILE *out = open_memstream(&expanded, &size);
    if (!out)
        return NULL;
    while (*text) {
        enum placeholder which;
        size_t length = placeholder_at(text, &which);
        bool known = length > 0 && which < PLACEHOLDER_COUNT;
        if (known)
            put_value(out, which, v);
        else
            fputc(*text, out);
        text += known ? length : 1;
    }
    if (fclose(out) == 0)
        return expanded;
    free(expanded);
    return NULL;
}

/* No file_replace: it waits for the disk, just before a measurement, for a file that will not be
 * there after it. */
static int write_file(const char *path, const char *text, const struct target_values *v,
                      struct error *error)
{
    char *expanded = target_expand(text, v);
    FILE *out = expanded ? fopen(path, "we") : NULL;
    bool written = out && fputs(expanded, out) >= 0;
    if (out)
        written = fclose(out) == 0 && written;
    free(expanded);
    return written ? 0 : error_set(error, "cannot write %s: %s", path, strerror(errno));
}

static int write_files(const struct target *t, const struct target_values *v, struct error *error)
{
    if (folder_remove(v->folder, error) != 0 || folder_ensure(v->folder, error) != 0)
        return -1;
    for (size_t i = 0; i < t->file_count; i++)
        if (write_file(path_of("%s/%s", v->folder, t->files[i].name).text, t->files[i].text, v,
                       error) != 0)
            return -1;
    return *t->config ? write_file(path_of("%s/config.in", v->folder).text, t->config, v, error)
                      : 0;
}

int target_prepare(const struct target *t, const struct target_values *v, struct error *error)
{
    mode_t before = umask(022);
    int result = write_files(t, v, error);
    umask(before);
    return result;
}
