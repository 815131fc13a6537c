/* Targets' files: what a person may write, what is said when it is wrong, and what becomes of it.
 */
#include "bench/plan/target.h"

#include "bench/base/files.h"
#include "bench/plan/plan.h"
#include "tests/unit/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HEAD "title = T\ncommand = serve {port}\n"
#define PATHS "[paths]\n/hello = /hello\n"

static struct target good(const char *text)
{
    struct target t;
    struct error error = {""};
    if (target_parse(&t, "dir/my-own.conf", text, &error) != 0)
        fail_msg("%s", error.text);
    return t;
}

static void bad(const char *text, const char *expected)
{
    struct target t;
    struct error error = {""};
    assert_int_equal(target_parse(&t, "dir/my-own.conf", text, &error), -1);
    if (!strstr(error.text, expected))
        fail_msg("expected \"%s\" in \"%s\"", expected, error.text);
}

static const struct target_values values = {.folder = "/tmp/f",
                                            .here = "/home/x",
                                            .root = "/tmp/r",
                                            .cpus = "0-3",
                                            .bin = "/opt/bin",
                                            .program = "/usr/sbin/x",
                                            .workers = 4,
                                            .compute_rate = 312.5};

static void expands_to(const char *text, const char *expected)
{
    char *expanded = target_expand(text, &values);
    assert_string_equal(expanded, expected);
    free(expanded);
}

static void the_name_is_the_files_and_the_rest_has_defaults(void **state)
{
    (void)state;
    struct target t = good(HEAD PATHS);
    assert_string_equal(t.name, "my-own");
    assert_string_equal(t.ready, "port");
    assert_string_equal(t.stop, "TERM");
    assert_string_equal(t.config, "");
}

static void a_configuration_has_lines(void **state)
{
    (void)state;
    struct target t =
        good("title = T\ncommand = x {config}\nconfig =\n    a {\n\n      listen {port};\n"
             "    }\nstop = QUIT\n" PATHS);
    assert_string_equal(t.config, "a {\nlisten {port};\n}");
    assert_string_equal(t.stop, "QUIT");
}

static void a_mistake_is_named_with_its_line(void **state)
{
    (void)state;
    bad(HEAD "colour = red\n" PATHS, "dir/my-own.conf:3: unknown setting \"colour\"");
    bad(HEAD "title = again\n" PATHS, "dir/my-own.conf:3: set twice: \"title\"");
    bad(HEAD "ready = soon\n" PATHS, "dir/my-own.conf:3: ready \"soon\"; expected: port or line");
    bad(HEAD "routes = some\n" PATHS, "expected: listed or all");
    bad(HEAD "[path]\n/hello = /hello\n", "dir/my-own.conf:4: unknown section \"path\"");
    bad(HEAD "[paths]\nhello = /hello\n", "not a path: \"hello\"");
    bad(HEAD PATHS "[files]\n../x = y\n", "not a file's name: \"../x\"");
}

static void what_is_missing_is_asked_for(void **state)
{
    (void)state;
    bad("title = T\n" PATHS, "title and command are missing");
    bad(HEAD, "[paths] is missing");
    bad("title = T\ncommand = serve\n" PATHS, "{port} is neither in command nor in config");
    bad(HEAD "config = x\n" PATHS, "no {config} in command");
    bad("title = T\ncommand = {program} {port}\n" PATHS, "needs does not begin with one");
}

static void a_misspelt_placeholder_is_refused_in_commands_only(void **state)
{
    (void)state;
    bad("title = T\ncommand = serve {port} {folders}\n" PATHS, "unknown placeholder {folders}");
    good("title = T\ncommand = serve {config}\nconfig = {port} {folders}\n" PATHS);
}

static void who_says_that_it_is_ready_needs_no_port(void **state)
{
    (void)state;
    good("title = T\ncommand = serve\nready = line\nroutes = all\n");
}

static void placeholders_become_what_they_stand_for(void **state)
{
    (void)state;
    expands_to("{address}:{port}", "127.0.0.1:{port}");
    expands_to("{program} -c {config} {folder} {root}",
               "/usr/sbin/x -c /tmp/f/config /tmp/f /tmp/r");
    expands_to("{here}/server.py", "/home/x/server.py");
    expands_to("{bin}/server-x --cpus {cpus} {workers} {compute_rate}",
               "/opt/bin/server-x --cpus 0-3 4 312.5");
    expands_to("{ x } {unknown} {", "{ x } {unknown} {");
}

static void a_program_that_is_missing_is_named(void **state)
{
    (void)state;
    struct target t = good(HEAD "needs = sh /no/such/module.so\n" PATHS);
    char program[1024];
    struct error error = {""};
    assert_false(target_is_installed(&t, program, sizeof program, &error));
    assert_string_equal(error.text, "/no/such/module.so is not installed");
    t = good(HEAD "needs = no-such-server sh\n" PATHS);
    assert_false(target_is_installed(&t, program, sizeof program, &error));
    assert_string_equal(error.text, "no-such-server is not installed");
    t = good(HEAD "needs = sh env\n" PATHS);
    assert_true(target_is_installed(&t, program, sizeof program, &error));
    assert_string_equal(strrchr(program, '/'), "/sh");
}

static struct workload asking(const char *what)
{
    struct workload w;
    struct error error;
    char text[256];
    snprintf(text, sizeof text, "title = T\nquestion = Q?\n%s\n", what);
    if (workload_parse(&w, "w.conf", text, &error) != 0)
        fail_msg("%s", error.text);
    return w;
}

