/* Coroutines: what survives a switch, what becomes of their stacks, and what happens beyond them.
 */
#include "common/coroutine.h"
#include "common/coroutine_stacks.h"

#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { STACK_BYTES = 256 * 1024, PAGE_BYTES = 4096, WARM = 4 };

/* What most tests need: a pool, the thread's own place, and one coroutine. */
struct bench {
    struct coroutine_stacks stacks;
    struct coroutine thread, c;
    void *stack;
};

static void bench_start(struct bench *b, coroutine_function *function, void *argument)
{
    coroutine_stacks_init(&b->stacks, STACK_BYTES, WARM);
    coroutine_of_thread(&b->thread);
    b->stack = coroutine_stacks_take(&b->stacks);
    assert_non_null(b->stack);
    coroutine_start(&b->c, b->stack, b->stacks.bytes, function, argument);
}

/* --- life ------------------------------------------------------------------------------------- */

static void count_to_three(struct coroutine *self, void *argument)
{
    int *count = argument;
    for (*count = 1; *count < 3; ++*count)
        coroutine_yield(self);
}

static void it_goes_on_where_it_yielded_and_finishes(void **state)
{
    (void)state;
    int count = 0;
    struct bench b;
    bench_start(&b, count_to_three, &count);
    assert_int_equal(count, 0);
    for (int expected = 1; expected <= 3; expected++) {
        assert_false(b.c.finished);
        coroutine_resume(&b.thread, &b.c);
        assert_int_equal(count, expected);
    }
    assert_true(b.c.finished);
    coroutine_stacks_free(&b.stacks);
}

static void a_finished_one_can_be_started_again(void **state)
{
    (void)state;
    int count = 0;
    struct bench b;
    bench_start(&b, count_to_three, &count);
    for (int round = 0; round < 3; round++) {
        coroutine_start(&b.c, b.stack, b.stacks.bytes, count_to_three, &count);
        while (!b.c.finished)
            coroutine_resume(&b.thread, &b.c);
        assert_int_equal(count, 3);
    }
    coroutine_stacks_free(&b.stacks);
}

static void a_dropped_one_leaves_a_stack_that_can_be_used(void **state)
{
    (void)state;
    int count = 0;
    struct bench b;
    bench_start(&b, count_to_three, &count);
    coroutine_resume(&b.thread, &b.c);
    coroutine_start(&b.c, b.stack, b.stacks.bytes, count_to_three, &count);
    while (!b.c.finished)
        coroutine_resume(&b.thread, &b.c);
    assert_int_equal(count, 3);
    coroutine_stacks_free(&b.stacks);
}

/* Tasks in a ring, each of which hands on directly to the next. */
struct ring_task {
    struct coroutine c, *next;
    unsigned visits, laps;
};

static void hand_on(struct coroutine *self, void *argument)
{
    struct ring_task *task = argument;
    while (++task->visits <= task->laps)
        coroutine_switch(self, task->next);
}

/* ThreadSanitizer counts coroutines as threads, and has room for 8,128. */
#ifdef UNDER_TSAN
enum { TASKS = 1000 };
#else
enum { TASKS = 5000 };
#endif

static void thousands_hand_on_to_each_other(void **state)
{
    (void)state;
    enum { LAPS = 20 };
    struct coroutine thread;
    struct coroutine_stacks stacks;
    struct ring_task *tasks = calloc(TASKS, sizeof *tasks);
    assert_non_null(tasks);
    coroutine_of_thread(&thread);
    coroutine_stacks_init(&stacks, 0, WARM);
    for (size_t i = 0; i < TASKS; i++) {
        void *stack = coroutine_stacks_take(&stacks);
        assert_non_null(stack);
        tasks[i].laps = LAPS;
        tasks[i].next = &tasks[(i + 1) % TASKS].c;
        coroutine_start(&tasks[i].c, stack, stacks.bytes, hand_on, &tasks[i]);
    }
    coroutine_resume(&thread, &tasks[0].c);
    for (size_t i = 1; i < TASKS; i++) {
        assert_int_equal(tasks[i].visits, LAPS);
        coroutine_resume(&thread, &tasks[i].c);
    }
    for (size_t i = 0; i < TASKS; i++)
        assert_true(tasks[i].c.finished);
    coroutine_stacks_free(&stacks);
    free(tasks);
}

static void coroutines_start_others(struct coroutine *self, void *argument)
{
    struct bench *b = argument;
    int count = 0;
    struct coroutine inner;
    void *stack = coroutine_stacks_take(&b->stacks);
    coroutine_start(&inner, stack, b->stacks.bytes, count_to_three, &count);
    while (!inner.finished) {
        coroutine_resume(self, &inner);
        coroutine_yield(self);
    }
    coroutine_stacks_give(&b->stacks, stack);
}

