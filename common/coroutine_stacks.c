/* Stacks are cut from slabs: mappings of some 8 MiB, in which guard page and stack alternate. */
#include "common/coroutine_stacks.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.13; headers may be older than the kernel. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { SLAB_BYTES = 8 << 20 };

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t stride(const struct coroutine_stacks *s)
{
    return page_bytes() + s->bytes;
}

void coroutine_stacks_init(struct coroutine_stacks *s, size_t bytes, size_t warm)
{
    size_t page = page_bytes();
    if (bytes < COROUTINE_STACK_LEAST_BYTES)
        bytes = COROUTINE_STACK_LEAST_BYTES;
    *s = (struct coroutine_stacks){.bytes = (bytes + page - 1) / page * page, .warm_most = warm};
    s->slab_bytes = stride(s) < SLAB_BYTES ? SLAB_BYTES / stride(s) * stride(s) : stride(s);
}

void coroutine_stacks_free(struct coroutine_stacks *s)
{
    for (size_t i = 0; i < s->slab_count; i++)
        munmap(s->slabs[i], s->slab_bytes);
    free(s->slabs);
    free(s->idle);
    *s = (struct coroutine_stacks){0};
}

/* Room for one more slab and for all its stacks, so that giving back never fails. */
static int reserve(struct coroutine_stacks *s)
{
    size_t slabs = s->slab_count + 1;
    void **slab_list = realloc(s->slabs, slabs * sizeof *slab_list);
    if (!slab_list)
        return -1;
    s->slabs = slab_list;
    void **idle = realloc(s->idle, slabs * (s->slab_bytes / stride(s)) * sizeof *idle);
    if (!idle)
        return -1;
    s->idle = idle;
    return 0;
}

/* (qemu's user emulation says yes to any advice, and there is no guard then.) */
static int guard(void *page, size_t bytes)
{
    return madvise(page, bytes, MADV_GUARD_INSTALL) == 0 ? 0 : mprotect(page, bytes, PROT_NONE);
}

static int guard_all(const struct coroutine_stacks *s, char *slab)
{
    for (char *page = slab; page < slab + s->slab_bytes; page += stride(s))
        if (guard(page, page_bytes()) != 0)
            return -1;
    return 0;
}

/* No huge pages: the first touch would take 2 MiB, the guards with it. */
static char *map_slab(const struct coroutine_stacks *s)
{
    char *slab = mmap(NULL, s->slab_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab == MAP_FAILED)
        return NULL;
    madvise(slab, s->slab_bytes, MADV_NOHUGEPAGE);
    if (guard_all(s, slab) == 0)
        return slab;
    munmap(slab, s->slab_bytes);
    return NULL;
}

/* Called when no stack is idle. The slab's highest stack goes out first. */
static int add_slab(struct coroutine_stacks *s)
{
    char *slab = reserve(s) == 0 ? map_slab(s) : NULL;
    if (!slab)
        return -1;
    s->slabs[s->slab_count++] = slab;
    for (char *page = slab; page < slab + s->slab_bytes; page += stride(s))
        s->idle[s->idle_count++] = page + page_bytes();
    s->cold_count = s->idle_count;
    return 0;
}

void *coroutine_stacks_take(struct coroutine_stacks *s)
{
    if (s->idle_count == 0 && add_slab(s) != 0)
        return NULL;
    void *stack = s->idle[--s->idle_count];
    if (s->cold_count > s->idle_count)
        s->cold_count = s->idle_count;
    return stack;
}

void coroutine_stacks_give(struct coroutine_stacks *s, void *stack)
{
    s->idle[s->idle_count++] = stack;
    if (s->idle_count - s->cold_count > s->warm_most)
        madvise(s->idle[s->cold_count++], s->bytes, MADV_DONTNEED);
}