static void answers(const struct target *t, const char *what, const char *expected)
{
    struct workload w = asking(what);
    char path[TEXT_SIZE];
    if (!expected) {
        assert_false(target_path(t, &w, path, sizeof path));
        return;
    }
    assert_true(target_path(t, &w, path, sizeof path));
    assert_string_equal(path, expected);
}

static void a_path_is_answered_where_the_file_says(void **state)
{
    (void)state;
    struct target t = good(HEAD "[paths]\n/hello = /index.html\n/files/ = /static/\n/work = /w\n");
    answers(&t, "path = /hello", "/index.html");
    answers(&t, "path = /helloo", NULL);
    answers(&t, "path = /files/16KiB.txt\nfile_bytes = 9", "/static/16KiB.txt");
    answers(&t, "path = /work?cpu_us=5", "/w?cpu_us=5");
    answers(&t, "path = /", NULL);
    answers(&t, "mix = x.mix", NULL);
    t = good(HEAD "routes = all\n");
    answers(&t, "path = /anything", "/anything");
    answers(&t, "mix = x.mix", "");
}

static void the_folder_has_its_files_and_all_can_read_them(void **state)
{
    struct target t =
        good("title = T\ncommand = x {config}\nconfig = root {root}; port {port};\n" PATHS
             "[files]\nhello = Hello, World!\n");
    struct path folder = path_of("%s/my-own", (const char *)*state);
    struct target_values v = values;
    struct error error = {""};
    struct stat status;
    v.folder = folder.text;
    mode_t before = umask(077);
    assert_int_equal(target_prepare(&t, &v, &error), 0);
    assert_int_equal(target_prepare(&t, &v, &error), 0); /* again: what is left of the first goes */
    umask(before);
    char *hello = file_read(path_of("%s/hello", folder.text).text, NULL);
    char *config = file_read(path_of("%s/config.in", folder.text).text, NULL);
    assert_string_equal(hello, "Hello, World!");
    assert_string_equal(config, "root /tmp/r; port {port};");
    assert_int_equal(stat(path_of("%s/hello", folder.text).text, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    assert_int_equal(stat(folder.text, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0755);
    free(hello);
    free(config);
}

/* One model of ours, one target behind it; of two workloads the target answers one. */
static void what_a_target_does_not_answer_is_not_asked_of_it(void **state)
{
    (void)state;
    struct plan p = {.profile = profile_find("quick"), .seed = 3};
    p.models = calloc(2, sizeof *p.models);
    strcpy(p.models[0], "epoll");
    strcpy(p.models[1], "my-own");
    p.model_count = 2;
    p.targets = calloc(1, sizeof *p.targets);
    p.targets[0] = good(HEAD PATHS);
    p.target_count = 1;
    p.workloads = calloc(2, sizeof *p.workloads);
    p.workloads[0] = asking("path = /hello\nsweep = connections\nvalues = 1 2 3");
    p.workloads[1] = asking("path = /work");
    p.workload_count = 2;
    assert_true(plan_serves(&p, 0, 0, 2) && plan_serves(&p, 0, 1, 0));
    assert_true(plan_serves(&p, 1, 0, 2));
    assert_false(plan_serves(&p, 1, 1, 0));
    assert_string_equal(plan_server_name(&p, 0).text, "server-epoll");
    assert_string_equal(plan_server_name(&p, 1).text, "my-own");
    assert_string_equal(plan_target(&p, 1)->command, "serve {port}");
    plan_free(&p);
}

static void a_server_gets_as_many_cpus_as_the_workload_says(void **state)
{
    (void)state;
    const struct plan p = {.server_cpus = "2-3", .cpus = "2,3,0,11,1"};
    struct workload w = asking("path = /hello");
    assert_string_equal(plan_server_cpus(&p, &w).text, "2-3");
    w = asking("path = /hello\ncores = 1");
    assert_string_equal(plan_server_cpus(&p, &w).text, "2");
    w.cores = 4;
    assert_string_equal(plan_server_cpus(&p, &w).text, "2,3,0,11");
    w.cores = 5;
    assert_string_equal(plan_server_cpus(&p, &w).text, "2,3,0,11,1");
}

static void points_with_more_cores_than_there_are_are_taken_out(void **state)
{
    (void)state;
    struct workload w = asking("path = /hello\nsweep = cores\nvalues = 1 2 4 8");
    assert_int_equal(workload_limit_cores(&w, 3), 2);
    assert_int_equal(workload_points(&w), 2);
    assert_true(w.values[1] == 2);
    w = asking("path = /hello\ncores = 4");
    assert_int_equal(workload_limit_cores(&w, 3), 0);
    assert_int_equal(workload_limit_cores(&w, 4), 1);
    w = asking("path = /hello");
    assert_int_equal(workload_limit_cores(&w, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_is_the_files_and_the_rest_has_defaults),
        cmocka_unit_test(a_configuration_has_lines),
        cmocka_unit_test(a_mistake_is_named_with_its_line),
        cmocka_unit_test(what_is_missing_is_asked_for),
        cmocka_unit_test(a_misspelt_placeholder_is_refused_in_commands_only),
        cmocka_unit_test(who_says_that_it_is_ready_needs_no_port),
        cmocka_unit_test(placeholders_become_what_they_stand_for),
        cmocka_unit_test(a_program_that_is_missing_is_named),
        cmocka_unit_test(a_path_is_answered_where_the_file_says),
        cmocka_unit_test_setup_teardown(the_folder_has_its_files_and_all_can_read_them, make_folder,
                                        remove_folder),
        cmocka_unit_test(what_a_target_does_not_answer_is_not_asked_of_it),
        cmocka_unit_test(a_server_gets_as_many_cpus_as_the_workload_says),
        cmocka_unit_test(points_with_more_cores_than_there_are_are_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
