# Foreign servers: each that is shipped and installed answers and leaves nothing behind, and what
# cannot run here is said in a line. A server of the test's own has no need to be installed.
#
# $BIN is the folder of the programs under test.

bats_require_minimum_version 1.5.0
load processes.bash

setup() {
    # For the temporary folders of runs: the test's own, where the workers of a server that root
    # starts can reach it.
    TMPDIR=$(mktemp -d /tmp/switchpoint-test-XXXXXX)
    chmod 755 "$TMPDIR"
    export TMPDIR
    TARGETS=$(realpath "$BATS_TEST_DIRNAME/../../targets")
    cd "$BATS_TEST_TMPDIR"
    mkdir workloads own
    # Clients who think leave the CPUs to the tests beside this one.
    cat > workloads/hello.conf <<'CONF'
title = Hello
question = Does it answer?
path = /hello
connections = 4
think_ms = 2
warmup_s = 0.2
duration_s = 0.8
CONF
    cat > workloads/file.conf <<'CONF'
title = File
question = Does it serve a file?
path = /files/a.txt
file_bytes = 5000
connections = 4
think_ms = 2
warmup_s = 0.2
duration_s = 0.8
CONF
    cat > workloads/work.conf <<'CONF'
title = Work
question = Does it compute?
path = /work?cpu_us=10
connections = 4
think_ms = 2
warmup_s = 0.2
duration_s = 0.8
CONF
    # A server without a word of its own: it forks a worker, which a signal to the first misses.
    cat > own/server.py <<'SERVER'
import http.server, os, socket, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        found = self.path == sys.argv[2]
        body = b"Hello, World!" if found else b"no"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *unused):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
if os.fork() == 0:
    time.sleep(600)
server.serve_forever()
SERVER
    cat > own/mine.conf <<CONF
title = My own server
needs = python3
command = {program} {here}/server.py {port} /greeting
[paths]
/hello = /greeting
CONF
}

teardown() {
    rm -rf "$TMPDIR"
}

bench() {
    local command=$1
    shift
    "$BIN/bench" "$command" --workload-dir workloads "$@"
}

# Processes of a shipped target, by the temporary folder in their command line (a worker's name may
# be another: Apache's and nginx's keep it in their environment), and of the test's own.
left_behind() {
    pgrep -af "$TMPDIR/switchpoint-[^/]*/$1" || pgrep -af "$BATS_TEST_TMPDIR/own/server.py"
}

installed() {
    bench list --target-dir "$TARGETS" | grep -E "^  $1 " | grep -qv 'not here'
}

# A shipped target answers both kinds of requests, in a run and by itself, and is gone afterwards.
answers() {
    installed "$1" || skip "$1 is not installed"
    run bench run --no-figures --workloads all --trials 1 --models epoll --target-dir "$TARGETS" --targets "$1" --out out
    echo "$output"
    [ "$status" -eq 0 ]
    jq -c --arg t "$1" 'select(.model == $t) | [.workload, .requests, .error, .valid, .warnings, .server.cpu, .server.memory]' out/runs.jsonl
    [ "$(jq -sc --arg t "$1" 'map(select(.model == $t) | [.workload, .requests.completed > 0, (.requests.errors | add), .valid]) | sort' out/runs.jsonl)" = \
        '[["file",true,0,true],["hello",true,0,true]]' ]
    jq -se --arg t "$1" 'map(select(.model == $t)) | all(.server.cpu.us_per_request > 0 and .server.memory.pss_bytes > 0)' out/runs.jsonl
    grep -q "^| $1 |" out/summary.md
    grep -q "^- $1 does not answer what these ask, and is not in them: work$" out/summary.md
    run ! left_behind "$1"
    [ -z "$(ls "$TMPDIR")" ]
}

@test "nginx answers under loadgen and leaves nothing behind" {
    answers nginx
    # A worker besides the master, and both are probed.
    [ "$(jq -s 'map(select(.model == "nginx").server.threads_max) | max' out/runs.jsonl)" -eq 2 ]
}

@test "Apache's mpm_prefork answers under loadgen and leaves nothing behind" {
    answers apache-prefork
    [ "$(jq -s 'map(select(.model == "apache-prefork").server.threads_max) | max' out/runs.jsonl)" -ge 100 ]
}

@test "Apache's mpm_worker answers under loadgen and leaves nothing behind" {
    answers apache-worker
}

@test "Apache's mpm_event answers under loadgen and leaves nothing behind" {
    answers apache-event
}

