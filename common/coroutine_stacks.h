/* A pool of stacks for coroutines, each with a guard page below it.
 *
 * A stack is address space first: memory is taken page by page as it is first
 * touched. The guard page turns an overflow into SIGSEGV instead of a write
 * into the neighbour. Where the kernel can (MADV_GUARD_INSTALL, Linux 6.13), a
 * guard is a mark in the page table, which leaves the mapping whole; elsewhere
 * it is mprotect, which makes two mappings of every stack, and vm.max_map_count
 * (65,530 by default) then bounds a process to about 32,000 of them.
 *
 * The stack that came back last, whose pages are warm in the caches, goes out
 * first. Beyond a number of warm ones, stacks that lie idle give their pages
 * back to the system, so that memory falls after a peak; their address space
 * stays for the next one.
 *
 * A pool belongs to one thread. Knows nothing of what runs on its stacks. */
#ifndef COMMON_COROUTINE_STACKS_H
#define COMMON_COROUTINE_STACKS_H

#include <stddef.h>

/* Room for a signal's frame (up to 11 KiB with all of AVX-512 and AMX) beside a few calls. */
enum { COROUTINE_STACK_LEAST_BYTES = 16 * 1024 };

struct coroutine_stacks {
    size_t bytes;     /* of each stack, without its guard */
    size_t warm_most; /* idle stacks that keep their pages */
    void **idle;      /* the coldest first; room for every stack there is */
    size_t idle_count, cold_count;
    void **slabs; /* mappings of slab_bytes, cut into stacks */
    size_t slab_count, slab_bytes;
};

/* Stacks of at least `bytes` (rounded up to whole pages and the least there is), of which `warm`
 * keep their pages while they are idle. Takes no memory yet. */
void coroutine_stacks_init(struct coroutine_stacks *, size_t bytes, size_t warm);

/* All stacks go, also those that are still in use. */
void coroutine_stacks_free(struct coroutine_stacks *);

/* The lowest byte of a stack of `bytes` bytes, or NULL with errno: ENOMEM. */
void *coroutine_stacks_take(struct coroutine_stacks *);
void coroutine_stacks_give(struct coroutine_stacks *, void *stack);

#endif
