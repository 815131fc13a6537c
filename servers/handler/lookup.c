#include "servers/handler/lookup.h"

#include "servers/backend/database.h"
#include "servers/handler/parameters.h"
#include "servers/handler/respond.h"

static enum handler_need respond_value(struct exchange *x, const char *value, size_t length)
{
    x->response.status = 200;
    x->response.source = BODY_TEXT;
    x->response.body = value;
    x->response.body_bytes = length;
    return HANDLER_DONE;
}

static enum handler_need kv_answered(struct exchange *x)
{
    const redisReply *value = x->query->replies[0];
    if (value->type == REDIS_REPLY_NIL)
        return respond(x, 404, "no such key\n");
    if (value->type != REDIS_REPLY_STRING)
        return respond_unavailable(x, "the backend has no value there\n");
    return respond_value(x, value->str, value->len);
}

enum handler_need kv_begin(const struct handler_config *config, struct exchange *x,
                           const char *query, size_t length)
{
    char key[KEY_MAX_BYTES];
    if (lookup_parse(query, length, key, NULL, x->text, sizeof x->text) < 0)
        return respond(x, 400, x->text);
    if (!config->has_backend)
        return respond_unavailable(x, "there is no backend: the server has no --redis\n");
    if (!add_command(x, 2, (const char *[]){"GET", key}))
        return respond_unavailable(x, status_reason(503));
    x->answered = kv_answered;
    return HANDLER_BACKEND;
}

enum handler_need query_answer(const struct handler_config *config, struct exchange *x,
                               const char *query, size_t length)
{
    char key[KEY_MAX_BYTES];
    double sleep_ms;
    if (lookup_parse(query, length, key, &sleep_ms, x->text, sizeof x->text) < 0)
        return respond(x, 400, x->text);
    if (!config->database)
        return respond_unavailable(x, "there is no database: the server has no --database\n");
    size_t value_length;
    switch (database_read(config->database, key, sleep_ms, &x->owned_body, &value_length)) {
    case DATABASE_FOUND: return respond_value(x, x->owned_body, value_length);
    case DATABASE_MISSING: return respond(x, 404, "no such key\n");
    case DATABASE_FAILED: break;
    }
    return respond_unavailable(x, "the database cannot be read\n");
}
