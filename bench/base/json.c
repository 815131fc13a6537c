#include "bench/base/json.h"

#include <math.h>
#include <string.h>

json_t *json_at(const json_t *object, const char *path)
{
    json_t *at = NULL;
    while (object && *path) {
        char key[64];
        size_t length = strcspn(path, ".");
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        object = at = json_object_get(object, key);
        path += length;
        path += *path == '.';
    }
    return at;
}

double json_number_at(const json_t *object, const char *path)
{
    const json_t *value = json_at(object, path);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

json_t *json_number_of(double number)
{
    if (!isfinite(number))
        return json_null();
    if (number == floor(number) && fabs(number) < 1e15)
        return json_integer((json_int_t)number);
    return json_real(number);
}
