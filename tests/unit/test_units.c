/* Numbers and addresses as people write them; what is refused matters as much as what is read. */
#include "common/address.h"
#include "common/clock.h"
#include "common/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void decimals_are_read_without_sign_or_exponent(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0}, {"5", 5}, {"0.25", 0.25}, {".5", .5}, {"5.", 5}, {"007", 7}};
    static const char *const bad[] = {"",
                                      ".",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1.2.3",
                                      " 1",
                                      "1 ",
                                      "nan",
                                      "inf",
                                      "0x1",
                                      "1,5",
                                      "10000000000000000000"};
    double value;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(parse_decimal(good[i].text, strlen(good[i].text), &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        value = 42;
        if (parse_decimal(bad[i], strlen(bad[i]), &value))
            fail_msg("\"%s\" should be refused", bad[i]);
        assert_true(value == 42);
    }
    assert_true(parse_decimal("12x", 2, &value) && value == 12);
}

static void a_thousand_digits_are_refused_and_not_infinite(void **state)
{
    (void)state;
    char digits[1000];
    memset(digits, '9', sizeof digits);
    double value = 42;
    assert_false(parse_decimal(digits, sizeof digits, &value));
    digits[500] = '.';
    assert_false(parse_decimal(digits, sizeof digits, &value));
    assert_true(value == 42);
}

static void counts_keep_to_their_bounds(void **state)
{
    (void)state;
    uint64_t n = 42;
    assert_true(parse_count("7", 1, 10, &n) && n == 7);
    assert_true(parse_count("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
    static const char *const bad[] = {
        "", "0", "11", "-1", "1.0", "1x", " 1", "x", "184467440737095516160"};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse_count(bad[i], 1, 10, &n))
            fail_msg("\"%s\" should be refused", bad[i]);
    assert_false(parse_count("18446744073709551616", 0, UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
}

static void seconds_become_nanoseconds(void **state)
{
    (void)state;
    uint64_t ns = 42;
    assert_true(parse_seconds_ns("1.5", 10, &ns) && ns == 1500 * NS_PER_MS);
    assert_true(parse_seconds_ns("0", 10, &ns) && ns == 0);
    assert_false(parse_seconds_ns("10.1", 10, &ns));
    assert_false(parse_seconds_ns("1s", 10, &ns));
    assert_int_equal(ns, 0);
}

static void bytes_take_a_suffix(void **state)
{
    (void)state;
    uint64_t n = 42;
    assert_true(parse_bytes("100", 1 << 20, &n) && n == 100);
    assert_true(parse_bytes("64K", 1 << 20, &n) && n == 64 * 1024);
    assert_true(parse_bytes("1m", 1 << 20, &n) && n == 1 << 20);
    assert_true(parse_bytes("2G", 1ull << 40, &n) && n == 2ull << 30);
    static const char *const bad[] = {"", "K", "2M", "1KB", "1T", "-1", "1.5K", "1048577"};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse_bytes(bad[i], 1 << 20, &n))
            fail_msg("\"%s\" should be refused", bad[i]);
    assert_false(parse_bytes("17179869184G", UINT64_MAX, &n));
}

static void cpu_lists_name_only_cpus_we_may_use(void **state)
{
    (void)state;
    cpu_set_t cpus, allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    if (CPU_ISSET(0, &allowed)) {
        assert_true(parse_cpu_list("0", &cpus));
        assert_true(CPU_ISSET(0, &cpus) && CPU_COUNT(&cpus) == 1);
        assert_true(parse_cpu_list("0-0,0", &cpus));
    }
    static const char *const bad[] = {"", ",", "0,", "0-", "-0", "1-0", "x", "0 ", "1023", "99999"};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse_cpu_list(bad[i], &cpus))
            fail_msg("\"%s\" should be refused", bad[i]);
}

static void an_address_is_read_and_written_alike(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[::]:1"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address a;
        const char *why;
        char text[ADDRESS_TEXT_BYTES];
        assert_true(address_parse(texts[i], &a, &why));
        address_text(&a, text);
        assert_string_equal(text, texts[i]);
    }
}

static void a_bad_address_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "127.0.0.1",    ":8080",
                                      "127.0.0.1:", "a:65536",      "::1:80",
                                      "[]:80",      "127.0.0.1:-1", "127.0.0.1:80x"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct address a;
        const char *why = NULL;
        if (address_parse(bad[i], &a, &why))
            fail_msg("\"%s\" should be refused", bad[i]);
        assert_non_null(why);
    }
}

static void loopback_is_known_in_both_families(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } cases[] = {{"127.0.0.1:1", true}, {"127.9.8.7:1", true}, {"[::1]:1", true},
                 {"0.0.0.0:1", false},  {"[::]:1", false},     {"10.0.0.1:1", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address a;
        const char *why;
        assert_true(address_parse(cases[i].text, &a, &why));
        assert_int_equal(address_is_loopback(&a), cases[i].loopback);
        assert_int_equal(address_port(&a), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_read_without_sign_or_exponent),
        cmocka_unit_test(a_thousand_digits_are_refused_and_not_infinite),
        cmocka_unit_test(counts_keep_to_their_bounds),
        cmocka_unit_test(seconds_become_nanoseconds),
        cmocka_unit_test(bytes_take_a_suffix),
        cmocka_unit_test(cpu_lists_name_only_cpus_we_may_use),
        cmocka_unit_test(an_address_is_read_and_written_alike),
        cmocka_unit_test(a_bad_address_is_refused_with_a_reason),
        cmocka_unit_test(loopback_is_known_in_both_families),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
