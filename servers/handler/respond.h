/* What the routes share that make a response. */
#ifndef SERVERS_HANDLER_RESPOND_H
#define SERVERS_HANDLER_RESPOND_H

#include "servers/handler/handler.h"

/* A text, which must live as long as the exchange. */
enum handler_need respond(struct exchange *, unsigned status, const char *text);

/* 503, and that it may be otherwise a second later. */
enum handler_need respond_unavailable(struct exchange *, const char *text);

/* Adds a command of `count` words to what the backend is asked. false: no memory. */
bool add_command(struct exchange *, int count, const char *const *words);

#endif
