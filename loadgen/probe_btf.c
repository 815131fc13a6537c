#include "loadgen/probe_btf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INNER_STRUCTS_MAX = 4 }; /* how deep unnamed structs are searched */

static int read_whole(int fd, char *data, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t n = read(fd, data + have, size - have);
        if (n <= 0) {
            if (n == 0)
                errno = EIO;
            return -1;
        }
        have += (size_t)n;
    }
    return 0;
}

/* Sets the bounds that every later look-up relies on. */
static int find_sections(struct btf *b)
{
    struct btf_header h;
    if (b->size < sizeof h)
        return -1;
    memcpy(&h, b->data, sizeof h);
    uint64_t types_end = (uint64_t)h.hdr_len + h.type_off + h.type_len;
    uint64_t strings_end = (uint64_t)h.hdr_len + h.str_off + h.str_len;
    if (h.magic != BTF_MAGIC || types_end > b->size || strings_end > b->size || h.str_len == 0)
        return -1;
    b->types = b->data + h.hdr_len + h.type_off;
    b->types_end = b->data + types_end;
    b->strings = b->data + h.hdr_len + h.str_off;
    b->strings_size = h.str_len;
    return b->strings[b->strings_size - 1] == '\0' ? 0 : -1;
}

int btf_load(struct btf *b)
{
    *b = (struct btf){0};
    int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;

    struct stat about;
    int error = fstat(fd, &about) ? errno : 0;
    if (!error) {
        b->size = (size_t)about.st_size;
        b->data = malloc(b->size);
        error = b->data ? 0 : ENOMEM;
    }
    if (!error && read_whole(fd, b->data, b->size))
        error = errno;
    close(fd);
    if (!error && find_sections(b))
        error = EINVAL;
    if (!error)
        return 0;
    btf_free(b);
    errno = error;
    return -1;
}

void btf_free(struct btf *b)
{
    free(b->data);
    *b = (struct btf){0};
}

static const char *name_of(const struct btf *b, uint32_t offset)
{
    return offset < b->strings_size ? b->strings + offset : "";
}

/* What follows a type's common head depends on its kind; -1: a kind we do not know. */
static long tail_size(const struct btf_type *t)
{
    long count = BTF_INFO_VLEN(t->info);
    switch (BTF_INFO_KIND(t->info)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG: return 4;
    case BTF_KIND_ARRAY: return (long)sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return count * (long)sizeof(struct btf_member);
    case BTF_KIND_ENUM: return count * (long)sizeof(struct btf_enum);
    case BTF_KIND_ENUM64:
    case BTF_KIND_DATASEC: return count * 12;
    case BTF_KIND_FUNC_PROTO: return count * (long)sizeof(struct btf_param);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return 0;
    default: return -1;
    }
}

/* The type after `at`, or NULL at the end or where the description stops making sense. */
static const char *next_type(const struct btf *b, const char *at)
{
    struct btf_type t;
    memcpy(&t, at, sizeof t);
    long tail = tail_size(&t);
    if (tail < 0 || b->types_end - at < (long)sizeof t + tail)
        return NULL;
    at += (long)sizeof t + tail;
    return b->types_end - at < (long)sizeof t ? NULL : at;
}

static const char *type_by_id(const struct btf *b, uint32_t id)
{
    const char *at =
        id && b->types_end - b->types >= (long)sizeof(struct btf_type) ? b->types : NULL;
    for (uint32_t i = 1; at && i < id; i++)
        at = next_type(b, at);
    return at;
}

uint32_t btf_type_id(const struct btf *b, uint32_t kind, const char *name)
{
    uint32_t id = 1;
    for (const char *at = type_by_id(b, 1); at; at = next_type(b, at), id++) {
        struct btf_type t;
        memcpy(&t, at, sizeof t);
        if (BTF_INFO_KIND(t.info) == kind && strcmp(name_of(b, t.name_off), name) == 0)
            return id;
    }
    return 0;
}

static bool is_composite(const struct btf_type *t)
{
    return BTF_INFO_KIND(t->info) == BTF_KIND_STRUCT || BTF_INFO_KIND(t->info) == BTF_KIND_UNION;
}

/* Offset in bits of `member` in the struct at `at`, or -1. */
static long find_member(const struct btf *b, const char *at, const char *member, int depth)
{
    struct btf_type t;
    if (!at || depth > INNER_STRUCTS_MAX)
        return -1;
    memcpy(&t, at, sizeof t);
    if (!is_composite(&t) || !next_type(b, at))
        return -1;

    for (uint32_t i = 0; i < BTF_INFO_VLEN(t.info); i++) {
        struct btf_member m;
        memcpy(&m, at + sizeof t + i * sizeof m, sizeof m);
        long bits = m.offset;
        if (BTF_INFO_KFLAG(t.info)) {
            if (BTF_MEMBER_BITFIELD_SIZE(m.offset) != 0)
                continue;
            bits = BTF_MEMBER_BIT_OFFSET(m.offset);
        }
        if (strcmp(name_of(b, m.name_off), member) == 0)
            return bits;
        long inner = m.name_off ? -1 : find_member(b, type_by_id(b, m.type), member, depth + 1);
        if (inner >= 0)
            return bits + inner;
    }
    return -1;
}

int btf_member_offset(const struct btf *b, const char *name, const char *member)
{
    uint32_t id = btf_type_id(b, BTF_KIND_STRUCT, name);
    long bits = find_member(b, type_by_id(b, id), member, 0);
    return bits < 0 || bits % 8 != 0 ? -1 : (int)(bits / 8);
}
