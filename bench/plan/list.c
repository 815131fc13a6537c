#include "bench/plan/list.h"

#include <stdio.h>
#include <string.h>

bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

int list_verify(const char *list, const char *what, const void *names, size_t stride, size_t count,
                struct error *error)
{
    const char *at = names;
    struct error known = {""};
    size_t known_length = 0;
    for (size_t i = 0; i < count; i++) {
        known_length += (size_t)snprintf(known.text + known_length,
                                         sizeof known.text - known_length, " %s", at + i * stride);
        if (known_length >= sizeof known.text)
            known_length = sizeof known.text - 1;
    }
    for (const char *item = list; *item; item += *item == ',') {
        size_t length = strcspn(item, ","), i = 0;
        while (i < count &&
               (strncmp(at + i * stride, item, length) != 0 || at[i * stride + length]))
            i++;
        if (i == count)
            return error_set(error, "--%ss: there is no %s \"%.*s\". There are:%.900s", what, what,
                             (int)length, item, known.text);
        item += length;
    }
    return 0;
}
