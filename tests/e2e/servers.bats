# A server from outside, by real clients. The same tests for every model: $SERVER is the binary.
#
# Nothing here depends on the speed of the machine: tests wait for conditions, and the few
# that look whether something does NOT happen give it a moment and no more.

bats_require_minimum_version 1.5.0
load servers.bash

setup_file() {
    [ -x "${SERVER:-}" ] || {
        echo "SERVER must name a server's binary; make e2e sets it" >&2
        return 1
    }
}

setup() {
    PID= REDIS_PID= clients=()
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    local pid
    for pid in $PID $REDIS_PID "${clients[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# --- what it says -------------------------------------------------------------------------------

@test "the ready line names address, model, pid and rate" {
    "$SERVER" -l 127.0.0.1:0 >out 2>err 3>&- &
    PID=$!
    await grep -q '^ready ' out
    grep -Eqx "ready 127\.0\.0\.1:[1-9][0-9]* model=$(model) pid=$PID compute_rate=[0-9]+\.[0-9]+" out
    [ "$(wc -l <out)" -eq 1 ]
    [ ! -s err ]
}

@test "a given compute rate is taken as it is" {
    start
    grep -q 'compute_rate=100.000$' "$OUT"
}

@test "it listens where it was told to, and nowhere else" {
    start
    [ "$(ss -ltnHp | grep "pid=$PID," | awk '{print $4}' | sort -u)" = "$ADDRESS" ]
}

@test "only a model with workers takes --workers" {
    if "$SERVER" --workers 1 --version; then
        refuses 64 --workers 0 -- --workers 0
        start --workers 3
        [ "$(code "$ADDRESS/hello")" = 200 ]
    else
        refuses 64 --workers 4 "no workers" -- --workers 4
    fi
}

@test "a bad address is refused with a line that names it" {
    refuses 1 127.0.0.1:99999 -- -l 127.0.0.1:99999
    refuses 1 nowhere -- -l nowhere
    refuses 1 192.0.2.1:0 -- -l 192.0.2.1:0 # RFC 5737: nobody's
}

@test "a port in use is refused with a line that names it" {
    start
    refuses 1 "$ADDRESS" "in use" -- -l "$ADDRESS"
}

# --- routes -------------------------------------------------------------------------------------

@test "hello is thirteen bytes of text" {
    start
    [ "$(curl -s "$ADDRESS/hello")" = 'Hello, World!' ]
    curl -sI "$ADDRESS/hello" | grep -qi '^content-length: 13'
    curl -si "$ADDRESS/hello" | grep -qi '^content-type: text/plain'
}

@test "work answers as many bytes as it is asked for" {
    start
    for bytes in 0 1 2048 2049 65536 65537 1000000 16777216; do
        [ "$(curl -s "$ADDRESS/work?bytes=$bytes" | wc -c)" -eq "$bytes" ]
    done
}

@test "work waits at least as long as it is asked to" {
    start
    took=$(curl -s -o /dev/null -w '%{time_total}' "$ADDRESS/work?wait_ms=200&cpu_us=100&lock_us=100")
    awk -v took="$took" 'BEGIN { exit !(took >= 0.2) }'
}

@test "echo answers the body, whole or in chunks" {
    start
    head -c 300000 /dev/urandom >body
    curl -s --data-binary @body "$ADDRESS/echo" | cmp - body
    curl -s -H 'Transfer-Encoding: chunked' --data-binary @body "$ADDRESS/echo" | cmp - body
    curl -s -H 'Expect: 100-continue' --data-binary @body "$ADDRESS/echo" | cmp - body
}

@test "a file is served with its type, length and date" {
    mkdir root
    head -c 3000000 /dev/urandom >root/large.png
    echo '<p>' >'root/a b.html'
    : >root/empty.txt
    touch -d '1994-11-06 08:49:37 UTC' root/large.png
    start --root root
    curl -s "$ADDRESS/files/large.png" | cmp - root/large.png
    curl -sI "$ADDRESS/files/large.png" >head
    grep -q '^Content-Type: image/png' head
    grep -q '^Content-Length: 3000000' head
    grep -q '^Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT' head
    [ "$(curl -s "$ADDRESS/files/a%20b.html")" = '<p>' ]
    [ "$(code "$ADDRESS/files/empty.txt")" = 200 ]
}

@test "nothing outside the root is served" {
    mkdir -p root/inner
    echo secret >secret
    echo open >root/open
    ln -s ../secret root/out
    ln -s /etc/passwd root/absolute
    ln -s .. root/parent
    ln -s ../open root/inner/in
    mkfifo root/fifo
    start --root root
    for name in ../secret %2e%2e/secret %2e%2e%2fsecret inner/../../secret out absolute \
        parent/secret fifo inner inner/ . '' /etc/passwd //etc/passwd open/ open%00 missing; do
        [ "$(code --path-as-is "$ADDRESS/files/$name")" = 404 ] || {
            echo "$name was served"
            return 1
        }
    done
    [ "$(curl -s "$ADDRESS/files/inner/in")" = open ]
    [ "$(curl -s --path-as-is "$ADDRESS/files/inner/../open")" = open ]
}

@test "without a root there are no files" {
    start
    [ "$(code "$ADDRESS/files/passwd")" = 404 ]
}

# --- the backend --------------------------------------------------------------------------------

@test "a key's value is read from Redis" {
    start_redis
    redis SET 'a key' 'its value'
    start --redis "$REDIS"
    [ "$(curl -s "$ADDRESS/kv?key=a%20key")" = 'its value' ]
    [ "$(code -I "$ADDRESS/kv?key=a%20key")" = 200 ]
    [ "$(code "$ADDRESS/kv?key=missing")" = 404 ]
    [ "$(code "$ADDRESS/kv")" = 400 ]
    curl -s "$ADDRESS/kv?key=a&colour=red" | grep -q colour
    redis RPUSH list 1
    [ "$(code "$ADDRESS/kv?key=list")" = 503 ]
    [ "$(curl -s "$ADDRESS/kv?key=a%20key")" = 'its value' ]
}

@test "a Redis on a TCP port does as well" {
    start_redis
    redis SET key value
    for port in $(shuf -i 20000-30000 -n 20); do
        redis CONFIG SET port "$port" && nc -z 127.0.0.1 "$port" && break
    done
    start --redis "127.0.0.1:$port"
    [ "$(curl -s "$ADDRESS/kv?key=key")" = value ]
}

@test "a large value comes whole" {
    start_redis
    head -c 3000000 /dev/urandom >value
    redis-cli -s "$REDIS_SOCKET" -x SET large <value
    start --redis "$REDIS"
    curl -s "$ADDRESS/kv?key=large" | cmp - value
}

@test "without a backend or a database their routes are unavailable" {
    start
    for route in 'kv?key=a' guestbook 'query?key=a'; do
        [ "$(code "$ADDRESS/$route")" = 503 ]
        curl -si "$ADDRESS/$route" | grep -q '^Retry-After: 1'
    done
}

@test "while Redis is down the answer is 503, and it recovers when it comes back" {
    start --redis "unix:$BATS_TEST_TMPDIR/redis.sock"
    [ "$(code "$ADDRESS/kv?key=key")" = 503 ]
    curl -si "$ADDRESS/kv?key=key" | grep -q '^Retry-After: 1'
    for round in 1 2; do
        start_redis
        redis SET key value
        await answers 200 "$ADDRESS/kv?key=key"
        stop_redis
        await answers 503 "$ADDRESS/kv?key=key"
    done
    [ "$(code "$ADDRESS/hello")" = 200 ]
}

# Holds Redis still: it is connected to, and says nothing.
still_redis() {
    start_redis
    redis SET key value
    kill -STOP "$REDIS_PID"
}

@test "a Redis that never answers costs no more than the timeout" {
    still_redis
    start --redis "$REDIS" --backend-timeout 0.3
    took=$(curl -s -m 30 -o answer -w '%{http_code} %{time_total}' "$ADDRESS/kv?key=key")
    awk -v took="$took" 'BEGIN { split(took, t); exit !(t[1] == 503 && t[2] >= 0.29 && t[2] < 10) }'
    [ "$(code "$ADDRESS/hello")" = 200 ]
    kill -CONT "$REDIS_PID"
    await answers 200 "$ADDRESS/kv?key=key"
}

@test "clients that leave while Redis thinks harm nobody else" {
    still_redis
    start --redis "$REDIS" --backend-timeout 0.5
    for i in 1 2 3 4; do
        dial
        get '/kv?key=key' >&"$conn"
        exec {conn}>&-
    done
    kill -CONT "$REDIS_PID"
    await answers 200 "$ADDRESS/kv?key=key"
    [ "$(curl -s "$ADDRESS/kv?key=key")" = value ]
    kill -0 "$PID"
}

@test "pipelined requests to Redis and others are answered in order" {
    start_redis
    start --redis "$REDIS"
    requests=
    for i in $(seq 50); do
        printf 'SET key:%d %0*d\n' "$i" $((i + 100)) 0
        requests+="GET /kv?key=key:$i HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    done >commands
    redis <commands
    raw "$requests" >answers
    for i in $(seq 101 150); do
        echo "$i 13 "
    done | tr -d '\n' >expected
    [ "$(grep -a -o 'Content-Length: [0-9]*' answers | awk '{print $2}' | tr '\n' ' ')" = "$(cat expected)" ]
}

@test "many clients ask Redis at once, and each gets its own value" {
    start_redis
    for i in $(seq 20); do
        redis SET "key:$i" "value $i"
    done
    start --redis "$REDIS"
    clients=()
    for i in $(seq 20); do
        curl -s -m 60 "$ADDRESS/kv?key=key:$i" -o "value$i" 3>&- &
        clients+=($!)
    done
    wait "${clients[@]}"
    for i in $(seq 20); do
        [ "$(cat "value$i")" = "value $i" ]
    done
}

@test "the guestbook counts its visitors and escapes what they say" {
    start_redis
    start --redis "$REDIS"
    curl -s "$ADDRESS/guestbook" | grep -q 'visitor number <b>1</b>'
    curl -s --data-urlencode 'remark=<script>"a" & b' "$ADDRESS/guestbook" >page
    grep -q 'visitor number <b>2</b>' page
    grep -qF '<li>&lt;script&gt;&quot;a&quot; &amp; b</li>' page
    for i in $(seq 25); do
        curl -s -d "remark=remark+$i" "$ADDRESS/guestbook" >page
    done
    [ "$(grep -c '<li>' page)" -eq 20 ]
    grep -qF '<li>remark 25</li>' page
    curl -si "$ADDRESS/guestbook" | grep -q '^Content-Type: text/html'
    [ "$(code -d nothing=1 "$ADDRESS/guestbook")" = 400 ]
    [ "$(code -X PUT "$ADDRESS/guestbook")" = 405 ]
}

@test "a key's value is read from the database, which is made when it is missing" {
    for round in 1 2; do # the second finds it
        start --database keys.db
        value=$(curl -s "$ADDRESS/query?key=key:9999")
        [ "${#value}" -eq 100 ]
        [[ $value == key:9999....* ]]
        [ "$(code "$ADDRESS/query?key=key:10000")" = 404 ]
        curl -s "$ADDRESS/query?key=key:1&sleep_ms=soon" | grep -q sleep_ms
        stop
    done
    start --database keys.db
    took=$(curl -s -o /dev/null -w '%{time_total}' "$ADDRESS/query?key=key:1&sleep_ms=200")
    awk -v took="$took" 'BEGIN { exit !(took >= 0.2) }'
}

@test "what is no database is refused" {
    head -c 5000 /dev/urandom >rubbish
    refuses 1 rubbish -- -l 127.0.0.1:0 --database rubbish
    refuses 1 missing/keys.db -- -l 127.0.0.1:0 --database missing/keys.db
}

@test "a call that blocks holds up a loop, and nobody else" {
    local arguments=(--database keys.db)
    case $(model) in
    blocking) skip "one client at a time: there the others wait anyway" ;;
    multi-epoll) arguments+=(--workers 1) ;; # or it depends on the loop that the kernel chooses
    esac
    start "${arguments[@]}"
    [ "$(code "$ADDRESS/query?key=key:1")" = 200 ]
    dial
    get '/query?key=key:1&sleep_ms=3000' >&"$conn"
    await nothing_unread
    took=$(curl -s -m 30 -o /dev/null -w '%{time_total}' "$ADDRESS/hello")
    case $(model) in
    epoll | multi-epoll | coroutine | uring) awk -v took="$took" 'BEGIN { exit !(took > 0.5) }' ;;
    *) awk -v took="$took" 'BEGIN { exit !(took < 1.5) }' ;;
    esac
    exec {conn}>&-
}

