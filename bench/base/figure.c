#include "bench/base/figure.h"

#include <math.h>
#include <stdio.h>

struct figure figure_of(double value)
{
    struct figure f;
    double size = fabs(value);
    const char *suffix = size >= 999.5e3 ? "M" : size >= 9995 ? "k" : "";
    double shown = *suffix == 'M' ? value / 1e6 : *suffix == 'k' ? value / 1e3 : value;
    double magnitude = fabs(shown);
    int decimals = magnitude >= 99.95 || shown == 0 ? 0 : magnitude >= 9.995 ? 1 : 2;
    if (magnitude > 0 && magnitude < 0.0995)
        snprintf(f.text, sizeof f.text, "%.2g", shown);
    else
        snprintf(f.text, sizeof f.text, "%.*f%s", decimals, shown, suffix);
    return f;
}
