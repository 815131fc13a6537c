# What all tests share that wait for processes.

# Tries a command until it succeeds, for half a minute: what is waited for is never a time.
await() {
    local i
    for ((i = 0; i < 600; i++)); do
        if "$@"; then
            return 0
        fi
        sleep 0.05
    done
    echo "never came true: $*"
    return 1
}

# gone PID...: none of them runs any longer. A zombie does not: where process 1 waits for nobody's
# children (as in some containers) it stays for ever.
gone() {
    local pid stat
    for pid in "$@"; do
        stat=
        read -r stat 2>/dev/null <"/proc/$pid/stat" || true
        stat=${stat##*) } # behind the name, which may hold anything
        [ -z "$stat" ] || [ "${stat%% *}" = Z ] || return 1
    done
}
