#include "common/histogram_codec.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The format, from HdrHistogram's AbstractHistogram.encodeIntoCompressedByteBuffer: a cookie and a
 * length around a zlib stream, in which stand a header and the counts by cell, as zigzag LEB128
 * numbers; a negative one stands for so many zeros. All else is big-endian. */
enum {
    COOKIE_PLAIN = 0x1c849313,
    COOKIE_COMPRESSED = 0x1c849314,
    WRAPPER_BYTES = 8,
    SIGNIFICANT_DIGITS = 3,
    NUMBER_MOST_BYTES = 9, /* of a LEB128 number: eight with 7 bits and one with 8 */
};

struct header {
    uint32_t cookie, payload_bytes, index_offset, significant_digits;
    uint64_t lowest, highest, unit_ratio;
} __attribute__((packed));

static const uint64_t RATIO_ONE = 0x3ff0000000000000; /* the double 1.0 */

/* --- base64 (RFC 4648) ------------------------------------------------------------------------ */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *to_base64(const unsigned char *bytes, size_t size)
{
    char *text = malloc((size + 2) / 3 * 4 + 1), *at = text;
    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        *at++ = digits64[group >> 18];
        *at++ = digits64[group >> 12 & 63];
        *at++ = left > 1 ? digits64[group >> 6 & 63] : '=';
        *at++ = left > 2 ? digits64[group & 63] : '=';
    }
    *at = '\0';
    return text;
}

/* How many bytes it wrote to `bytes`, which has room for 3/4 of the text; -1: not base64. */
static ssize_t from_base64(const char *text, unsigned char *bytes)
{
    size_t size = 0;
    uint32_t group = 0;
    unsigned bits = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(digits64, *text);
        if (!digit)
            return -1;
        group = group << 6 | (uint32_t)(digit - digits64);
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        bytes[size++] = (unsigned char)(group >> bits);
    }
    return (ssize_t)size;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static unsigned char *put_number(unsigned char *at, int64_t number)
{
    uint64_t zigzag = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
    for (int i = 1; i < NUMBER_MOST_BYTES && zigzag > 0x7f; i++, zigzag >>= 7)
        *at++ = (unsigned char)(zigzag | 0x80);
    *at++ = (unsigned char)zigzag;
    return at;
}

/* Past the number, or NULL: it is cut off. */
static const unsigned char *take_number(const unsigned char *at, const unsigned char *end,
                                        int64_t *number)
{
    uint64_t zigzag = 0;
    for (unsigned i = 0; at < end; i++) {
        uint64_t byte = *at++;
        bool last = i + 1 == NUMBER_MOST_BYTES;
        zigzag |= (last ? byte : byte & 0x7f) << 7 * i;
        if (!last && byte & 0x80)
            continue;
        *number = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
        return at;
    }
    return NULL;
}

/* --- the histogram ---------------------------------------------------------------------------- */

static size_t put_counts(const struct histogram *h, unsigned char *at)
{
    const unsigned char *start = at;
    unsigned end = h->count ? histogram_cell(h->max_ns) + 1 : 0;
    for (unsigned i = 0; i < end;) {
        unsigned zeros = 0;
        while (i + zeros < end && h->cells[i + zeros] == 0)
            zeros++;
        at = zeros ? put_number(at, -(int64_t)zeros) : put_number(at, (int64_t)h->cells[i]);
        i += zeros ? zeros : 1;
    }
    return (size_t)(at - start);
}

