/* The probes against a server that knows what it costs: a child that does what
 * it is told, and reports what the kernel told it by another way (getrusage).
 * Nothing here depends on how long anything takes. */
#include "loadgen/probe.h"

#include "common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

/* --- the child -------------------------------------------------------------------------------- */

enum order { SWITCH, CHURN, FORK, COMPUTE, TOUCH, CALLS, REPORT, QUIT };

struct command {
    enum order order;
    int count;
};

struct child {
    pid_t pid;
    int to, from;
};

static void must(bool fine)
{
    if (!fine)
        abort();
}

/* Two threads hand a byte to and fro: each read blocks or finds it there. */
static void *answer(void *arg)
{
    const int *ends = arg;
    char c;
    while (read(ends[0], &c, 1) == 1 && c != 'q')
        must(write(ends[1], &c, 1) == 1);
    return NULL;
}

static void hand_to_and_fro(int times)
{
    int there[2], back[2];
    must(pipe(there) == 0 && pipe(back) == 0);
    int ends[2] = {there[0], back[1]};
    pthread_t other;
    must(pthread_create(&other, NULL, answer, ends) == 0);
    char c = 'x';
    for (int i = 0; i < times; i++)
        must(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1);
    must(write(there[1], "q", 1) == 1);
    must(pthread_join(other, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
}

static void *sleep_a_little(void *arg)
{
    for (int i = 0; i < 3; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    return arg;
}

/* Threads that are born and die within the window, one after the other. */
static void churn(int threads)
{
    for (int i = 0; i < threads; i++) {
        pthread_t t;
        must(pthread_create(&t, NULL, sleep_a_little, NULL) == 0);
        must(pthread_join(t, NULL) == 0);
    }
}

static void fork_children(int children)
{
    for (int i = 0; i < children; i++) {
        pid_t pid = fork();
        must(pid >= 0);
        if (pid == 0) {
            hand_to_and_fro(50);
            struct rusage own;
            getrusage(RUSAGE_SELF, &own);
            _exit(0);
        }
        must(waitpid(pid, NULL, 0) == pid);
    }
}

static void compute(unsigned ms)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    uint64_t until_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec + ms * NS_PER_MS;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec < until_ns);
}

static void *touch_stack(void *arg)
{
    volatile char on_stack[MIB];
    for (size_t i = 0; i < sizeof on_stack; i += 1024)
        on_stack[i] = 1;
    pthread_barrier_wait(arg);
    for (;;)
        pause();
    return NULL;
}

/* A mebibyte of the heap, and one of stack in each thread, all resident. */
static void touch(int threads)
{
    static pthread_barrier_t touched;
    void *heap = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(heap != MAP_FAILED);
    memset(heap, 1, 16 * MIB);
    pthread_barrier_init(&touched, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        pthread_t t;
        must(pthread_create(&t, NULL, touch_stack, &touched) == 0);
    }
    pthread_barrier_wait(&touched);
}

static void call_the_kernel(int times)
{
    for (int i = 0; i < times; i++)
        syscall(SYS_getppid);
}

static void obey(int from, int to)
{
    struct command c;
    while (read(from, &c, sizeof c) == (ssize_t)sizeof c) {
        struct rusage usage[2];
        if (c.order == QUIT)
            _exit(0);
        if (c.order == SWITCH)
            hand_to_and_fro(c.count);
        if (c.order == CHURN)
            churn(c.count);
        if (c.order == FORK)
            fork_children(c.count);
        if (c.order == COMPUTE)
            compute((unsigned)c.count);
        if (c.order == TOUCH)
            touch(c.count);
        if (c.order == CALLS)
            call_the_kernel(c.count);
        getrusage(RUSAGE_SELF, &usage[0]);
        getrusage(RUSAGE_CHILDREN, &usage[1]);
        must(write(to, usage, sizeof usage) == (ssize_t)sizeof usage);
    }
    _exit(0);
}

static struct child start_child(void)
{
    int there[2], back[2];
    assert_int_equal(pipe(there), 0);
    assert_int_equal(pipe(back), 0);
    struct child c = {.pid = fork(), .to = there[1], .from = back[0]};
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        alarm(120); /* it does not outlive a test that failed */
        close(there[1]);
        close(back[0]);
        obey(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    return c;
}

/* What the whole tree has used since the child began. */
struct usage {
    int64_t voluntary, involuntary, cpu_ns, faults_minor;
};

static int64_t ns_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_usec * 1000;
}

static struct usage tell(const struct child *c, enum order order, int count)
{
    struct command command = {order, count};
    struct rusage u[2];
    assert_int_equal(write(c->to, &command, sizeof command), sizeof command);
    assert_int_equal(read(c->from, u, sizeof u), sizeof u);
    struct usage sum = {0};
    for (int i = 0; i < 2; i++) {
        sum.voluntary += u[i].ru_nvcsw;
        sum.involuntary += u[i].ru_nivcsw;
        sum.cpu_ns += ns_of(u[i].ru_utime) + ns_of(u[i].ru_stime);
        sum.faults_minor += u[i].ru_minflt;
    }
    return sum;
}

static void stop_child(struct child *c)
{
    struct command command = {QUIT, 0};
    assert_int_equal(write(c->to, &command, sizeof command), sizeof command);
    assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
    close(c->to);
    close(c->from);
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct probe *open_probe(const struct child *c, enum probe_means means)
{
    char error[256] = "";
    struct probe *p = probe_open(c->pid, means, error, sizeof error);
    if (!p)
        fail_msg("%s", error);
    return p;
}

static bool warned(const struct probe_result *r, const char *about)
{
    for (size_t i = 0; i < r->warning_count; i++)
        if (strstr(r->warnings[i], about))
            return true;
    return false;
}

static void assert_near(int64_t measured, int64_t expected, int64_t tolerance)
{
    if (measured < expected - tolerance || measured > expected + tolerance)
        fail_msg("measured %lld, expected %lld, give or take %lld", (long long)measured,
                 (long long)expected, (long long)tolerance);
}

/* Orders within a window, and the probe's total of switches against getrusage. */
static void check_switches(enum probe_means means, const char *source, enum order order, int count,
                           bool warm)
{
    struct child c = start_child();
    struct probe *p = open_probe(&c, means);
    if (warm) {
        probe_warmup_sample(p);
        tell(&c, order, 20);
    }
    struct usage before = tell(&c, REPORT, 0);
    probe_window_begin(p);
    tell(&c, order, count / 2);
    probe_sample(p);
    struct usage after = tell(&c, order, count / 2);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    if (strcmp(r->switches_source, source) != 0) {
        print_message("the kernel permits %s only\n", r->switches_source);
        probe_close(p);
        stop_child(&c);
        skip();
    }

    /* Each end of the window adds the wait for an order and the report of it;
     * a fiftieth is for switches after a dying thread has been counted. */
    int64_t voluntary = after.voluntary - before.voluntary;
    int64_t involuntary = after.involuntary - before.involuntary;
    assert_true(voluntary > count / 2);
    assert_near(r->switches_voluntary, voluntary, voluntary / 50 + 4);
    assert_near(r->switches_involuntary, involuntary, involuntary / 50 + voluntary / 50 + 4);
    assert_int_equal(r->switches_total, r->switches_voluntary + r->switches_involuntary);
    probe_close(p);
    stop_child(&c);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void the_ledger_counts_switches_of_threads_that_live(void **state)
{
    (void)state;
    check_switches(PROBE_BEST, "ledger", SWITCH, 2000, false);
}

static void the_ledger_counts_switches_of_threads_that_were_born_and_died(void **state)
{
    (void)state;
    check_switches(PROBE_BEST, "ledger", CHURN, 1000, false);
}

static void the_ledger_counts_switches_of_processes_that_were_born_and_died(void **state)
{
    (void)state;
    check_switches(PROBE_BEST, "ledger", FORK, 40, false);
}

static void the_ledger_knows_how_many_threads_were_born_and_died(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    tell(&c, CHURN, 100);
    tell(&c, FORK, 10); /* each a process and a thread of it */
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    bool ledger = strcmp(r->switches_source, "ledger") == 0;
    if (ledger) {
        assert_int_equal(r->threads_born, 120);
        /* pthread_join returns a little before a thread has left the kernel */
        assert_near(r->threads_died, 120, 2);
    }
    probe_close(p);
    stop_child(&c);
    if (!ledger)
        skip();
}

static void records_count_switches_of_threads_that_were_born_and_died(void **state)
{
    (void)state;
    check_switches(PROBE_NO_LEDGER, "records", CHURN, 1000, true);
}

static void records_count_switches_of_processes_that_were_born_and_died(void **state)
{
    (void)state;
    check_switches(PROBE_NO_LEDGER, "records", FORK, 40, true);
}

/* The second thread of SWITCH ends within the window, which /proc would forget:
 * so this one keeps to a single thread. */
static void proc_alone_is_exact_when_no_thread_ends(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_PROC_ALONE);
    struct usage before = tell(&c, REPORT, 0);
    probe_window_begin(p);
    struct usage after = before;
    for (int i = 0; i < 500; i++)
        after = tell(&c, REPORT, 0);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    assert_string_equal(r->switches_source, "proc");
    assert_near(r->switches_voluntary, after.voluntary - before.voluntary, 4);
    assert_near(r->switches_involuntary, after.involuntary - before.involuntary, 4);
    assert_false(warned(r, "context switches"));
    probe_close(p);
    stop_child(&c);
}

static void proc_alone_admits_that_it_forgot_threads(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_PROC_ALONE);
    probe_window_begin(p);
    tell(&c, CHURN, 500);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    assert_int_equal(r->switches_voluntary, PROBE_UNKNOWN);
    assert_int_equal(r->switches_involuntary, PROBE_UNKNOWN);
    assert_int_equal(r->switches_total, PROBE_UNKNOWN);
    assert_true(warned(r, "kernel.perf_event_paranoid"));
    probe_close(p);
    stop_child(&c);
}

static void cpu_time_is_what_the_kernel_charges_dead_threads_included(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    tell(&c, COMPUTE, 50);
    struct usage before = tell(&c, REPORT, 0);
    probe_window_begin(p);
    tell(&c, COMPUTE, 300);
    struct usage after = tell(&c, CHURN, 200);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    int64_t expected = after.cpu_ns - before.cpu_ns;
    assert_near(r->cpu_user_ns + r->cpu_system_ns, expected, expected / 50);
    assert_true(r->cpu_user_ns > 0);
    assert_true(r->cpu_system_ns >= 0);
    probe_close(p);
    stop_child(&c);
}

static void memory_is_told_by_kind(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    struct usage before = tell(&c, REPORT, 0);
    probe_window_begin(p);
    struct usage after = tell(&c, TOUCH, THREADS);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);

    assert_int_equal(r->threads_max, THREADS + 1);
    assert_true(r->stack_bytes >= THREADS * MIB);
    assert_true(r->stack_bytes < THREADS * MIB * 3 / 2);
    assert_true(r->anonymous_bytes >= 16 * MIB);
    assert_near(r->stack_bytes + r->anonymous_bytes + r->file_bytes, r->rss_bytes, MIB / 4);
    assert_true(r->rss_peak_bytes >= r->rss_bytes);
    assert_true(r->pss_bytes > 16 * MIB && r->pss_bytes <= r->rss_bytes);
    assert_true(r->page_table_bytes >= (THREADS + 16) * MIB / 512);
    assert_true(r->kernel_stack_bytes >= (THREADS + 1) * 4096);
    assert_int_equal(r->kernel_stack_bytes % (THREADS + 1), 0);
    assert_near(r->faults_minor, after.faults_minor - before.faults_minor, 16);
    probe_close(p);
    stop_child(&c);
}

