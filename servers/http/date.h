/* HTTP's date format (IMF-fixdate, RFC 9110, 5.6.7). */
#ifndef SERVERS_HTTP_DATE_H
#define SERVERS_HTTP_DATE_H

#include <stdint.h>

enum { HTTP_DATE_BYTES = 29 };

/* Writes "Sun, 06 Nov 1994 08:49:37 GMT", without a final NUL. */
void http_date(int64_t unix_s, char text[HTTP_DATE_BYTES]);

#endif
