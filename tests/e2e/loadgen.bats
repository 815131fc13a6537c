# loadgen from outside: what it counts, where it books what goes wrong, and what it leaves behind.
#
# $BIN is the folder of the programs under test, $HELPERS that of servers that misbehave.
# Nothing here depends on the speed of the machine: tests wait for conditions, and bounds on times
# are generous.

bats_require_minimum_version 1.5.0
# shellcheck disable=SC2218 # bats has a load of its own, until this file defines one
load processes.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    PIDS=()
}

teardown() {
    for pid in "${PIDS[@]}"; do
        kill -9 "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
}

# A short run with its result in out.json; the exit status is loadgen's.
load() {
    "$BIN/loadgen" --warmup 0.1 --duration 0.4 --json out.json "$@" > out.txt 2> err.txt
}

# A run against the suite's own server of that model.
against() {
    local model=$1 path=$2
    shift 2
    load "http://127.0.0.1:0$path" "$@" -- "$BIN/server-$model" --listen 127.0.0.1:0 --compute-rate 100
}

# A run against a server that misbehaves.
misbehaving() {
    local mode=$1
    shift
    load http://127.0.0.1:0/hello "$@" -- "$HELPERS/bad_server" "$mode" heads.txt
}

# holds FILTER: true if jq's filter is, of the result; else the parts of interest are shown. To jq null
# is less than any number: below(N) is what a number is, and below or at N.
holds() {
    jq -e "def below(\$n): type == \"number\" and . <= \$n; $1" out.json > /dev/null && return
    echo "not so: $1"
    jq -c '.requests, .response_us, .service_us, .connections, .slow, .generator, .warnings' out.json
    cat err.txt
    return 1
}

books_balance() {
    holds '[(.requests | .intended, .sent, .completed, .unfinished, .carried_in, .errors[]),
            (.response_us, .service_us | .count, .censored)] | length == 16 and all(type == "number")'
    holds '.requests | .intended + .carried_in == .completed + (.errors | add) + .unfinished'
    holds '.response_us.count == .requests.completed + .response_us.censored'
    holds '.service_us.count == .requests.completed + .service_us.censored'
    holds '.requests.sent <= .requests.intended + .requests.carried_in'
}

# Errors of one kind, and of no other.
only_errors_of() {
    books_balance
    holds ".requests.errors | to_entries | all((.value > 0) == (.key == \"$1\"))"
}

eventually() {
    await "$@"
}

# has_sockets N PID: the listening one, and connections.
has_sockets() {
    [ "$(find "/proc/$2/fd" -lname 'socket:*' 2> /dev/null | wc -l)" -ge "$1" ]
}

# Starts a server of our own; sets SERVER_PID and PORT.
start_server() {
    "$@" > ready.txt 3>&- &
    SERVER_PID=$!
    PIDS+=("$SERVER_PID")
    eventually grep -q '^ready ' ready.txt
    PORT=$(sed -n 's/^ready [^ ]*:\([0-9]*\) .*/\1/p' ready.txt)
}

# --- the result -----------------------------------------------------------------------------------

@test "every field of the contract is there and has its type" {
    against epoll /hello -c 4
    holds '.schema == "switchpoint.run/1"'
    holds '.target | (.url | test("^http://127.0.0.1:[1-9][0-9]*/hello$")) and
           (.command[0] | endswith("server-epoll")) and (.pid | type == "number")'
    holds '.workload | .mode == "closed" and .connections == 4 and .rate_rps == null and
           .arrivals == null and .think_ms == 0 and .close == false and .http == "1.1" and
           .pipeline == 1 and .idle == 0 and .slow == 0 and .threads == 1 and .timeout_s == 10 and
           .seed == 1 and .warmup_s == 0.1 and .duration_s == 0.4 and .requests == ["GET /hello"]'
    holds '.requests | [.intended, .sent, .completed, .unfinished, .carried_in] | all(type == "number")'
    holds '.requests.errors | keys == ["body", "connect", "parse", "read", "status", "timeout", "write"]'
    holds '.throughput_rps > 0'
    holds '[.response_us, .service_us, .connect_us, .send_lag_us] | all(
           ([.count, .censored] | all(type == "number")) and
           ([.min, .mean, .stddev, .p50, .p75, .p90, .p95, .p99, .p99_9, .p99_99, .max] |
            length == 11 and all(type == "number" or type == "null")) and
           has("stddev") and has("p75") and has("p99_99"))'
    holds '.generator | (.cpu_utilisation | type == "number") and (.saturated | type == "boolean")'
    holds '.server.context_switches | has("voluntary") and has("involuntary") and has("total") and
           has("per_request")'
    holds '.server.cpu | has("user_s") and has("system_s") and has("us_per_request") and has("utilisation")'
    holds '.server.memory | has("rss_bytes") and has("rss_peak_bytes") and has("pss_bytes") and
           has("kernel_stack_bytes") and has("page_table_bytes") and has("socket_bytes")'
    holds '.server | (.threads_max >= 1) and has("syscalls_per_request") and
           (.page_faults | has("minor") and has("major"))'
    holds '.interrupted == false and .valid == true and (.warnings | type == "array")'
}

