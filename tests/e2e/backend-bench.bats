# bench and what the servers ask in turn: a Redis of its own, started when it is needed, filled,
# and gone however bench ends; a place for a database.
#
# Redis is the real one, behind a script that keeps account of its starts. The servers and the load
# generator are stand-ins of a few lines: this is not about them. $BIN is the folder of the programs
# under test.

bats_require_minimum_version 1.5.0
load processes.bash

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    mkdir fake workloads path tmp
    export TMPDIR=$BATS_TEST_TMPDIR/tmp
    # The tests' own folder may have too long a path for a socket.
    if [ ${#TMPDIR} -gt 60 ]; then
        TMPDIR=$(mktemp -d /tmp/backend-bats-XXXXXX)
    fi
    REDIS=$(command -v redis-server || true)
    printf '#!/bin/sh\ntest "$1" = --version || echo $$ >> "%s"\nexec %s "$@"\n' \
        "$BATS_TEST_TMPDIR/redis-pids" "$REDIS" > path/redis-server
    cat > fake/server-alpha <<'SERVER'
#!/bin/sh
echo "ready 127.0.0.1:1 model=alpha pid=$$ compute_rate=100"
trap 'exit 0' TERM INT
for i in $(seq 1200); do sleep 0.05; done # a minute, whatever becomes of the test
SERVER
    # A load generator that keeps its command line, and what it finds in the Redis that it is told of.
    cat > fake/loadgen <<'LOADGEN'
#!/bin/sh
case "$*" in
*--redis*)
    socket=${*##*--redis unix:} socket=${socket%% *}
    ask() { redis-cli -s "$socket" "$@"; }
    {
        ask GET key:4711; ask GET key:9999; ask EXISTS key:10000; ask DBSIZE
        ask LINDEX guestbook:remarks 0; ask GET guestbook:visitors
        ask CONFIG GET port; ask CONFIG GET save; ask CONFIG GET appendonly
    } > "$BATS_TEST_TMPDIR/found"
    ;;
esac
# When its own ceiling is measured, before all else, it is always well.
case "$*" in *" --duration 0.6 "*) FAKE= ;; *) echo "$*" >> "$BATS_TEST_TMPDIR/commands" ;; esac
case "$FAKE $*" in
hang*--redis*) exec sleep 60 ;;
murder*--redis*) kill -9 "$(tail -1 "$BATS_TEST_TMPDIR/redis-pids")" ;;
esac
echo '{"schema":"switchpoint.run/1","workload":{"mode":"closed"},"throughput_rps":100,
 "requests":{"completed":100,"errors":{}},"response_us":{"p50":10},
 "valid":true,"interrupted":false,"warnings":[]}'
LOADGEN
    cp fake/server-alpha fake/server-beta
    chmod +x fake/* path/*
    cat > workloads/plain.conf <<'CONF'
title = Plain
question = Does it work?
path = /hello
connections = 4
warmup_s = 0
duration_s = 0.01
timeout_s = 1
CONF
    sed 's|path = .*|path = /kv?key=key:1\nbackend = redis|' workloads/plain.conf > workloads/stored.conf
    sed 's|path = .*|path = /query?key=key:1\nbackend = sqlite|' workloads/plain.conf > workloads/asked.conf
    unset FAKE
    PATH=$BATS_TEST_TMPDIR/path:$PATH
    CHOSEN=(--bin fake --workload-dir workloads --no-figures)
}

teardown() {
    while read -r pid; do
        gone "$pid" || kill -9 "$pid"
    done 2> /dev/null < redis-pids || true
    case $TMPDIR in /tmp/backend-bats-*) rm -rf "$TMPDIR" ;; esac
}

# Each point once, where nothing else is said.
bench() {
    "$BIN/bench" run "${CHOSEN[@]}" --trials 1 "$@"
}

# A run of the workload that needs Redis, whose first measurement does not end: $! is bench.
begin_long_run() {
    FAKE=hang "$BIN/bench" run "${CHOSEN[@]}" --trials 1 --workloads stored --out out 3>&- &
    await test -s commands
    kill -0 "$(cat redis-pids)"
}

resume() {
    "$BIN/bench" run "${CHOSEN[@]}" --resume out
}

need_redis() {
    if [ -z "$REDIS" ] || ! command -v redis-cli > /dev/null; then
        skip "redis is not installed"
    fi
}

redis_is_gone() {
    gone "$(tail -1 redis-pids)"
}

@test "Redis is started once, filled, has no port and no disk, and is gone after the run" {
    need_redis
    bench --workloads plain,stored --trials 2 --out out
    [ "$(wc -l < redis-pids)" -eq 1 ]
    redis_is_gone
    [ -z "$(ls "$TMPDIR")" ]
    readarray -t found < found
    [[ "${found[0]}" == key:4711.* ]]
    [ ${#found[0]} -eq 100 ]
    [[ "${found[1]}" == key:9999.* ]]
    [ ${#found[1]} -eq 100 ]
    [ "${found[2]}" = 0 ]
    [ "${found[3]}" = 10002 ] # the keys, the remarks, the counter
    [ -n "${found[4]}" ]
    [ "${found[5]}" = 0 ]
    [ "${found[*]:6}" = "port 0 save  appendonly no" ]
}

@test "it is named to those servers that need it, its process to loadgen, and both in the results" {
    need_redis
    bench --workloads plain,stored --out out
    [ "$(grep -c -- "--redis unix:$TMPDIR/switchpoint-.*/redis.socket" commands)" -eq 2 ]
    [ "$(grep -c -- "--backend-pid $(cat redis-pids) " commands)" -eq 2 ]
    grep /kv commands | grep -q redis
    run ! grep -q '/hello.*redis' commands
    [ "$(jq -r .redis.version out/environment.json)" = "$(redis-cli --version | cut -d' ' -f2)" ]
    [ "$(jq .redis.cpus out/environment.json)" = "$(jq .loadgen_cpus out/environment.json)" ]
    grep -qx 'backend = redis' out/inputs/stored.conf
}

