/* Starting, knowing and stopping a server, with shell one-liners as servers. */
#include "loadgen/target.h"

#include "loadgen/port.h"
#include "loadgen/probe.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define READY "echo ready 127.0.0.1:8123 model=shell pid=$$ compute_rate=12.5; "

enum { TIMEOUT_S = 20 };

static int start(struct target *t, const char *script, char *error, size_t size)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, strdupa(script), NULL};
    const struct target_order order = {.argv = argv, .ready_timeout_s = TIMEOUT_S};
    return target_start(t, &order, error, size);
}

static void must_start(struct target *t, const char *script)
{
    char error[256] = "";
    if (start(t, script, error, sizeof error))
        fail_msg("%s", error);
}

static void must_not_start(const char *script, const char *expected)
{
    struct target t;
    char error[256] = "";
    assert_int_equal(start(&t, script, error, sizeof error), -1);
    if (!strstr(error, expected))
        fail_msg("\"%s\" does not say \"%s\"", error, expected);
    assert_int_equal(kill(t.pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void the_ready_line_is_understood(void **state)
{
    (void)state;
    struct target t;
    must_start(&t, "echo starting; " READY "exec sleep 60");
    assert_string_equal(t.host, "127.0.0.1");
    assert_int_equal(t.port, 8123);
    assert_string_equal(t.model, "shell");
    assert_true(t.compute_rate > 12.4 && t.compute_rate < 12.6);
    assert_true(target_alive(&t));
    target_stop(&t, TIMEOUT_S);
    assert_true(t.ended);
    assert_false(t.unasked);
    assert_false(t.was_killed);
    assert_int_equal(WTERMSIG(t.status), SIGTERM);
}

static void an_ipv6_address_loses_its_brackets(void **state)
{
    (void)state;
    struct target t;
    must_start(&t, "echo ready [::1]:99 model=a-b pid=1 compute_rate=1; exec sleep 60");
    assert_string_equal(t.host, "::1");
    assert_int_equal(t.port, 99);
    assert_string_equal(t.model, "a-b");
    target_stop(&t, TIMEOUT_S);
}

static void a_command_that_does_not_exist_is_named(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "";
    char *argv[] = {(char[]){"no-such-server"}, NULL};
    const struct target_order order = {.argv = argv, .ready_timeout_s = TIMEOUT_S};
    assert_int_equal(target_start(&t, &order, error, sizeof error), -1);
    assert_string_equal(error, "no-such-server: No such file or directory");
}

static void a_server_that_exits_first_is_an_error_with_its_status(void **state)
{
    (void)state;
    must_not_start("echo no port left; exit 7", "exited with status 7");
    must_not_start("kill -USR1 $$", "signal 10");
}

static void a_ready_line_without_a_port_is_refused(void **state)
{
    (void)state;
    must_not_start("echo ready here model=x; sleep 60", "makes no sense");
    must_not_start("echo ready 127.0.0.1:70000 model=x; sleep 60", "makes no sense");
}

static void a_silent_server_is_given_up(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "";
    char *argv[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};
    const struct target_order order = {.argv = argv, .ready_timeout_s = 0.05};
    assert_int_equal(target_start(&t, &order, error, sizeof error), -1);
    assert_non_null(strstr(error, "no ready line within 0.05 s"));
    assert_int_equal(kill(t.pid, 0), -1);
}

/* In the callback the process exists and has not executed the command: its
 * name is still ours. */
static int note_name(void *arg, pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    char *read = fgets(arg, 32, f);
    fclose(f);
    return read ? 0 : -1;
}

static void before_exec_sees_the_process_before_it_is_the_server(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "", there[32] = "", here[32] = "";
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){READY "exec sleep 60"}, NULL};
    const struct target_order order = {
        .argv = argv, .before_exec = note_name, .arg = there, .ready_timeout_s = TIMEOUT_S};
    assert_int_equal(target_start(&t, &order, error, sizeof error), 0);
    note_name(here, getpid());
    assert_string_equal(there, here);
    target_stop(&t, TIMEOUT_S);
}

static int refuse(void *arg, pid_t pid)
{
    *(pid_t *)arg = pid;
    return -1;
}

static void before_exec_can_give_up_the_start(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "";
    pid_t pid = 0;
    char *argv[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};
    const struct target_order order = {
        .argv = argv, .before_exec = refuse, .arg = &pid, .ready_timeout_s = TIMEOUT_S};
    assert_int_equal(target_start(&t, &order, error, sizeof error), -1);
    assert_true(pid > 0);
    assert_int_equal(kill(pid, 0), -1);
}

static void the_last_words_of_a_server_that_exits_first_say_why(void **state)
{
    (void)state;
    must_not_start("echo trying >&2; echo no such kernel >&2; exit 69",
                   "exited with status 69 before it was ready: no such kernel");
    must_not_start("exit 0", "it has to stay in the foreground");
}

static void the_last_words_of_a_server_that_ends_later_are_kept(void **state)
{
    (void)state;
    struct target t;
    must_start(&t, READY "echo first >&2; printf 'out of memory' >&2; exit 3");
    for (int i = 0; target_alive(&t) && i < TIMEOUT_S * 100; i++)
        usleep(10000);
    target_stop(&t, TIMEOUT_S);
    assert_string_equal(target_last_words(&t), "out of memory");
}

static void the_stop_signal_is_the_one_that_was_ordered(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "";
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){READY "exec sleep 60"}, NULL};
    const struct target_order order = {
        .argv = argv, .ready_timeout_s = TIMEOUT_S, .stop_signal = SIGQUIT};
    assert_int_equal(target_start(&t, &order, error, sizeof error), 0);
    target_stop(&t, TIMEOUT_S);
    assert_int_equal(WTERMSIG(t.status), SIGQUIT);
}