@test "percentiles rise and the mean lies between the ends" {
    against epoll /hello
    books_balance
    holds '.response_us | [.min, .p50, .p75, .p90, .p95, .p99, .p99_9, .p99_99, .max] | all(type == "number")'
    holds '.response_us | [.min, .p50, .p75, .p90, .p95, .p99, .p99_9, .p99_99, .max] | . == sort'
    holds '.response_us | .mean as $mean | .max as $max | (.min | below($mean)) and ($mean | below($max))'
    holds '.throughput_rps * .window_s - .requests.completed | fabs < 1'
}

@test "a response takes at least as long as the server works on it" {
    against epoll '/work?wait_ms=20' -c 2
    holds '.response_us.p50 >= 19990 and .service_us.p50 >= 19990' # the least may be censored
    holds '.requests.completed | below(40)'
}

@test "without --json a person reads a summary, with --json - only the object is written" {
    "$BIN/loadgen" -d 0.3 --warmup 0 http://127.0.0.1:0/hello -- "$BIN/server-epoll" -l 127.0.0.1:0 > out.txt
    grep -q 'requests/s' out.txt
    run ! grep -q '{' out.txt
    "$BIN/loadgen" -d 0.3 --warmup 0 --json - http://127.0.0.1:0/hello -- "$BIN/server-epoll" -l 127.0.0.1:0 > out.json
    jq -es 'length == 1 and (.[0].requests.completed > 0)' out.json
    [ "$(wc -l < out.json)" -eq 1 ]
}

@test "a window of a given length takes about that long" {
    local begin
    begin=$(date +%s%N)
    against epoll /hello
    local took_ms=$((($(date +%s%N) - begin) / 1000000))
    [ "$took_ms" -ge 500 ]
    [ "$took_ms" -le 20000 ]
    holds '.window_s == 0.4'
}

@test "the same seed gives the same requests, and another one others" {
    for seed in 5 5 6; do
        rm -f heads.txt
        misbehaving good -c 1 --seed $seed --mix <(printf '%s\n' '2 GET /a{exp:100}' '1 GET /b{seq}')
        grep ^GET heads.txt | head -100 >> heads.$seed
    done
    [ "$(wc -l < heads.5)" -eq 200 ]
    [ "$(head -100 heads.5)" = "$(tail -100 heads.5)" ]
    [ "$(head -100 heads.5)" != "$(cat heads.6)" ]
}

@test "the Host field names the port that the server has" {
    misbehaving good -c 1
    local port
    port=$(jq -r .target.url out.json | sed 's,.*:\([0-9]*\)/.*,\1,')
    [ "$(grep -i ^host: heads.txt | tr -d '\r' | sort -u)" = "Host: 127.0.0.1:$port" ]
}

# --- loads ----------------------------------------------------------------------------------------