@test "lighttpd answers under loadgen and leaves nothing behind" {
    answers lighttpd
}

@test "an ordinary user can run all of them" {
    [ "$(id -u)" -eq 0 ] || skip "is an ordinary user already"
    command -v setpriv > /dev/null || skip "setpriv is not installed"
    mkdir public
    cp -r workloads "$BIN/bench" "$BIN/loadgen" "$BIN/server-epoll" "$TARGETS" public/
    chmod -R a+rX public
    local place=$TMPDIR/place
    cp -r public "$place"
    chmod 777 "$place" "$TMPDIR"
    cd "$place"
    local names=$(for t in nginx apache-prefork apache-worker apache-event lighttpd; do
        if ./bench list --workload-dir workloads --target-dir targets | grep -E "^  $t " | grep -qv 'not here'; then echo "$t"; fi
    done | paste -sd,)
    run setpriv --reuid=65534 --regid=65534 --clear-groups ./bench run --no-figures --workloads all --trials 1 \
        --workload-dir workloads --workloads hello,file --target-dir targets --models epoll --targets "$names" --out out
    echo "$output"
    local answered=$(jq -r 'select(.requests.completed > 0).model' out/runs.jsonl | sort -u | grep -v epoll | paste -sd,)
    [ "$status" -eq 0 ]
    [ "$answered" = "$(tr , '\n' <<< "$names" | sort | paste -sd,)" ]
}

@test "a server of one's own is one file" {
    run bench run --no-figures --workloads all --trials 1 --models epoll --target-dir own --targets mine --out out
    [ "$status" -eq 0 ]
    jq -se 'map(select(.model == "mine")) | length == 1 and all(.workload == "hello" and .requests.completed > 0 and (.target.url | endswith("/greeting")))' out/runs.jsonl
    [[ "$output" == *'mine does not answer what these ask, and is not in them: file work'* ]]
    grep -qP '^mine\thello\t-\tthroughput\t' out/summary.tsv
    run ! left_behind mine
    [ -z "$(ls "$TMPDIR")" ]
    bench plot out
    cut -f 3 out/plots/throughput.tsv | grep -qx mine
}

@test "nothing of a server that forks is left when bench is killed" {
    sed -i 's/duration_s = 0.8/duration_s = 60/' workloads/hello.conf
    # The order is the seed's: with this one the target comes first.
    "$BIN/bench" run --no-figures --workload-dir workloads --trials 1 --models epoll --workloads hello --target-dir own \
        --targets mine --seed 3 --out out > messages 2>&1 3>&- &
    local bench=$!
    # loadgen, which has it in its command line, too; and two of the server's
    three_run() {
        [ -s out/plan.json ] && pgrep -f "$BATS_TEST_TMPDIR/own/server.py" > pids && [ "$(wc -l < pids)" -ge 3 ]
    }
    await three_run || cat messages
    [ "$(wc -l < pids)" -ge 3 ]
    kill -9 $bench
    wait $bench || true
    nothing_left() {
        ! left_behind mine
    }
    await nothing_left
}

@test "a target that is not installed is skipped with a line" {
    sed 's/^needs = nginx/needs = nginx-that-nobody-has/; s/{program}/nginx/' "$TARGETS/nginx.conf" > own/nginx.conf
    run bench run --no-figures --workloads all --trials 1 --models epoll --workloads hello --target-dir own --targets nginx --out out
    [ "$status" -eq 0 ]
    [[ "$output" == *'warning: nginx was not measured: nginx-that-nobody-has is not installed'* ]]
    grep -q '^- nginx was not measured: nginx-that-nobody-has is not installed$' out/summary.md
    [ "$(jq -r .model out/runs.jsonl)" = epoll ]
    bench list --target-dir own | grep -q '^  nginx .* - not here: nginx-that-nobody-has is not installed$'
}

@test "a target that does not start is skipped with its last words" {
    echo 'raise SystemExit("the moon is full")' > own/server.py
    run bench run --no-figures --workloads all --trials 1 --models epoll --workloads hello --target-dir own --targets mine --out out
    [ "$status" -eq 0 ]
    grep -q '^- mine was not measured: the server exited with status 1 before it was ready: the moon is full$' out/summary.md
}

