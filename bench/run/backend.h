/* What the servers of some workloads ask in turn, for the length of a run: a private Redis, or a
 * place for a SQLite database.
 *
 * Redis is started before the first cell that needs it, listens on a Unix
 * socket in a temporary folder and nowhere else, keeps nothing on disk, and is
 * filled with what the workloads ask for. It runs on the load generator's CPUs:
 * those of the server are the server's own. It dies with bench, however bench
 * dies. Opens no socket: it talks to Redis through redis-cli. Knows nothing of
 * the servers' options. */
#ifndef BENCH_BACKEND_H
#define BENCH_BACKEND_H

#include "bench/base/child.h"
#include "bench/base/files.h"
#include "bench/plan/plan.h"

struct backend {
    const char *folder;    /* the run's temporary one */
    struct running *redis; /* NULL: nothing has needed it yet */
};

/* Whether any workload of the plan needs one, and so a temporary folder. */
bool backend_is_needed(const struct plan *);

/* Takes the workloads out of the plan whose backend is not installed here, and warns of each. 0, or
 * -1: none is left. */
int backend_leave_out(struct plan *, struct error *);

/* For environment.json: { version, cpus } of the Redis that the plan's workloads need; null: they
 * need none. */
json_t *backend_describe(const struct plan *);

/* Makes ready what the workload needs of it. -1: that failed, or bench was asked to stop. */
int backend_ensure(struct backend *, const struct workload *, const char *cpus, struct error *);

/* Where the servers find it. */
struct path backend_redis_socket(const struct backend *);
struct path backend_database(const struct backend *); /* the servers make and fill it */

/* 0: Redis does not run. */
pid_t backend_redis_pid(const struct backend *);

/* Stops Redis. */
void backend_end(struct backend *);

#endif