@test "every model serves every kind of load, and the books balance" {
    for server in "$BIN"/server-*; do
        local model=${server##*/server-}
        against "$model" /hello -c 1 -d 0.2
        books_balance
        holds '.requests.completed > 0 and (.requests.errors | add) == 0'
        against "$model" /hello -c 8 -d 0.2 --close
        books_balance
        holds '.requests.completed > 0 and (.requests.errors | add) == 0'
        against "$model" /hello -c 8 -d 0.2 --rate 300
        books_balance
        holds '.requests.completed > 0'
    done
}

@test "a server that keeps to its first connection starves the others, and that is in the figures" {
    against blocking /hello -c 8
    books_balance
    holds '.connections.served == 1 and .connections.unserved == 7'
    holds '.connections.jain_index | . > 0.12 and . < 0.13'
    holds '.requests.unfinished >= 7 and .response_us.censored >= 7'
    holds '.response_us.max >= 400000' # as old as the window, at least
    holds '.warnings | any(test("7 of 8 connections were not served"))'
    holds '.valid'
}

@test "one request a connection opens one for each, in HTTP 1.0 and 1.1" {
    for http in 1.0 1.1; do
        against epoll /hello -c 4 --close --http $http
        books_balance
        holds '.workload.close and (.requests.errors | add) == 0'
        holds '.connections.opened >= .requests.completed and .connect_us.count > 0'
    done
    holds '.connect_us.min > 0'
}

@test "HTTP 1.0 keeps connections alive when both want to" {
    against epoll /hello -c 4 --http 1.0
    books_balance
    holds '.connections.opened == 4 and (.requests.errors | add) == 0'
}

@test "pipelined requests are all answered" {
    against epoll /hello -c 2 --pipeline 8
    books_balance
    holds '.requests.completed > 16 and (.requests.errors | add) == 0 and .connections.opened == 2'
    holds '.requests.unfinished | below(16)'
}

@test "a mix is sent with variates, and its answers are checked" {
    printf '%s\n' '3 GET /work?wait_ms={exp:1}&bytes={uniform:0:3000}' '1 HEAD /hello' \
        '1 GET /hello?{seq}' '1 POST /echo' > mix
    printf 'some body' > body
    against epoll / -c 4 --mix mix --body body
    books_balance
    holds '.requests.completed > 0 and (.requests.errors | add) == 0'
    holds '.workload.requests | length == 4'
}

@test "waits with an exponential variate have its mean" {
    against epoll '/work?wait_ms={exp:5}' -c 32 -d 1
    books_balance
    holds '.service_us.mean | . > 4000 and . < 12000'
    holds '.service_us.stddev > 3000'
}

@test "users who think send as seldom as that says" {
    against epoll /hello -c 20 --think-ms 100 --warmup 0.3 -d 1
    books_balance
    holds '.requests.completed | . > 100 and . < 300'
    holds '.send_lag_us.count > 0'
}

@test "users who think come back after a connection that failed" {
    misbehaving stumbles -c 1 --think-ms 5 --warmup 0
    books_balance
    holds '.requests.completed > 2'
    holds '.requests.errors.read | below(1)'
}

@test "an open loop sends what its rate says, by either law" {
    for law in poisson constant; do
        against epoll /hello --rate 1000 --arrivals $law -d 1
        books_balance
        holds '.workload | .mode == "open" and .rate_rps == 1000 and .arrivals == "'$law'"'
        holds '.requests.intended | . > 850 and . < 1150'
        holds '.send_lag_us.count > 0'
    done
    holds '.requests.intended | . >= 999 and . <= 1001'
}

@test "an open loop counts from the intended time, and what could not be sent is not forgotten" {
    against blocking '/work?wait_ms=20' --rate 200 -c 1 -d 1
    books_balance
    holds '.requests.intended > 140 and .requests.completed < 60'
    holds '.requests.unfinished > 50 and .response_us.censored == .requests.unfinished'
    holds '.response_us.p50 > 2 * .service_us.p50'
    holds '.service_us.count < .response_us.count'
}

@test "two threads share the load" {
    against epoll /hello -c 5 -t 2
    books_balance
    holds '.connections.opened == 5 and .requests.completed > 0'
    against epoll /hello -c 5 -t 2 --rate 1000 --arrivals constant
    books_balance
    holds '.requests.intended | . >= 398 and . <= 402'
}

@test "idle connections are opened, stay open, and are not measured" {
    against epoll /hello -c 2 --idle 300
    books_balance
    holds '.connections.idle_established == 300 and .connections.opened == 2'
    holds '.server.memory.socket_count == null or .server.memory.socket_count >= 303'
    holds '.warnings | all(test("idle") | not)'
}

@test "idle connections that the server closes are told of, also when it says 408 first" {
    load http://127.0.0.1:0/hello -c 1 --idle 5 -d 1 -- \
        "$BIN/server-epoll" -l 127.0.0.1:0 --compute-rate 100 --header-timeout 0.2 --idle-timeout 0.2
    holds '.warnings | any(test("closed 5 of 5 idle connections"))'
}

@test "slow clients are counted apart" {
    printf '1 GET /\n' > mix
    load http://127.0.0.1:0/a -c 1 --slow 4 -H 'Host:x' --warmup 0 -d 4 --any-body -- \
        "$HELPERS/bad_server" good
    books_balance
    holds '.slow.completed >= 1 and .slow.errors == 0'
    holds '.connections.opened == 1 and (.response_us.max | below(3000000))'
}

@test "the machine's figures are there, and the CPUs' time adds up" {
    against epoll /hello
    holds '.machine.cpus | test("^[0-9]")'
    holds '.machine | .idle_share + .user_share + .system_share + .irq_share + .softirq_share +
           .steal_share - 1 | fabs < 1e-6'
    holds '.machine.other_cpu_share >= 0'
    holds '.machine.frequency_khz | has("min") and has("max") and has("begin") and has("end")'
    holds '.machine | has("throttle_events") and .swapped_pages >= 0'
    holds '.machine.pressure | has("cpu_some_share") and has("memory_some_share") and has("io_some_share")'
    holds '.machine.network | [.listen_overflows, .listen_drops, .retransmissions, .syn_retransmissions] |
           all(type == "number")'
    holds '[.warnings[] | select(test("unknown of the machine"))] | length <= 1'
}

@test "without a probed server nobody can say whose the CPU time is" {
    against epoll /hello --no-probe
    holds '.machine.other_cpu_share == null and .machine.idle_share >= 0'
}

@test "others at work on the machine are noticed" {
    sh -c 'ulimit -t 60; while :; do :; done' 3>&- & # one process, that ends with its CPU time
    PIDS+=($!)
    load http://127.0.0.1:0/hello --rate 100 --duration 1 -- \
        "$BIN/server-epoll" --listen 127.0.0.1:0 --compute-rate 100
    holds '.machine.other_cpu_share > 0.1'
}

@test "an accept queue that overflows is told of, and what comes of it" {
    load 'http://127.0.0.1:0/work?wait_ms=2' --duration 1.5 --close -c 64 -- \
        "$BIN/server-blocking" --listen 127.0.0.1:0 --backlog 1
    holds '.machine.network.listen_overflows > 0 or .machine.network.syn_retransmissions > 0'
    holds '.warnings | any(test("accept queue.*waits a second.*--backlog"))'
}

@test "the window's halves make up the whole" {
    against epoll '/work?wait_ms=1'
    holds '.requests.completed == (.halves | map(.completed) | add)'
    holds '(.halves | length == 2 and all(.p50_us > 1000)) and
           (.throughput_rps * 2 - (.halves | map(.throughput_rps) | add) | fabs < 1)'
}

@test "a server that becomes slower within the window is unsteady" {
    misbehaving slows-down -c 4 --duration 2
    holds '.steady == false and .halves[0].completed > .halves[1].completed'
    holds '.warnings | any(test("first half differs from the second.*--warmup"))'
}

@test "a load as even as it can be is steady" {
    against epoll '/work?wait_ms=100' --rate 100 --arrivals constant -c 64 --duration 1
    holds '.steady == true and (.warnings | all(test("first half") | not))'
}

@test "system calls are counted when that is asked for and permitted" {
    against epoll /hello -c 2 --syscalls
    books_balance
    holds '.server.syscalls_per_request == null or (.server.syscalls_per_request | . > 0.5 and . < 20)'
    # By name, and together they are all; what is null has a reason.
    holds 'if .server.syscalls == null then .warnings | any(test("system calls"))
           else (.server | .syscalls.recvfrom > 0.5 and .syscalls.sendto > 0.5
                 and ((.syscalls | add) / .syscalls_per_request - 1 | fabs) < 0.000001)
           end'
    against epoll /hello -c 2
    holds '.server.syscalls == null and .server.syscalls_per_request == null
           and (.warnings | any(test("--syscalls")))'
}

@test "the wait for a CPU and the moves between CPUs are told where the kernel tells" {
    against thread-per-connection /hello -c 8
    books_balance
    holds '.server.scheduler | has("wait_s") and has("wait_us_per_request") and has("migrations")'
    holds 'if .server.scheduler.wait_s == null then .warnings | any(test("scheduler"))
           else .requests.completed as $n | .server.scheduler
                | .wait_s > 0 and (.wait_us_per_request * $n / 1000000 / .wait_s - 1 | fabs) < 0.000001
           end'
    holds '.server.scheduler.migrations | . == null or . >= 0'
}

@test "the processor's counters are read on request, and are numbers or null with a reason" {
    against epoll /hello -c 2 --hardware
    books_balance
    holds 'if .server.hardware.instructions_per_request == null
           then .warnings | any(test("hardware: unknown"))
           else .server.hardware | .instructions_per_request > 100 and .instructions_per_cycle > 0
           end'
    against epoll /hello -c 2
    holds '(.server.hardware | all(. == null)) and (.warnings | any(test("--hardware")))'
}

@test "the kernel's account of the whole life is not less than what the window has" {
    against thread-per-connection /hello -c 2 --close
    books_balance
    holds '.server as $s | $s.lifetime | .rss_peak_bytes > 0 and .voluntary > 0
           and ($s.context_switches.voluntary == null
                or (.voluntary >= $s.context_switches.voluntary
                    and .involuntary >= $s.context_switches.involuntary))
           and .user_s + .system_s + 0.000002 >= $s.cpu.user_s + $s.cpu.system_s'
}

# --- servers that misbehave -----------------------------------------------------------------------

@test "a refused connection is a connect error, and nothing succeeded" {
    run misbehaving refuse
    [ "$status" -eq 2 ]
    only_errors_of connect
    holds '.requests.completed == 0 and .valid == false'
}

@test "an answer that is not HTTP is a parse error" {
    run misbehaving garbage
    [ "$status" -eq 2 ]
    only_errors_of parse
}

@test "a wrong body, a short one and a long one are body errors" {
    for mode in wrong-body short-body long-body; do
        run misbehaving $mode
        [ "$status" -eq 2 ]
        only_errors_of body
    done
    misbehaving wrong-body --any-body
    holds '.requests.completed > 0 and (.requests.errors | add) == 0'
}

@test "a connection that ends or is reset before the answer is complete is a read error" {
    for mode in truncated reset no-answer; do
        run misbehaving $mode
        [ "$status" -eq 2 ]
        only_errors_of read
    done
}

@test "a status other than 2xx is a status error" {
    run misbehaving unavailable
    [ "$status" -eq 2 ]
    only_errors_of status
    run against epoll /nowhere
    [ "$status" -eq 2 ]
    only_errors_of status
}

@test "a server that never answers: every request is unfinished, or too old and on a new connection" {
    run misbehaving silent -c 3
    [ "$status" -eq 2 ]
    books_balance
    holds '.requests.unfinished == 3 and (.requests.errors | add) == 0 and .response_us.min >= 400000'
    run misbehaving silent -c 3 --timeout 0.1 --warmup 0
    [ "$status" -eq 2 ]
    only_errors_of timeout
    holds '.connections.opened > 3 and .response_us.censored >= .requests.errors.timeout'
    holds '.response_us.min >= 0 and (.response_us.max | below(5000000))'
    run misbehaving silent -c 1 --timeout 0.1 --warmup 0 --rate 500
    only_errors_of timeout
    holds '.service_us.max | below(5000000)'
}

@test "pipelined requests that became too old have sane ages" {
    run misbehaving silent -c 4 --pipeline 4 --timeout 0.05 --rate 400
    only_errors_of timeout
    holds '[.response_us.max, .service_us.max] | all(below(5000000))'
}

@test "a connection that the server closes after an answer, said or not, is replaced" {
    misbehaving says-close -c 2
    books_balance
    holds '(.requests.errors | add) == 0 and .connections.opened >= .requests.completed'
    misbehaving until-close -c 2
    books_balance
    holds '.requests.completed > 0 and (.requests.errors | add) == 0'
    misbehaving closing -c 2 --think-ms 20 # time enough to see it before the next request
    books_balance
    holds '.requests.completed > 2 and .requests.completed > (.requests.errors | add)'
}

@test "answers that nobody asked for are not measured" {
    head -c 8000000 /dev/zero > body # more than the kernel's buffers take while nobody reads
    misbehaving flood -c 2 --body body || [ $? -eq 2 ]
    books_balance
    holds '.service_us.max == null or .service_us.max < 5000000'
    misbehaving flood -c 2 --body body --pipeline 4 || [ $? -eq 2 ]
    books_balance
    holds '.service_us.max == null or .service_us.max < 5000000'
}

@test "a server that dies makes the run invalid and says how it died" {
    run misbehaving dies -c 1 --warmup 0 --think-ms 5
    [ "$status" -eq 0 ] # something succeeded
    books_balance
    holds '.valid == false and .requests.completed > 0 and .requests.completed <= 20'
    holds '.requests.errors | .read >= 1 and .connect >= 1'
    holds '.warnings | any(test("exited with status 3"))'
}

# --- capacity -------------------------------------------------------------------------------------

# A search with short steps.
search() {
    load --find-capacity --step 0.3 "$@"
}

@test "the capacity of a server that can do one thing of 2 ms at a time is below 500 requests a second" {
    search --slo 'p99<50ms' --slo 'errors<1%' --steps 10 --capacity-between 300:600 --arrivals constant -c 1 \
        --seed 7 --hgrm out.hgrm --timeline time.tsv 'http://127.0.0.1:0/work?wait_ms=2' -- \
        "$BIN/server-thread-pool" --workers 1 -l 127.0.0.1:0 --compute-rate 100
    books_balance
    # 500, and what may wait in a queue of 50 ms when the window closes; less where the machine is busy
    holds '.capacity | .rate_rps > 100 and .rate_rps < 520 and .slo == ["p99<50ms", "errors<1%"] and
           (.low_rps == null or .low_rps < .rate_rps) and (.high_rps == null or .high_rps > .rate_rps) and
           .peak_throughput_rps > 100 and .bound_rps > .rate_rps'
    holds '.capacity | .limited_by == if .lower_bound then "generator" else "slo" end'
    # the object is that of the last window
    holds '.capacity.windows[-1] as $last | .workload.rate_rps == $last.rate_rps and
           .workload.seed == $last.seed and .workload.mode == "open" and
           .requests.intended == $last.intended and .requests.completed == $last.completed and
           .response_us.p99 == $last.p99_us and .throughput_rps == $last.throughput_rps and .valid'
    holds '.capacity.windows | length == 10 and all(
           (.held | IN(true, false, null)) and (.reason == null) == (.held == true) and
           (.generator_bound | type == "boolean") and .cpu_us_per_request > 0)'
    # 500 requests belong to a p99, and take longer than a step
    holds '.capacity.windows | all(.held != true or (.duration_s >= 0.9 and .intended >= 450))'
    holds '.capacity.windows | .[0].seed == 7 and ([.[].seed] | unique | length) == length'
    holds '.capacity.windows | any(.held) and any(.held == false)'
    holds '.capacity.windows[0].rate_rps | . >= 334 and . <= 600'
    holds '.server.threads_max >= 1' # a probe for each window, and that of the last is reported
    local total
    total=$(grep ' inf$' out.hgrm | awk '{ print $3 }')
    holds ".response_us.count == $total"
    [ "$(wc -l < time.tsv)" -ge 2 ]
    grep -Eq '^capacity: (at least )?[0-9.,]+ requests/s (\([0-9.,]+ to [0-9.,]+\) )?at p99<50ms, errors<1%; bound by CPU [0-9.,]+/s; peak throughput [0-9.,]+/s' out.txt
    grep -Eq '^ +[0-9.,]+ .* held$' out.txt
}

