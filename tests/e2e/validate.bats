#!/usr/bin/env bats
# bench validate: the real instrument passes, and each spoiled one is caught by the check that is
# there for it. The spoiled ones are the real loadgen with one piece replaced (tests/spoiled).
#
# BIN is the folder of the programs, HELPERS that of the spoiled ones.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# validate CHECKS [INSTRUMENT]: with another loadgen than the real one
validate() {
    local bin=$BIN
    if [ -n "${2:-}" ]; then
        bin=$PWD/bin
        mkdir -p bin
        ln -s "$BIN"/server-* "$BIN/specimen" bin/
        ln -s "$2" bin/loadgen
    fi
    run --separate-stderr "$BIN/bench" validate --short --checks "$1" --bin "$bin" --out out
}

# verdicts CHECK PATTERN: of the findings whose quantity matches
verdicts() {
    awk -F'\t' -v check="$1" -v pattern="$2" '$1 == check && $3 ~ pattern {print $8}' out/validation.tsv
}

@test "the real instrument is believed, and leaves its tables and its plots" {
    validate memory,littles-law
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [[ "$output" == *"0 failed"* ]]
    [ "$(verdicts memory . | sort -u)" = pass ]
    [ "$(verdicts littles-law . | sort -u)" = pass ]
    head -n 1 out/validation.tsv | grep -qx $'check\tsubject\tquantity\tunit\texpected\tmeasured\ttolerance\tverdict\tnote'
    grep -q '^## memory' out/validation.md
    [ -s out/runs.jsonl ]
    [ -s out/environment.json ]
    for kind in svg png pdf; do [ -s "out/plots/validation.$kind" ]; done
    run "$BIN/bench" validate --checks memory --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"there is a validation in it already"* ]]
}

@test "a histogram that is off by 5 % is caught" {
    validate stall "$HELPERS/loadgen-histogram"
    echo "$output"
    [ "$status" -eq 1 ]
    # measured it was, and more than it should be
    awk -F'\t' '$3 ~ /p99$/ && $6 > 1.03 * $5 && $6 < 1.2 * $5' out/validation.tsv | grep -q FAIL
}

@test "a schedule that waits for answers is caught" {
    REAL_LOADGEN=$BIN/loadgen validate stall "$SPOILED/waiting-loadgen"
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$(verdicts stall 'response time p9[59]$' | sort -u)" = FAIL ]
    awk -F'\t' '$3 ~ /p99$/ && $6 > 0 && $6 < 0.5 * $5' out/validation.tsv | grep -q FAIL
}

@test "a probe that forgets threads that have ended is caught" {
    "$BIN/loadgen" -d 0.2 --warmup 0 --json out.json http://127.0.0.1:0/hello -- "$BIN/server-epoll" -l 127.0.0.1:0 \
        --compute-rate 100 > /dev/null
    [ "$(jq -r .server.context_switches.source out.json)" = ledger ] || skip "the kernel's ledger is not permitted here"
    validate switches "$HELPERS/loadgen-probe"
    echo "$output"
    [ "$status" -eq 1 ]
    awk -F'\t' '$2 == "thread-per-connection" && $3 ~ /connection per request/ && $6 < 0.9 * $5 {print $8}' out/validation.tsv |
        grep -qx FAIL
    # where no thread ends, it is right
    awk -F'\t' '$2 == "epoll" && $3 ~ /kept alive/ {print $8}' out/validation.tsv | grep -qx pass
}

@test "checks that do not exist are refused, and options of other commands" {
    run "$BIN/bench" validate --checks memory,magic
    [ "$status" -eq 64 ]
    [[ "$output" == *'there is no check "magic". There are: service-time stall'* ]]
    run "$BIN/bench" run --short
    [ "$status" -eq 64 ]
    [[ "$output" == *"--checks and --short belong to validate"* ]]
}
