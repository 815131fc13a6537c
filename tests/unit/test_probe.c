/* The probes against a server that knows what it costs: a child that does what
 * it is told, and reports what the kernel told it by another way (getrusage).
 * Nothing here depends on how long anything takes. */
#include "loadgen/probe.h"

#include "common/clock.h"
#include "loadgen/probe_events.h"
#include "loadgen/probe_proc.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
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

enum order {
    SWITCH,
    CHURN,
    FORK,
    COMPUTE,
    COMPETE,
    COMPETE_AND_END,
    MOVE,
    MOVE_IN_THREAD,
    TOUCH,
    CALLS,
    REPORT,
    QUIT
};

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

/* Mostly outside the kernel, which asking for the time is not: the kernel tells user time from its
 * own by sampling, and may else see nothing but its own. */
static void compute_a_little(void)
{
    for (volatile int i = 0; i < 20000; i = i + 1)
        ;
}

static void compute(unsigned ms)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    uint64_t until_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec + ms * NS_PER_MS;
    do {
        compute_a_little();
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec < until_ns);
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

/* Of one as often as that, of others half and a quarter as often; numbers that no kernel has are
 * calls too. */
enum { UNKNOWN_CALL = 1000, FOREIGN_CALL = 100000 };

static void call_the_kernel(int times)
{
    for (int i = 0; i < times; i++)
        syscall(SYS_getppid);
    for (int i = 0; i < times / 2; i++)
        syscall(SYS_getuid);
    for (int i = 0; i < times / 4; i++)
        syscall(UNKNOWN_CALL);
    for (int i = 0; i < times / 4; i++)
        syscall(FOREIGN_CALL);
}

/* Two of the CPUs that we may use, the same one twice if there is no other. */
static void two_cpus(unsigned cpus[2])
{
    cpu_set_t ours;
    must(sched_getaffinity(0, sizeof ours, &ours) == 0);
    int found = 0;
    for (unsigned i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &ours))
            cpus[found++] = i;
    if (found < 2)
        cpus[1] = cpus[0];
}

static void pin_to(unsigned cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    must(sched_setaffinity(0, sizeof one, &one) == 0);
}

struct contest {
    pthread_barrier_t begin, end;
    unsigned ms;
    bool ends;
    unsigned cpu;
    int64_t waited_ns[2];
};

/* The second column of schedstat is the time for which the thread was runnable and did not run. */
static int64_t waited_ns_by(const char *path)
{
    long long ran = 0, waited = -1;
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    int n = fscanf(f, "%lld %lld", &ran, &waited);
    fclose(f);
    return n == 2 ? waited : -1;
}

static void burn(uint64_t ms)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    uint64_t until_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec + ms * NS_PER_MS;
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec < until_ns);
}

static void *contend(void *arg)
{
    struct contest *c = arg;
    pin_to(c->cpu);
    int own = pthread_barrier_wait(&c->begin) == PTHREAD_BARRIER_SERIAL_THREAD;
    burn(c->ms);
    pthread_barrier_wait(&c->end);
    c->waited_ns[own] = waited_ns_by("/proc/thread-self/schedstat");
    while (!c->ends)
        pause();
    return NULL;
}

/* Two threads want one CPU for so long each. They stay, asleep, or end; then the answer is how long
 * they have waited, as they saw it themselves. */
static int64_t compete(unsigned ms, bool end)
{
    static struct contest c;
    unsigned cpus[2];
    two_cpus(cpus);
    c = (struct contest){.ms = ms, .ends = end, .cpu = cpus[0]};
    pthread_barrier_init(&c.begin, NULL, 2);
    pthread_barrier_init(&c.end, NULL, end ? 2 : 3);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        must(pthread_create(&threads[i], NULL, contend, &c) == 0);
    if (!end)
        pthread_barrier_wait(&c.end);
    for (int i = 0; end && i < 2; i++)
        must(pthread_join(threads[i], NULL) == 0);
    return end ? c.waited_ns[0] + c.waited_ns[1] : 0;
}

/* An even number of moves, which end on the second CPU: so the first of the next ones is a move. */
static void *move(void *arg)
{
    static unsigned cpus[2]; /* asked once: after the first move we may use one only */
    if (cpus[0] == cpus[1])
        two_cpus(cpus);
    for (int i = 0; i < *(const int *)arg; i++)
        pin_to(cpus[i % 2]);
    return NULL;
}

static void move_in_thread(int times)
{
    pthread_t t;
    must(pthread_create(&t, NULL, move, &times) == 0);
    must(pthread_join(t, NULL) == 0);
}

/* What the child has to say when it has obeyed. */
struct answer {
    struct rusage usage[2];
    int64_t waited_ns;
};

