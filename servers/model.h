/* What a concurrency model is: a name, and a way to run a server.
 *
 * Every file in servers/models/ defines `model`; linked with everything else in
 * servers/ it is one server binary. A model accepts clients and waits for what
 * their connections wait for, in its own way. It does nothing else. */
#ifndef SERVERS_MODEL_H
#define SERVERS_MODEL_H

#include "common/address.h"
#include "servers/http/connection.h"

#include <argp.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct server {
    const char *name; /* for messages: "server-epoll" */
    int listen_fd;
    int root_fd; /* what /files/ serves; -1: nothing */
    unsigned workers;
    unsigned backlog;
    unsigned max_connections;    /* 0: as many as there are descriptors */
    size_t stack_bytes;          /* of each thread; 0: the system's default */
    const struct address *redis; /* the backend; NULL: none */
    struct connection_config http;
    pthread_mutex_t *lock; /* the server-wide lock of INTEREST_LOCK; see lock.h */
    sem_t *free_places;    /* counts down from max_connections; NULL: no limit */
    atomic_uint clients;   /* of this process: accepted and not yet closed */
    const char *ready_line;
    atomic_bool said_short; /* that it ran short of descriptors or memory */
};

struct model {
    const char *name;           /* as in the ready line: "thread-pool" */
    unsigned workers;           /* unless --workers says it; 0: the model has none */
    bool listens_apart;         /* each worker has a listening socket of its own */
    const struct argp *options; /* further ones of its own; NULL: none */
    /* Serves until stop_requested. The exit status: 0, 1 where something failed, EX_UNAVAILABLE
     * where the system does not have what the model needs; said on standard error. */
    int (*run)(struct server *);
};

/* As many workers as the server may run on CPUs. */
enum { WORKER_PER_CPU = INT_MAX };

extern const struct model model;

/* Says on standard output that the server can serve. A model calls it once its threads exist. */
void server_ready(const struct server *);

#endif
