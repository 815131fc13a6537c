/* Where the running kernel keeps a member of one of its structs.
 *
 * Kernels differ in the layout of task_struct, and each describes its own in
 * /sys/kernel/btf/vmlinux (BTF: Documentation/bpf/btf.rst in the kernel's
 * sources). This reads that description; it knows nothing of what the offsets
 * and ids are used for. */
#ifndef LOADGEN_PROBE_BTF_H
#define LOADGEN_PROBE_BTF_H

#include <stddef.h>
#include <stdint.h>

struct btf {
    char *data; /* the whole file */
    size_t size;
    const char *types, *types_end, *strings;
    size_t strings_size;
};

/* 0, or -1 with errno (ENOENT: the kernel was built without CONFIG_DEBUG_INFO_BTF). */
int btf_load(struct btf *);
void btf_free(struct btf *);

/* Offset in bytes of `member` in `struct name`, looking into unnamed inner
 * structs; -1 when there is no such struct or member, or it is a bit field. */
int btf_member_offset(const struct btf *, const char *name, const char *member);

/* The id of the first type of this kind (BTF_KIND_…) and name; 0 when there is none. */
uint32_t btf_type_id(const struct btf *, uint32_t kind, const char *name);

#endif