static void obey(int from, int to)
{
    struct command c;
    while (read(from, &c, sizeof c) == (ssize_t)sizeof c) {
        struct answer a = {0};
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
        if (c.order == COMPETE || c.order == COMPETE_AND_END)
            a.waited_ns = compete((unsigned)c.count, c.order == COMPETE_AND_END);
        if (c.order == MOVE)
            move(&c.count);
        if (c.order == MOVE_IN_THREAD)
            move_in_thread(c.count);
        getrusage(RUSAGE_SELF, &a.usage[0]);
        getrusage(RUSAGE_CHILDREN, &a.usage[1]);
        must(write(to, &a, sizeof a) == (ssize_t)sizeof a);
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
    int64_t waited_ns; /* for COMPETE_AND_END */
};

static int64_t ns_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_usec * 1000;
}

static struct usage tell(const struct child *c, enum order order, int count)
{
    struct command command = {order, count};
    struct answer a;
    const struct rusage *u = a.usage;
    assert_int_equal(write(c->to, &command, sizeof command), sizeof command);
    assert_int_equal(read(c->from, &a, sizeof a), sizeof a);
    struct usage sum = {.waited_ns = a.waited_ns};
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

/* The kernel's own sum over children calls user time what no tick has met. */
static void the_ledger_knows_what_short_lived_processes_did_in_the_kernel(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    tell(&c, FORK, 300); /* creating and ending processes, threads and pipes: mostly system time */
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    bool has_ledger = strcmp(r->switches_source, "ledger") == 0;
    int64_t user_ns = r->cpu_user_ns, system_ns = r->cpu_system_ns;
    probe_close(p);
    stop_child(&c);
    if (!has_ledger) {
        print_message("the kernel does not permit the ledger\n");
        skip();
    }
    assert_true(system_ns > user_ns);
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
    probe_syscalls_end(p);
    tell(&c, CALLS, 10000);
    const struct probe_result *r = probe_result(p);
    if (counting) {
        assert_near(r->syscalls, 20000, 16); /* and the pipes of the order itself */
        assert_int_equal(r->syscalls_by_number[SYS_getppid], 10000);
        assert_int_equal(r->syscalls_by_number[SYS_getuid], 5000);
        assert_int_equal(r->syscalls_by_number[UNKNOWN_CALL], 2500);
        assert_int_equal(r->syscalls_by_number[SYSCALL_OTHER], 2500);
        assert_in_range(r->syscalls_by_number[SYS_write], 1, 2);
        assert_int_equal(r->syscalls_by_number[SYS_clone], 0);
    }
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
    probe_syscalls_end(p);
    assert_int_equal(probe_result(p)->syscalls, PROBE_UNKNOWN);
    assert_true(warned(probe_result(p), "CAP_BPF"));
    probe_close(p);
    stop_child(&c);
}

static void system_calls_have_names(void **state)
{
    (void)state;
    char buffer[SYSCALL_NAME_SIZE];
    assert_string_equal(syscall_name(SYS_read, buffer), "read");
    assert_string_equal(syscall_name(SYS_epoll_pwait, buffer), "epoll_pwait");
    assert_string_equal(syscall_name(SYS_accept4, buffer), "accept4");
    assert_string_equal(syscall_name(UNKNOWN_CALL, buffer), "syscall_1000");
    assert_string_equal(syscall_name(SYSCALL_OTHER, buffer), "other");
    assert_string_equal(syscall_name(FOREIGN_CALL, buffer), "other");
}

/* --- the scheduler ---------------------------------------------------------------------------- */

/* How long all living threads of the child have waited for a CPU. */
static int64_t waited_ns_of_living(const struct child *c)
{
    char path[512];
    int64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)c->pid);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)c->pid, e->d_name);
        int64_t waited_ns = e->d_name[0] == '.' ? 0 : waited_ns_by(path);
        assert_true(waited_ns >= 0);
        sum += waited_ns;
    }
    closedir(d);
    return sum;
}

/* The kernel's own file, read right before and right after each end of the window, bounds it from
 * both sides: so this holds whatever else the machine does. Of two threads that want one CPU for
 * 40 ms each, one waits while the other runs. */
static void check_wait(enum probe_means means, const char *source)
{
    enum { EACH_MS = 40 };
    struct child c = start_child();
    struct probe *p = open_probe(&c, means);
    int64_t before_begin = waited_ns_of_living(&c);
    probe_window_begin(p);
    int64_t after_begin = waited_ns_of_living(&c);
    tell(&c, COMPETE, EACH_MS);
    int64_t before_end = waited_ns_of_living(&c);
    probe_window_end(p);
    int64_t after_end = waited_ns_of_living(&c);
    const struct probe_result *r = probe_result(p);
    bool as_wanted = strcmp(r->switches_source, source) == 0 && r->wait_ns != PROBE_UNKNOWN;
    if (as_wanted) {
        assert_true(r->wait_ns >= before_end - after_begin);
        assert_true(r->wait_ns <= after_end - before_begin);
        assert_true(r->wait_ns >= (int64_t)(EACH_MS / 2 * NS_PER_MS));
    }
    probe_close(p);
    stop_child(&c);
    if (!as_wanted)
        skip();
}

