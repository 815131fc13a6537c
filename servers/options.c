#include "servers/options.h"

#include "common/arguments.h"
#include "common/clock.h"
#include "common/units.h"

#include <limits.h>
#include <string.h>

const char *argp_program_version = "switchpoint " SWITCHPOINT_VERSION;

enum {
    OPTION_BACKLOG = 256,
    OPTION_MAX_CONNECTIONS,
    OPTION_KEEPALIVE_REQUESTS,
    OPTION_IDLE_TIMEOUT,
    OPTION_HEADER_TIMEOUT,
    OPTION_MAX_HEADER,
    OPTION_MAX_HEADER_FIELDS,
    OPTION_MAX_BODY,
    OPTION_ROOT,
    OPTION_REDIS,
    OPTION_BACKEND_TIMEOUT,
    OPTION_DATABASE,
    OPTION_COMPUTE_RATE,
    OPTION_STACK_SIZE,
    OPTION_CPUS,
};

/* What serving needs of a stack, with a library behind the handler, and room to spare. */
enum { STACK_LEAST_BYTES = 64 * 1024 };

static const struct argp_option known[] = {
    {"listen", 'l', "ADDR:PORT", 0, "Listen here; port 0: the kernel chooses (127.0.0.1:8080)", 0},
    {"workers", 'w', "N", 0,
     "Threads, processes or loops, where the model has several (16; loops: one per CPU)", 0},
    {"backlog", OPTION_BACKLOG, "N", 0, "listen(2) backlog (4096)", 0},
    {"max-connections", OPTION_MAX_CONNECTIONS, "N", 0,
     "Beyond it, accepting pauses; 0: as many as there are descriptors (0)", 0},
    {"keepalive-requests", OPTION_KEEPALIVE_REQUESTS, "N", 0,
     "Answers after which a connection is closed; 0: no limit (0)", 0},
    {"idle-timeout", OPTION_IDLE_TIMEOUT, "S", 0,
     "Seconds a connection may be silent, fractions allowed (60)", 0},
    {"header-timeout", OPTION_HEADER_TIMEOUT, "S", 0,
     "Seconds from a header's first byte to its last (10)", 0},
    {"max-header", OPTION_MAX_HEADER, "BYTES", 0,
     "Request line and header fields together; suffix K, M (8K)", 0},
    {"max-header-fields", OPTION_MAX_HEADER_FIELDS, "N", 0, "Header fields in a request (100)", 0},
    {"max-body", OPTION_MAX_BODY, "BYTES", 0, "A request's body; suffix K, M (1M)", 0},
    {"root", OPTION_ROOT, "DIR", 0, "What /files/ serves (nothing: 404)", 0},
    {"redis", OPTION_REDIS, "ADDR:PORT", 0,
     "What /kv and /guestbook ask; or unix:PATH (nothing: 503)", 0},
    {"backend-timeout", OPTION_BACKEND_TIMEOUT, "S", 0,
     "Seconds Redis may take to answer, fractions allowed (1)", 0},
    {"database", OPTION_DATABASE, "FILE", 0,
     "What /query reads; created and filled if it does not exist (nothing: 503)", 0},
    {"compute-rate", OPTION_COMPUTE_RATE, "R", 0,
     "Iterations per microsecond of compute (calibrated at start)", 0},
    {"stack-size", OPTION_STACK_SIZE, "BYTES", 0,
     "Stack of each thread or coroutine; suffix K, M (the system's, 64K)", 0},
    {"cpus", OPTION_CPUS, "LIST", 0, "Run on these CPUs only, e.g. 0 or 0,2-3", 0},
    {0},
};

struct parsing {
    struct options *options;
    const struct model *model;
};

/* Refuses an option's value: says which, what was given, what would do. Does not return. */
static void refuse(struct argp_state *state, const char *option, const char *value,
                   const char *expected)
{
    argp_error(state, "--%s %s: expected %s", option, value, expected);
}

