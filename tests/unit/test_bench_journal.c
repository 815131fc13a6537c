/* runs.jsonl: whole lines, whatever happened to the one who wrote them. */
#include "bench/journal/journal.h"

#include "bench/base/files.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *folder, const char *text, size_t size)
{
    FILE *file = fopen(path_of("%s/runs.jsonl", folder).text, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void content_is(const char *folder, const char *expected)
{
    char *text = file_read(path_of("%s/runs.jsonl", folder).text, NULL);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static struct journal must_open(const char *folder)
{
    struct journal j;
    struct error error = {""};
    if (journal_open(&j, folder, &error) != 0)
        fail_msg("%s", error.text);
    return j;
}

static void must_append(struct journal *j, int number)
{
    struct error error = {""};
    json_t *object = json_pack("{s:i}", "n", number);
    if (journal_append(j, object, &error) != 0)
        fail_msg("%s", error.text);
    json_decref(object);
}

static void a_new_journal_takes_lines(void **state)
{
    struct journal j = must_open(*state);
    must_append(&j, 1);
    must_append(&j, 2);
    journal_close(&j);
    content_is(*state, "{\"n\":1}\n{\"n\":2}\n");
}

static void a_torn_last_line_is_cut_off_before_the_next_is_written(void **state)
{
    const char torn[] = "{\"n\":1}\n{\"n\":2,\"throughpu";
    write_file(*state, torn, strlen(torn));
    struct journal j = must_open(*state);
    content_is(*state, "{\"n\":1}\n");
    must_append(&j, 3);
    journal_close(&j);
    content_is(*state, "{\"n\":1}\n{\"n\":3}\n");
}

static void a_file_of_nothing_but_a_torn_line_becomes_empty(void **state)
{
    const char torn[] = "{\"n\":";
    write_file(*state, torn, strlen(torn));
    struct journal j = must_open(*state);
    journal_close(&j);
    content_is(*state, "");
}

static void a_torn_line_longer_than_a_block_is_found_too(void **state)
{
    enum { SIZE = 20000 };
    char text[SIZE];
    memset(text, 'x', SIZE);
    memcpy(text, "{\"n\":1}\n", 8);
    write_file(*state, text, SIZE);
    struct journal j = must_open(*state);
    journal_close(&j);
    content_is(*state, "{\"n\":1}\n");
}

static void blocks_that_a_crash_left_unwritten_are_cut_off(void **state)
{
    char text[5000] = "{\"n\":1}\n"; /* and NULs, as a file system leaves them */
    write_file(*state, text, sizeof text);
    struct journal j = must_open(*state);
    journal_close(&j);
    content_is(*state, "{\"n\":1}\n");
}

static void reading_leaves_out_what_is_torn_or_no_object(void **state)
{
    const char text[] = "{\"n\":1}\nnonsense\n[3]\n{\"n\":4}\n{\"n\":5";
    struct error error = {""};
    write_file(*state, text, strlen(text));
    json_t *runs = journal_read(*state, &error);
    assert_non_null(runs);
    assert_int_equal(json_array_size(runs), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(runs, 1), "n")), 4);
    json_decref(runs);
    content_is(*state, text); /* reading changes nothing */
}

static void a_second_bench_is_refused(void **state)
{
    struct journal j = must_open(*state), second;
    struct error error = {""};
    assert_int_equal(journal_open(&second, *state, &error), -1);
    assert_non_null(strstr(error.text, "another bench"));
    journal_close(&j);
    j = must_open(*state);
    journal_close(&j);
}

/* A limit on the size of files stops a write in its middle just as a full disk does. */
static void a_line_that_does_not_fit_leaves_nothing_behind(void **state)
{
    struct journal j = must_open(*state);
    struct error error = {""};
    struct rlimit before, small = {.rlim_cur = 12};
    must_append(&j, 1);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    json_t *object = json_pack("{s:s}", "n", "too long for what is left");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = journal_append(&j, object, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, -1);
    assert_non_null(strstr(error.text, "runs.jsonl"));
    assert_non_null(strstr(error.text, "make room"));
    assert_non_null(strstr(error.text, "--resume"));
    content_is(*state, "{\"n\":1}\n");
    /* And with room again it goes on. */
    must_append(&j, 2);
    content_is(*state, "{\"n\":1}\n{\"n\":2}\n");
    json_decref(object);
    journal_close(&j);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_journal_takes_lines),
        TEST(a_torn_last_line_is_cut_off_before_the_next_is_written),
        TEST(a_file_of_nothing_but_a_torn_line_becomes_empty),
        TEST(a_torn_line_longer_than_a_block_is_found_too),
        TEST(blocks_that_a_crash_left_unwritten_are_cut_off),
        TEST(reading_leaves_out_what_is_torn_or_no_object),
        TEST(a_second_bench_is_refused),
        TEST(a_line_that_does_not_fit_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
