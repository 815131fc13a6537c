#include "bench/run/environment.h"

#include "bench/base/child.h"
#include "bench/base/files.h"
#include "bench/base/json.h"

#include <dirent.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<ev.h>)
#include <ev.h>
#endif
#if __has_include(<llhttp.h>)
#include <llhttp.h>
#endif

/* A small file's text without the newline at its end, or null. */
static json_t *text_of_file(const char *path)
{
    char *text = file_read(path, NULL);
    if (!text)
        return json_null();
    text[strcspn(text, "\n")] = '\0';
    json_t *json = json_string(text);
    free(text);
    return json ? json : json_null();
}

/* The value of the first line "KEY : VALUE" of /proc/cpuinfo, or null. */
static json_t *cpu_property(const char *info, const char *key)
{
    const char *at = info ? strstr(info, key) : NULL;
    at = at ? strchr(at, ':') : NULL;
    if (!at)
        return json_null();
    at += 1 + strspn(at + 1, " \t");
    return json_stringn(at, strcspn(at, "\n"));
}

static json_t *describe_cpu(void)
{
    char *info = file_read("/proc/cpuinfo", NULL);
    cpu_set_t allowed;
    bool known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    json_t *cpu = json_object();
    json_object_set_new(cpu, "model", cpu_property(info, "model name"));
    json_object_set_new(cpu, "cores_online", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(cpu, "cores_allowed",
                        known ? json_integer(CPU_COUNT(&allowed)) : json_null());
    json_object_set_new(cpu, "hypervisor",
                        info ? json_boolean(strstr(info, " hypervisor") != NULL) : json_null());
    json_object_set_new(cpu, "governor",
                        text_of_file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
    json_object_set_new(cpu, "turbo_disabled",
                        text_of_file("/sys/devices/system/cpu/intel_pstate/no_turbo"));
    json_object_set_new(cpu, "smt", text_of_file("/sys/devices/system/cpu/smt/control"));
    free(info);
    return cpu;
}

static json_t *describe_mitigations(void)
{
    static const char *const FOLDER = "/sys/devices/system/cpu/vulnerabilities";
    DIR *folder = opendir(FOLDER);
    if (!folder)
        return json_null();
    json_t *mitigations = json_object();
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            json_object_set_new(mitigations, entry->d_name,
                                text_of_file(path_of("%s/%s", FOLDER, entry->d_name).text));
    closedir(folder);
    return mitigations;
}

static json_t *describe_kernel(void)
{
    struct utsname name;
    if (uname(&name) != 0)
        return json_null();
    json_t *kernel = json_pack("{s:s, s:s, s:s}", "release", name.release, "version", name.version,
                               "machine", name.machine);
    json_object_set_new(
        kernel, "clocksource",
        text_of_file("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
    json_object_set_new(kernel, "somaxconn", text_of_file("/proc/sys/net/core/somaxconn"));
    json_object_set_new(kernel, "ip_local_port_range",
                        text_of_file("/proc/sys/net/ipv4/ip_local_port_range"));
    json_object_set_new(kernel, "overcommit_memory",
                        text_of_file("/proc/sys/vm/overcommit_memory"));
    return kernel;
}

static json_t *limit_of(rlim_t limit)
{
    return limit == RLIM_INFINITY ? json_string("unlimited") : json_integer((json_int_t)limit);
}

static json_t *describe_limits(void)
{
    static const struct {
        const char *name;
        __rlimit_resource_t resource;
    } known[] = {{"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"stack_bytes", RLIMIT_STACK}};
    json_t *limits = json_object();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct rlimit limit;
        if (getrlimit(known[i].resource, &limit) != 0)
            continue;
        json_t *both = json_object();
        json_object_set_new(both, "soft", limit_of(limit.rlim_cur));
        json_object_set_new(both, "hard", limit_of(limit.rlim_max));
        json_object_set_new(limits, known[i].name, both);
    }
    json_object_set_new(limits, "threads_max", text_of_file("/proc/sys/kernel/threads-max"));
    json_object_set_new(limits, "max_map_count", text_of_file("/proc/sys/vm/max_map_count"));
    return limits;
}

/* What bench was compiled with and against: the same packages as the servers'. */
static json_t *describe_software(void)
{
    json_t *software = json_pack("{s:s, s:s, s:s, s:s, s:s}", "switchpoint", SWITCHPOINT_VERSION,
                                 "compiler", __VERSION__, "libc", gnu_get_libc_version(), "jansson",
                                 JANSSON_VERSION, "gsl", GSL_VERSION);
#ifdef EV_VERSION_MAJOR
    json_object_set_new(software, "libev",
                        json_sprintf("%d.%d", EV_VERSION_MAJOR, EV_VERSION_MINOR));
#else
    json_object_set_new(software, "libev", json_null());
#endif
#ifdef LLHTTP_VERSION_MAJOR
    json_object_set_new(
        software, "llhttp",
        json_sprintf("%d.%d.%d", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH));
#else
    json_object_set_new(software, "llhttp", json_null());
#endif
    return software;
}

/* What a command wrote, without the newline at its end; NULL: it failed. To be freed. */
static char *output_of(const char *folder, const char *const argv[])
{
    static const double LIMIT_S = 10;
    const struct child_order order = {.argv = argv, .folder = folder, .limit_s = LIMIT_S};
    struct outcome outcome;
    struct error unused;
    if (child_run(&order, &outcome, &unused) != 0)
        return NULL;
    char *text = outcome.exit_code == 0 ? strdup(outcome.output) : NULL;
    outcome_free(&outcome);
    if (text && *text && text[strlen(text) - 1] == '\n')
        text[strlen(text) - 1] = '\0';
    return text;
}

/* An installed bench may stand in somebody's else repository: only our own counts. */
static json_t *describe_commit(const char *programs)
{
    const char *const top_command[] = {"git", "rev-parse", "--show-toplevel", NULL};
    const char *const head_command[] = {"git", "rev-parse", "HEAD", NULL};
    const char *const status_command[] = {"git", "status", "--porcelain", NULL};
    json_t *commit = json_null();
    char *head = NULL, *status = NULL, *top = output_of(programs, top_command);
    if (!top || !is_folder(path_of("%s/servers/models", top).text))
        goto end;
    head = output_of(programs, head_command);
    status = output_of(top, status_command);
    if (head && status)
        commit = json_pack("{s:s, s:b}", "id", head, "dirty", *status != '\0');
end:
    free(top);
    free(head);
    free(status);
    return commit;
}

static json_t *describe_load(void)
{
    double load[3];
    json_t *list = json_array();
    int count = getloadavg(load, 3);
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_real(load[i]));
    return list;
}

static json_t *describe_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return json_pack("{s:I, s:I}", "total_bytes", (json_int_t)pages * page_bytes, "page_bytes",
                     (json_int_t)page_bytes);
}

json_t *environment_describe(const char *programs)
{
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    json_t *e = json_object();
    json_object_set_new(e, "schema", json_string("switchpoint.environment/1"));
    json_object_set_new(e, "date_utc", json_string(now));
    json_object_set_new(e, "load_average_before", describe_load());
    json_object_set_new(e, "commit", describe_commit(programs));
    json_object_set_new(e, "cpu", describe_cpu());
    json_object_set_new(e, "memory", describe_memory());
    json_object_set_new(e, "kernel", describe_kernel());
    json_object_set_new(e, "limits", describe_limits());
    json_object_set_new(e, "mitigations", describe_mitigations());
    json_object_set_new(e, "software", describe_software());
    return e;
}