# The server has taken what its clients sent out of its sockets.
nothing_unread() {
    ss -tnH state established "sport = :$PORT" | awk '$1 > 0 { unread = 1 } END { exit unread }'
}

# --- refusals -----------------------------------------------------------------------------------

@test "unknown paths, other methods and bad parameters are told apart" {
    start
    [ "$(code "$ADDRESS/nowhere")" = 404 ]
    [ "$(code -X DELETE "$ADDRESS/hello")" = 405 ]
    curl -si "$ADDRESS/echo" | grep -q '^Allow: POST'
    [ "$(code "$ADDRESS/work?bytes=-1")" = 400 ]
    curl -s "$ADDRESS/work?wait_ms=soon" | grep -q wait_ms
    curl -s "$ADDRESS/work?colour=red" | grep -q colour
}

@test "malformed requests are refused and closed" {
    start
    [[ $(raw 'rubbish\r\n\r\n') == "HTTP/1.1 400 "*"Connection: close"* ]]
    [[ $(raw 'GET /hello HTTP/1.1\r\n\r\n') == "HTTP/1.1 400 "* ]]
    [[ $(raw 'GET /hello HTTP/2.0\r\nHost: a\r\n\r\n') == "HTTP/1.1 505 "* ]]
    [[ $(raw 'GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n') == "HTTP/1.1 400 "* ]]
    [ "$(code "$ADDRESS/hello")" = 200 ]
}

