#include "bench/run/calibrate.h"

#include "bench/base/child.h"
#include "bench/base/files.h"
#include "bench/statistics/estimate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* From a line such as "ready 127.0.0.1:1 model=epoll pid=7 compute_rate=312.5"; NaN: not in it. */
static double rate_in(const char *line)
{
    const char *at = strstr(line, "compute_rate=");
    double rate = at ? strtod(at + strlen("compute_rate="), NULL) : NAN;
    return rate > 0 ? rate : NAN;
}

int calibrate(const char *programs, const char *otherwise, const char *cpus, double *rate,
              struct error *error)
{
    bool blocking = is_program(path_of("%s/server-blocking", programs).text);
    const char *model = blocking ? "blocking" : otherwise;
    enum { STARTS = 3 };
    static const double LIMIT_S = 30;
    struct path program = path_of("%s/server-%s", programs, model);
    double rates[STARTS];
    for (size_t i = 0; i < STARTS; i++) {
        struct outcome o;
        const char *const argv[] = {
            program.text, "--listen", "127.0.0.1:0", *cpus ? "--cpus" : NULL, cpus, NULL};
        const struct child_order child = {.argv = argv, .limit_s = LIMIT_S, .one_line = true};
        int result = child_run(&child, &o, error);
        if (result != 0)
            return -1;
        rates[i] = rate_in(o.output);
        if (o.interrupted)
            error_set(error, "interrupted while calibrating");
        else if (isnan(rates[i]))
            error_set(error, "server-%s gave no compute_rate in its ready line: %s", model,
                      o.messages);
        bool failed = o.interrupted || isnan(rates[i]);
        outcome_free(&o);
        if (failed)
            return -1;
    }
    *rate = estimate_of(rates, STARTS).median;
    return 0;
}