static void the_ledger_knows_how_long_threads_waited_for_a_cpu(void **state)
{
    (void)state;
    check_wait(PROBE_BEST, "ledger");
}

static void proc_alone_knows_how_long_threads_waited_if_none_ended(void **state)
{
    (void)state;
    check_wait(PROBE_PROC_ALONE, "proc");
}

static void the_ledger_knows_how_long_threads_waited_that_have_ended(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    struct usage told = tell(&c, COMPETE_AND_END, 40);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    bool known = r->wait_ns != PROBE_UNKNOWN;
    if (known) {
        assert_true(told.waited_ns >= (int64_t)(20 * NS_PER_MS));
        assert_true(r->wait_ns >= told.waited_ns);
        assert_true(r->wait_ns <= 3 * r->window_ns); /* there were no more than three threads */
    }
    probe_close(p);
    stop_child(&c);
    if (!known)
        skip();
}

/* A thread that may run on one CPU only moves when it is given another one, and never else. */
static void check_migrations(enum probe_means means, const char *source, bool in_thread)
{
    enum { MOVES = 40 };
    unsigned cpus[2];
    two_cpus(cpus);
    if (cpus[0] == cpus[1])
        skip();
    struct child c = start_child();
    struct probe *p = open_probe(&c, means);
    tell(&c, MOVE, 2);
    probe_window_begin(p);
    tell(&c, MOVE, MOVES);
    if (in_thread)
        tell(&c, MOVE_IN_THREAD, MOVES);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    bool as_wanted = strcmp(r->switches_source, source) == 0 && r->migrations != PROBE_UNKNOWN;
    if (as_wanted)
        assert_int_equal(r->migrations, in_thread ? 2 * MOVES : MOVES);
    probe_close(p);
    stop_child(&c);
    if (!as_wanted)
        skip();
}

static void the_ledger_counts_migrations_of_living_and_dead_threads(void **state)
{
    (void)state;
    check_migrations(PROBE_BEST, "ledger", true);
}

static void proc_alone_counts_migrations_if_no_thread_ended(void **state)
{
    (void)state;
    check_migrations(PROBE_PROC_ALONE, "proc", false);
}

static void what_the_scheduler_did_is_unknown_when_proc_forgot_threads(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_PROC_ALONE);
    probe_window_begin(p);
    tell(&c, CHURN, 500);
    probe_window_end(p);
    assert_int_equal(probe_result(p)->wait_ns, PROBE_UNKNOWN);
    assert_int_equal(probe_result(p)->migrations, PROBE_UNKNOWN);
    assert_true(warned(probe_result(p), "scheduler"));
    probe_close(p);
    stop_child(&c);
}

/* --- counters of perf events ------------------------------------------------------------------ */

/* Those of the kernel take the same way as those of the processor, which a virtual machine may
 * lack. */
static void inherited_counters_include_threads_and_processes_that_ended(void **state)
{
    (void)state;
    static const struct event_kind kinds[] = {
        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, false},
        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, true},
        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, false},
    };
    struct child c = start_child();
    struct events e;
    events_init(&e, kinds, 3);
    if (events_follow(&e, c.pid)) {
        assert_true(errno == EACCES || errno == EPERM);
        events_free(&e);
        stop_child(&c);
        skip();
    }
    tell(&c, COMPUTE, 20); /* before the window: in no count */
    struct usage before = tell(&c, REPORT, 0);
    assert_int_equal(events_begin(&e), 0);
    tell(&c, COMPUTE, 100);
    tell(&c, COMPETE_AND_END, 60);
    struct usage after = tell(&c, FORK, 4);
    int64_t counts[EVENT_KINDS_MAX];
    assert_int_equal(events_estimate(&e, counts), 0);
    int64_t cpu_ns = after.cpu_ns - before.cpu_ns;
    int64_t faults = after.faults_minor - before.faults_minor;
    int64_t switches = after.voluntary + after.involuntary - before.voluntary - before.involuntary;
    /* A tenth is for what threads and processes do after perf has left them, at their end. */
    assert_near(counts[0], cpu_ns, cpu_ns / 10);
    assert_near(counts[1], faults, faults / 10 + 16);
    assert_near(counts[2], switches, switches / 10 + 16);
    events_free(&e);
    stop_child(&c);
}

