#include "servers/http/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void http_date(int64_t unix_s, char text[HTTP_DATE_BYTES])
{
    /* Thousands of answers share a second: each thread formats it once. */
    static _Thread_local int64_t cached_s = -1;
    static _Thread_local char cached[HTTP_DATE_BYTES + 1];

    if (unix_s != cached_s) {
        /* Not strftime: its names of days follow the locale. */
        static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        time_t seconds = (time_t)unix_s;
        struct tm t = {0};
        gmtime_r(&seconds, &t);
        char whole[80];
        snprintf(whole, sizeof whole, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
                 t.tm_mday, months[t.tm_mon], (t.tm_year + 1900) % 10000, t.tm_hour, t.tm_min,
                 t.tm_sec);
        memcpy(cached, whole, HTTP_DATE_BYTES);
        cached_s = unix_s;
    }
    memcpy(text, cached, HTTP_DATE_BYTES);
}
