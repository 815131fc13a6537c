#include "bench/plan/list.h"

#include <stdio.h>
#include <string.h>

static const char SEPARATORS[] = ", \t";

/* The length of the item at `*at`, which is moved to its begin; 0: there is no further one. */
static size_t next_item(const char **at)
{
    *at += strspn(*at, SEPARATORS);
    return strcspn(*at, SEPARATORS);
}

bool is_listed(const char *list, const char *name)
{
    size_t wanted = strlen(name);
    for (size_t length; (length = next_item(&list)) > 0; list += length)
        if (length == wanted && strncmp(list, name, length) == 0)
            return true;
    return false;
}

int list_verify(const char *list, const char *what, const void *names, size_t stride, size_t count,
                struct error *error)
{
    struct error known = {""};
    size_t known_length = 0;
    for (size_t i = 0; i < count && known_length < sizeof known.text; i++)
        known_length +=
            (size_t)snprintf(known.text + known_length, sizeof known.text - known_length, " %s",
                             (const char *)names + i * stride);
    for (size_t length; (length = next_item(&list)) > 0; list += length) {
        char item[sizeof known.text];
        snprintf(item, sizeof item, "%.*s", (int)length, list);
        if (!is_listed(known.text, item))
            return error_set(error, "--%ss: there is no %s \"%.80s\". There are:%.900s", what, what,
                             item, known.text);
    }
    return 0;
}
