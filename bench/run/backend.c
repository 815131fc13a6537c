#include "bench/run/backend.h"

#include "common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Redis and redis-cli take milliseconds for what is asked of them here. */
static const double LIMIT_S = 30, LOOK_S = 0.01;

/* What the workloads of this suite ask for; SQLite's table has the same keys. */
enum { KEYS = 10000, VALUE_BYTES = 100 };
static const char *const remarks[] = {
    "Nice place.",
    "First!",
    "I was here, and so was my neighbour.",
    "Greetings from the event loop.",
    "One thread, one remark.",
};
enum { REMARKS = sizeof remarks / sizeof *remarks };

/* Of a Unix socket's path (sun_path in unix(7)), without its NUL. */
enum { SOCKET_PATH_MOST = 107 };

/* --- what there is ---------------------------------------------------------------------------- */

struct version {
    char text[NAME_SIZE];
};

/* From "Redis server v=7.0.15 sha=..." or "redis-cli 7.0.15". false: it cannot be run here. */
static bool find_version(const char *program, struct version *version)
{
    const char *const argv[] = {program, "--version", NULL};
    const struct child_order order = {.argv = argv, .limit_s = LIMIT_S};
    struct outcome o;
    struct error unused;
    if (child_run(&order, &o, &unused) != 0)
        return false;
    const char *at = strstr(o.output, "v=");
    at = at ? at + 2 : o.output;
    snprintf(version->text, sizeof version->text, "%.*s", (int)strcspn(at, " \n"), at);
    bool ran = o.exit_code == 0;
    outcome_free(&o);
    return ran;
}

/* An empty one: it is not installed. */
static struct version redis_version(void)
{
    struct version server, client;
    bool there = find_version("redis-cli", &client) && find_version("redis-server", &server);
    return there ? server : (struct version){""};
}

static bool plan_needs(const struct plan *p, const char *backend)
{
    for (size_t i = 0; i < p->workload_count; i++)
        if (workload_needs(&p->workloads[i], backend))
            return true;
    return false;
}

bool backend_is_needed(const struct plan *p)
{
    return plan_needs(p, "redis") || plan_needs(p, "sqlite");
}

int backend_leave_out(struct plan *p, struct error *error)
{
    if (!plan_needs(p, "redis") || *redis_version().text)
        return 0;
    size_t kept = 0;
    for (size_t i = 0; i < p->workload_count; i++) {
        const struct workload *w = &p->workloads[i];
        if (workload_needs(w, "redis"))
            plan_leave_out(p,
                           "the workload %s was not measured: redis-server and redis-cli are not "
                           "installed",
                           w->name);
        else
            memmove(&p->workloads[kept++], w, sizeof *w);
    }
    p->workload_count = kept;
    return kept > 0 ? 0 : error_set(error, "none of the chosen workloads can be measured here");
}

json_t *backend_describe(const struct plan *p)
{
    if (!plan_needs(p, "redis"))
        return json_null();
    return json_pack("{s:s, s:o}", "version", redis_version().text, "cpus",
                     *p->loadgen_cpus ? json_string(p->loadgen_cpus) : json_null());
}

/* --- where it is ------------------------------------------------------------------------------ */

static struct path below(const struct backend *b, const char *name)
{
    return path_of("%s/%s", b->folder, name);
}

struct path backend_redis_socket(const struct backend *b)
{
    return below(b, "redis.socket");
}

struct path backend_database(const struct backend *b)
{
    return below(b, "database.sqlite");
}

/* --- Redis ------------------------------------------------------------------------------------ */

/* What fills it, as redis-cli reads it: a command a line, and at the end the question of what is
 * there. Each value names its key, so that one that went to the wrong request can be told. */
