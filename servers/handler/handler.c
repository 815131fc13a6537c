#include "servers/handler/handler.h"

#include "servers/handler/compute.h"
#include "servers/handler/guestbook.h"
#include "servers/handler/lookup.h"
#include "servers/handler/parameters.h"
#include "servers/handler/respond.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A longer path cannot name anything here. */
enum { PATH_MAX_BYTES = 1024 };

#define LINE "Switchpoint: one handler, one protocol; only the waiting varies\n"
_Static_assert(sizeof LINE - 1 == 64, "a line of the pattern is 64 bytes");
#define TEXT_256 LINE LINE LINE LINE
#define TEXT_1K TEXT_256 TEXT_256 TEXT_256 TEXT_256
#define TEXT_4K TEXT_1K TEXT_1K TEXT_1K TEXT_1K
#define TEXT_16K TEXT_4K TEXT_4K TEXT_4K TEXT_4K
const char handler_pattern[] = TEXT_16K TEXT_16K TEXT_16K TEXT_16K;
_Static_assert(sizeof handler_pattern - 1 == HANDLER_PATTERN_BYTES, "the pattern is 64 KiB");

const char *status_reason(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
    }
}

enum handler_need respond(struct exchange *x, unsigned status, const char *text)
{
    x->response.status = status;
    x->response.source = BODY_TEXT;
    x->response.body = text;
    x->response.body_bytes = strlen(text);
    return HANDLER_DONE;
}

enum handler_need respond_unavailable(struct exchange *x, const char *text)
{
    x->response.retry_after_s = 1;
    return respond(x, 503, text);
}

static void exchange_init(struct exchange *x)
{
    x->response = (struct response){.content_type = "text/plain", .last_modified_s = -1};
    x->wait_ns = 0;
    x->lock_us = 0;
    x->file_name = NULL;
    x->query = NULL;
    x->owned_body = NULL;
}

void handler_error(struct exchange *x, unsigned status)
{
    exchange_init(x);
    respond(x, status, status_reason(status));
}

static enum handler_need refuse_method(struct exchange *x, const char *allow)
{
    x->response.allow = allow;
    return respond(x, 405, status_reason(405));
}

/* --- routes ----------------------------------------------------------------------------------- */

static enum handler_need work(const struct handler_config *config, struct exchange *x,
                              const char *query, size_t length)
{
    struct work wanted;
    if (work_parse(query, length, &wanted, x->text, sizeof x->text) < 0)
        return respond(x, 400, x->text);

    x->response.status = 200;
    x->response.source = BODY_PATTERN;
    x->response.body_bytes = wanted.bytes;
    x->lock_us = wanted.lock_us;
    compute_for(wanted.cpu_us, config->compute_rate);
    x->wait_ns = (uint64_t)(wanted.wait_ms * 1e6);
    if (x->wait_ns > 0)
        return HANDLER_WAIT;
    return wanted.lock_us > 0 ? HANDLER_LOCK : HANDLER_DONE;
}

static enum handler_need file(const struct handler_config *config, struct exchange *x,
                              const char *name)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch): percent_decode ends it with a NUL
     */
    if (!config->has_root || !*name)
        return respond(x, 404, status_reason(404));
    x->file_name = strdup(name);
    if (!x->file_name)
        return respond(x, 503, status_reason(503));
    return HANDLER_FILE;
}

static enum handler_need echo(struct exchange *x, const struct request *request)
{
    x->response.content_type = "application/octet-stream";
    x->response.status = 200;
    x->response.source = BODY_REQUEST;
    x->response.body_bytes = request->body_length;
    return HANDLER_DONE;
}

/* --- the target ------------------------------------------------------------------------------- */

/* RFC 9112, 3.2.2: a server must accept the absolute form too: drop "http://host". */
static void skip_authority(const char **at, size_t *length)
{
    static const char scheme[] = "http://";
    if (*length < sizeof scheme - 1 || strncasecmp(*at, scheme, sizeof scheme - 1) != 0)
        return;
    const char *path = memchr(*at + sizeof scheme - 1, '/', *length - (sizeof scheme - 1));
    *length = path ? *length - (size_t)(path - *at) : 1;
    *at = path ? path : "/";
}