static void a_coroutine_may_resume_others(void **state)
{
    (void)state;
    struct bench b;
    int visits = 0;
    bench_start(&b, coroutines_start_others, &b);
    for (; !b.c.finished; visits++)
        coroutine_resume(&b.thread, &b.c);
    assert_int_equal(visits, 4);
    coroutine_stacks_free(&b.stacks);
}

static void *run_a_ring(void *argument)
{
    thousands_hand_on_to_each_other(argument);
    return NULL;
}

static void every_thread_may_have_its_own(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_a_ring, state), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* --- registers -------------------------------------------------------------------------------- */

/* Fills every register that a call preserves with values made from `seed`, calls
 * `function(argument)`, and returns how many of them it finds changed. */
unsigned registers_changed_by(void (*function)(void *), void *argument, uint64_t seed);

#ifdef __x86_64__
__asm__(".text\n"
        ".globl registers_changed_by\n"
        ".type registers_changed_by, @function\n"
        "registers_changed_by:\n"
        "    pushq %rbx\n    pushq %rbp\n    pushq %r12\n"
        "    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    pushq %rdx\n" /* the seed; now aligned to 16 */
        "    leaq 1(%rdx), %rbx\n    leaq 2(%rdx), %rbp\n    leaq 3(%rdx), %r12\n"
        "    leaq 4(%rdx), %r13\n    leaq 5(%rdx), %r14\n    leaq 6(%rdx), %r15\n"
        "    movq %rdi, %rax\n    movq %rsi, %rdi\n    callq *%rax\n"
        "    popq %rdx\n    xorl %eax, %eax\n    xorl %ecx, %ecx\n"
        "    subq $1, %rbx\n    cmpq %rdx, %rbx\n    setne %cl\n    addl %ecx, %eax\n"
        "    subq $2, %rbp\n    cmpq %rdx, %rbp\n    setne %cl\n    addl %ecx, %eax\n"
        "    subq $3, %r12\n    cmpq %rdx, %r12\n    setne %cl\n    addl %ecx, %eax\n"
        "    subq $4, %r13\n    cmpq %rdx, %r13\n    setne %cl\n    addl %ecx, %eax\n"
        "    subq $5, %r14\n    cmpq %rdx, %r14\n    setne %cl\n    addl %ecx, %eax\n"
        "    subq $6, %r15\n    cmpq %rdx, %r15\n    setne %cl\n    addl %ecx, %eax\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n"
        "    popq %r12\n    popq %rbp\n    popq %rbx\n"
        "    ret\n");
#elif defined __aarch64__
__asm__(".text\n"
        ".globl registers_changed_by\n"
        ".type registers_changed_by, %function\n"
        "registers_changed_by:\n"
        "    stp x29, x30, [sp, #-176]!\n"
        "    stp x19, x20, [sp, #16]\n    stp x21, x22, [sp, #32]\n"
        "    stp x23, x24, [sp, #48]\n    stp x25, x26, [sp, #64]\n"
        "    stp x27, x28, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n    stp d14, d15, [sp, #144]\n"
        "    str x2, [sp, #160]\n"
        "    .irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n"
        "    add x\\n, x2, #\\n\n"
        "    .endr\n"
        "    .irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    add x9, x2, #\\n\n    fmov d\\n, x9\n"
        "    .endr\n"
        "    mov x9, x0\n    mov x0, x1\n    blr x9\n"
        "    ldr x2, [sp, #160]\n    mov w0, #0\n"
        "    .irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29\n"
        "    add x9, x2, #\\n\n    cmp x9, x\\n\n    cinc w0, w0, ne\n"
        "    .endr\n"
        "    .irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    add x9, x2, #\\n\n    fmov x10, d\\n\n    cmp x9, x10\n    cinc w0, w0, ne\n"
        "    .endr\n"
        "    ldp x19, x20, [sp, #16]\n    ldp x21, x22, [sp, #32]\n"
        "    ldp x23, x24, [sp, #48]\n    ldp x25, x26, [sp, #64]\n"
        "    ldp x27, x28, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n    ldp d14, d15, [sp, #144]\n"
        "    ldp x29, x30, [sp], #176\n"
        "    ret\n");
#else
unsigned registers_changed_by(void (*function)(void *), void *argument, uint64_t seed)
{
    (void)seed;
    function(argument);
    return 0;
}
#endif

static void yield_once(void *c)
{
    coroutine_yield(c);
}

static void yield_with_other_registers(struct coroutine *self, void *argument)
{
    unsigned *changed = argument;
    for (uint64_t seed = 1000; seed < 9000; seed += 1000)
        *changed += registers_changed_by(yield_once, self, seed);
}

