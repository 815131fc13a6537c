/* A port that is chosen for a server, and put where the server will read it. */
#include "loadgen/port.h"

#include "tests/unit/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void every_placeholder_is_replaced_and_nothing_else(void **state)
{
    (void)state;
    char *text = port_put("{port}a{port} {ports} { port } {port", 8123);
    assert_string_equal(text, "8123a8123 {ports} { port } {port");
    free(text);
}

static void a_command_is_filled_word_by_word(void **state)
{
    (void)state;
    char *command[] = {(char[]){"serve"}, (char[]){"--listen=127.0.0.1:{port}"}, NULL};
    char **filled = port_put_command(command, 99);
    assert_string_equal(filled[0], "serve");
    assert_string_equal(filled[1], "--listen=127.0.0.1:99");
    assert_null(filled[2]);
    port_free_command(filled);
}

static void the_port_that_is_chosen_is_free_and_not_one_of_outgoing_connections(void **state)
{
    (void)state;
    struct address address;
    const char *why;
    assert_true(address_parse("127.0.0.1:0", &address, &why));
    unsigned port = port_choose(&address);
    assert_in_range(port, 10000, 32767);
    address_set_port(&address, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address.socket, address.length), 0);
    close(fd);
}

static void a_template_becomes_a_file_without_its_suffix(void **state)
{
    const char *folder = *state;
    char template[256], file[256], text[64] = "", error[256] = "";
    snprintf(template, sizeof template, "%s/server.conf.in", folder);
    snprintf(file, sizeof file, "%s/server.conf", folder);
    FILE *out = fopen(template, "we");
    fputs("listen {port};\n", out);
    fclose(out);
    assert_int_equal(port_fill_template(template, 4711, error, sizeof error), 0);
    FILE *in = fopen(file, "re");
    assert_non_null(fgets(text, sizeof text, in));
    fclose(in);
    assert_string_equal(text, "listen 4711;\n");
}

static void a_template_that_is_not_there_is_named(void **state)
{
    (void)state;
    char error[256] = "";
    assert_int_equal(port_fill_template("nowhere/x.in", 1, error, sizeof error), -1);
    assert_string_equal(error,
                        "cannot make a configuration from nowhere/x.in: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_placeholder_is_replaced_and_nothing_else),
        cmocka_unit_test(a_command_is_filled_word_by_word),
        cmocka_unit_test(the_port_that_is_chosen_is_free_and_not_one_of_outgoing_connections),
        cmocka_unit_test_setup_teardown(a_template_becomes_a_file_without_its_suffix, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_template_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
