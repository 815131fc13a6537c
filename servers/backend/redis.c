#include "servers/backend/redis.h"

#include <stdlib.h>
#include <string.h>

/* --- a query ---------------------------------------------------------------------------------- */

int redis_query_add(struct redis_query *q, int count, const char *const *words)
{
    char *command;
    if (q->expected == REDIS_REPLIES_MOST)
        return -1;
    int length = redisFormatCommandArgv(&command, count, (const char **)words, NULL);
    if (length < 0)
        return -1;
    char *commands = realloc(q->commands, q->length + (size_t)length);
    if (commands) {
        memcpy(commands + q->length, command, (size_t)length);
        q->commands = commands;
        q->length += (size_t)length;
        q->expected++;
    }
    redisFreeCommand(command);
    return commands ? 0 : -1;
}

static struct redis_slot *slot(const struct redis *r, size_t number)
{
    return &r->slots[number & (r->capacity - 1)];
}

void redis_query_end(struct redis_query *q)
{
    if (q->state == REDIS_ASKED)
        slot(q->redis, q->number)->query = NULL;
    for (unsigned i = 0; i < q->got; i++)
        freeReplyObject(q->replies[i]);
    free(q->commands);
    *q = (struct redis_query){.state = REDIS_FAILED};
}

void redis_query_give_up(struct redis_query *q)
{
    if (q->state == REDIS_ASKED && q->redis->heard == q->heard_already)
        q->redis->is_stuck = true;
    redis_query_end(q);
}

/* --- the queue -------------------------------------------------------------------------------- */

static bool reserve_slot(struct redis *r)
{
    if (r->next - r->first < r->capacity)
        return true;
    size_t capacity = r->capacity ? r->capacity * 2 : 16;
    struct redis_slot *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t n = r->first; n != r->next; n++)
        slots[n & (capacity - 1)] = *slot(r, n);
    free(r->slots);
    r->slots = slots;
    r->capacity = capacity;
    return true;
}

static bool reserve_output(struct redis *r, size_t more)
{
    if (r->output_capacity - r->output_length >= more)
        return true;
    size_t capacity = r->output_capacity ? r->output_capacity : 1024;
    while (capacity - r->output_length < more)
        capacity *= 2;
    char *output = realloc(r->output, capacity);
    if (!output)
        return false;
    r->output = output;
    r->output_capacity = capacity;
    return true;
}

int redis_ask(struct redis *r, struct redis_query *q)
{
    if (!r->reader && !(r->reader = redisReaderCreate()))
        return -1;
    if (!reserve_slot(r) || !reserve_output(r, q->length))
        return -1;
    memcpy(r->output + r->output_length, q->commands, q->length);
    r->output_length += q->length;
    q->state = REDIS_ASKED;
    q->redis = r;
    q->number = r->next++;
    q->heard_already = r->heard;
    *slot(r, q->number) = (struct redis_slot){q, q->expected};
    return 0;
}

const char *redis_output(const struct redis *r, size_t *length)
{
    *length = r->output_length - r->output_sent;
    return *length ? r->output + r->output_sent : NULL;
}

void redis_sent(struct redis *r, size_t length)
{
    r->output_sent += length;
    if (r->output_sent == r->output_length)
        r->output_sent = r->output_length = 0;
}

/* --- replies ---------------------------------------------------------------------------------- */

static void take(struct redis *r, redisReply *reply)
{
    struct redis_slot *head = slot(r, r->first);
    struct redis_query *q = head->query;
    r->heard++;
    if (q)
        q->replies[q->got++] = reply;
    else
        freeReplyObject(reply);
    if (--head->left > 0)
        return;
    r->first++;
    if (!q)
        return;
    q->state = REDIS_ANSWERED;
    q->done(q); /* may ask again, and may end this query: neither is touched any more */
}

int redis_received(struct redis *r, const char *bytes, size_t length)
{
    /* Without a query there is no reader either: whoever speaks unasked is not Redis. */
    if (!r->reader || redisReaderFeed(r->reader, bytes, length) != REDIS_OK)
        return -1;
    for (;;) {
        void *reply;
        if (redisReaderGetReply(r->reader, &reply) != REDIS_OK)
            return -1;
        if (!reply)
            return 0;
        if (r->first == r->next) {
            freeReplyObject(reply);
            return -1;
        }
        take(r, reply);
    }
}

/* --- its end ---------------------------------------------------------------------------------- */

void redis_fail(struct redis *r)
{
    if (r->reader)
        redisReaderFree(r->reader);
    r->reader = NULL;
    r->output_sent = r->output_length = 0;
    r->is_stuck = false;
    for (size_t end = r->next; r->first != end;) {
        struct redis_query *q = slot(r, r->first++)->query;
        if (!q)
            continue;
        q->state = REDIS_FAILED;
        q->done(q);
    }
}

void redis_free(struct redis *r)
{
    redis_fail(r);
    free(r->slots);
    free(r->output);
    *r = (struct redis){0};
}
