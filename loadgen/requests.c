#include "loadgen/requests.h"

#include "common/units.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path is a row of pieces: text, or a variate. */
enum piece_kind { PIECE_TEXT, PIECE_EXPONENTIAL, PIECE_UNIFORM, PIECE_INTEGER, PIECE_SEQUENCE };

struct piece {
    enum piece_kind kind;
    const char *text;
    size_t length;
    double a, b; /* the mean; or the two ends */
    bool whole;  /* a number of bytes has no fractions */
};

/* A variate is written with so many characters at most: 1e18 and nine decimals. */
enum { PIECES_MOST = 16, VARIATE_BYTES = 32 };

/* As far as the generator of random numbers reaches in one step, rounded. */
static const double INTEGER_MOST = 1e9;

struct entry {
    double weight;
    char *text; /* "METHOD PATH", as given */
    struct piece pieces[PIECES_MOST];
    size_t piece_count;
    char *before, *after; /* the path: "GET " and " HTTP/1.1\r\n…\r\n\r\n" with the body */
    size_t before_bytes, after_bytes;
    size_t most_bytes;
    struct expectation expectation;
    bool bytes_from_path; /* /work?bytes=: the answer's length stands in the request */
};

struct mix {
    struct entry *entries;
    size_t count;
    double total_weight;
    size_t most_bytes;
    char *body;
    size_t body_bytes;
    struct mix_options options;
};

/* --- paths ------------------------------------------------------------------------------------ */

static bool parse_number(const char *from, const char *to, double *value)
{
    return parse_decimal(from, (size_t)(to - from), value);
}

/* "A:B", the first not above the second. */
static bool parse_range(const char *from, const char *to, struct piece *piece)
{
    const char *colon = memchr(from, ':', (size_t)(to - from));
    return colon && parse_number(from, colon, &piece->a) &&
           parse_number(colon + 1, to, &piece->b) && piece->a <= piece->b;
}

/* "{exp:5}", "{uniform:1:2}", "{integer:1:2}" or "{seq}": from behind the brace to before the
 * closing one. */
static bool parse_variate(const char *from, const char *to, struct piece *piece)
{
    size_t length = (size_t)(to - from);
    if (length == 3 && memcmp(from, "seq", 3) == 0) {
        piece->kind = PIECE_SEQUENCE;
        return true;
    }
    if (length > 4 && memcmp(from, "exp:", 4) == 0) {
        piece->kind = PIECE_EXPONENTIAL;
        return parse_number(from + 4, to, &piece->a);
    }
    if (length > 8 && memcmp(from, "uniform:", 8) == 0) {
        piece->kind = PIECE_UNIFORM;
        return parse_range(from + 8, to, piece);
    }
    if (length > 8 && memcmp(from, "integer:", 8) == 0) {
        piece->kind = PIECE_INTEGER;
        return parse_range(from + 8, to, piece) && piece->a == floor(piece->a) &&
               piece->b == floor(piece->b) && piece->b <= INTEGER_MOST;
    }
    return false;
}

static bool ends_in_bytes(const struct piece *text)
{
    return text->kind == PIECE_TEXT && text->length >= 6 &&
           memcmp(text->text + text->length - 6, "bytes=", 6) == 0;
}

static bool parse_path(struct entry *e, const char *path, char *error, size_t error_size)
{
    if (*path != '/') {
        snprintf(error, error_size, "path %s: expected to begin with /", path);
        return false;
    }
    for (const char *c = path; *c; c++)
        if (*c <= ' ' || *c > '~') {
            snprintf(error, error_size, "path %s: expected printable ASCII without blanks", path);
            return false;
        }
    while (*path) {
        if (e->piece_count == PIECES_MOST) {
            snprintf(error, error_size, "path %s: too many variates", path);
            return false;
        }
        struct piece *piece = &e->pieces[e->piece_count++];
        if (*path != '{') {
            *piece = (struct piece){PIECE_TEXT, .text = path, .length = strcspn(path, "{")};
            path += piece->length;
            continue;
        }
        const char *end = strchr(path, '}');
        if (!end || !parse_variate(path + 1, end, piece)) {
            snprintf(error, error_size,
                     "path %s: expected {exp:M}, {uniform:A:B}, {integer:A:B} or {seq}", path);
            return false;
        }
        piece->whole = e->piece_count > 1 && ends_in_bytes(&piece[-1]);
        path = end + 1;
    }
    return true;
}

/* --- what the suite's own routes answer (its routes are the same in every server) ------------- */

static void expect(struct entry *e, const struct mix *mix, const char *method, const char *path,
                   bool any_body)
{
    e->expectation = (struct expectation){.head = strcmp(method, "HEAD") == 0, .body_bytes = -1};
    if (any_body || e->expectation.head)
        return;
    size_t route = strcspn(path, "?");
    if (route == 6 && memcmp(path, "/hello", route) == 0) {
        e->expectation.body = "Hello, World!";
        e->expectation.body_bytes = 13;
    } else if (route == 5 && memcmp(path, "/echo", route) == 0) {
        e->expectation.body = mix->body;
        e->expectation.body_bytes = (int64_t)mix->body_bytes;
    } else if (route == 5 && memcmp(path, "/work", route) == 0) {
        e->bytes_from_path = true;
    }
}