@test "what is too large is refused, and the client can read why" {
    start --max-header 1K --max-body 10K
    [ "$(code -H "X: $(head -c 2000 /dev/zero | tr '\0' x)" "$ADDRESS/hello")" = 431 ]
    head -c 3000000 /dev/zero >body
    for i in 1 2 3; do
        [ "$(code -H 'Expect:' --data-binary @body "$ADDRESS/echo")" = 413 ]
    done
    [ "$(code -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @body "$ADDRESS/echo")" = 413 ]
}

@test "a header not finished in time gets 408" {
    start --header-timeout 0.2
    dial
    printf 'GET /hello HTTP/1.1\r\n' >&"$conn"
    IFS= read -r -t 30 line <&"$conn"
    [[ $line == "HTTP/1.1 408 "* ]]
    exec {conn}>&-
    [ "$(code "$ADDRESS/hello")" = 200 ]
}

@test "an idle connection is closed without a word" {
    start --idle-timeout 0.2
    dial
    got=$(timeout 30 cat <&"$conn") # until the server closes
    [ -z "$got" ]
    exec {conn}>&-
    dial
    get /hello >&"$conn"
    got=$(timeout 30 cat <&"$conn")
    [[ $got == *"Hello, World!" ]]
    exec {conn}>&-
}

