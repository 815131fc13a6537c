/* The switch between two stacks. See coroutine.h for what is saved and what is not.
 *
 * Shadow stacks (CET on x86-64, GCS on AArch64) know nothing of a second stack:
 * a return on it would end the process. The Makefile therefore compiles this
 * file without -fcf-protection, which leaves it without the mark of a file that
 * can live with them; the linker then leaves the mark off the program too, and
 * the kernel keeps shadow stacks off in it. */
#include "common/coroutine_switch.h"

#include <stdint.h>

#ifdef COROUTINE_PORTABLE

/* makecontext hands on nothing but ints: a pointer goes in halves. */
static void enter_by_halves(unsigned enter_high, unsigned enter_low, unsigned c_high,
                            unsigned c_low)
{
    uintptr_t enter = (uintptr_t)((uint64_t)enter_high << 32 | enter_low);
    uintptr_t c = (uintptr_t)((uint64_t)c_high << 32 | c_low);
    ((void (*)(struct coroutine *))enter)((struct coroutine *)c);
}

void coroutine_prepare(struct coroutine *c, char *stack, size_t bytes,
                       void (*enter)(struct coroutine *))
{
    uint64_t function = (uintptr_t)enter, argument = (uintptr_t)c;
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = stack;
    c->context.uc_stack.ss_size = bytes;
    c->context.uc_link = NULL;
    makecontext(&c->context, (void (*)(void))enter_by_halves, 4, (unsigned)(function >> 32),
                (unsigned)function, (unsigned)(argument >> 32), (unsigned)argument);
}

void coroutine_swap(struct coroutine *from, struct coroutine *to)
{
    swapcontext(&from->context, &to->context);
}

#else

/* In assembly below. `from` is where to leave the stack pointer, with the registers beneath. */
void coroutine_swap_stacks(void **from, void *to);
void coroutine_entry(void);

void coroutine_swap(struct coroutine *from, struct coroutine *to)
{
    coroutine_swap_stacks(&from->stack_pointer, to->stack_pointer);
}

/* What a suspended coroutine has at its stack pointer, in the order in which the assembly takes
 * it. The entry finds the function in one register that a call preserves, its argument in
 * another. */
#ifdef __x86_64__

struct saved {
    uint32_t mxcsr, x87_control;
    uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

static struct saved saved_at_start(struct coroutine *c, void (*enter)(struct coroutine *))
{
    uint32_t mxcsr;
    uint16_t x87_control;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87_control));
    /* rbp = 0: debuggers and profilers that follow frame pointers stop here. */
    return (struct saved){.mxcsr = mxcsr,
                          .x87_control = x87_control,
                          .r12 = (uintptr_t)enter,
                          .rbx = (uintptr_t)c,
                          .rip = (uintptr_t)coroutine_entry};
}

/* The 128 bytes below the stack pointer that a leaf function may use (the red zone) are no
 * concern: whoever calls is no leaf. The entry is reached with the stack aligned to 16, as before
 * any call; its CFI says that there is no caller to unwind to. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl coroutine_swap_stacks\n"
        ".hidden coroutine_swap_stacks\n"
        ".type coroutine_swap_stacks, @function\n"
        "coroutine_swap_stacks:\n"
        "    .cfi_startproc\n"
        "    pushq %rbp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset rbp, 0\n"
        "    pushq %rbx\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset rbx, 0\n"
        "    pushq %r12\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r12, 0\n"
        "    pushq %r13\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r13, 0\n"
        "    pushq %r14\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r14, 0\n"
        "    pushq %r15\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset r15, 0\n"
        "    subq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n" /* from here on, the other's */
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    popq %r15\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore r15\n"
        "    popq %r14\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore r14\n"
        "    popq %r13\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore r13\n"
        "    popq %r12\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore r12\n"
        "    popq %rbx\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore rbx\n"
        "    popq %rbp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore rbp\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size coroutine_swap_stacks, . - coroutine_swap_stacks\n"
        ".p2align 4\n"
        ".globl coroutine_entry\n"
        ".hidden coroutine_entry\n"
        ".type coroutine_entry, @function\n"
        "coroutine_entry:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    movq %rbx, %rdi\n"
        "    callq *%r12\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size coroutine_entry, . - coroutine_entry\n");

