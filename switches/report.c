#include "switches/report.h"

#include <jansson.h>
#include <math.h>

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *reason_or_null(const void *result, const struct reason *reason)
{
    return result ? json_null() : json_string(reason->text);
}

static void write_line(const struct report *r, json_t *line)
{
    json_dumpf(line, r->out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fputc('\n', r->out);
    fflush(r->out);
    json_decref(line);
}

static const char *place_of(const struct order *o)
{
    return o->across ? "across" : "same";
}

static const char *io_of(const struct order *o)
{
    return o->io ? "pipe" : "none";
}

static json_t *json_of_passage(const char *kind, unsigned tasks, const struct order *o,
                               const struct passage *p, const struct reason *reason)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:o, s:o, s:o, s:o}", "part", "ring", "kind", kind,
        "cpu", place_of(o), "io", io_of(o), "tasks", (int)tasks, "working_bytes",
        (json_int_t)o->working_bytes, "hops", p ? json_integer((json_int_t)p->hops) : json_null(),
        "ns_per_hop", number(p ? p->ns_per_hop : NAN), "voluntary_per_turn",
        number(p ? p->voluntary_per_turn : NAN), "involuntary_per_turn",
        number(p ? p->involuntary_per_turn : NAN), "reason", reason_or_null(p, reason));
}

static json_t *json_of_footprint(const char *kind, const struct footprint *f,
                                 const struct reason *reason)
{
    json_t *line = json_pack("{s:s, s:s, s:o}", "part", "memory", "kind", kind, "tasks",
                             f ? json_integer(f->most) : json_null());
    json_t *reasons = json_object();
    for (size_t part = 0; part < MEMORY_PARTS; part++) {
        const char *name = memory_sources[part].name;
        json_object_set_new(line, name, number(f ? f->bytes[part] : NAN));
        if (f && *f->reasons[part].text)
            json_object_set_new(reasons, name, json_string(f->reasons[part].text));
    }
    json_object_set_new(line, "reasons", reasons);
    json_object_set_new(line, "reason", reason_or_null(f, reason));
    return line;
}

/* --- a line of either ------------------------------------------------------------------------- */

void report_passage(const struct report *r, const char *kind, unsigned tasks, const struct order *o,
                    const struct passage *p, const struct reason *reason)
{
    if (r->json) {
        write_line(r, json_of_passage(kind, tasks, o, p, reason));
        return;
    }
    fprintf(r->out, "%-10s %-7s io %-5s %6u tasks %7zu bytes touched  ", kind, place_of(o),
            io_of(o), tasks, o->working_bytes);
    if (p)
        fprintf(r->out, "%10.1f ns per hop, switches %.3f voluntary, %.3f involuntary\n",
                p->ns_per_hop, p->voluntary_per_turn, p->involuntary_per_turn);
    else
        fprintf(r->out, "not possible: %s\n", reason->text);
}

void report_lifecycle(const struct report *r, const char *kind, const struct lifecycle *l,
                      const struct reason *reason)
{
    if (r->json)
        write_line(r,
                   json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "part", "lifecycle", "kind", kind,
                             "count", l ? json_integer((json_int_t)l->count) : json_null(),
                             "create_ns", number(l ? l->create_ns : NAN), "whole_ns",
                             number(l ? l->whole_ns : NAN), "reason", reason_or_null(l, reason)));
    else if (l)
        fprintf(r->out, "%-14s created in %.1f ns, created and destroyed in %.1f ns\n", kind,
                l->create_ns, l->whole_ns);
    else
        fprintf(r->out, "%-14s not possible: %s\n", kind, reason->text);
}

void report_footprint(const struct report *r, const char *kind, const struct footprint *f,
                      const struct reason *reason)
{
    if (r->json) {
        write_line(r, json_of_footprint(kind, f, reason));
        return;
    }
    fprintf(r->out, "%-14s ", kind);
    if (!f)
        fprintf(r->out, "not possible: %s", reason->text);
    for (size_t part = 0; f && part < MEMORY_PARTS; part++)
        fprintf(r->out, " %s %.0f", memory_sources[part].name, f->bytes[part]);
    fputc('\n', r->out);
}