/* A listening socket of ours stands for the server's. */
static void a_server_is_ready_when_its_port_accepts_connections(void **state)
{
    (void)state;
    struct address address;
    const char *why;
    char error[256] = "", *argv[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};
    assert_true(address_parse("127.0.0.1:0", &address, &why));
    address_set_port(&address, port_choose(&address));
    struct target_order order = {.argv = argv, .ready_timeout_s = 0.05, .ready_address = &address};
    struct target t;
    assert_int_equal(target_start(&t, &order, error, sizeof error), -1);
    assert_non_null(strstr(error, "accepted no connection on 127.0.0.1:"));

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address.socket, address.length), 0);
    assert_int_equal(listen(fd, 1), 0);
    order.ready_timeout_s = TIMEOUT_S;
    assert_int_equal(target_start(&t, &order, error, sizeof error), 0);
    assert_int_equal(t.port, address_port(&address));
    target_stop(&t, TIMEOUT_S);
    close(fd);
}

/* The process that starts it dies without a word; the child of the server has no other tie. */
static void nothing_of_a_server_is_left_when_its_starter_is_killed(void **state)
{
    (void)state;
    int held[2];
    char c;
    assert_int_equal(pipe(held), 0); /* every process of the group holds its write end */
    pid_t starter = fork();
    if (starter == 0) {
        struct target t;
        must_start(&t, "sleep 600 & " READY "exec sleep 600");
        kill(getpid(), SIGKILL);
    }
    close(held[1]);
    waitpid(starter, NULL, 0);
    assert_int_equal(read(held[0], &c, 1), 0); /* the end of file: none is left */
    close(held[0]);
}

/* A mebibyte is sixteen pipes full; only then does the script come to its end. */
static void what_the_server_prints_never_blocks_it(void **state)
{
    (void)state;
    struct target t;
    must_start(&t, READY "head -c 1048576 /dev/zero; exit 5");
    for (int i = 0; target_alive(&t) && i < TIMEOUT_S * 100; i++)
        usleep(10000);
    assert_true(t.ended);
    assert_true(t.unasked);
    assert_int_equal(WEXITSTATUS(t.status), 5);
    char how[64];
    target_describe_end(&t, how, sizeof how);
    assert_string_equal(how, "exited with status 5");
    target_stop(&t, TIMEOUT_S);
}

static void a_server_that_ignores_sigterm_is_killed_with_its_children(void **state)
{
    (void)state;
    struct target t;
    int held[2];
    assert_int_equal(pipe(held), 0); /* every process of the group holds its write end */
    must_start(&t, "trap '' TERM; sleep 60 & " READY "while :; do sleep 1; done");
    close(held[1]);
    target_stop(&t, 0.05);
    assert_true(t.was_killed);
    char c;
    assert_int_equal(read(held[0], &c, 1), 0); /* the end of file: none is left */
    close(held[0]);
}

static void it_ignores_the_interrupt_of_our_terminal(void **state)
{
    (void)state;
    struct target t;
    must_start(&t, READY "exec sleep 60");
    assert_int_equal(getpgid(t.pid), t.pid);
    assert_int_not_equal(getpgid(t.pid), getpgrp());
    target_stop(&t, TIMEOUT_S);
}

/* --- the kernel's account of the whole life --------------------------------------------------- */

enum { MIB = 1 << 20, FORKS = 30 };

static int begin_window(void *arg, pid_t pid)
{
    char error[256];
    struct probe **p = arg;
    if (!(*p = probe_open(pid, PROBE_BEST, error, sizeof error)))
        return -1;
    probe_window_begin(*p);
    return 0;
}

static void wait_until_it_is(const struct target *t, const char *name)
{
    for (int i = 0; i < TIMEOUT_S * 100; i++) {
        char comm[32] = "";
        if (note_name(comm, t->pid) == 0 && strcmp(comm, name) == 0)
            return;
        usleep(10000);
    }
    fail_msg("the server did not become %s", name);
}

