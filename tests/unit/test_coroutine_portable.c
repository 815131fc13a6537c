/* The same tests for what other machines and older kernels get: swapcontext for the switch, and
 * mprotect for the guard pages, for want of a kernel that knows the advice. */
#ifndef COROUTINE_PORTABLE
#define COROUTINE_PORTABLE
#endif
#include <sys/mman.h>
#undef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 9999

#include "common/coroutine.c"
#include "common/coroutine_stacks.c"
#include "common/coroutine_switch.c"

#include "tests/unit/test_coroutine.c"