# --- connections --------------------------------------------------------------------------------

@test "a connection is kept or closed by its version's rules" {
    start
    [ "$(curl -s -o /dev/null -o /dev/null -w '%{num_connects} ' "$ADDRESS/hello" "$ADDRESS/hello")" = '1 0 ' ]
    [ "$(curl -s0 -o /dev/null -o /dev/null -w '%{num_connects} ' "$ADDRESS/hello" "$ADDRESS/hello")" = '1 1 ' ]
    [ "$(curl -s -H 'Connection: close' -o /dev/null -o /dev/null -w '%{num_connects} ' \
        "$ADDRESS/hello" "$ADDRESS/hello")" = '1 1 ' ]
    [ "$(curl -s0 -H 'Connection: keep-alive' -o /dev/null -o /dev/null -w '%{num_connects} ' \
        "$ADDRESS/hello" "$ADDRESS/hello")" = '1 0 ' ]
}

@test "a connection closes after as many answers as it may have" {
    start --keepalive-requests 2
    [ "$(curl -s -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects} ' \
        "$ADDRESS/hello" "$ADDRESS/hello" "$ADDRESS/hello")" = '1 0 1 ' ]
}

@test "pipelined requests are answered in order" {
    start
    requests=
    for i in $(seq 50); do
        requests+="GET /work?bytes=$i&wait_ms=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    done
    raw "$requests" >answers
    [ "$(grep -a -o 'Content-Length: [0-9]*' answers | awk '{print $2}' | tr '\n' ' ')" = "$(seq -s ' ' 50) " ]
}

