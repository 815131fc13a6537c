/* A pipelined conversation with Redis, without input or output.
 *
 * Queries of many askers stand in one queue. Their commands come out as bytes
 * to send; bytes received go in, are read by hiredis's reader, and each reply
 * is handed to the query whose turn it is: Redis answers in order. Owns no
 * descriptor, reads no clock, knows nothing of who asks. */
#ifndef SERVERS_BACKEND_REDIS_H
#define SERVERS_BACKEND_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REDIS_REPLIES_MOST = 4 };

struct redis;

enum redis_state { REDIS_NOT_ASKED, REDIS_ASKED, REDIS_ANSWERED, REDIS_FAILED };

/* A few commands that are asked as one. It belongs to the asker, who may end it at any time. */
struct redis_query {
    enum redis_state state;
    char *commands; /* as Redis reads them */
    size_t length;
    unsigned expected, got; /* replies */
    redisReply *replies[REDIS_REPLIES_MOST];
    /* Called once, when it is ANSWERED or FAILED. The query may be ended by it. */
    void (*done)(struct redis_query *);
    void *asker;
    /* While it is asked: */
    struct redis *redis;
    size_t number;        /* of its place in the queue */
    size_t heard_already; /* replies that had come before it was asked */
};

/* Adds a command of `count` words. -1: no memory. */
int redis_query_add(struct redis_query *, int count, const char *const *words);

/* Ends it in any state: frees what it holds, and drops the replies that are still to come. */
void redis_query_end(struct redis_query *);

/* As above, because they come too late. */
void redis_query_give_up(struct redis_query *);

struct redis_slot {
    struct redis_query *query; /* NULL: nobody waits for these replies any more */
    unsigned left;
};

/* One conversation. Zero-initialised it is ready. */
struct redis {
    redisReader *reader;
    struct redis_slot *slots; /* a ring: the query with number n is at n modulo capacity */
    size_t capacity, first, next;
    size_t heard;  /* replies so far */
    bool is_stuck; /* a query was given up, and since it was asked there was no reply to any */
    char *output;
    size_t output_length, output_sent, output_capacity;
};

/* Queues the query and its commands. -1: no memory, and nothing is queued. */
int redis_ask(struct redis *, struct redis_query *);

/* What is to be sent next; its length is 0 when there is nothing. */
const char *redis_output(const struct redis *, size_t *length);
void redis_sent(struct redis *, size_t length);

/* Calls `done` of every query whose replies are complete. -1: that is no answer to what was asked,
 * or there is no memory; the conversation cannot go on. */
int redis_received(struct redis *, const char *bytes, size_t length);

/* The conversation is over: fails every query in it. What is asked next begins a new one. */
void redis_fail(struct redis *);

/* As redis_fail, and frees everything. */
void redis_free(struct redis *);

#endif
