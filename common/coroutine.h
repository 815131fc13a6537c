/* Coroutines: user-space threads that switch where they say so, and nowhere else.
 *
 * A switch is a function call that returns on another stack. That is why it is
 * cheap: the compiler treats it as it treats any call, and has already saved
 * every register that a call may destroy, if it still needs it. Left to save
 * are just those that the calling convention has a callee preserve:
 *
 *   x86-64   rbx rbp r12 r13 r14 r15, rsp, and the control words of SSE (the
 *            control bits of MXCSR) and x87, by the System V ABI: 64 bytes
 *   AArch64  x19 to x29, x30 (where to return to), sp, and the lower halves of
 *            v8 to v15 (d8 to d15), by AAPCS64; FPCR (rounding mode), which
 *            that standard leaves to the program: 176 bytes
 *
 * Not saved, because no call preserves them: the other general registers, all
 * of xmm, ymm, zmm and opmask (x86-64), the other vector registers (AArch64),
 * the flags. Not touched, because a coroutine has none of its own: thread-local
 * storage, signal mask, address space.
 *
 * A switch between threads comes by surprise, so the kernel saves all that the
 * thread could have in use: on x86-64 the 15 general registers with rip, rflags,
 * rsp and the segments on entry (struct pt_regs, 168 bytes); on the kernel stack
 * the six callee-saved registers once more (struct inactive_task_frame); the
 * whole x87, SSE and AVX state by XSAVES (576 bytes to about 2.7 KiB with
 * AVX-512); the bases of FS and GS; between processes also the page tables'
 * root. On AArch64: struct pt_regs with x0 to x30, sp, pc and pstate, 32 vector
 * registers of 16 bytes with FPSR and FPCR (more with SVE), TPIDR. Before that
 * comes the entry into the kernel with its guards against speculation, and the
 * scheduler's choice of whom to run.
 *
 * Compiled with COROUTINE_PORTABLE, or for another machine, the switch is POSIX's
 * swapcontext, which also keeps the signal mask and so makes a system call
 * every time: the same behaviour, at many times the price.
 *
 * Knows nothing of descriptors, loops or servers. */
#ifndef COMMON_COROUTINE_H
#define COMMON_COROUTINE_H

#include "common/sanitizers.h"

#include <stdbool.h>
#include <stddef.h>

#if !defined __x86_64__ && !defined __aarch64__ && !defined COROUTINE_PORTABLE
#define COROUTINE_PORTABLE
#endif
#ifdef COROUTINE_PORTABLE
#include <ucontext.h>
#endif

struct coroutine;
typedef void coroutine_function(struct coroutine *self, void *argument);

/* A place where the program can be: a coroutine, or what its thread did before. Kept by whoever
 * starts it, until it is finished; not to be moved while it is suspended. */
struct coroutine {
#ifdef COROUTINE_PORTABLE
    ucontext_t context;
#else
    void *stack_pointer; /* while suspended: its registers lie there */
#endif
    struct coroutine *resumer; /* where yield and the function's end lead */
    coroutine_function *function;
    void *argument;
    bool finished; /* the function has returned */
#ifdef UNDER_ASAN
    const void *stack_low;
    size_t stack_bytes;
    void *fake_stack;
#endif
#ifdef UNDER_TSAN
    void *fiber;
#endif
#if defined UNDER_ASAN || defined UNDER_TSAN
    struct coroutine *came_from; /* who switched here last */
#endif
};

/* Makes `c` stand for the thread that calls: one is needed in every thread that resumes others. */
void coroutine_of_thread(struct coroutine *c);

/* Makes `c` a coroutine that, when it is first resumed, calls `function` on the stack of `bytes`
 * bytes from `stack` (see coroutine_stacks.h). Nothing runs yet, and nothing can fail. When the
 * function has returned, `c` and its stack may be used again. A suspended coroutine may be
 * dropped just so; what its function holds is then the caller's to free. */
void coroutine_start(struct coroutine *c, void *stack, size_t bytes, coroutine_function *function,
                     void *argument);

/* Suspends `self`, who calls, and goes on with `next`, until somebody switches back to `self`.
 * `next` must be suspended and not finished. A coroutine stays on the thread on which it first
 * ran: compilers keep the addresses of errno and other thread-local variables across calls. */
void coroutine_switch(struct coroutine *self, struct coroutine *next);

/* The same, and makes `self` the one whom `next` comes back to. */
static inline void coroutine_resume(struct coroutine *self, struct coroutine *next)
{
    next->resumer = self;
    coroutine_switch(self, next);
}

/* Back to whoever resumed `self`. */
static inline void coroutine_yield(struct coroutine *self)
{
    coroutine_switch(self, self->resumer);
}

#endif