static void resume_once(void *argument)
{
    struct bench *b = argument;
    coroutine_resume(&b->thread, &b->c);
}

static void preserved_registers_survive_on_both_sides(void **state)
{
    (void)state;
    unsigned changed_there = 0, changed_here = 0;
    struct bench b;
    bench_start(&b, yield_with_other_registers, &changed_there);
    for (uint64_t seed = 100000; !b.c.finished; seed += 1000)
        changed_here += registers_changed_by(resume_once, &b, seed);
    assert_int_equal(changed_here, 0);
    assert_int_equal(changed_there, 0);
    coroutine_stacks_free(&b.stacks);
}

static void round_upwards(struct coroutine *self, void *argument)
{
    int *mode = argument;
    *mode = fegetround();
    fesetround(FE_UPWARD);
    coroutine_yield(self);
    *mode = fegetround();
}

/* fegetround reads the x87 control word, on x86-64; arithmetic obeys MXCSR. */
static double third(void)
{
    volatile double one = 1, three = 3;
    return one / three;
}

static void each_keeps_its_own_rounding(void **state)
{
    (void)state;
    int mode = -1;
    double nearest = third();
    fesetround(FE_DOWNWARD);
    struct bench b;
    bench_start(&b, round_upwards, &mode);
    fesetround(FE_TONEAREST);
    coroutine_resume(&b.thread, &b.c);
    assert_int_equal(mode, FE_DOWNWARD); /* as it was where it was started */
    assert_int_equal(fegetround(), FE_TONEAREST);
    assert_true(third() == nearest);
    coroutine_resume(&b.thread, &b.c);
    assert_int_equal(mode, FE_UPWARD);
    assert_int_equal(fegetround(), FE_TONEAREST);
    coroutine_stacks_free(&b.stacks);
}

static void note_alignment(struct coroutine *self, void *argument)
{
    (void)self;
    volatile long double aligned = 1;
    uintptr_t *misplaced = argument;
    *misplaced = ((uintptr_t)&aligned | (uintptr_t)__builtin_frame_address(0)) % 16;
}

static void its_stack_is_aligned_as_calls_want_it(void **state)
{
    (void)state;
    uintptr_t misplaced = 1;
    struct bench b;
    bench_start(&b, note_alignment, &misplaced);
    coroutine_resume(&b.thread, &b.c);
    assert_int_equal(misplaced, 0);
    coroutine_stacks_free(&b.stacks);
}

/* --- depth ------------------------------------------------------------------------------------ */

/* Goes down to `lowest`, and says how far it came. */
static __attribute__((noinline)) size_t descend(const char *lowest, size_t depth)
{
    volatile char frame[512];
    memset((char *)frame, (int)depth, sizeof frame);
    const char *here = __builtin_frame_address(0);
    size_t reached = here > lowest ? descend(lowest, depth + 1) : depth;
    return frame[0] == (char)depth ? reached : 0;
}

struct dive {
    const char *lowest;
    size_t depth;
};

static void dive(struct coroutine *self, void *argument)
{
    struct dive *d = argument;
    (void)self;
    d->depth = descend(d->lowest, 1);
}

static void it_can_use_its_whole_stack(void **state)
{
    (void)state;
    struct dive d = {0};
    struct bench b;
    bench_start(&b, dive, &d);
    d.lowest = (char *)b.stack + STACK_BYTES / 16;
    coroutine_resume(&b.thread, &b.c);
    assert_true(d.depth > 50);
    assert_true(b.c.finished);
    coroutine_stacks_free(&b.stacks);
}

/* Never comes back: the child that does it is ended. */
static void dive_too_deep(void)
{
    struct dive d = {0};
    struct bench b;
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    bench_start(&b, dive, &d);
    d.lowest = (char *)b.stack - STACK_BYTES;
    coroutine_resume(&b.thread, &b.c);
    _exit(0);
}

