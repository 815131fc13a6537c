# server-uring: what no other model has to show. The rest is servers.bats.
#
# $BIN is the folder of the programs under test, $HELPERS that of what they are tested with.

bats_require_minimum_version 1.5.0
load servers.bash

setup() {
    SERVER=$BIN/server-uring
    PID= FLOOD=
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    for pid in $PID $FLOOD; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

@test "where io_uring is forbidden it says so in one line, and exits with 69" {
    run -69 --separate-stderr "$HELPERS/without_uring" "$SERVER" -l 127.0.0.1:0 --compute-rate 1
    [ -z "$output" ]
    [ "${#stderr_lines[@]}" -eq 1 ]
    [[ $stderr == "server-uring: no io_uring: "*"kernel.io_uring_disabled"* ]]
}

resident_kib() {
    awk '/^VmRSS/ { print $2 }' "/proc/$PID/status"
}

# Bytes that the server has not taken from its client.
unreceived() {
    ss -tnH "sport = :$PORT" | awk '{ sum += $2 } END { print sum + 0 }'
}

much_is_unreceived() {
    [ "$(unreceived)" -gt 30000 ] # what the kernel holds back may be no more than 64 KiB
}

# A little at a time, so that all of it would be received while buffers last.
ask_for_more() {
    local requests
    requests=$(for i in $(seq 50); do get /hello; done)
    while printf '%s' "$requests"; do :; done 2>/dev/null
}

@test "a client that asks for more and more without an answer is not received from any longer" {
    start
    before=$(resident_kib)
    dial
    get /hello >&"$conn"
    read_until "$conn" 'HTTP/1.1 200' # from the second request on, a receive lasts
    get '/work?wait_ms=60000' >&"$conn"
    ask_for_more >&"$conn" 3>&- &
    FLOOD=$!
    await much_is_unreceived
    sleep 1
    much_is_unreceived
    [ $(($(resident_kib) - before)) -lt 8192 ]
    [ "$(code "$ADDRESS/hello")" = 200 ]
    exec {conn}>&-
}

@test "what was held back from a client is received when it reads again" {
    start
    # In one command: bats looks at each of a loop's.
    printf 'GET /hello?%s HTTP/1.1\r\nHost: a\r\n\r\n' $(seq 5000) >requests
    { get '/work?wait_ms=300'; cat requests; } | timeout 60 nc -N 127.0.0.1 "$PORT" >answers
    [ "$(grep -ac 'HTTP/1.1 200' answers)" -eq 5001 ]
}

@test "more clients at once than there are buffers are all answered" {
    start
    timeout 60 h2load --h1 -n 20000 -c 500 "http://$ADDRESS/work?bytes=3000" >log
    grep -q '20000 succeeded, 0 failed' log
}