enum handler_need handler_begin(const struct handler_config *config, const struct request *request,
                                struct exchange *x)
{
    exchange_init(x);
    const char *target = request->target;
    size_t length = request->target_length;
    skip_authority(&target, &length);
    const char *query = memchr(target, '?', length);
    size_t path_length = query ? (size_t)(query - target) : length;
    query = query ? query + 1 : target + length;
    size_t query_length = (size_t)(target + length - query);

    char path[PATH_MAX_BYTES];
    if (!percent_decode(target, path_length, path, sizeof path))
        return respond(x, 404, status_reason(404));

    bool reads = request->method == REQUEST_GET || request->method == REQUEST_HEAD;
    if (strcmp(path, "/hello") == 0)
        return reads ? respond(x, 200, "Hello, World!") : refuse_method(x, "GET, HEAD");
    if (strcmp(path, "/work") == 0)
        return reads ? work(config, x, query, query_length) : refuse_method(x, "GET, HEAD");
    if (strncmp(path, "/files/", 7) == 0)
        return reads ? file(config, x, path + 7) : refuse_method(x, "GET, HEAD");
    if (strcmp(path, "/echo") == 0)
        return request->method == REQUEST_POST ? echo(x, request) : refuse_method(x, "POST");
    if (strcmp(path, "/kv") == 0)
        return reads ? kv_begin(config, x, query, query_length) : refuse_method(x, "GET, HEAD");
    if (strcmp(path, "/query") == 0)
        return reads ? query_answer(config, x, query, query_length) : refuse_method(x, "GET, HEAD");
    if (strcmp(path, "/guestbook") == 0)
        return reads || request->method == REQUEST_POST ? guestbook_begin(config, x, request)
                                                        : refuse_method(x, "GET, HEAD, POST");
    return respond(x, 404, status_reason(404));
}

enum handler_need handler_continue(const struct handler_config *config, struct exchange *x)
{
    if (x->wait_ns) {
        x->wait_ns = 0;
        return x->lock_us > 0 ? HANDLER_LOCK : HANDLER_DONE;
    }
    compute_for(x->lock_us, config->compute_rate);
    return HANDLER_DONE;
}

/* --- files ------------------------------------------------------------------------------------ */

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html"},     {".txt", "text/plain"},        {".css", "text/css"},
        {".js", "text/javascript"}, {".json", "application/json"}, {".svg", "image/svg+xml"},
        {".png", "image/png"},      {".jpg", "image/jpeg"},        {".pdf", "application/pdf"},
    };
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* What a client may know of why a file did not open. Whatever lies outside
 * the root does not exist, as far as a client is concerned. */
static unsigned status_of_errno(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM: return 503;
    case EIO: return 500;
    default: return 404;
    }
}

enum handler_need handler_file_opened(struct exchange *x, const struct file_facts *facts)
{
    if (facts->error) {
        unsigned status = status_of_errno(facts->error);
        return respond(x, status, status_reason(status));
    }
    x->response.status = 200;
    x->response.content_type = type_of(x->file_name);
    x->response.last_modified_s = facts->modified_s;
    x->response.source = BODY_FILE;
    x->response.body_bytes = facts->size_bytes;
    return HANDLER_DONE;
}

/* --- the backend ------------------------------------------------------------------------------ */

bool add_command(struct exchange *x, int count, const char *const *words)
{
    if (!x->query)
        x->query = calloc(1, sizeof *x->query);
    return x->query && redis_query_add(x->query, count, words) == 0;
}

static bool is_answered(const struct redis_query *q)
{
    for (unsigned i = 0; i < q->got; i++)
        if (q->replies[i]->type == REDIS_REPLY_ERROR)
            return false;
    return q->state == REDIS_ANSWERED;
}

enum handler_need handler_answered(struct exchange *x)
{
    if (is_answered(x->query))
        return x->answered(x);
    redis_query_give_up(x->query);
    return respond_unavailable(x, "the backend does not answer\n");
}

void exchange_end(struct exchange *x)
{
    free(x->file_name);
    free(x->owned_body);
    if (x->query) {
        redis_query_end(x->query);
        free(x->query);
    }
    x->file_name = x->owned_body = NULL;
    x->query = NULL;
}