/* Memory that was there before the window and is there no more is not its peak. */
static void the_peak_is_of_the_window(void **state)
{
    (void)state;
    struct child c = start_child();
    tell(&c, TOUCH, 1);
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    assert_false(warned(r, "clear_refs"));
    assert_near(r->rss_peak_bytes, r->rss_bytes, MIB);
    probe_close(p);
    stop_child(&c);
}

static void sockets_on_the_port_are_charged_with_what_is_queued(void **state)
{
    (void)state;
    enum { SENT = 64 << 10 };
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 8), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);

    /* The client's data waits in the receive queue of the server's side. */
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    int served = accept(listening, NULL, NULL);
    assert_true(served >= 0);
    char *data = calloc(1, SENT);
    assert_int_equal(send(client, data, SENT, 0), SENT);
    assert_int_equal(recv(served, data, SENT, MSG_PEEK | MSG_WAITALL), SENT);
    free(data);

    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_set_port(p, ntohs(address.sin_port));
    probe_window_begin(p);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    assert_int_equal(r->socket_count, 2);
    assert_true(r->socket_bytes >= SENT);
    assert_true(r->socket_bytes < 8 * SENT);
    assert_true(r->socket_struct_bytes == PROBE_UNKNOWN || r->socket_struct_bytes > 2 * 1024);
    probe_close(p);
    stop_child(&c);
    close(served);
    close(client);
    close(listening);
}

