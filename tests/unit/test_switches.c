/* Rings of every kind pass their token as they were told, and what is read and computed about them
 * is right. How long anything takes is not looked at. */
#include "switches/footprint.h"
#include "switches/lifecycle.h"
#include "switches/memory.h"
#include "switches/relay.h"
#include "switches/ring.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ring_kind *const all_kinds[] = {
    &ring_of_processes, &ring_of_threads, &ring_of_coroutines, &ring_of_callbacks, &ring_of_one};
enum { KINDS = sizeof all_kinds / sizeof *all_kinds, TASKS = 5, SET_BYTES = 8192 };

/* --- pure parts ------------------------------------------------------------------------------- */

static void a_relay_ends_after_as_many_hops_as_it_was_told(void **state)
{
    (void)state;
    struct relay r = {.hops = 3};
    for (int hop = 0; hop < 3; hop++)
        assert_false(relay_turn(&r, NULL));
    assert_true(relay_turn(&r, NULL));
    assert_int_equal(r.turns, 4);
    assert_true(r.end_ns >= r.begin_ns);
}

static void a_turn_touches_every_cache_line_of_its_set_once(void **state)
{
    (void)state;
    static uint64_t set[SET_BYTES / sizeof(uint64_t) + 8];
    struct relay r = {.hops = 1, .working_bytes = SET_BYTES};
    relay_turn(&r, (char *)set);
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        assert_int_equal(set[i], i % 8 == 0 && i < SET_BYTES / sizeof *set);
}

static void laps_are_whole_and_at_least_one(void **state)
{
    (void)state;
    assert_int_equal(whole_laps(10, 5, 1000), 200);
    assert_int_equal(whole_laps(10, 5, 1049), 200);
    assert_int_equal(whole_laps(10000, 1000, 1000), 10000);
}

static void sizes_are_found_by_their_label(void **state)
{
    (void)state;
    static const char text[] = "MemTotal:  100 kB\nSlabs:  7 kB\nSlab:    12 kB\nPss_Dirty: 3 kB\n";
    assert_true(memory_line_bytes(text, "Slab") == 12 * 1024);
    assert_true(memory_line_bytes(text, "MemTotal") == 100 * 1024);
    assert_true(isnan(memory_line_bytes(text, "Pss")));
    assert_true(isnan(memory_line_bytes("", "Pss")));
}

/* --- rings ------------------------------------------------------------------------------------ */

static struct ring_wish wish(unsigned tasks)
{
    struct ring_wish w = {.tasks = tasks,
                          .working_bytes = SET_BYTES,
                          .stack_bytes = 64 * 1024,
                          .pipes = true,
                          .cpus = {-1, -1}};
    cpu_set_t allowed;
    int found = 0;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed))
            w.cpus[found++] = cpu;
    return w;
}

static struct ring *built(const struct ring_kind *kind, unsigned tasks)
{
    struct reason reason = {""};
    struct ring_wish w = wish(tasks);
    struct ring *ring = ring_build(kind, &w, &reason);
    if (!ring)
        fail_msg("%s: %s", kind->name, reason.text);
    return ring;
}

static void measure(struct ring *ring, struct order o, struct passage *p)
{
    struct reason reason;
    assert_int_equal(ring_measure(ring, &o, NS_PER_MS, p, &reason), 0);
    if (!ring->kind->by_kernel) /* there, a lap of counting comes after it */
        assert_int_equal(ring->relay->turns, p->hops + 1);
    assert_int_equal(p->hops % ring->wish.tasks, 0);
    assert_true(p->ns_per_hop > 0);
}

/* From futex to pipe and back, from one CPU to two: all while the tasks are asleep. */
static void a_ring_obeys_one_order_after_the_other(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ring *ring = built(all_kinds[k], TASKS);
        bool two = all_kinds[k]->by_kernel && ring->wish.cpus[1] >= 0;
        struct passage p;
        measure(ring, (struct order){.io = false}, &p);
        measure(ring, (struct order){.io = true, .working_bytes = SET_BYTES}, &p);
        measure(ring, (struct order){.io = true, .across = two}, &p);
        measure(ring, (struct order){.io = false, .across = two}, &p);
        measure(ring, (struct order){.io = false, .working_bytes = SET_BYTES}, &p);
        ring_free(ring);
    }
}

static void the_kernel_counts_a_switch_for_every_hop_of_its_tasks_and_none_of_ours(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++)
        for (int io = 0; io < 2; io++) {
            struct ring *ring = built(all_kinds[k], TASKS);
            struct passage p;
            measure(ring, (struct order){.io = io}, &p);
            if (all_kinds[k]->by_kernel)
                assert_true(p.voluntary_per_turn + p.involuntary_per_turn >= 0.98);
            else
                assert_true(p.voluntary_per_turn < 0.1);
            ring_free(ring);
        }
}

static void a_ring_can_be_sent_home_from_any_state(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct passage p;
        ring_free(built(all_kinds[k], 2)); /* has done nothing yet */
        struct ring *ring = built(all_kinds[k], 2);
        measure(ring, (struct order){.io = true}, &p); /* waits at a pipe */
        ring_free(ring);
    }
}

static void without_a_second_cpu_the_reason_is_said(void **state)
{
    (void)state;
    struct reason reason = {""};
    struct ring_wish w = wish(2);
    struct passage p;
    w.cpus[1] = -1;
    struct ring *ring = ring_build(&ring_of_threads, &w, &reason);
    assert_non_null(ring);
    assert_int_equal(ring_measure(ring, &(struct order){.across = true}, NS_PER_MS, &p, &reason),
                     -1);
    assert_non_null(strstr(reason.text, "one CPU"));
    ring_free(ring);
}

/* --- lives and memory ------------------------------------------------------------------------- */

static void every_kind_is_created_and_destroyed(void **state)
{
    (void)state;
    const struct lifecycle_wish w = {
        .stack_bytes = 64 * 1024, .connection_bytes = 700, .target_ns = NS_PER_MS};
    for (size_t k = 0; k < lifecycle_kind_count; k++) {
        struct lifecycle l = {0};
        struct reason reason;
        assert_int_equal(lifecycle_measure(&lifecycle_kinds[k], &w, &l, &reason), 0);
        assert_true(l.count >= 1);
        assert_true(l.whole_ns > 0);
    }
}

static void a_record_takes_what_it_is_large(void **state)
{
    (void)state;
    enum { RECORD_BYTES = 4000, RECORDS = 4000 };
    struct footprint f;
    struct reason reason;
    assert_int_equal(footprint_of_records(RECORD_BYTES, RECORDS, &f, &reason), 0);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* their books take memory too \
                                                                   */
    assert_true(fabs(f.bytes[MEMORY_USER] - RECORD_BYTES) < 0.05 * RECORD_BYTES);
#endif
    assert_int_equal(f.most, RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_ends_after_as_many_hops_as_it_was_told),
        cmocka_unit_test(a_turn_touches_every_cache_line_of_its_set_once),
        cmocka_unit_test(laps_are_whole_and_at_least_one),
        cmocka_unit_test(sizes_are_found_by_their_label),
        cmocka_unit_test(a_ring_obeys_one_order_after_the_other),
        cmocka_unit_test(the_kernel_counts_a_switch_for_every_hop_of_its_tasks_and_none_of_ours),
        cmocka_unit_test(a_ring_can_be_sent_home_from_any_state),
        cmocka_unit_test(without_a_second_cpu_the_reason_is_said),
        cmocka_unit_test(every_kind_is_created_and_destroyed),
        cmocka_unit_test(a_record_takes_what_it_is_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
