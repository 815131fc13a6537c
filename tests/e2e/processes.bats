# The models of processes, from outside: what dies is replaced, what it held is given back, and
# nothing is left behind. What they share with all models is tested in servers.bats.
#
# $BIN is the folder of the programs under test.

bats_require_minimum_version 1.5.0
load servers.bash

setup() {
    PID=
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    if [ -n "$PID" ]; then
        kill -KILL "$PID" 2>/dev/null || true
        wait "$PID" 2>/dev/null || true
    fi
}

# start_model NAME OPTIONS...
start_model() {
    SERVER=$BIN/server-$1
    shift
    start "$@"
}

children() {
    pgrep -P "$PID" || true
}

has_children() {
    [ "$(children | wc -l)" -eq "$1" ]
}

# The child process at the other end of the connection $conn.
child_of_conn() {
    local here
    here=$(ss -tnHp "dport = :$PORT" | grep "fd=$conn)" | awk '{print $4}')
    ss -tnHp "sport = :$PORT and dport = :${here##*:}" | grep -o 'pid=[0-9]*' | cut -d= -f2 | grep -vx "$PID"
}

# A connection that a process serves: $conn and $child.
dial_served() {
    dial
    get /hello >&"$conn"
    read_until "$conn" 'HTTP/1.1 200'
    child=$(child_of_conn)
}

answered() {
    read_until "$1" 'HTTP/1.1 200'
}

waits() {
    local line
    ! read -r -t 0.5 line <&"$1"
}

# As many lines on standard error.
has_said() {
    [ "$(wc -l <"$ERR")" -eq "$1" ]
}

has_computed() {
    [ "$(awk '{print $14}' "/proc/$1/stat")" -gt 5 ]
}

now_ms() {
    date +%s%3N
}

# --- what dies ----------------------------------------------------------------------------------

@test "a prefork worker that was killed is named, and replaced" {
    start_model prefork --workers 3
    has_children 3
    killed=$(children | head -n 1)
    kill -KILL "$killed"
    await grep -q "process $killed was ended by signal 9" "$ERR"
    await has_children 3
    [ -z "$(children | grep -x "$killed")" ]
    [ "$(code "$ADDRESS/hello")" = 200 ]
    has_said 1
}

@test "prefork workers that die again and again are replaced once a second" {
    start_model prefork --workers 2
    before_ms=$(now_ms)
    for i in 1 2 3; do
        kill -KILL $(children)
        await has_said $((2 * i))
        await has_children 2
    done
    [ $(($(now_ms) - before_ms)) -ge 1950 ]
    [ "$(code "$ADDRESS/hello")" = 200 ]
}

@test "a prefork worker that is stopped alone finishes, and is replaced without a word" {
    start_model prefork --workers 2
    dial_in_flight 700
    child=$(child_of_conn)
    kill -TERM "$child"
    answered "$conn"
    await gone "$child"
    await has_children 2
    for i in 1 2 3 4; do
        [ "$(code "$ADDRESS/hello")" = 200 ]
    done
    has_said 0
}

@test "a process that was killed gives back its client's place" {
    for model in fork prefork; do
        start_model "$model" --max-connections 1
        dial_served
        kill -KILL "$child"
        [ "$(code "$ADDRESS/hello")" = 200 ]
        grep -q "process $child was ended by signal 9" "$ERR"
        stop
    done
}

@test "a process that dies with the lock does not keep it" {
    for model in fork prefork; do
        start_model "$model" --compute-rate 1000
        dial_served
        holder=$child
        get '/work?lock_us=10000000' >&"$conn"
        await has_computed "$holder"
        kill -STOP "$holder"
        dial
        get '/work?lock_us=1' >&"$conn"
        waits "$conn"
        [ "$(code "$ADDRESS/work?cpu_us=1")" = 200 ]
        kill -KILL "$holder"
        answered "$conn"
        [ "$(code "$ADDRESS/work?lock_us=1")" = 200 ]
        stop
    done
}

# --- limits -------------------------------------------------------------------------------------

@test "the limit of connections holds across processes" {
    for model in fork prefork; do
        start_model "$model" --max-connections 2
        dial_served
        first=$conn
        dial_served
        dial
        get /hello >&"$conn"
        waits "$conn"
        exec {first}>&-
        answered "$conn"
        stop
    done
}

@test "a fork's process ends with its client" {
    start_model fork
    dial_served
    has_children 1
    timeout 60 h2load --h1 -n 300 -c 300 "http://$ADDRESS/hello" >log
    grep -q '300 succeeded, 0 failed' log
    await has_children 1
    exec {conn}>&-
    await has_children 0
    has_said 0
}

@test "out of processes a fork waits, says so once, and recovers" {
    [ "$(id -u)" -eq 0 ] || skip "only root can give the server a user of its own, with few processes"
    # By a descriptor: that user may have no way to the folder that the program is in.
    cat >few-processes <<END
#!/bin/sh
exec setpriv --reuid 54321 --clear-groups prlimit --nproc=3 /proc/self/fd/9 "\$@" 9<"$BIN/server-fork"
END
    chmod +x few-processes
    SERVER=./few-processes
    start
    dial_served
    first=$conn
    dial_served
    dial
    get /hello >&"$conn"
    waits "$conn"
    grep -q 'no process for a client' "$ERR"
    exec {first}>&-
    answered "$conn"
    has_said 1
}

# --- stopping -----------------------------------------------------------------------------------

@test "a stop of the whole process group lets what is in flight finish" {
    for model in fork prefork; do
        for signal in TERM INT; do
            printf '#!/bin/sh\nexec setsid "%s" "$@"\n' "$BIN/server-$model" >leader
            chmod +x leader
            SERVER=./leader
            start
            dial_in_flight 700
            kill -"$signal" -- "-$PID"
            answered "$conn"
            read_until "$conn" 'Content-Length: 1234'
            await_end
            [ "$ended" -eq 0 ]
            has_said 0
        done
    done
}

@test "nothing is left behind, however the parent ends" {
    for model in fork prefork; do
        for signals in TERM 'TERM TERM' KILL; do
            start_model "$model"
            dial_in_flight 60000
            pids=$(children)
            [ -n "$pids" ]
            for signal in $signals; do
                kill -"$signal" "$PID"
                [ "$signals" = KILL ] || await not_listening
            done
            await_end
            await gone $pids
            await not_listening
        done
    done
}