static void without_a_port_sockets_are_unknown(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    probe_window_end(p);
    assert_int_equal(probe_result(p)->socket_bytes, PROBE_UNKNOWN);
    assert_true(warned(probe_result(p), "port"));
    probe_close(p);
    stop_child(&c);
}

static void system_calls_are_counted_when_asked_for(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    bool counting = probe_syscalls_begin(p) == 0;
    tell(&c, CALLS, 10000);
    int64_t calls = probe_syscalls_end(p);
    tell(&c, CALLS, 10000);
    if (counting)
        assert_near(calls, 10000, 16); /* and the pipes of the order itself */
    probe_close(p);
    stop_child(&c);
    if (!counting)
        skip();
}

static void system_calls_are_unknown_without_the_ledger(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_PROC_ALONE);
    assert_int_equal(probe_syscalls_begin(p), -1);
    assert_int_equal(probe_syscalls_end(p), PROBE_UNKNOWN);
    probe_close(p);
    stop_child(&c);
}

static void an_ended_server_is_unknown_and_not_zero(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    stop_child(&c);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    assert_int_equal(r->switches_total, PROBE_UNKNOWN);
    assert_int_equal(r->cpu_user_ns, PROBE_UNKNOWN);
    assert_int_equal(r->rss_bytes, PROBE_UNKNOWN);
    assert_true(warned(r, "ended within the window"));
    probe_close(p);
}

