/* Routes that read one value by its key: from Redis, and from the embedded database. */
#ifndef SERVERS_HANDLER_LOOKUP_H
#define SERVERS_HANDLER_LOOKUP_H

#include "servers/handler/handler.h"

/* /kv?key=K: the backend is asked, and others are served meanwhile. */
enum handler_need kv_begin(const struct handler_config *, struct exchange *, const char *query,
                           size_t length);

/* /query?key=K&sleep_ms=T: the database is called, and whoever calls it stands still. */
enum handler_need query_answer(const struct handler_config *, struct exchange *, const char *query,
                               size_t length);

#endif