static int write_contents(const char *path, struct error *error)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return error_set(error, "cannot write %s: %s", path, strerror(errno));
    fputs("MSET", out);
    for (unsigned i = 0; i < KEYS; i++) {
        char value[VALUE_BYTES + 1];
        int length = snprintf(value, sizeof value, "key:%u", i);
        memset(value + length, '.', sizeof value - (size_t)length);
        fprintf(out, " key:%u %.*s", i, VALUE_BYTES, value);
    }
    fputs("\nRPUSH guestbook:remarks", out);
    for (size_t i = 0; i < REMARKS; i++)
        fprintf(out, " \"%s\"", remarks[i]);
    fputs("\nSET guestbook:visitors 0\nDBSIZE\n", out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed)
        return error_set(error, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

/* What redis-cli gives for a command, or without one for a file of them, to be freed; -1: it could
 * not be run, or bench was asked to stop. */
static int ask(const struct backend *b, const char *command, const char *input, struct outcome *o,
               struct error *error)
{
    struct path socket = backend_redis_socket(b);
    const char *const argv[] = {"redis-cli", "-s", socket.text, command, NULL};
    const struct child_order order = {.argv = argv, .input = input, .limit_s = LIMIT_S};
    if (child_run(&order, o, error) != 0)
        return -1;
    if (!o->interrupted)
        return 0;
    outcome_free(o);
    return error_set(error, "interrupted while Redis was made ready");
}

static int fill(const struct backend *b, struct error *error)
{
    struct path contents = below(b, "contents");
    struct outcome o;
    char expected[64];
    if (write_contents(contents.text, error) != 0 || ask(b, NULL, contents.text, &o, error) != 0)
        return -1;
    snprintf(expected, sizeof expected, "OK\n%d\nOK\n%d\n", REMARKS, KEYS + 2);
    int result = strcmp(o.output, expected) == 0
                     ? 0
                     : error_set(error, "Redis could not be filled: %s%s", o.output, o.messages);
    outcome_free(&o);
    return result;
}

/* Its last words are in the log, or where it did not understand its options, on standard error. */
static int redis_ended(struct backend *b, struct error *error)
{
    struct outcome o;
    char *log = file_read(below(b, "redis.log").text, NULL);
    if (child_end(b->redis, &o, error) == 0) {
        const char *said = *o.messages || !log ? o.messages : log;
        size_t length = strlen(said);
        enum { TAIL_BYTES = 400 };
        error_set(error, "redis-server has ended: %s",
                  length > TAIL_BYTES ? said + length - TAIL_BYTES : said);
        outcome_free(&o);
    }
    b->redis = NULL;
    free(log);
    return -1;
}

static int await(struct backend *b, struct error *error)
{
    uint64_t deadline_ns = clock_now_ns() + (uint64_t)(LIMIT_S * (double)NS_PER_S);
    while (clock_now_ns() < deadline_ns) {
        struct outcome o;
        if (child_ends_within(b->redis, LOOK_S))
            return redis_ended(b, error);
        if (ask(b, "ping", NULL, &o, error) != 0)
            return -1;
        bool answers = strcmp(o.output, "PONG\n") == 0;
        outcome_free(&o);
        if (answers)
            return 0;
    }
    return error_set(error, "redis-server did not answer within %.0f s", LIMIT_S);
}

/* No port, nothing kept on disk. It writes to a log, since nobody listens to it. */
static int start_redis(struct backend *b, const char *cpus, struct error *error)
{
    struct path socket = backend_redis_socket(b), log = below(b, "redis.log");
    const char *const argv[] = {"redis-server", "--port",      "0",       "--unixsocket",
                                socket.text,    "--save",      "",        "--appendonly",
                                "no",           "--daemonize", "no",      "--logfile",
                                log.text,       "--dir",       b->folder, NULL};
    const struct child_order order = {.argv = argv, .cpus = cpus};
    if (strlen(socket.text) > SOCKET_PATH_MOST)
        return error_set(error, "%s is too long a path for a socket: set TMPDIR to a shorter one",
                         socket.text);
    b->redis = child_start(&order, error);
    return b->redis && await(b, error) == 0 && fill(b, error) == 0 ? 0 : -1;
}

int backend_ensure(struct backend *b, const struct workload *w, const char *cpus,
                   struct error *error)
{
    if (strcmp(w->backend, "redis") != 0)
        return 0;
    if (!b->redis)
        return start_redis(b, cpus, error);
    return child_ends_within(b->redis, 0) ? redis_ended(b, error) : 0;
}

pid_t backend_redis_pid(const struct backend *b)
{
    return b->redis ? child_pid(b->redis) : 0;
}

void backend_end(struct backend *b)
{
    struct outcome o;
    struct error unused;
    if (b->redis && child_end(b->redis, &o, &unused) == 0)
        outcome_free(&o);
    b->redis = NULL;
}
