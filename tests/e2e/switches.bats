#!/usr/bin/env bats
# switches measures every ring that it was asked for, and bench switches makes tables of it. How
# long anything takes is not looked at: what has to be there, and what the kernel counted, is.
#
# BIN is the folder of the programs.

bats_require_minimum_version 1.5.0
load processes.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# small OPTION...: a fraction of a second; lines in out.jsonl
small() {
    "$BIN/switches" --rings 2,6 --working-sets 0,4K --target-ms 2 --memory-tasks 40 --json out.jsonl "$@"
}

@test "every ring, life and memory has its line, with a figure" {
    small
    # process and thread on one CPU and on two, coroutine, callback, one task; one task with one set
    [ "$(jq -s '[.[] | select(.part == "ring")] | length' out.jsonl)" -eq $((2 * 2 * 2 * 7 + 4)) ]
    for kind in process thread coroutine callback one; do
        for io in none pipe; do
            for tasks in 2 6; do
                for bytes in 0 4096; do
                    jq -e -s --arg kind $kind --arg io $io --argjson tasks $tasks --argjson bytes $bytes \
                        'any(.[]; .part == "ring" and .kind == $kind and .io == $io and .cpu == "same" and .tasks == $tasks
                             and .working_bytes == $bytes and .ns_per_hop > 0 and .reason == null)' out.jsonl
                done
            done
        done
    done
    jq -e -s '[.[] | select(.part == "lifecycle") | select(.whole_ns > 0) | .kind] | sort ==
        ["connection", "coroutine", "coroutine-cold", "process", "thread"]' out.jsonl
    jq -e -s '[.[] | select(.part == "memory") | select(.user_bytes != null) | .kind] | sort ==
        ["callback", "connection", "coroutine", "process", "thread"]' out.jsonl
}

@test "what is meant to switch does: the kernel counts a switch per hop of threads and processes" {
    small
    jq -e -s 'all(.[] | select(.part == "ring" and (.kind == "thread" or .kind == "process") and .cpu == "same");
        .voluntary_per_turn + .involuntary_per_turn >= 0.95)' out.jsonl
    # and none of what it knows nothing of, but for its own ends
    jq -e -s 'all(.[] | select(.part == "ring" and (.kind == "coroutine" or .kind == "callback") and .io == "none");
        .voluntary_per_turn < 0.1)' out.jsonl
}

@test "a ring that cannot be built is reported with the reason, and the others are measured" {
    ulimit -n 64
    small --rings 2,50 --working-sets 0
    jq -e -s 'all(.[] | select(.part == "ring" and .tasks == 50 and .io == "pipe" and
        (.kind == "thread" or .kind == "coroutine" or .kind == "callback"));
        .ns_per_hop == null and (.reason | test("RLIMIT_NOFILE")))' out.jsonl
    jq -e -s 'all(.[] | select(.part == "ring" and .tasks == 50 and .io == "none" and .cpu == "same"); .ns_per_hop > 0)' out.jsonl
    jq -e -s 'any(.[]; .tasks == 50 and .io == "pipe" and .kind == "process" and .ns_per_hop > 0)' out.jsonl
}

@test "with one CPU there is nothing across CPUs, and it is said" {
    small --cpus 0 --rings 2
    jq -e -s 'all(.[] | select(.cpu == "across"); .ns_per_hop == null and (.reason | test("one CPU")))' out.jsonl
    jq -e -s 'all(.[] | select(.part == "ring" and .cpu == "same"); .ns_per_hop > 0)' out.jsonl
}

@test "the same seed gives the same order, another one another" {
    small --seed 3 --memory-tasks 0
    jq -c '[.kind, .io, .cpu, .tasks, .working_bytes]' out.jsonl > a
    small --seed 3 --memory-tasks 0
    jq -c '[.kind, .io, .cpu, .tasks, .working_bytes]' out.jsonl > b
    small --seed 4 --memory-tasks 0
    jq -c '[.kind, .io, .cpu, .tasks, .working_bytes]' out.jsonl > c
    cmp a b
    run ! cmp -s a c
    cmp <(sort a) <(sort c)
}

@test "it leaves no process behind when it is killed" {
    "$BIN/switches" --rings 200 --working-sets 0 --target-ms 300 --memory-tasks 0 --json - > lines 3>&- &
    pid=$!
    # the rings' processes have a parent whose parent it is
    ring_turns() {
        child=$(pgrep -P "$pid") && grandchildren=$(pgrep -P "$child")
    }
    await ring_turns
    kill -KILL "$pid"
    wait "$pid" || true
    # shellcheck disable=SC2086 # a list of numbers
    await gone $child $grandchildren
}

@test "bench switches leaves a complete folder, and prints its tables" {
    run --separate-stderr "$BIN/bench" switches --quick --trials 2 --out out
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    for file in environment.json switches.jsonl switches.tsv switches.md plots/switches-hops.tsv \
        plots/switches-indirect.tsv plots/switches-lifecycle.tsv plots/switches.svg plots/switches.png plots/switches.pdf; do
        [ -s "out/$file" ]
    done
    [ "$(jq -r .trial out/switches.jsonl | sort -u | tr '\n' ' ')" = "1 2 " ]
    head -n 1 out/switches.tsv |
        grep -qx $'part\tkind\tcpu\tio\ttasks\tworking_bytes\tmetric\tunit\tmedian\tlow\thigh\ttrials\treason'
    # every ring has a hop of two trials
    awk -F'\t' '$1 == "ring" && $3 == "same" && $7 == "hop" && $12 != 2 {print; bad = 1} END {exit bad}' out/switches.tsv
    # the tables say what the folder says
    grep -qF "| switch between threads, no I/O | 1.7 µs |" out/switches.md
    [ "$(grep -cE '\| (reproduced|refuted|undecided) \|$' out/switches.md)" -eq 10 ]
    [[ "$output" == *"$(cat out/switches.md)"* ]]
    run "$BIN/bench" switches --quick --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"bench switches has written to it already"* ]]
}

@test "bad options are refused" {
    for bad in "--rings 1" "--rings 2,x" "--working-sets -4" "--cpus 4096" "--target-ms 0" "--memory-tasks 3" \
        "--stack-size 1K" "--seed 0" "--no-such-option" "argument"; do
        # shellcheck disable=SC2086
        run "$BIN/switches" $bad
        echo "$bad: $output"
        [ "$status" -eq 64 ]
    done
    run "$BIN/bench" run --quick
    [ "$status" -eq 64 ]
    [[ "$output" == *"--quick belongs to switches"* ]]
}