@test "a client that half-closes is answered" {
    start
    [[ $(raw 'GET /work?wait_ms=50&bytes=13 HTTP/1.1\r\nHost: a\r\n\r\n') == *"Content-Length: 13"* ]]
}

@test "a thousand clients at once are all answered" {
    start
    # As many connections as requests: each asks once and closes, or server-blocking would
    # stay with the first of them.
    timeout 120 h2load --h1 -n 1000 -c 1000 "http://$ADDRESS/hello" >log
    grep -q '1000 succeeded, 0 failed' log
}

@test "clients that reset mid-answer harm nobody else" {
    start
    for i in 1 2 3 4 5; do
        curl -s --limit-rate 1K -o slow "$ADDRESS/work?bytes=16777216" 3>&- &
        client=$!
        await test -s slow # it has some of its answer; the rest waits in the sockets
        kill -KILL "$client"
        wait "$client" || true
        rm slow
        [ "$(code "$ADDRESS/hello")" = 200 ]
    done
    kill -0 "$PID"
}

# Of the server and its child processes.
open_descriptors() {
    local pid
    for pid in "$PID" $(pgrep -P "$PID"); do
        ls "/proc/$pid/fd" 2>/dev/null || true # it may have ended
    done | wc -l
}

anonymous_kib() {
    local pid
    for pid in "$PID" $(pgrep -P "$PID"); do
        cat "/proc/$pid/smaps_rollup" 2>/dev/null || true
    done | awk '/^Pss_Anon:/ { sum += $2 } END { print sum + 0 }'
}

no_client() {
    ! ss -tnH state established "sport = :$PORT" | grep -q .
}

has_descriptors() {
    [ "$(open_descriptors)" -eq "$1" ]
}

@test "thousands of clients that come and go leave neither descriptors nor memory behind" {
    start
    [ "$(code "$ADDRESS/hello")" = 200 ]
    await no_client
    local descriptors before_kib
    descriptors=$(open_descriptors)
    "$HELPERS/churn" "$PORT" 1000 # what is made once is made now
    await has_descriptors "$descriptors"
    before_kib=$(anonymous_kib)
    [ "$before_kib" -gt 0 ]
    "$HELPERS/churn" "$PORT" 3000
    await has_descriptors "$descriptors"
    local after_kib
    after_kib=$(anonymous_kib)
    echo "$before_kib KiB before, $after_kib KiB after"
    # A sanitizer keeps what was freed, and finds leaks itself, when the server ends.
    [ -n "${SANITIZE:-}" ] || [ $((after_kib - before_kib)) -lt 256 ]
    kill -TERM "$PID"
    await_end
    [ "$ended" -eq 0 ]
}

