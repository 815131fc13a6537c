/* libFuzzer against the conversation with Redis: a backend that
 * answers anything, and askers who come and leave in any order.
 *
 * The input is a list of steps, each an operation byte and its
 * operands; the bytes of replies stand in it as they are. */
#include "servers/backend/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ASKERS = 8 };

static void require(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

/* Leaves at once, as a client does that got what it wanted. */
static void done(struct redis_query *q)
{
    require(q->state == REDIS_ANSWERED || q->state == REDIS_FAILED, "who is done is done");
    require(q->state == REDIS_FAILED || q->got == q->expected, "an answer is complete");
    redis_query_end(q);
}

static void ask(struct redis *r, struct redis_query *q, unsigned commands)
{
    if (q->state == REDIS_ASKED)
        return;
    redis_query_end(q);
    *q = (struct redis_query){.done = done};
    for (unsigned i = 0; i <= commands % REDIS_REPLIES_MOST; i++)
        redis_query_add(q, 2, (const char *[]){"GET", "key"});
    redis_ask(r, q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis r = {0};
    struct redis_query askers[ASKERS] = {0};
    const uint8_t *end = data + size;
    while (data < end) {
        uint8_t operation = *data++;
        struct redis_query *q = &askers[operation / 8 % ASKERS];
        size_t length = data < end ? *data : 0, left = (size_t)(end - data);
        switch (operation % 8) {
        case 0: redis_query_end(q); break;
        case 1: redis_query_give_up(q); break;
        case 2:
            if (operation >= 0xc0)
                redis_fail(&r);
            else
                redis_sent(&r, redis_output(&r, &length) ? (length + 1) / 2 : 0);
            break;
        case 3:
        case 4: ask(&r, q, operation / 64); break;
        default:
            length = length < left ? length : left;
            if (redis_received(&r, (const char *)data, length) < 0)
                redis_fail(&r);
            data += length;
        }
    }
    redis_free(&r);
    for (int i = 0; i < ASKERS; i++) {
        require(askers[i].state != REDIS_ASKED, "no query outlives its conversation");
        redis_query_end(&askers[i]);
    }
    return 0;
}
