/* The one clock that every measurement and deadline uses.
 *
 * CLOCK_MONOTONIC is read through the vDSO (about 20 ns, no system call), is
 * the same in every process of the machine, and is the clock of timerfd and
 * clock_nanosleep, so that deadlines can be handed to either unchanged. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

/* A deadline that never comes. */
#define NEVER_NS UINT64_MAX

static inline uint64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline struct timespec timespec_of_ns(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

#endif