/* The D of "bytes=D" in a /work request that has been written out; 0 when there is none. */
static int64_t bytes_wanted(const char *path, size_t length)
{
    static const char name[] = "bytes=";
    const char *end = path + length;
    for (const char *at = path; (at = memmem(at, (size_t)(end - at), name, sizeof name - 1)); at++)
        if (at > path && (at[-1] == '?' || at[-1] == '&'))
            return strtoll(at + sizeof name - 1, NULL, 10);
    return 0;
}

/* --- entries ---------------------------------------------------------------------------------- */

static bool is_token(const char *text)
{
    for (; *text; text++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ-", *text))
            return false;
    return true;
}

static bool add_headers(FILE *out, const struct mix_options *o, bool has_body)
{
    bool host_given = false;
    for (char *const *h = o->headers; h && *h; h++)
        host_given |= strncasecmp(*h, "host:", 5) == 0;
    if (!host_given)
        fprintf(out, "Host: %s\r\n", o->host);
    if (o->close)
        fputs("Connection: close\r\n", out);
    else if (o->http_1_0)
        fputs("Connection: keep-alive\r\n", out);
    for (char *const *h = o->headers; h && *h; h++)
        fprintf(out, "%s\r\n", *h);
    if (has_body)
        fprintf(out, "Content-Length: %zu\r\n", o->body_bytes);
    fputs("\r\n", out);
    return !ferror(out);
}

/* Writes the request out, apart from its path; again if it was written before. */
static bool write_out(struct entry *e, const struct mix *mix, const struct mix_options *o,
                      const char *method)
{
    free(e->before);
    free(e->after);
    e->before = e->after = NULL;
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    bool has_body = mix->body && (!reads || !o->file);
    if (asprintf(&e->before, "%s ", method) < 0) {
        e->before = NULL;
        return false;
    }
    e->before_bytes = strlen(e->before);
    FILE *out = open_memstream(&e->after, &e->after_bytes);
    if (!out)
        return false;
    fprintf(out, " HTTP/1.%d\r\n", o->http_1_0 ? 0 : 1);
    add_headers(out, o, has_body);
    if (has_body)
        fwrite(mix->body, 1, mix->body_bytes, out);
    if (fclose(out) != 0)
        return false;
    e->most_bytes = e->before_bytes + e->after_bytes;
    for (size_t i = 0; i < e->piece_count; i++)
        e->most_bytes += e->pieces[i].kind == PIECE_TEXT ? e->pieces[i].length : VARIATE_BYTES;
    return true;
}

static bool add_entry(struct mix *mix, const struct mix_options *o, double weight,
                      const char *method, const char *path, char *error, size_t error_size)
{
    if (!*method || !is_token(method)) {
        snprintf(error, error_size, "method %s: expected capital letters, as in GET", method);
        return false;
    }
    struct entry *entries = realloc(mix->entries, (mix->count + 1) * sizeof *entries);
    if (!entries)
        goto no_memory;
    mix->entries = entries;
    struct entry *e = &entries[mix->count++];
    *e = (struct entry){.weight = weight};
    if (asprintf(&e->text, "%s %s", method, path) < 0) {
        e->text = NULL;
        goto no_memory;
    }
    /* The pieces point into the entry's own copy. */
    if (!parse_path(e, e->text + strlen(method) + 1, error, error_size))
        return false;
    expect(e, mix, method, path, o->any_body);
    if (!write_out(e, mix, o, method))
        goto no_memory;
    mix->total_weight += weight;
    if (e->most_bytes > mix->most_bytes)
        mix->most_bytes = e->most_bytes;
    return true;

no_memory:
    snprintf(error, error_size, "not enough memory for the requests");
    return false;
}

static bool read_mix(struct mix *mix, const struct mix_options *o, char *error, size_t error_size)
{
    FILE *file = fopen(o->file, "re");
    if (!file) {
        snprintf(error, error_size, "cannot read the mix %s: %m", o->file);
        return false;
    }
    char line[4096], inner[512];
    bool ok = true;
    for (unsigned number = 1; ok && fgets(line, sizeof line, file); number++) {
        char *rest = NULL;
        if (!strchr(line, '\n') && !feof(file)) {
            snprintf(error, error_size, "%s:%u: longer than %zu bytes", o->file, number,
                     sizeof line - 2);
            ok = false;
            break;
        }
        char *weight_text = strtok_r(line, " \t\r\n", &rest);
        if (!weight_text || *weight_text == '#')
            continue;
        char *method = strtok_r(NULL, " \t\r\n", &rest), *path = strtok_r(NULL, " \t\r\n", &rest);
        double weight = 0;
        if (!path || strtok_r(NULL, " \t\r\n", &rest) ||
            !parse_decimal(weight_text, strlen(weight_text), &weight) || weight <= 0) {
            snprintf(error, error_size, "%s:%u: expected WEIGHT METHOD PATH", o->file, number);
            ok = false;
        } else if (!add_entry(mix, o, weight, method, path, inner, sizeof inner)) {
            snprintf(error, error_size, "%s:%u: %s", o->file, number, inner);
            ok = false;
        }
    }
    fclose(file);
    if (ok && mix->count == 0) {
        snprintf(error, error_size, "the mix %s holds no request", o->file);
        ok = false;
    }
    return ok;
}

static bool check_headers(const struct mix_options *o, char *error, size_t error_size)
{
    for (char *const *h = o->headers; h && *h; h++) {
        const char *colon = strchr(*h, ':');
        if (!colon || colon == *h || strpbrk(*h, "\r\n")) {
            snprintf(error, error_size, "header %s: expected \"Name: value\"", *h);
            return false;
        }
    }
    return true;
}

struct mix *mix_new(const struct mix_options *o, char *error, size_t error_size)
{
    struct mix *mix = calloc(1, sizeof *mix);
    if (!mix) {
        snprintf(error, error_size, "not enough memory for the requests");
        return NULL;
    }
    mix->options = *o;
    if (o->body) {
        mix->body = malloc(o->body_bytes + 1);
        if (mix->body)
            memcpy(mix->body, o->body, o->body_bytes);
        mix->body_bytes = o->body_bytes;
    }
    bool ok = check_headers(o, error, error_size);
    if (ok)
        ok = o->file ? read_mix(mix, o, error, error_size)
                     : add_entry(mix, o, 1, o->method, o->path, error, error_size);
    if (ok)
        return mix;
    mix_free(mix);
    return NULL;
}

bool mix_set_host(struct mix *mix, const char *host)
{
    mix->options.host = host;
    mix->most_bytes = 0;
    for (size_t i = 0; i < mix->count; i++) {
        struct entry *e = &mix->entries[i];
        char *method = strndup(e->text, strcspn(e->text, " "));
        bool written = method && write_out(e, mix, &mix->options, method);
        free(method);
        if (!written)
            return false;
        if (e->most_bytes > mix->most_bytes)
            mix->most_bytes = e->most_bytes;
    }
    return true;
}

void mix_free(struct mix *mix)
{
    for (size_t i = 0; mix && i < mix->count; i++) {
        free(mix->entries[i].text);
        free(mix->entries[i].before);
        free(mix->entries[i].after);
    }
    if (mix) {
        free(mix->entries);
        free(mix->body);
    }
    free(mix);
}

size_t mix_count(const struct mix *mix)
{
    return mix->count;
}

const char *mix_text(const struct mix *mix, size_t index)
{
    return mix->entries[index].text;
}

size_t mix_most_bytes(const struct mix *mix)
{
    return mix->most_bytes;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static const struct entry *draw_entry(const struct mix *mix, struct random_stream *random)
{
    if (mix->count == 1)
        return mix->entries;
    double at = gsl_rng_uniform(random->rng) * mix->total_weight;
    size_t i = 0;
    while (i + 1 < mix->count && at >= mix->entries[i].weight)
        at -= mix->entries[i++].weight;
    return &mix->entries[i];
}

static char *put_integer(char *at, const struct piece *piece, struct random_stream *random)
{
    unsigned long beyond =
        gsl_rng_uniform_int(random->rng, (unsigned long)(piece->b - piece->a) + 1);
    return at + snprintf(at, VARIATE_BYTES, "%lu", (unsigned long)piece->a + beyond);
}

static char *put_piece(char *at, const struct piece *piece, struct random_stream *random)
{
    double value = 0;
    switch (piece->kind) {
    case PIECE_TEXT: memcpy(at, piece->text, piece->length); return at + piece->length;
    case PIECE_SEQUENCE:
        at += snprintf(at, VARIATE_BYTES, "%llu", (unsigned long long)random->sequence);
        random->sequence += random->stride;
        return at;
    case PIECE_EXPONENTIAL: value = gsl_ran_exponential(random->rng, piece->a); break;
    case PIECE_UNIFORM: value = gsl_ran_flat(random->rng, piece->a, piece->b); break;
    case PIECE_INTEGER: return put_integer(at, piece, random);
    }
    return at + snprintf(at, VARIATE_BYTES, piece->whole ? "%.0f" : "%.3f", value);
}

size_t mix_draw(const struct mix *mix, struct random_stream *random, char *at,
                struct expectation *expectation)
{
    const struct entry *e = draw_entry(mix, random);
    char *start = at;
    memcpy(at, e->before, e->before_bytes);
    at += e->before_bytes;
    char *path = at;
    for (size_t i = 0; i < e->piece_count; i++)
        at = put_piece(at, &e->pieces[i], random);
    *expectation = e->expectation;
    if (e->bytes_from_path)
        expectation->body_bytes = bytes_wanted(path, (size_t)(at - path));
    memcpy(at, e->after, e->after_bytes);
    return (size_t)(at + e->after_bytes - start);
}
