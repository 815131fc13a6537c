/* `bench validate`: the instrument against the truth, in a folder of its own. */
#ifndef BENCH_VALIDATE_H
#define BENCH_VALIDATE_H

#include "bench/base/error.h"
#include "bench/base/files.h"
#include "bench/plan/places.h"

#include <stdbool.h>

struct validate_request {
    const char *out;                        /* NULL: results/TIME-validate */
    const char *checks;                     /* "a,b"; NULL: all */
    const char *server_cpus, *loadgen_cpus; /* NULL: the first two CPUs there are */
    bool brief;
};

enum validate_result {
    VALIDATE_PASSED,
    VALIDATE_FAILED,  /* a finding did */
    VALIDATE_REFUSED, /* the request names a check that is not there */
    VALIDATE_BROKEN   /* the checks could not be made */
};

/* Makes the checks, prints each finding as it comes, writes tables and plots into `folder`. */
enum validate_result validate(const struct validate_request *, const struct places *,
                              struct path *folder, struct error *);

#endif