static void a_counter_that_was_on_for_a_part_of_the_time_is_scaled(void **state)
{
    (void)state;
    const struct event_reading begin = {.count = 50, .enabled_ns = 1000, .running_ns = 600};
    const struct event_reading third = {.count = 150, .enabled_ns = 1300, .running_ns = 700};
    const struct event_reading always = {.count = 150, .enabled_ns = 1300, .running_ns = 900};
    const struct event_reading never = {.count = 50, .enabled_ns = 1300, .running_ns = 600};
    assert_true(event_scaled(&begin, &third) == 300);
    assert_true(event_scaled(&begin, &always) == 100);
    assert_true(event_scaled(&begin, &never) < 0);  /* not 0: nobody looked */
    assert_true(event_scaled(&begin, &begin) == 0); /* it did not run, so nothing happened */
}

static void the_processors_counters_are_numbers_or_unknown_with_a_reason(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_count_hardware(p);
    probe_window_begin(p);
    tell(&c, COMPUTE, 50);
    probe_window_end(p);
    const struct probe_result *r = probe_result(p);
    if (warned(r, "hardware")) {
        assert_int_equal(r->instructions, PROBE_UNKNOWN);
        assert_int_equal(r->cycles, PROBE_UNKNOWN);
        assert_int_equal(r->cache_misses, PROBE_UNKNOWN);
    } else {
        /* 50 ms of a processor of any speed */
        assert_true(r->instructions > 1000 * 1000 && r->cycles > 1000 * 1000);
        assert_true(r->cache_misses >= 0 && r->cache_misses < r->instructions);
    }
    probe_close(p);
    stop_child(&c);
}

static void the_processors_counters_are_left_alone_unless_asked_for(void **state)
{
    (void)state;
    struct child c = start_child();
    struct probe *p = open_probe(&c, PROBE_BEST);
    probe_window_begin(p);
    probe_window_end(p);
    assert_int_equal(probe_result(p)->instructions, PROBE_UNKNOWN);
    assert_false(warned(probe_result(p), "hardware"));
    probe_close(p);
    stop_child(&c);
}

/* --- what cannot be measured ------------------------------------------------------------------ */

/* What other processes took that end meanwhile, and nobody waits for, would be missing: so at least
 * what this one burns alone, at one of three attempts. */
static void the_time_of_all_processes_includes_children_that_have_ended(void **state)
{
    (void)state;
    if (proc_cpu_of_all_ns(100000) < 0)
        skip(); /* not all can be seen */
    assert_true(proc_cpu_of_all_ns(1) == -1);
    bool included = false;
    for (int attempt = 0; attempt < 3 && !included; attempt++) {
        int64_t before_ns = proc_cpu_of_all_ns(100000);
        pid_t pid = fork();
        must(pid >= 0);
        if (pid == 0) {
            burn(100);
            _exit(0);
        }
        must(waitpid(pid, NULL, 0) == pid);
        int64_t after_ns = proc_cpu_of_all_ns(100000);
        included = after_ns - before_ns >= 80 * (int64_t)NS_PER_MS; /* in ticks of up to 10 ms */
    }
    assert_true(included);
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
    assert_int_equal(r->wait_ns, PROBE_UNKNOWN);
    assert_int_equal(r->migrations, PROBE_UNKNOWN);
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
        cmocka_unit_test(the_ledger_knows_what_short_lived_processes_did_in_the_kernel),
        cmocka_unit_test(memory_is_told_by_kind),
        cmocka_unit_test(the_peak_is_of_the_window),
        cmocka_unit_test(sockets_on_the_port_are_charged_with_what_is_queued),
        cmocka_unit_test(without_a_port_sockets_are_unknown),
        cmocka_unit_test(system_calls_are_counted_when_asked_for),
        cmocka_unit_test(system_calls_are_unknown_without_the_ledger),
        cmocka_unit_test(system_calls_have_names),
        cmocka_unit_test(the_ledger_knows_how_long_threads_waited_for_a_cpu),
        cmocka_unit_test(the_ledger_knows_how_long_threads_waited_that_have_ended),
        cmocka_unit_test(proc_alone_knows_how_long_threads_waited_if_none_ended),
        cmocka_unit_test(the_ledger_counts_migrations_of_living_and_dead_threads),
        cmocka_unit_test(proc_alone_counts_migrations_if_no_thread_ended),
        cmocka_unit_test(what_the_scheduler_did_is_unknown_when_proc_forgot_threads),
        cmocka_unit_test(inherited_counters_include_threads_and_processes_that_ended),
        cmocka_unit_test(a_counter_that_was_on_for_a_part_of_the_time_is_scaled),
        cmocka_unit_test(the_processors_counters_are_numbers_or_unknown_with_a_reason),
        cmocka_unit_test(the_processors_counters_are_left_alone_unless_asked_for),
        cmocka_unit_test(the_time_of_all_processes_includes_children_that_have_ended),
        cmocka_unit_test(an_ended_server_is_unknown_and_not_zero),
        cmocka_unit_test(a_process_that_does_not_exist_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
