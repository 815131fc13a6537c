# What the server tests share: a server to start and stop, raw connections, conditions to wait for.
# $SERVER is the binary under test.

load processes.bash

# Sets PID, PORT and ADDRESS. Its output is in $OUT and $ERR.
start() {
    OUT=$BATS_TEST_TMPDIR/out ERR=$BATS_TEST_TMPDIR/err
    : >"$OUT" # the line of a server before this one is not its own
    "$SERVER" -l 127.0.0.1:0 --compute-rate 100 "$@" >"$OUT" 2>"$ERR" 3>&- &
    PID=$!
    await grep -q '^ready ' "$OUT"
    ADDRESS=$(awk '{print $2}' "$OUT")
    PORT=${ADDRESS##*:}
}

# Ends the server by its pid. Its exit status.
stop() {
    local pid=$PID
    PID=
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid"
}

model() {
    local name=${SERVER##*/server-}
    echo "$name"
}

# is_model NAME...: is it one of them?
is_model() {
    [[ " $* " == *" $(model) "* ]]
}


# A Redis of the test's own, on a Unix socket: $REDIS is its address for --redis.
start_redis() {
    REDIS_SOCKET=$BATS_TEST_TMPDIR/redis.sock REDIS=unix:$BATS_TEST_TMPDIR/redis.sock
    redis-server --port 0 --bind 127.0.0.1 --unixsocket "$REDIS_SOCKET" --save '' --appendonly no \
        --dir "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/redis.log" 2>&1 3>&- &
    REDIS_PID=$!
    await redis PING
}

stop_redis() {
    local pid=$REDIS_PID
    REDIS_PID=
    kill -TERM "$pid"
    wait "$pid" || true
}

redis() {
    redis-cli -s "$REDIS_SOCKET" "$@" >/dev/null 2>&1
}

answers() { # STATUS URL
    [ "$(code "$2")" = "$1" ]
}

# Waits for a server to end by itself. Its exit status is in $ended.
await_end() {
    local pid=$PID
    await gone "$pid"
    PID=
    ended=0
    wait "$pid" || ended=$?
}

# Answer bytes to raw request bytes, sent whole and then half-closed.
raw() {
    printf "$1" | timeout 30 nc -N 127.0.0.1 "$PORT"
}

# A raw connection that stays: its descriptor is in $conn.
dial() {
    exec {conn}<>"/dev/tcp/127.0.0.1/$PORT"
}


get() {
    printf 'GET %s HTTP/1.1\r\nHost: a\r\n\r\n' "$1"
}

# Reads lines from descriptor $1 until one has $2 in it.
read_until() {
    local line
    while IFS= read -r -t 30 line <&"$1"; do
        case $line in
        *"$2"*) return 0 ;;
        esac
    done
    return 1
}

code() {
    curl -s -o /dev/null -w '%{http_code}' -m 30 "$@"
}

# Of the server, its child processes, and those that it had.
cpu_ticks() {
    local pid
    for pid in "$PID" $(pgrep -P "$PID"); do
        cat "/proc/$pid/stat" 2>/dev/null || true # it may have ended
    done | awk '{ ticks += $14 + $15 + $16 + $17 } END { print ticks }'
}

# A connection on which one answer has come and another is being made.
dial_in_flight() {
    dial
    # In one write, so that the first answer says that the server has both requests.
    { get /hello; get "/work?wait_ms=$1&bytes=1234"; } >requests
    cat requests >&"$conn"
    read_until "$conn" 'HTTP/1.1 200'
}

not_listening() {
    ! ss -ltnH "sport = :$PORT" | grep -q .
}

refuses() { # STATUS TEXT... -- ARGUMENTS
    local status_wanted=$1 texts=()
    shift
    while [ "$1" != -- ]; do
        texts+=("$1")
        shift
    done
    shift
    run timeout 30 "$SERVER" "$@"
    [ "$status" -eq "$status_wanted" ] || {
        echo "status $status for $*: $output"
        return 1
    }
    local text
    for text in "${texts[@]}"; do
        [[ ${lines[0]} == *"$text"* ]] || {
            echo "no '$text' in: ${lines[0]}"
            return 1
        }
    done
}