/* Two ways to the same figures: the probe's, over a window from before exec until the load is over,
 * and the kernel's when all is over. */
static void a_window_over_all_of_the_load_never_exceeds_the_lifetime(void **state)
{
    (void)state;
    struct target t;
    struct probe *p;
    char error[256] = "";
    char *argv[] = {
        (char[]){"sh"}, (char[]){"-c"},
        (char[]){READY "i=0; while [ $i -lt 30 ]; do i=$((i+1)); env true; done; exec sleep 60"},
        NULL};
    const struct target_order order = {
        .argv = argv, .before_exec = begin_window, .arg = &p, .ready_timeout_s = TIMEOUT_S};
    if (target_start(&t, &order, error, sizeof error))
        fail_msg("%s", error);
    wait_until_it_is(&t, "sleep\n");
    probe_window_end(p);
    target_stop(&t, TIMEOUT_S);

    const struct probe_result *r = probe_result(p);
    const struct target_lifetime *l = &t.lifetime;
    assert_true(l->voluntary >= FORKS); /* it waited for each of them */
    if (r->switches_voluntary != PROBE_UNKNOWN) {
        assert_true(r->switches_voluntary >= FORKS);
        assert_true(r->switches_voluntary <= l->voluntary);
        assert_true(r->switches_involuntary <= l->involuntary);
    }
    assert_true(r->cpu_ns > 0);
    double window_s = (double)r->cpu_ns / 1e9, rounding_s = 2e-6;
    assert_true(window_s <= l->user_s + l->system_s + rounding_s);
    assert_true(window_s >= (l->user_s + l->system_s) / 2);
    probe_close(p);
}

static void the_lifetime_knows_the_largest_process(void **state)
{
    (void)state;
    struct target t;
    must_start(&t, "dd if=/dev/zero of=/dev/null bs=20M count=1 2>&-; " READY "exec sleep 60");
    target_stop(&t, TIMEOUT_S);
    assert_true(t.lifetime.rss_peak_bytes >= 20 * MIB);
    assert_true(t.lifetime.rss_peak_bytes < 40 * MIB);
}

/* The kernel takes our own size for the server's, which began as a copy of us. */
static void a_peak_below_our_own_size_is_unknown(void **state)
{
    (void)state;
    struct target t;
    char *large = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(large != MAP_FAILED);
    memset(large, 1, 64 * MIB);
    must_start(&t, READY "exec sleep 60");
    munmap(large, 64 * MIB);
    target_stop(&t, TIMEOUT_S);
    assert_int_equal(t.lifetime.rss_peak_bytes, -1);
}

/* --- what is not ours ------------------------------------------------------------------------- */

static void attaching_to_nothing_is_refused(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "";
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    assert_int_equal(target_attach(&t, pid, error, sizeof error), -1);
    assert_non_null(strstr(error, "there is no process"));
}

static void what_is_not_ours_is_not_stopped(void **state)
{
    (void)state;
    struct target t;
    char error[256] = "";
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        for (;;)
            pause();
    }
    assert_int_equal(target_attach(&t, pid, error, sizeof error), 0);
    assert_true(target_alive(&t));
    target_stop(&t, 0);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ready_line_is_understood),
        cmocka_unit_test(an_ipv6_address_loses_its_brackets),
        cmocka_unit_test(a_command_that_does_not_exist_is_named),
        cmocka_unit_test(a_server_that_exits_first_is_an_error_with_its_status),
        cmocka_unit_test(a_ready_line_without_a_port_is_refused),
        cmocka_unit_test(a_silent_server_is_given_up),
        cmocka_unit_test(before_exec_sees_the_process_before_it_is_the_server),
        cmocka_unit_test(before_exec_can_give_up_the_start),
        cmocka_unit_test(the_last_words_of_a_server_that_exits_first_say_why),
        cmocka_unit_test(the_last_words_of_a_server_that_ends_later_are_kept),
        cmocka_unit_test(the_stop_signal_is_the_one_that_was_ordered),
        cmocka_unit_test(a_server_is_ready_when_its_port_accepts_connections),
        cmocka_unit_test(nothing_of_a_server_is_left_when_its_starter_is_killed),
        cmocka_unit_test(what_the_server_prints_never_blocks_it),
        cmocka_unit_test(a_server_that_ignores_sigterm_is_killed_with_its_children),
        cmocka_unit_test(it_ignores_the_interrupt_of_our_terminal),
        cmocka_unit_test(a_window_over_all_of_the_load_never_exceeds_the_lifetime),
        cmocka_unit_test(the_lifetime_knows_the_largest_process),
        cmocka_unit_test(a_peak_below_our_own_size_is_unknown),
        cmocka_unit_test(attaching_to_nothing_is_refused),
        cmocka_unit_test(what_is_not_ours_is_not_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