@test "a target that answers with errors is skipped with a line that says so" {
    # A quick one, and more than once: in the moment for which it is tried, an answer must come.
    cat > own/mine.conf <<'CONF'
title = Knows nothing
command = {bin}/server-epoll --listen {address}:0 --compute-rate {compute_rate}
ready = line
[paths]
/hello = /elsewhere
CONF
    local try
    for try in 1 2 3 4 5; do
        run bench run --no-figures --workloads all --trials 1 --models epoll --workloads hello --target-dir own --targets mine --out "out$try"
        [ "$status" -eq 0 ]
        ! grep -q '^- mine was not measured' "out$try/summary.md" || break
    done
    grep -q '^- mine was not measured: no request of /elsewhere was answered correctly (errors of the kind "status"' "out$try/summary.md"
}

@test "one of our own binaries with options is a target that answers everything" {
    cat > own/epoll-again.conf <<'CONF'
title = The same again
command = {bin}/server-epoll --listen {address}:0 --compute-rate {compute_rate} --root {root} --cpus {cpus}
ready = line
routes = all
CONF
    run bench run --no-figures --workloads all --trials 1 --models epoll --target-dir own --targets epoll-again --out out
    [ "$status" -eq 0 ]
    [ "$(jq -sc 'map(select(.model == "epoll-again" and .requests.completed > 0).workload) | sort' out/runs.jsonl)" = '["file","hello","work"]' ]
    [ "$(jq .left_out out/plan.json)" = null ]
}

@test "a run with targets can be resumed without their files" {
    bench run --no-figures --workloads all --trials 1 --models epoll --workloads hello --target-dir own --targets mine --trials 2 --out out
    sed -i '$d' out/runs.jsonl
    sed -i '$d' out/runs.jsonl
    rm own/mine.conf
    run "$BIN/bench" run --no-figures --resume out
    [ "$status" -eq 0 ]
    [ "$(jq -s 'map(select(.requests.completed > 0)) | length' out/runs.jsonl)" -eq 4 ]
}

@test "a target that there is not is a usage error, as is one with the name of a model" {
    run bench run --workloads all --target-dir own --targets mine,yours
    [ "$status" -eq 64 ]
    [[ "$output" == *'--targets: there is no target "yours". There are: mine'* ]]
    mv own/mine.conf own/epoll.conf
    run bench run --workloads all --target-dir own --targets epoll
    [ "$status" -eq 64 ]
    [[ "$output" == *'epoll is the name of a model, too'* ]]
    run bench run --workloads all --target-dir nowhere
    [ "$status" -eq 64 ]
    [[ "$output" == *'--target-dir nowhere'* ]]
}

@test "a mistake in a target is named with file and line" {
    sed -i '1a colour = red' own/mine.conf
    run bench run --workloads all --target-dir own --targets mine
    [ "$status" -eq 1 ]
    [[ "$output" == *'own/mine.conf:2: unknown setting "colour"'* ]]
}

@test "loadgen puts its port into the command and the template of a server that has none" {
    cat > own/fill.conf.in <<'CONF'
listen {port} {other}
CONF
    run "$BIN/loadgen" --ready port --template own/fill.conf.in --server-cpus 0 -c 2 -d 0.2 --warmup 0 --json result.json \
        http://127.0.0.1:0/greeting -- python3 own/server.py '{port}' /greeting
    [ "$status" -eq 0 ]
    local port=$(jq -r .target.url result.json | sed 's,.*:\([0-9]*\)/.*,\1,')
    [ "$(cat own/fill.conf)" = "listen $port {other}" ]
    jq -e '.requests.completed > 0 and .valid' result.json
    run ! left_behind mine
    run "$BIN/loadgen" --ready port http://127.0.0.1/
    [ "$status" -eq 64 ]
    run "$BIN/loadgen" --stop-signal HALT http://127.0.0.1:0/ -- sleep 1
    [ "$status" -eq 64 ]
    [[ "$output" == *'--stop-signal HALT'* ]]
    run "$BIN/loadgen" --ready port -d 0.1 http://127.0.0.1:0/ -- sh -c 'echo gone to the background >&2'
    [ "$status" -eq 1 ]
    [[ "$output" == *'it has to stay in the foreground'*'gone to the background'* ]]
}

@test "the last words of a server that cannot run here are in the result" {
    run "$BIN/loadgen" -d 0.1 --json result.json http://127.0.0.1:0/ -- sh -c 'echo io_uring is disabled >&2; exit 69'
    [ "$status" -eq 1 ]
    jq -e '(.valid | not) and (.warnings | index("the server exited with status 69 before it was ready: io_uring is disabled") != null)' result.json
}
