#include "servers/handler/compute.h"

void compute(uint64_t iterations)
{
    uint64_t x = iterations;
    for (uint64_t i = 0; i < iterations; i++) {
        /* Knuth's MMIX generator (TAOCP vol. 2, 3.3.4): a multiply-add chain. */
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        __asm__ volatile("" : "+r"(x)); /* the compiler may neither fold nor drop it */
    }
}

void compute_for(double duration_us, double rate)
{
    compute((uint64_t)(duration_us * rate));
}
