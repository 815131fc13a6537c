/* The machine's counters: what is made of them, and what they say of this machine. */
#include "loadgen/machine.h"

#include "common/units.h"

#include "common/clock.h"
#include "loadgen/probe.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t MS = 1000000, S = 1000000000;

/* A machine of two CPUs that has nothing but /proc/stat. */
static struct machine_snapshot snapshot(int64_t at_ns, int64_t idle_ns)
{
    struct machine_snapshot s = {.at_ns = at_ns,
                                 .cpu_count = 2,
                                 .all = {.idle_ns = idle_ns},
                                 .chosen = {.idle_ns = idle_ns},
                                 .processes_cpu_ns = PROBE_UNKNOWN,
                                 .frequency_mean_khz = PROBE_UNKNOWN,
                                 .throttle_events = PROBE_UNKNOWN,
                                 .swapped_pages = PROBE_UNKNOWN,
                                 .disks_busy_ms = PROBE_UNKNOWN};
    memset(s.stalled_us, 0xff, sizeof s.stalled_us);
    memset(s.network, 0xff, sizeof s.network);
    return s;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

static void what_is_neither_idle_nor_ours_is_others(void **state)
{
    (void)state;
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(S, 1200 * MS);
    e.own_cpu_ns = 200 * MS;
    struct machine_result r = machine_between(&b, &e, 500 * MS, ANSWER_NO);
    assert_true(near(r.other_cpu_share, 0.1));
    e.all.steal_ns = 40 * MS;
    r = machine_between(&b, &e, 500 * MS, ANSWER_NO);
    assert_true(near(r.other_cpu_share, 0.06));
}

static void others_are_no_more_than_what_processes_took(void **state)
{
    (void)state;
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(S, 1200 * MS);
    e.own_cpu_ns = 200 * MS;
    b.processes_cpu_ns = 5 * S, e.processes_cpu_ns = 5 * S + 730 * MS;
    assert_true(near(machine_between(&b, &e, 500 * MS, ANSWER_NO).other_cpu_share, 0.03));
    e.processes_cpu_ns = 5 * S + 950 * MS;
    assert_true(near(machine_between(&b, &e, 500 * MS, ANSWER_NO).other_cpu_share, 0.1));
    e.processes_cpu_ns = 4 * S; /* a process ended whose parent does not wait for it */
    assert_true(near(machine_between(&b, &e, 500 * MS, ANSWER_NO).other_cpu_share, 0.1));
}

static void interrupts_go_off_where_they_are_not_in_the_tasks_time(void **state)
{
    (void)state;
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(S, 1600 * MS);
    e.all.softirq_ns = 90 * MS, e.all.irq_ns = 10 * MS;
    struct machine_result no = machine_between(&b, &e, 100 * MS, ANSWER_NO);
    struct machine_result yes = machine_between(&b, &e, 100 * MS, ANSWER_YES);
    struct machine_result unknown = machine_between(&b, &e, 100 * MS, ANSWER_UNKNOWN);
    assert_true(near(no.other_cpu_share, 0.3));
    assert_true(near(yes.other_cpu_share, 0.2));
    assert_true(near(unknown.other_cpu_share, 0.2));
}

static void a_little_less_than_nothing_is_nothing(void **state)
{
    (void)state;
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(S, 1510 * MS);
    struct machine_result r = machine_between(&b, &e, 500 * MS, ANSWER_NO);
    assert_true(r.other_cpu_share == 0);
}

static void what_is_not_known_is_said_to_be_unknown(void **state)
{
    (void)state;
    char missing[512];
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(S, S);
    assert_true(isnan(machine_between(&b, &e, PROBE_UNKNOWN, ANSWER_NO).other_cpu_share));
    b.cpu_count = e.cpu_count = 0;
    struct machine_result r = machine_between(&b, &e, 0, ANSWER_NO);
    assert_true(isnan(r.other_cpu_share) && isnan(r.steal_share) && isnan(r.idle_share));
    assert_true(r.throttle_events == PROBE_UNKNOWN && r.swapped_pages == PROBE_UNKNOWN);
    assert_true(r.frequency_min_khz == PROBE_UNKNOWN && r.frequency_end_khz == PROBE_UNKNOWN);
    assert_true(isnan(r.some_share[RESOURCE_MEMORY]));
    assert_true(r.network[NETWORK_LISTEN_OVERFLOWS] == PROBE_UNKNOWN);
    machine_describe_missing(&r, missing, sizeof missing);
    assert_non_null(strstr(missing, "psi=1"));
    assert_non_null(strstr(missing, "/proc/stat"));
    assert_null(strstr(missing, "requency"));
}

static void a_window_of_a_few_ticks_is_too_short_for_others(void **state)
{
    (void)state;
    char missing[512];
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(290 * MS, 0);
    struct machine_result r = machine_between(&b, &e, 0, ANSWER_NO);
    machine_describe_missing(&r, missing, sizeof missing);
    assert_true(isnan(r.other_cpu_share));
    assert_non_null(strstr(missing, "0.3 s or longer"));
    assert_null(strstr(missing, "CPUs' time (/proc/stat must"));
    e.at_ns = 300 * MS;
    r = machine_between(&b, &e, 0, ANSWER_NO);
    machine_describe_missing(&r, missing, sizeof missing);
    assert_true(near(r.other_cpu_share, 2));
    assert_null(strstr(missing, "0.3 s"));
}

static void nobody_waits_for_a_disk_longer_than_disks_are_busy(void **state)
{
    (void)state;
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(2 * S, 3 * S);
    b.stalled_us[RESOURCE_IO] = 0, e.stalled_us[RESOURCE_IO] = 2000000;
    b.disks_busy_ms = 100, e.disks_busy_ms = 120;
    struct machine_result r = machine_between(&b, &e, 0, ANSWER_NO);
    assert_true(near(r.some_share[RESOURCE_IO], 0.01));
    b.stalled_us[RESOURCE_IO] = PROBE_UNKNOWN;
    r = machine_between(&b, &e, 0, ANSWER_NO);
    assert_true(isnan(r.some_share[RESOURCE_IO]));
}

static void counters_and_frequencies_are_compared(void **state)
{
    (void)state;
    struct machine_snapshot b = snapshot(0, 0), e = snapshot(2 * S, 3 * S);
    b.swapped_pages = 70, e.swapped_pages = 75;
    b.throttle_events = 3, e.throttle_events = 4;
    b.stalled_us[RESOURCE_IO] = 1000, e.stalled_us[RESOURCE_IO] = 501000;
    b.network[NETWORK_RETRANSMISSIONS] = 8, e.network[NETWORK_RETRANSMISSIONS] = 8;
    b.frequency_min_khz = 900, b.frequency_mean_khz = 1000, b.frequency_max_khz = 1100;
    e.frequency_min_khz = 800, e.frequency_mean_khz = 820, e.frequency_max_khz = 840;
    struct machine_result r = machine_between(&b, &e, 0, ANSWER_NO);
    assert_int_equal(r.swapped_pages, 5);
    assert_int_equal(r.throttle_events, 1);
    assert_true(near(r.some_share[RESOURCE_IO], 0.25));
    assert_int_equal(r.network[NETWORK_RETRANSMISSIONS], 0);
    assert_int_equal(r.frequency_min_khz, 800);
    assert_int_equal(r.frequency_max_khz, 1100);
    assert_int_equal(r.frequency_begin_khz, 1000);
    assert_int_equal(r.frequency_end_khz, 820);
}

static cpu_set_t usable(void)
{
    cpu_set_t cpus;
    assert_int_equal(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    return cpus;
}

static int64_t own_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * S + now.tv_nsec;
}

static void compute_for(int64_t ns)
{
    int64_t until_ns = own_cpu_ns() + ns;
    while (own_cpu_ns() < until_ns)
        ;
}

/* A child that is in nobody's account is somebody else; one that is in the server's is not. */
static void the_cpu_time_of_somebody_else_is_found(void **state)
{
    (void)state;
    const int64_t BURNT = 400 * MS;
    cpu_set_t cpus = usable();
    struct machine_snapshot b, e;
    machine_snapshot(&b, &cpus);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        compute_for(BURNT);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    machine_snapshot(&e, &cpus);
    assert_true(b.cpu_count > 0 && b.cpu_count == e.cpu_count);
    double elapsed_ns = (double)(e.at_ns - b.at_ns);
    double others = machine_between(&b, &e, 0, ANSWER_NO).other_cpu_share * elapsed_ns;
    double without = machine_between(&b, &e, BURNT, ANSWER_NO).other_cpu_share * elapsed_ns;
    assert_true(others > 0.5 * (double)BURNT); /* some of it may have been stolen */
    assert_true(without < others);
    assert_true(others <= elapsed_ns * b.cpu_count);
}

static void the_shares_of_this_machine_add_up(void **state)
{
    (void)state;
    cpu_set_t cpus = usable();
    struct machine_snapshot b, e;
    machine_snapshot(&b, &cpus);
    compute_for(300 * MS);
    machine_snapshot(&e, &cpus);
    struct machine_result r = machine_between(&b, &e, 0, machine_accounts_irq_time());
    double sum = r.user_share + r.system_share + r.irq_share + r.softirq_share + r.steal_share +
                 r.idle_share;
    assert_true(near(sum, 1));
    assert_true(r.user_share + r.system_share > 0);
    assert_true(r.swapped_pages >= 0);
    for (size_t i = 0; i < NETWORK_COUNTERS; i++)
        assert_true(r.network[i] >= 0);
}

static void cpus_are_listed_in_ranges(void **state)
{
    (void)state;
    char text[64];
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    format_cpu_list(&cpus, text, sizeof text);
    assert_string_equal(text, "");
    static const size_t some[] = {0, 2, 3, 4, 9, 10, CPU_SETSIZE - 1};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        CPU_SET(some[i], &cpus);
    format_cpu_list(&cpus, text, sizeof text);
    assert_string_equal(text, "0,2-4,9-10,1023");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_neither_idle_nor_ours_is_others),
        cmocka_unit_test(others_are_no_more_than_what_processes_took),
        cmocka_unit_test(interrupts_go_off_where_they_are_not_in_the_tasks_time),
        cmocka_unit_test(a_little_less_than_nothing_is_nothing),
        cmocka_unit_test(what_is_not_known_is_said_to_be_unknown),
        cmocka_unit_test(a_window_of_a_few_ticks_is_too_short_for_others),
        cmocka_unit_test(nobody_waits_for_a_disk_longer_than_disks_are_busy),
        cmocka_unit_test(counters_and_frequencies_are_compared),
        cmocka_unit_test(the_cpu_time_of_somebody_else_is_found),
        cmocka_unit_test(the_shares_of_this_machine_add_up),
        cmocka_unit_test(cpus_are_listed_in_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