@test "a load at a given rate has no capacity" {
    against epoll /hello --rate 100
    holds 'has("capacity") | not'
    run ! grep -q capacity out.txt
}

@test "where nothing is sustained the capacity is none, and the status says whether anything was answered" {
    search --slo 'p99<5ms' --steps 4 'http://127.0.0.1:0/work?wait_ms=20' -- \
        "$BIN/server-epoll" -l 127.0.0.1:0 --compute-rate 100
    books_balance
    holds '.capacity | .rate_rps == 0 and .limited_by == "nothing sustained" and .lower_bound == false'
    holds '.capacity.windows | length == 4 and all(.held != true and (.reason | type == "string"))'
    holds '.warnings | any(test("rates below 333/s were not tried"))'
    grep -q '^capacity: no rate was sustained at p99<5ms' out.txt
    run search --slo 'errors<50%' --rate 40 --steps 2 -c 1 http://127.0.0.1:0/hello -- \
        "$HELPERS/bad_server" silent
    [ "$status" -eq 2 ]
    holds '.capacity | .rate_rps == 0 and .peak_throughput_rps == null'
}

@test "an overload is cut short, and says so" {
    search --slo 'p99<50ms' --step 40 --warmup 0 --rate 200 -c 1 http://127.0.0.1:0/hello -- \
        "$HELPERS/bad_server" silent heads.txt 3>&- &
    local shell=$!
    eventually pgrep -P $shell -x loadgen > /dev/null
    local pid
    pid=$(pgrep -P $shell -x loadgen)
    second_window() { # each has a connection of its own, on which one request is sent
        [ "$(grep -c ^GET heads.txt)" -ge 2 ]
    }
    eventually second_window
    kill -INT "$pid"
    wait $shell || true
    holds '.capacity.windows[0] | .duration_s < 40 and .held == false'
}

