/* /guestbook: a counter, a list and a template, as in zerohttpd's page of that name
 * (S. Hussain, "Linux Applications Performance", 2019), so that the two can be compared. */
#ifndef SERVERS_HANDLER_GUESTBOOK_H
#define SERVERS_HANDLER_GUESTBOOK_H

#include "servers/handler/handler.h"

/* GET counts the visitor and answers with the page; POST with "remark=…" as a form sends it adds
 * the remark before. The commands go to the backend as one query. */
enum handler_need guestbook_begin(const struct handler_config *, struct exchange *,
                                  const struct request *);

#endif