char *histogram_encode(const struct histogram *h)
{
    size_t cells = h->count ? histogram_cell(h->max_ns) + 1 : 0;
    unsigned char *plain = malloc(sizeof(struct header) + cells * NUMBER_MOST_BYTES);
    unsigned char *packed = NULL;
    char *text = NULL;
    if (!plain)
        return NULL;
    size_t payload_bytes = put_counts(h, plain + sizeof(struct header));
    const struct header header = {
        .cookie = htobe32(COOKIE_PLAIN),
        .payload_bytes = htobe32((uint32_t)payload_bytes),
        .significant_digits = htobe32(SIGNIFICANT_DIGITS),
        .lowest = htobe64(1),
        .highest = htobe64((UINT64_C(1) << HISTOGRAM_MOST_BITS) - 1),
        .unit_ratio = htobe64(RATIO_ONE),
    };
    memcpy(plain, &header, sizeof header);

    uLong plain_bytes = sizeof header + payload_bytes;
    uLongf packed_bytes = compressBound(plain_bytes);
    packed = malloc(WRAPPER_BYTES + packed_bytes);
    if (packed && compress(packed + WRAPPER_BYTES, &packed_bytes, plain, plain_bytes) == Z_OK) {
        const uint32_t wrapper[] = {htobe32(COOKIE_COMPRESSED), htobe32((uint32_t)packed_bytes)};
        memcpy(packed, wrapper, sizeof wrapper);
        text = to_base64(packed, WRAPPER_BYTES + packed_bytes);
    }
    free(packed);
    free(plain);
    return text;
}

/* Fills `h`, which is empty. */
static int take_counts(struct histogram *h, const unsigned char *at, const unsigned char *end)
{
    uint64_t cell = 0;
    while (at < end) {
        int64_t number;
        at = take_number(at, end, &number);
        if (!at)
            return -1;
        if (number < 0) {
            cell += (uint64_t)-number;
            continue;
        }
        if (cell >= HISTOGRAM_CELLS)
            return -1;
        histogram_record_cell(h, (unsigned)cell++, (uint64_t)number);
    }
    return 0;
}

static int decode_plain(struct histogram *h, const unsigned char *plain, size_t size)
{
    struct header header;
    if (size < sizeof header)
        return -1;
    memcpy(&header, plain, sizeof header);
    size_t payload_bytes = be32toh(header.payload_bytes);
    if (be32toh(header.cookie) != COOKIE_PLAIN || header.index_offset != 0 ||
        be32toh(header.significant_digits) != SIGNIFICANT_DIGITS || be64toh(header.lowest) > 1 ||
        be64toh(header.unit_ratio) != RATIO_ONE || payload_bytes > size - sizeof header)
        return -1;
    const unsigned char *counts = plain + sizeof header;
    return take_counts(h, counts, counts + payload_bytes);
}

/* Undoes base64 and zlib. To be freed; NULL: it is no such text, or there is no memory. */
static unsigned char *unpack(const char *text, size_t *size)
{
    unsigned char *packed = malloc(strlen(text) / 4 * 3 + 3);
    uLongf plain_bytes = sizeof(struct header) + (uLongf)HISTOGRAM_CELLS * NUMBER_MOST_BYTES;
    unsigned char *plain = malloc(plain_bytes);
    ssize_t packed_bytes = packed && plain ? from_base64(text, packed) : -1;
    uint32_t wrapper[2];
    bool whole = packed_bytes > WRAPPER_BYTES;
    if (whole) {
        memcpy(wrapper, packed, sizeof wrapper);
        whole =
            be32toh(wrapper[0]) == COOKIE_COMPRESSED &&
            be32toh(wrapper[1]) <= (size_t)packed_bytes - WRAPPER_BYTES &&
            uncompress(plain, &plain_bytes, packed + WRAPPER_BYTES, be32toh(wrapper[1])) == Z_OK;
    }
    free(packed);
    *size = plain_bytes;
    if (whole)
        return plain;
    free(plain);
    return NULL;
}

int histogram_decode(struct histogram *into, const char *text)
{
    size_t size;
    unsigned char *plain = unpack(text, &size);
    struct histogram *h = plain ? histogram_new() : NULL;
    int result = h ? decode_plain(h, plain, size) : -1;
    if (result == 0)
        histogram_merge(into, h);
    histogram_free(h);
    free(plain);
    return result;
}
