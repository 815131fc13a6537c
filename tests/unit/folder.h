/* A folder of a test's own, as cmocka's set-up and tear-down want it: *state is its path. */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

#include "bench/base/files.h"

#include <stdlib.h>
#include <string.h>

static inline int make_folder(void **state)
{
    char template[] = "/tmp/switchpoint_test.XXXXXX";
    *state = mkdtemp(template) ? strdup(template) : NULL;
    return *state ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    struct error unused;
    folder_remove(*state, &unused);
    free(*state);
    return 0;
}

#endif
