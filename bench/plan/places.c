#include "bench/plan/places.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The order of the lessons, for tables and legends. A model that is not named here follows in
 * alphabetical order, so that a new one needs no line. */
static const char *const preferred[] = {
    "blocking",    "fork",  "prefork",      "thread-per-connection",
    "thread-pool", "epoll", "reactor-pool", "multi-epoll",
    "coroutine",   "uring"};
enum { PREFERRED_COUNT = sizeof preferred / sizeof *preferred };

static struct path own_folder(void)
{
    struct path self = {""};
    ssize_t length = readlink("/proc/self/exe", self.text, sizeof self.text - 1);
    self.text[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self.text, '/');
    if (slash)
        *slash = '\0';
    return self;
}

/* The first of the three places where a folder of data can be. */
static struct path data_folder(const char *programs, const char *name)
{
    struct path candidates[] = {
        path_of("%s", name),
        path_of("%s/../../%s", programs, name),
        path_of("%s/../share/switchpoint/%s", programs, name),
    };
    struct path found = {""}, absolute;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !*found.text; i++)
        if (is_folder(candidates[i].text) && realpath(candidates[i].text, absolute.text))
            found = i == 0 ? candidates[i] : absolute;
    return found;
}

int places_find(struct places *p, const char *programs, const char *workloads, const char *targets,
                struct error *error)
{
    struct path own = own_folder();
    if (programs && !realpath(programs, p->programs.text))
        return error_set(error, "--bin %s: %s", programs, strerror(errno));
    if (!programs)
        p->programs = own;
    p->workloads = workloads ? path_of("%s", workloads) : data_folder(own.text, "workloads");
    p->targets = targets ? path_of("%s", targets) : data_folder(own.text, "targets");
    p->plot_scripts = data_folder(own.text, "scripts/plot");
    if (workloads && !is_folder(workloads))
        return error_set(error, "--workload-dir %s: there is no such folder", workloads);
    if (targets && !is_folder(targets))
        return error_set(error, "--target-dir %s: there is no such folder", targets);
    return 0;
}

static size_t rank(const char *model)
{
    size_t i = 0;
    while (i < PREFERRED_COUNT && strcmp(preferred[i], model) != 0)
        i++;
    return i;
}

static int compare_workloads(const void *a, const void *b)
{
    const struct workload *x = a, *y = b;
    return x->order != y->order ? (x->order < y->order ? -1 : 1) : strcmp(x->name, y->name);
}

static int compare_models(const void *a, const void *b)
{
    size_t rank_a = rank(a), rank_b = rank(b);
    return rank_a != rank_b ? (rank_a < rank_b ? -1 : 1) : strcmp(a, b);
}

/* scandir's filters know only the name; whether it can be run is looked at later. */
static int is_server_name(const struct dirent *entry)
{
    return strncmp(entry->d_name, "server-", 7) == 0 && strlen(entry->d_name) < NAME_SIZE &&
           !strchr(entry->d_name, '.');
}

static int is_conf_name(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

int places_models(const struct places *p, char (**models)[NAME_SIZE], size_t *count,
                  struct error *error)
{
    struct dirent **entries;
    int entry_count = scandir(p->programs.text, &entries, is_server_name, alphasort);
    if (entry_count < 0)
        return error_set(error, "cannot look for servers in %s: %s", p->programs.text,
                         strerror(errno));
    *count = 0;
    *models = calloc((size_t)entry_count + 1, sizeof **models);
    for (int i = 0; *models && i < entry_count; i++) {
        struct path program = path_of("%s/%s", p->programs.text, entries[i]->d_name);
        if (is_program(program.text))
            strcpy((*models)[(*count)++], entries[i]->d_name + 7);
    }
    free_entries(entries, entry_count);
    if (*count > 0) {
        qsort(*models, *count, sizeof **models, compare_models);
        return 0;
    }
    free(*models);
    *models = NULL;
    return error_set(error, "no server-NAME programs in %s: run make, or give --bin DIR",
                     p->programs.text);
}

int places_workloads(const struct places *p, struct workload **workloads, size_t *count,
                     struct error *error)
{
    if (!*p->workloads.text)
        return error_set(error, "no folder workloads here or beside bench: give --workload-dir "
                                "DIR");
    struct dirent **entries;
    int entry_count = scandir(p->workloads.text, &entries, is_conf_name, alphasort);
    if (entry_count < 0)
        return error_set(error, "cannot read %s: %s", p->workloads.text, strerror(errno));
    *count = 0;
    *workloads = calloc((size_t)entry_count + 1, sizeof **workloads);
    int result = *workloads ? 0 : error_set(error, "no memory");
    for (int i = 0; result == 0 && i < entry_count; i++) {
        struct path file = path_of("%s/%s", p->workloads.text, entries[i]->d_name);
        result = workload_read(&(*workloads)[(*count)++], file.text, error);
    }
    free_entries(entries, entry_count);
    if (result == 0)
        qsort(*workloads, *count, sizeof **workloads, compare_workloads);
    if (result == 0 && *count == 0)
        result = error_set(error, "no workloads (*.conf) in %s", p->workloads.text);
    if (result == 0)
        return 0;
    free(*workloads);
    *workloads = NULL;
    return -1;
}

int places_targets(const struct places *p, struct target **targets, size_t *count,
                   struct error *error)
{
    struct dirent **entries = NULL;
    int entry_count =
        *p->targets.text ? scandir(p->targets.text, &entries, is_conf_name, alphasort) : 0;
    if (entry_count < 0)
        return error_set(error, "cannot read %s: %s", p->targets.text, strerror(errno));
    *count = 0;
    *targets = calloc((size_t)entry_count + 1, sizeof **targets);
    int result = *targets ? 0 : error_set(error, "no memory");
    for (int i = 0; result == 0 && i < entry_count; i++) {
        struct path file = path_of("%s/%s", p->targets.text, entries[i]->d_name);
        result = target_read(&(*targets)[(*count)++], file.text, error);
    }
    free_entries(entries, entry_count);
    if (result == 0)
        return 0;
    free(*targets);
    *targets = NULL;
    return -1;
}