@test "clients that send rubbish harm nobody else" {
    start
    for i in 1 2 3; do
        head -c 100000 /dev/urandom | timeout 30 nc -N 127.0.0.1 "$PORT" >/dev/null || true
        [ "$(code "$ADDRESS/hello")" = 200 ]
    done
    kill -0 "$PID"
}

@test "beyond the limit of connections a client waits for a place" {
    start --max-connections 1
    dial
    first=$conn
    get /hello >&"$first"
    read_until "$first" 'HTTP/1.1 200'
    dial
    second=$conn
    get /hello >&"$second"
    run ! read -r -t 0.5 line <&"$second"
    exec {first}>&-
    read_until "$second" 'HTTP/1.1 200'
    exec {second}>&-
    [ "$(code "$ADDRESS/hello")" = 200 ]
}

@test "out of descriptors it pauses, says so once, and recovers" {
    ! is_model blocking fork prefork || skip "a process with one client cannot use up descriptors"
    many= # of those who hold clients, where their number is limited
    # (Each loop of multi-epoll has descriptors of its own, and is not limited.)
    if ! is_model multi-epoll && "$SERVER" --workers 1 --version >/dev/null 2>&1; then
        many="--workers 64"
    fi
    ulimit -n 24
    start $many
    clients=()
    # Opened by several shells: the limit is theirs, too.
    mkfifo go
    for i in 1 2 3; do
        bash -c 'for ((i = 0; i < 15; i++)); do exec {fd}<>/dev/tcp/127.0.0.1/$1; done; echo open; read -r _ <go' \
            _ "$PORT" >"opened$i" 3>&- &
        clients+=($!)
    done
    for i in 1 2 3; do
        await grep -q open "opened$i"
    done
    await grep -q 'accepting pauses' "$ERR"
    before=$(cpu_ticks)
    sleep 1
    after=$(cpu_ticks)
    [ $((after - before)) -lt $(($(getconf CLK_TCK) / 2)) ]
    for client in "${clients[@]}"; do
        kill "$client"
        wait "$client" || true
    done
    [ "$(code "$ADDRESS/hello")" = 200 ]
    [ "$(wc -l <"$ERR")" -eq 1 ]
}

# --- stopping -----------------------------------------------------------------------------------

@test "a stop lets what is in flight finish" {
    for signal in TERM INT; do
        start
        dial_in_flight 700
        kill -"$signal" "$PID"
        read_until "$conn" 'HTTP/1.1 200'
        read_until "$conn" 'Content-Length: 1234'
        read_until "$conn" 'Connection: close'
        exec {conn}>&-
        await_end
        [ "$ended" -eq 0 ]
    done
}

@test "a stop under load ends it with 0, in time" {
    start
    connections=16
    [ "$(model)" != blocking ] || connections=1
    wrk -t 1 -c "$connections" -d 60 "http://$ADDRESS/work?cpu_us=20&bytes=5000" >log 2>&1 3>&- &
    client=$!
    await busy
    kill -TERM "$PID"
    await_end
    kill -INT "$client" 2>/dev/null || true
    wait "$client" || true
    [ "$ended" -eq 0 ]
    run ! grep -q 'Non-2xx' log
    [ ! -s "$ERR" ]
}

busy() {
    [ "$(cpu_ticks)" -gt 5 ]
}

@test "idle connections do not hold up a stop" {
    start
    for i in 1 2 3 4; do
        dial
    done
    SECONDS=0
    kill -TERM "$PID"
    await_end
    [ "$ended" -eq 0 ]
    [ "$SECONDS" -lt 5 ] # the grace that what is in flight would get
}

@test "a client that never ends is abandoned after the grace" {
    start
    dial_in_flight 60000
    kill -TERM "$PID"
    await_end
    [ "$ended" -eq 0 ]
    exec {conn}>&-
}

@test "a second signal ends it at once" {
    start
    dial_in_flight 60000
    SECONDS=0
    kill -TERM "$PID"
    await not_listening
    kill -TERM "$PID"
    await_end
    [ "$SECONDS" -lt 5 ]
    exec {conn}>&-
}
