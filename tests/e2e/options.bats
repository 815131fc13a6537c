# The command line that all servers share: tested with one of them. What a model decides itself is in
# servers.bats.
#
# $BIN is the folder of the programs under test.

bats_require_minimum_version 1.5.0
load servers.bash

setup() {
    PID=
    SERVER=$BIN/server-epoll
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    if [ -n "$PID" ]; then
        kill -KILL "$PID" 2>/dev/null || true
        wait "$PID" 2>/dev/null || true
    fi
}

@test "help and version exit with 0" {
    run -0 "$SERVER" --help
    [[ $output == *--max-connections* && $output == *127.0.0.1:8080* ]]
    run -0 "$SERVER" --version
}

@test "by default it listens on loopback alone" {
    "$SERVER" --compute-rate 1 >out 2>err 3>&- &
    PID=$!
    await grep -q '127.0.0.1:8080' out err # ready there, or it is taken
    run ! grep -q '0\.0\.0\.0\|\[::\]' out err
}

@test "a bad option or value is refused with 64, and named" {
    refuses 64 --nonsense -- --nonsense
    refuses 64 surplus -- surplus
    refuses 64 --backlog 0 -- --backlog 0
    refuses 64 --max-connections -1 -- --max-connections=-1
    refuses 64 --keepalive-requests many -- --keepalive-requests many
    refuses 64 --idle-timeout 0 -- --idle-timeout 0
    refuses 64 --header-timeout 1s -- --header-timeout 1s
    refuses 64 --compute-rate 0 -- --compute-rate 0
    refuses 64 --compute-rate 1e9 -- --compute-rate 1e9
    refuses 64 --stack-size 1 -- --stack-size 1
    refuses 64 --cpus 0,x -- --cpus 0,x
    refuses 64 --cpus 1000 -- --cpus 1000
    refuses 64 --max-header 1 -- --max-header 1
    refuses 64 --max-body 1T -- --max-body 1T
    refuses 64 --redis nowhere -- --redis nowhere
    refuses 64 --redis unix: -- --redis unix:
    refuses 64 --backend-timeout 0 -- --backend-timeout 0
}

@test "a root that is not a readable directory is refused" {
    touch file
    refuses 1 file -- -l 127.0.0.1:0 --root file
    refuses 1 missing -- -l 127.0.0.1:0 --root missing
    if [ "$(id -u)" -ne 0 ]; then
        mkdir -m 0 closed
        refuses 1 closed -- -l 127.0.0.1:0 --root closed
    fi
}
