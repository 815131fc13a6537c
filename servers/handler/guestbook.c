#include "servers/handler/guestbook.h"

#include "servers/handler/parameters.h"
#include "servers/handler/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISITORS "guestbook:visitors"
#define REMARKS "guestbook:remarks"

/* The page shows the newest ones; older ones are dropped. */
#define OLDEST_SHOWN "-20"

enum { REMARK_MAX_BYTES = 512 };

static const char page_start[] = "<!DOCTYPE html>\n"
                                 "<html lang=\"en\">\n"
                                 "<head><title>Guestbook</title></head>\n"
                                 "<body>\n"
                                 "<h1>Guestbook</h1>\n"
                                 "<p>You are visitor number <b>%lld</b>.</p>\n"
                                 "<ul>\n";
static const char page_end[] = "</ul>\n"
                               "<form method=\"post\" action=\"/guestbook\">\n"
                               "<input name=\"remark\" maxlength=\"500\" required>\n"
                               "<button>Leave a remark</button>\n"
                               "</form>\n"
                               "</body>\n"
                               "</html>\n";

/* --- the page --------------------------------------------------------------------------------- */

static void put_escaped(FILE *page, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        switch (text[i]) {
        case '&': fputs("&amp;", page); break;
        case '<': fputs("&lt;", page); break;
        case '>': fputs("&gt;", page); break;
        case '"': fputs("&quot;", page); break;
        case '\'': fputs("&#39;", page); break;
        default: putc_unlocked(text[i], page);
        }
}

static void put_page(FILE *page, long long visitor, const redisReply *remarks)
{
    fprintf(page, page_start, visitor);
    for (size_t i = 0; i < remarks->elements; i++) {
        const redisReply *remark = remarks->element[i];
        if (remark->type != REDIS_REPLY_STRING)
            continue;
        fputs("<li>", page);
        put_escaped(page, remark->str, remark->len);
        fputs("</li>\n", page);
    }
    fputs(page_end, page);
}

/* The last two replies are the counter and the list, whatever came before. */
static enum handler_need guestbook_answered(struct exchange *x)
{
    const redisReply *visitor = x->query->replies[x->query->got - 2];
    const redisReply *remarks = x->query->replies[x->query->got - 1];
    if (visitor->type != REDIS_REPLY_INTEGER || remarks->type != REDIS_REPLY_ARRAY)
        return respond_unavailable(x, "the backend has no guestbook\n");
    size_t length = 0;
    FILE *page = open_memstream(&x->owned_body, &length);
    if (!page)
        return respond_unavailable(x, status_reason(503));
    put_page(page, visitor->integer, remarks);
    if (fclose(page) != 0)
        return respond_unavailable(x, status_reason(503));
    x->response.status = 200;
    x->response.content_type = "text/html; charset=utf-8";
    x->response.source = BODY_TEXT;
    x->response.body = x->owned_body;
    x->response.body_bytes = length;
    return HANDLER_DONE;
}

/* --- the query -------------------------------------------------------------------------------- */

static bool add_remark(struct exchange *x, const char *remark)
{
    return add_command(x, 3, (const char *[]){"RPUSH", REMARKS, remark}) &&
           add_command(x, 4, (const char *[]){"LTRIM", REMARKS, OLDEST_SHOWN, "-1"});
}

static bool add_visit(struct exchange *x)
{
    return add_command(x, 2, (const char *[]){"INCR", VISITORS}) &&
           add_command(x, 4, (const char *[]){"LRANGE", REMARKS, OLDEST_SHOWN, "-1"});
}

/* The remark in a form's body. false: there is none, or not one alone, or it is too long. */
static bool read_remark(const struct request *request, char remark[REMARK_MAX_BYTES])
{
    static const char name[] = "remark=";
    size_t length = request->body_length;
    if (length < sizeof name || memcmp(request->body, name, sizeof name - 1) != 0)
        return false;
    const char *value = request->body + sizeof name - 1;
    length -= sizeof name - 1;
    return !memchr(value, '&', length) && form_decode(value, length, remark, REMARK_MAX_BYTES);
}

enum handler_need guestbook_begin(const struct handler_config *config, struct exchange *x,
                                  const struct request *request)
{
    char remark[REMARK_MAX_BYTES];
    bool leaves_remark = request->method == REQUEST_POST;
    if (leaves_remark && !read_remark(request, remark))
        return respond(x, 400, "bad parameter remark: expected remark=TEXT, up to 511 bytes\n");
    if (!config->has_backend)
        return respond_unavailable(x, "there is no backend: the server has no --redis\n");
    if ((leaves_remark && !add_remark(x, remark)) || !add_visit(x))
        return respond_unavailable(x, status_reason(503));
    x->answered = guestbook_answered;
    return HANDLER_BACKEND;
}