@test "SIGINT in a search keeps its windows so far" {
    search --slo 'p99<10s' --warmup 0 -c 1 --rate 1000 --steps 1000 \
        http://127.0.0.1:0/hello -- "$HELPERS/bad_server" good heads.txt 3>&- &
    local shell=$!
    eventually pgrep -P $shell -x loadgen > /dev/null
    local pid server
    pid=$(pgrep -P $shell -x loadgen)
    eventually pgrep -P "$pid" -x bad_server > /dev/null
    server=$(pgrep -P "$pid" -x bad_server)
    more_than_a_window() { # of 500 requests
        [ "$(grep -c ^GET heads.txt)" -gt 600 ]
    }
    eventually more_than_a_window
    kill -INT "$pid"
    local status=0
    wait $shell || status=$?
    [ "$status" -eq 0 ]
    holds '.interrupted and .valid == false and .requests.intended >= 0'
    books_balance
    holds '.capacity.windows | length >= 2 and (.[-1] | .held == null and .reason == "interrupted")'
    eventually gone "$server"
}

@test "a server that dies ends the search" {
    search --slo 'p99<10s' --warmup 0 -c 1 --rate 100 http://127.0.0.1:0/hello -- \
        "$HELPERS/bad_server" dies
    holds '.valid == false and (.warnings | any(test("exited with status 3")))'
    holds '.capacity | .limited_by == null and (.windows[-1] | .held == null and .reason == "the server ended")'
}