static void beyond_its_stack_is_a_guard_page(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        dive_too_deep();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

/* --- the pool --------------------------------------------------------------------------------- */

static size_t pages_present(const struct coroutine_stacks *stacks, void *stack)
{
    unsigned char present[STACK_BYTES / PAGE_BYTES + 1] = {0};
    size_t count = 0;
    assert_int_equal(mincore(stack, stacks->bytes, present), 0);
    for (size_t i = 0; i < stacks->bytes / PAGE_BYTES; i++)
        count += present[i] & 1;
    return count;
}

static void sizes_are_rounded_up(void **state)
{
    (void)state;
    struct coroutine_stacks stacks;
    coroutine_stacks_init(&stacks, 1, WARM);
    assert_int_equal(stacks.bytes, COROUTINE_STACK_LEAST_BYTES);
    coroutine_stacks_init(&stacks, 20001, WARM);
    assert_int_equal(stacks.bytes, 20480);
    coroutine_stacks_init(&stacks, 64 << 20, WARM);
    char *stack = coroutine_stacks_take(&stacks);
    assert_non_null(stack);
    stack[0] = stack[stacks.bytes - 1] = 1;
    coroutine_stacks_free(&stacks);
}

static void the_stack_that_came_back_last_goes_out_first(void **state)
{
    (void)state;
    struct coroutine_stacks stacks;
    coroutine_stacks_init(&stacks, STACK_BYTES, WARM);
    void *a = coroutine_stacks_take(&stacks), *b = coroutine_stacks_take(&stacks);
    assert_ptr_not_equal(a, b);
    coroutine_stacks_give(&stacks, b);
    coroutine_stacks_give(&stacks, a);
    assert_ptr_equal(coroutine_stacks_take(&stacks), a);
    assert_ptr_equal(coroutine_stacks_take(&stacks), b);
    coroutine_stacks_free(&stacks);
}

static void idle_stacks_beyond_the_warm_ones_give_their_pages_back(void **state)
{
    (void)state;
    enum { TAKEN = 50 };
    struct coroutine_stacks stacks;
    void *taken[TAKEN];
    size_t touched = 0, left = 0;
    coroutine_stacks_init(&stacks, STACK_BYTES, WARM);
    for (size_t i = 0; i < TAKEN; i++) {
        taken[i] = coroutine_stacks_take(&stacks);
        memset(taken[i], 1, stacks.bytes);
        touched += pages_present(&stacks, taken[i]);
    }
    assert_int_equal(touched, TAKEN * stacks.bytes / PAGE_BYTES);
    for (size_t i = 0; i < TAKEN; i++)
        coroutine_stacks_give(&stacks, taken[i]);
    for (size_t i = 0; i < TAKEN; i++)
        left += pages_present(&stacks, taken[i]);
    assert_int_equal(left, WARM * stacks.bytes / PAGE_BYTES);
    for (size_t i = TAKEN; i-- > TAKEN - WARM;) /* the warm ones are those that came last */
        assert_int_equal(pages_present(&stacks, taken[i]), stacks.bytes / PAGE_BYTES);
    coroutine_stacks_free(&stacks);
}

static void stacks_do_not_overlap(void **state)
{
    (void)state;
    enum { TAKEN = 1000 };
    struct coroutine_stacks stacks;
    static uint64_t *taken[TAKEN];
    coroutine_stacks_init(&stacks, 0, WARM);
    for (uint64_t i = 0; i < TAKEN; i++) {
        taken[i] = coroutine_stacks_take(&stacks);
        assert_non_null(taken[i]);
        for (size_t word = 0; word < stacks.bytes / sizeof *taken[i]; word++)
            taken[i][word] = i;
    }
    for (uint64_t i = 0; i < TAKEN; i++)
        for (size_t word = 0; word < stacks.bytes / sizeof *taken[i]; word++)
            if (taken[i][word] != i)
                fail_msg("stack %u was written to by another", (unsigned)i);
    coroutine_stacks_free(&stacks);
}

static void without_address_space_taking_fails_and_says_so(void **state)
{
    (void)state;
    struct coroutine_stacks stacks;
    coroutine_stacks_init(&stacks, (size_t)1 << 56, WARM);
    assert_null(coroutine_stacks_take(&stacks));
    coroutine_stacks_free(&stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_where_it_yielded_and_finishes),
        cmocka_unit_test(a_finished_one_can_be_started_again),
        cmocka_unit_test(a_dropped_one_leaves_a_stack_that_can_be_used),
        cmocka_unit_test(thousands_hand_on_to_each_other),
        cmocka_unit_test(a_coroutine_may_resume_others),
        cmocka_unit_test(every_thread_may_have_its_own),
        cmocka_unit_test(preserved_registers_survive_on_both_sides),
        cmocka_unit_test(each_keeps_its_own_rounding),
        cmocka_unit_test(its_stack_is_aligned_as_calls_want_it),
        cmocka_unit_test(it_can_use_its_whole_stack),
        cmocka_unit_test(beyond_its_stack_is_a_guard_page),
        cmocka_unit_test(sizes_are_rounded_up),
        cmocka_unit_test(the_stack_that_came_back_last_goes_out_first),
        cmocka_unit_test(idle_stacks_beyond_the_warm_ones_give_their_pages_back),
        cmocka_unit_test(stacks_do_not_overlap),
        cmocka_unit_test(without_address_space_taking_fails_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
