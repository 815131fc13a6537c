/* libFuzzer against the parser of answers: a server that says anything, in pieces of any size.
 *
 * The first byte chooses what is expected, the second the size of the pieces; the rest is what
 * the server sends before it closes. However it is cut, the answers found must be the same. */
#include "loadgen/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWERS_MOST = 64 };

/* All that a caller can see of one answer. */
struct answer {
    unsigned status;
    bool body_wrong, keep_alive;
    uint64_t body_bytes;
};

struct course {
    struct answer answers[ANSWERS_MOST];
    size_t count;
    bool broken;
};

static void require(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static void note(struct course *course, const struct response_parser *p,
                 const struct expectation *e)
{
    require(p->status >= 200 || p->status < 100, "an interim answer is not the answer");
    require(!e->head || p->body_bytes == 0, "an answer to HEAD has no body");
    bool other_length = e->body_bytes >= 0 && p->body_bytes != (uint64_t)e->body_bytes;
    require(!other_length || p->body_wrong, "another length is wrong");
    course->answers[course->count++] =
        (struct answer){p->status, p->body_wrong, p->keep_alive, p->body_bytes};
}

/* As loadgen reads a connection: one answer after the other until it closes or makes no sense. */
static void follow(struct course *course, const struct expectation *e, const uint8_t *bytes,
                   size_t size, size_t piece)
{
    struct response_parser p;
    response_begin(&p);
    while (size > 0 && course->count < ANSWERS_MOST - 1) {
        size_t length = size < piece ? size : piece, used = SIZE_MAX;
        char *copy = malloc(length); /* of its exact size: reading beyond it is noticed */
        memcpy(copy, bytes, length);
        enum response_state state = response_feed(&p, e, copy, length, &used);
        free(copy);
        if (state == RESPONSE_BROKEN) {
            course->broken = true;
            return;
        }
        require(used <= length, "no more is used than was given");
        require(used > 0, "something is used");
        require(state == RESPONSE_COMPLETE || used == length, "an incomplete answer takes all");
        bytes += used;
        size -= used;
        if (state != RESPONSE_COMPLETE)
            continue;
        note(course, &p, e);
        if (!p.keep_alive)
            return;
    }
    if (response_ended(&p, e) == RESPONSE_COMPLETE) {
        require(!p.keep_alive, "what ends with the connection does not keep it");
        note(course, &p, e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct expectation expectations[] = {
        {.body_bytes = -1},
        {.body = "Hello, World!", .body_bytes = 13},
        {.body_bytes = 5},
        {.body_bytes = 0},
        {.head = true, .body_bytes = -1},
    };
    if (size < 2)
        return 0;
    const struct expectation *e = &expectations[data[0] % 5];
    struct course whole = {0}, pieces = {0};
    follow(&whole, e, data + 2, size - 2, size);
    follow(&pieces, e, data + 2, size - 2, (size_t)data[1] + 1);
    require(whole.count == pieces.count && whole.broken == pieces.broken,
            "as many answers in pieces as in one");
    for (size_t i = 0; i < whole.count; i++) {
        const struct answer *a = &whole.answers[i], *b = &pieces.answers[i];
        require(a->status == b->status && a->body_wrong == b->body_wrong &&
                    a->keep_alive == b->keep_alive && a->body_bytes == b->body_bytes,
                "the same answer in pieces as in one");
    }
    return 0;
}
