/* Thread pool: a fixed number of threads, each serving one client at a time.
 *
 * The main thread accepts and puts connections into a bounded queue; workers
 * take them out and serve them until they close. Switch points: wherever the
 * kernel decides, and the queue. A client beyond the workers waits in the
 * queue, and when that is full, in the kernel's backlog. */
#include "servers/serve.h"

/* Deep enough for a burst, shallow enough that the backlog still says "full" to the clients. */
enum { QUEUE_PLACES = 256 };

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied;
    int fds[QUEUE_PLACES];
    unsigned head, count;
};

struct pool {
    struct server *server;
    struct queue queue;
};

static void queue_put(struct queue *q, int fd)
{
    pthread_mutex_lock(&q->mutex);
    while (q->count == QUEUE_PLACES)
        pthread_cond_wait(&q->emptied, &q->mutex);
    q->fds[(q->head + q->count++) % QUEUE_PLACES] = fd;
    pthread_mutex_unlock(&q->mutex);
    pthread_cond_signal(&q->filled);
}

static int queue_take(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    while (q->count == 0)
        pthread_cond_wait(&q->filled, &q->mutex);
    int fd = q->fds[q->head];
    q->head = (q->head + 1) % QUEUE_PLACES;
    bool was_full = q->count-- == QUEUE_PLACES;
    pthread_mutex_unlock(&q->mutex);
    if (was_full) /* only then can anyone be waiting for a place */
        pthread_cond_signal(&q->emptied);
    return fd;
}

static void *work(void *argument)
{
    struct pool *pool = argument;
    for (;;)
        serve_client(pool->server, queue_take(&pool->queue));
    return NULL;
}

static int run(struct server *server)
{
    /* Static: a worker may still look at it while the process exits. */
    static struct pool pool = {
        .queue = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                  .filled = PTHREAD_COND_INITIALIZER,
                  .emptied = PTHREAD_COND_INITIALIZER},
    };
    pool.server = server;
    if (start_workers(server, work, &pool) < 0)
        return 1;
    server_ready(server);
    int fd;
    while ((fd = accept_client(server)) >= 0)
        queue_put(&pool.queue, fd);
    wait_for_clients(server);
    return 0;
}

const struct model model = {.name = "thread-pool", .workers = 16, .run = run};