# --- how a run ends -------------------------------------------------------------------------------

@test "SIGINT ends the run at once, with a result and without a server" {
    for warmup in 0 60; do
        rm -f out.json
        against epoll /hello -c 2 --warmup $warmup -d 60 --timeline time.tsv 3>&- &
        local shell=$!
        eventually pgrep -P $shell -x loadgen > /dev/null
        local pid server
        pid=$(pgrep -P $shell -x loadgen)
        eventually pgrep -P "$pid" -x server-epoll > /dev/null
        server=$(pgrep -P "$pid" -x server-epoll)
        eventually has_sockets 3 "$server"
        kill -INT "$pid"
        wait $shell || true
        holds '.interrupted and .valid == false and (.window_s | below(50))'
        holds '.halves == null and .steady == null'
        books_balance
        eventually gone "$server"
        [ "$(wc -l < time.tsv)" -lt 50 ]
    done
}

@test "no server is left behind when loadgen is killed" {
    "$BIN/loadgen" -d 60 --json out.json http://127.0.0.1:0/hello -- \
        "$BIN/server-epoll" -l 127.0.0.1:0 --compute-rate 100 > /dev/null 3>&- &
    local pid=$!
    PIDS+=("$pid")
    eventually pgrep -P $pid -x server-epoll > /dev/null
    local server
    server=$(pgrep -P $pid -x server-epoll)
    kill -9 $pid
    wait $pid || true
    eventually gone "$server"
}

