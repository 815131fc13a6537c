/* A histogram as a line of text, and back: HdrHistogram's V2 compressed
 * encoding in base64, which the tools and libraries of that family read
 * ("HISTFAAA…"; unit: nanoseconds, 3 significant digits).
 *
 * A result that carries it can be merged with others years later. Every count
 * comes back as it was; the exact minimum, maximum and sum do not, for the
 * format has no place for them: they are taken from the cells. */
#ifndef COMMON_HISTOGRAM_CODEC_H
#define COMMON_HISTOGRAM_CODEC_H

#include "common/histogram.h"

/* To be freed by the caller; NULL without memory. */
char *histogram_encode(const struct histogram *);

/* Adds what the text holds to `into`. 0, or -1 with nothing added: it is no such text, or its
 * histogram has another precision or unit than ours. */
int histogram_decode(struct histogram *into, const char *text);

#endif
