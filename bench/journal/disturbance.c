#include "bench/journal/disturbance.h"

#include "bench/base/json.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

/* Pressure on the CPU is no sign: the server's own threads cause it. */
static const struct threshold {
    const char *path; /* in the result object */
    double most;      /* what is above it disturbs */
    double scale;     /* from the value to what is shown between the two texts */
    int decimals;
    const char *before, *after;
} thresholds[] = {
    {"machine.steal_share", 0.02, 100, 1, "the hypervisor took", " % of the CPUs' time"},
    {"machine.other_cpu_share", 0.10, 100, 0, "other processes used", " % of a CPU"},
    {"machine.throttle_events", 0, 1, 0, "the CPUs were throttled", " times"},
    {"machine.swapped_pages", 0, 1, 0, "swapping moved", " pages"},
    {"machine.pressure.memory_some_share", 0.01, 100, 1, "tasks waited for memory for",
     " % of the time"},
    {"machine.pressure.io_some_share", 0.01, 100, 1, "tasks waited for a disk for",
     " % of the time"},
};

/* Of the CPUs' mean frequency between the window's ends. */
static const double FREQUENCY_CHANGE_MOST = 0.05;

static void add_reason(json_t *reasons, const char *text)
{
    json_array_append_new(reasons, json_string(text));
}

static void judge_frequency(json_t *reasons, const json_t *run)
{
    char text[160];
    double begin = json_number_at(run, "machine.frequency_khz.begin");
    double end = json_number_at(run, "machine.frequency_khz.end");
    if (!(begin > 0 && end > 0 && fabs(end - begin) > FREQUENCY_CHANGE_MOST * begin))
        return;
    snprintf(text, sizeof text, "the CPUs' frequency went from %.0f to %.0f MHz", begin / 1e3,
             end / 1e3);
    add_reason(reasons, text);
}

json_t *disturbance_of(const json_t *run)
{
    json_t *reasons = json_array();
    for (size_t i = 0; reasons && i < sizeof thresholds / sizeof *thresholds; i++) {
        const struct threshold *t = &thresholds[i];
        char text[160];
        double value = json_number_at(run, t->path);
        if (!(value > t->most)) /* NaN is not */
            continue;
        snprintf(text, sizeof text, "%s %.*f%s", t->before, t->decimals, value * t->scale,
                 t->after);
        add_reason(reasons, text);
    }
    if (reasons)
        judge_frequency(reasons, run);
    return reasons;
}

bool is_disturbed(const json_t *line)
{
    return json_array_size(json_at(line, "disturbed")) > 0;
}

const char *first_disturbance(const json_t *line)
{
    return json_string_value(json_array_get(json_at(line, "disturbed"), 0));
}
