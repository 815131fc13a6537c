#include "bench/ceiling.h"

#include "bench/json.h"

#include <math.h>

double ceiling_of_run(const json_t *run)
{
    double throughput_rps = json_number_at(run, "throughput_rps");
    double utilisation = json_number_at(run, "generator.cpu_utilisation");
    return utilisation > 0 ? throughput_rps / utilisation : NAN;
}