static void a_process_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    struct child c = start_child();
    stop_child(&c);
    char error[128] = "";
    assert_null(probe_open(c.pid, PROBE_BEST, error, sizeof error));
    assert_non_null(strstr(error, "no process"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_counts_switches_of_threads_that_live),
        cmocka_unit_test(the_ledger_counts_switches_of_threads_that_were_born_and_died),
        cmocka_unit_test(the_ledger_counts_switches_of_processes_that_were_born_and_died),
        cmocka_unit_test(the_ledger_knows_how_many_threads_were_born_and_died),
        cmocka_unit_test(records_count_switches_of_threads_that_were_born_and_died),
        cmocka_unit_test(records_count_switches_of_processes_that_were_born_and_died),
        cmocka_unit_test(proc_alone_is_exact_when_no_thread_ends),
        cmocka_unit_test(proc_alone_admits_that_it_forgot_threads),
        cmocka_unit_test(cpu_time_is_what_the_kernel_charges_dead_threads_included),
        cmocka_unit_test(memory_is_told_by_kind),
        cmocka_unit_test(the_peak_is_of_the_window),
        cmocka_unit_test(sockets_on_the_port_are_charged_with_what_is_queued),
        cmocka_unit_test(without_a_port_sockets_are_unknown),
        cmocka_unit_test(system_calls_are_counted_when_asked_for),
        cmocka_unit_test(system_calls_are_unknown_without_the_ledger),
        cmocka_unit_test(an_ended_server_is_unknown_and_not_zero),
        cmocka_unit_test(a_process_that_does_not_exist_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