@test "where nothing needs Redis there is none" {
    need_redis
    bench --workloads plain,asked --out out
    [ ! -e redis-pids ]
    [ "$(jq .redis out/environment.json)" = null ]
}

@test "a database has a place that all servers of the run share, and that is gone after it" {
    bench --workloads plain,asked --trials 2 --out out
    [ "$(grep -c -- --database commands)" -eq 4 ]
    [ "$(grep -o -- "--database $TMPDIR/switchpoint-[^ ]*" commands | sort -u | wc -l)" -eq 1 ]
    run ! grep -q '/hello.*--database' commands
    [ -z "$(ls "$TMPDIR")" ]
}

@test "SIGINT ends Redis too, and the rest of the run has another one" {
    need_redis
    begin_long_run
    kill -INT $!
    local status=0
    wait $! || status=$?
    [ "$status" -eq 1 ]
    redis_is_gone
    [ -z "$(ls "$TMPDIR")" ]
    resume
    [ "$(wc -l < redis-pids)" -eq 2 ]
    redis_is_gone
    [ "$(wc -l < out/runs.jsonl)" -eq 2 ]
}

@test "kill -9 of bench ends Redis too" {
    need_redis
    begin_long_run
    kill -9 $!
    await redis_is_gone
}

@test "a Redis that ends in the middle of a run ends the run, which can be resumed" {
    need_redis
    FAKE=murder run bench --workloads stored --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"redis-server has ended"* ]]
    [ "$(wc -l < out/runs.jsonl)" -eq 1 ]
    resume
    [ "$(wc -l < out/runs.jsonl)" -eq 2 ]
}

# All programs that there are, but Redis.
without_redis() {
    mkdir bare
    ln -s /usr/bin/* /bin/* bare/ 2> /dev/null || true
    rm -f bare/redis-*
    PATH=$BATS_TEST_TMPDIR/bare bench "$@"
}

@test "where Redis is not installed its workloads are left out, and the report says so" {
    run without_redis --workloads all --out out
    [ "$status" -eq 0 ]
    local sentence='the workload stored was not measured: redis-server and redis-cli are not installed'
    [[ "$output" == *"bench: warning: $sentence"* ]]
    [ "$(jq -c .left_out out/plan.json)" = "[\"$sentence\"]" ]
    grep -q "$sentence" out/summary.md
    [ "$(jq -r .workload out/runs.jsonl | sort -u | tr '\n' ' ')" = "asked plain " ]
}

@test "where nothing is left to measure without Redis there is no run" {
    run without_redis --workloads stored --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"none of the chosen workloads can be measured here"* ]]
    [ ! -e out/runs.jsonl ]
}

# The suite's own programs and workloads. Whatever else the machine does, an event loop that stands
# still for a tenth of the time makes more than one request in a hundred wait.
@test "an event loop answers all that the workloads ask of Redis, and a call that blocks stalls it" {
    need_redis
    "$BIN/bench" run --workload-dir "$BATS_TEST_DIRNAME/../../workloads" --models epoll \
        --workloads backend,guestbook,blocking-call --trials 1 --no-figures --out out
    [ "$(jq -s 'map(select(.requests.completed > 0 and (.requests.errors | add) == 0)) | length' \
        out/runs.jsonl)" -eq 4 ]
    jq -se 'map(if .workload == "blocking-call" then .response_us.p99 > 10000
                else .backend.us_per_request > 0 end) | all' out/runs.jsonl
    redis_is_gone
}

@test "a temporary folder with too long a path for a socket is refused with what to do" {
    need_redis
    local long=$TMPDIR/$(printf 'x%.0s' {1..100})
    mkdir "$long"
    TMPDIR=$long run bench --workloads stored --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"set TMPDIR to a shorter one"* ]]
    [ ! -e redis-pids ]
}