#else

struct saved {
    uint64_t x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30;
    double d8, d9, d10, d11, d12, d13, d14, d15;
    uint64_t fpcr, unused;
};

static struct saved saved_at_start(struct coroutine *c, void (*enter)(struct coroutine *))
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    /* x29 = 0: debuggers and profilers that follow frame pointers stop here. */
    return (struct saved){.x19 = (uintptr_t)c,
                          .x20 = (uintptr_t)enter,
                          .x30 = (uintptr_t)coroutine_entry,
                          .fpcr = fpcr};
}

/* FPCR is written only where it differs: on many processors, writing it drains the pipeline.
 * `hint #34` is `bti c`: a place that may be called through a pointer. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl coroutine_swap_stacks\n"
        ".hidden coroutine_swap_stacks\n"
        ".type coroutine_swap_stacks, %function\n"
        "coroutine_swap_stacks:\n"
        "    .cfi_startproc\n"
        "    hint #34\n"
        "    sub sp, sp, #176\n"
        "    .cfi_adjust_cfa_offset 176\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    .cfi_rel_offset x19, 0\n"
        "    .cfi_rel_offset x20, 8\n"
        "    .cfi_rel_offset x21, 16\n"
        "    .cfi_rel_offset x22, 24\n"
        "    .cfi_rel_offset x23, 32\n"
        "    .cfi_rel_offset x24, 40\n"
        "    .cfi_rel_offset x25, 48\n"
        "    .cfi_rel_offset x26, 56\n"
        "    .cfi_rel_offset x27, 64\n"
        "    .cfi_rel_offset x28, 72\n"
        "    .cfi_rel_offset x29, 80\n"
        "    .cfi_rel_offset x30, 88\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mrs x9, fpcr\n"
        "    str x9, [sp, #160]\n"
        "    mov x10, sp\n"
        "    str x10, [x0]\n"
        "    mov sp, x1\n" /* from here on, the other's */
        "    ldr x10, [sp, #160]\n"
        "    cmp x9, x10\n"
        "    b.eq 1f\n"
        "    msr fpcr, x10\n"
        "1:  ldp d14, d15, [sp, #144]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    add sp, sp, #176\n"
        "    .cfi_def_cfa_offset 0\n"
        "    .cfi_restore x19\n"
        "    .cfi_restore x20\n"
        "    .cfi_restore x21\n"
        "    .cfi_restore x22\n"
        "    .cfi_restore x23\n"
        "    .cfi_restore x24\n"
        "    .cfi_restore x25\n"
        "    .cfi_restore x26\n"
        "    .cfi_restore x27\n"
        "    .cfi_restore x28\n"
        "    .cfi_restore x29\n"
        "    .cfi_restore x30\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size coroutine_swap_stacks, . - coroutine_swap_stacks\n"
        ".p2align 4\n"
        ".globl coroutine_entry\n"
        ".hidden coroutine_entry\n"
        ".type coroutine_entry, %function\n"
        "coroutine_entry:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined x30\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #1\n"
        "    .cfi_endproc\n"
        ".size coroutine_entry, . - coroutine_entry\n");

#endif

void coroutine_prepare(struct coroutine *c, char *stack, size_t bytes,
                       void (*enter)(struct coroutine *))
{
    size_t beyond_alignment = ((uintptr_t)stack + bytes) % 16;
    struct saved *saved = (struct saved *)(stack + bytes - beyond_alignment - sizeof *saved);
    *saved = saved_at_start(c, enter);
    c->stack_pointer = saved;
}

#endif
