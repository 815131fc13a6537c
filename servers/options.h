/* A server's command line: the same in every model. Knows nothing of sockets. */
#ifndef SERVERS_OPTIONS_H
#define SERVERS_OPTIONS_H

#include "common/address.h"
#include "servers/model.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *listen;
    unsigned workers; /* 0: as many as there are CPUs */
    unsigned backlog;
    unsigned max_connections;
    unsigned keepalive_requests;
    uint64_t idle_timeout_ns, header_timeout_ns;
    uint64_t max_header_bytes, max_header_fields, max_body_bytes;
    const char *root; /* NULL: none */
    bool has_redis;
    struct address redis; /* the backend, where there is one */
    uint64_t backend_timeout_ns;
    const char *database; /* NULL: none */
    double compute_rate;  /* iterations per microsecond; 0: to be calibrated */
    uint64_t stack_bytes;
    bool pinned;
    cpu_set_t cpus;
};

/* Exits with 64 and a message that names the option and the value, when one is wrong. */
void options_parse(int argc, char **argv, const struct model *served, struct options *);

#endif