@test "a running server is probed by its process id, and left running" {
    start_server "$BIN/server-epoll" -l 127.0.0.1:0 --compute-rate 100
    load "http://127.0.0.1:$PORT/hello" --pid "$SERVER_PID"
    books_balance
    holds ".target.pid == $SERVER_PID and .server.threads_max >= 1 and .server.memory.rss_bytes > 0"
    holds '.server.lifetime == null and (.warnings | any(test("whole life")))'
    kill -0 "$SERVER_PID"
    load "http://127.0.0.1:$PORT/hello"
    holds '.server == null and .target.pid == null and (.warnings | any(test("--pid")))'
    load "http://127.0.0.1:$PORT/hello" --pid "$SERVER_PID" --no-probe
    holds '.server == null'
}

@test "a server that does not start is told of, and the result says so too" {
    run load http://127.0.0.1:0/hello -- no-such-server
    [ "$status" -eq 1 ]
    grep -q 'no-such-server: No such file' err.txt
    holds '.valid == false and (.warnings | any(test("no-such-server"))) and .requests == null and
           .response_us == null and .throughput_rps == null and .server == null'
    run load http://127.0.0.1:0/hello -- sh -c 'exit 7'
    [ "$status" -eq 1 ]
    grep -q 'exited with status 7' err.txt
    holds '.warnings | any(test("exited with status 7"))'
    run load http://127.0.0.1:80/hello --pid 999999999
    [ "$status" -eq 1 ]
    holds '.valid == false'
}

@test "nobody listens: nothing succeeded" {
    start_server "$HELPERS/bad_server" refuse
    run load "http://127.0.0.1:$PORT/hello"
    [ "$status" -eq 2 ]
    only_errors_of connect
}

@test "a full disk is an error that names the file" {
    for option in --json --hgrm --timeline; do
        run "$BIN/loadgen" -d 0.3 --warmup 0 $option /dev/full http://127.0.0.1:0/hello -- \
            "$BIN/server-epoll" -l 127.0.0.1:0 --compute-rate 100
        [ "$status" -eq 1 ]
        [[ "$output" == *"cannot write /dev/full: No space left"* ]]
    done
    run "$BIN/loadgen" -d 0.3 --json /no/such/folder/x http://127.0.0.1:1/
    [ "$status" -eq 1 ]
    [[ "$output" == *"cannot write /no/such/folder/x: No such file"* ]]
}

# --- files ----------------------------------------------------------------------------------------

@test "the timeline has a row for each interval, and the spectrum ends with everything" {
    against epoll /hello -d 1 --interval 0.25 --timeline time.tsv --hgrm out.hgrm
    [ "$(head -1 time.tsv)" = "$(printf 'time_s\tthroughput_rps\tp50_us\tp90_us\tp99_us\tmax_us\terrors')" ]
    [ "$(tail -n +2 time.tsv | cut -f1 | tr '\n' ' ')" = "0.000 0.250 0.500 0.750 " ]
    local sum
    sum=$(tail -n +2 time.tsv | awk -F'\t' '{ sum += $2 * 0.25 } END { printf "%.0f", sum }')
    holds ".requests.completed - $sum | fabs <= 2"
    grep -q '1/(1-Percentile)' out.hgrm
    local total
    total=$(grep ' inf$' out.hgrm | awk '{ print $3 }')
    holds ".response_us.count == $total"
    grep -q "Total count *= *$total\]" out.hgrm
}