static uint64_t bytes(struct argp_state *state, const char *option, const char *value,
                      uint64_t least, uint64_t most)
{
    uint64_t number = 0;
    if (!parse_bytes(value, most, &number) || number < least)
        argp_error(state, "--%s %s: expected from %llu to %llu bytes, as in 64K", option, value,
                   (unsigned long long)least, (unsigned long long)most);
    return number;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    struct options *o = parsing->options;
    switch (key) {
    case 'l': o->listen = value; break;
    case 'w':
        if (!parsing->model->workers)
            argp_error(state, "--workers %s: the model %s has no workers", value,
                       parsing->model->name);
        o->workers = argument_count(state, "--workers", value, 1, 100000);
        break;
    case OPTION_BACKLOG: o->backlog = argument_count(state, "--backlog", value, 1, INT_MAX); break;
    case OPTION_MAX_CONNECTIONS:
        o->max_connections = argument_count(state, "--max-connections", value, 0, SEM_VALUE_MAX);
        break;
    case OPTION_KEEPALIVE_REQUESTS:
        o->keepalive_requests = argument_count(state, "--keepalive-requests", value, 0, UINT_MAX);
        break;
    case OPTION_IDLE_TIMEOUT:
        o->idle_timeout_ns = argument_seconds_ns(state, "--idle-timeout", value, 0.001);
        break;
    case OPTION_HEADER_TIMEOUT:
        o->header_timeout_ns = argument_seconds_ns(state, "--header-timeout", value, 0.001);
        break;
    case OPTION_MAX_HEADER:
        o->max_header_bytes = bytes(state, "max-header", value, 64, 1 << 20);
        break;
    case OPTION_MAX_HEADER_FIELDS:
        o->max_header_fields = argument_count(state, "--max-header-fields", value, 1, 100000);
        break;
    case OPTION_MAX_BODY: o->max_body_bytes = bytes(state, "max-body", value, 0, 1 << 30); break;
    case OPTION_ROOT: o->root = value; break;
    case OPTION_REDIS: {
        const char *why;
        o->has_redis = address_parse_any(value, &o->redis, &why);
        if (!o->has_redis)
            argp_error(state, "--redis %s: %s", value, why);
        break;
    }
    case OPTION_BACKEND_TIMEOUT:
        o->backend_timeout_ns = argument_seconds_ns(state, "--backend-timeout", value, 0.001);
        break;
    case OPTION_DATABASE: o->database = value; break;
    case OPTION_COMPUTE_RATE:
        if (!parse_decimal(value, strlen(value), &o->compute_rate) || o->compute_rate < 0.001 ||
            o->compute_rate > 1e6)
            refuse(state, "compute-rate", value, "iterations per microsecond, 0.001 to 1000000");
        break;
    case OPTION_STACK_SIZE:
        o->stack_bytes = bytes(state, "stack-size", value, STACK_LEAST_BYTES, 1ull << 40);
        break;
    case OPTION_CPUS:
        o->cpus = argument_cpus(state, "--cpus", value);
        o->pinned = true;
        break;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument: %s", value); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void options_parse(int argc, char **argv, const struct model *served, struct options *options)
{
    *options = (struct options){
        .listen = "127.0.0.1:8080",
        .workers = served->workers == WORKER_PER_CPU ? 0 : served->workers,
        .backlog = 4096,
        .idle_timeout_ns = 60 * NS_PER_S,
        .header_timeout_ns = 10 * NS_PER_S,
        .backend_timeout_ns = NS_PER_S,
        .max_header_bytes = 8ull * 1024,
        .max_header_fields = 100,
        .max_body_bytes = 1024ull * 1024,
    };
    struct parsing parsing = {options, served};
    const struct argp_child of_model[] = {{served->options, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = known,
        .parser = parse_option,
        .children = served->options ? of_model : NULL,
        .doc = "An HTTP server that differs from its siblings only in how it waits.\v"
               "Routes: /hello  /work?cpu_us=&wait_ms=&lock_us=&bytes=  /files/NAME  POST /echo\n"
               "  /kv?key=  /guestbook  /query?key=&sleep_ms=",
    };
    argp_parse(&argp, argc, argv, 0, NULL, &parsing);
}