# --- command lines --------------------------------------------------------------------------------

@test "a wrong command line names the option and the value and exits with 64" {
    wrong() {
        local expected=$1
        shift
        run "$BIN/loadgen" "$@"
        echo "$*: $status: $output"
        [ "$status" -eq 64 ]
        [[ "$output" == *"$expected"* ]]
    }
    local url=http://127.0.0.1:1/
    wrong "--frobnicate" --frobnicate $url
    wrong "--connections 0:" -c 0 $url
    wrong "--connections x:" --connections x $url
    wrong "--connections 5x:" -c 5x $url
    wrong "--rate 0:" -r 0 $url
    wrong "--rate -1:" --rate=-1 $url
    wrong "--rate nan:" -r nan $url
    wrong "--arrivals fast:" --arrivals fast $url
    wrong "--think-ms -3:" --think-ms=-3 $url
    wrong "--duration 0:" -d 0 $url
    wrong "--duration 1e3:" -d 1e3 $url
    wrong "--warmup x:" --warmup x $url
    wrong "--threads 0:" -t 0 $url
    wrong "--threads 5:" -t 5 -c 4 $url
    wrong "--http 2:" --http 2 $url
    wrong "--pipeline 0:" --pipeline 0 $url
    wrong "--pipeline 2: not with --close" --pipeline 2 --close $url
    wrong "--timeout 0:" --timeout 0 $url
    wrong "--idle -1:" --idle=-1 $url
    wrong "--slow x:" --slow x $url
    wrong "--seed -1:" --seed=-1 $url
    wrong "--seed 9223372036854775808:" --seed 9223372036854775808 $url
    wrong "--cpus 99999:" --cpus 99999 $url
    wrong "--pid 0:" --pid 0 $url
    wrong "--interval 0:" --interval 0 $url
    wrong "--think-ms 5:" --think-ms 5 --rate 5 $url
    wrong "--pid 1: not together" --pid 1 $url -- true
    wrong "header Nonsense:" -H Nonsense $url
    wrong "method get:" -X get $url
    wrong "/no/mix" --mix /no/mix $url
    wrong "expected a URL"
    wrong "URL ftp://x/:" ftp://x/
    wrong "URL http://x/a b:" "http://x/a b"
    wrong "URL http:///:" http:///
    wrong "URL port 99999:" http://x:99999/
    wrong "port 0 needs a server command" http://127.0.0.1:0/
    wrong "unexpected argument" $url $url
    wrong "--slo p99<10:" --find-capacity --slo 'p99<10' $url
    wrong "--slo p42<10ms: expected p50, p75" --find-capacity --slo 'p42<10ms' $url
    wrong "--slo errors<0%:" --find-capacity --slo 'errors<0%' $url
    wrong "--slo p99<10ms: only with --find-capacity" --slo 'p99<10ms' $url
    wrong "--find-capacity: expected a --slo" --find-capacity $url
    wrong "--step 0:" --find-capacity --slo 'p99<10ms' --step 0 $url
    wrong "--step 3: only with --find-capacity" --step 3 $url
    wrong "--steps 0:" --find-capacity --slo 'p99<10ms' --steps 0 $url
    wrong "--steps 5: only with --find-capacity" --steps 5 $url
    wrong "--capacity-between 5:4:" --find-capacity --slo 'p99<10ms' --capacity-between 5:4 $url
    wrong "--capacity-between 5:" --find-capacity --slo 'p99<10ms' --capacity-between 5 $url
    wrong "--capacity-between: only with --find-capacity" --capacity-between 4:5 $url
    wrong "--think-ms 5: an open loop (--find-capacity)" --find-capacity --slo 'p99<1s' --think-ms 5 $url
    printf '1 GET /\n2 GET\n' > mix
    wrong "mix:2: expected WEIGHT METHOD PATH" --mix mix $url
}

@test "help and version are printed and exit with 0" {
    run "$BIN/loadgen" --help
    [ "$status" -eq 0 ]
    for option in connections rate arrivals think-ms duration warmup threads close http pipeline \
        timeout request header body mix idle slow seed cpus json hgrm timeline interval pid find-capacity \
        slo step steps capacity-between; do
        [[ "$output" == *"--$option"* ]]
    done
    run "$BIN/loadgen" --version
    [ "$status" -eq 0 ]
    [[ "$output" == switchpoint* ]]
}
