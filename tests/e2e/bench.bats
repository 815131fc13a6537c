# bench from outside: its folder, its order, and what is left when things go wrong.
#
# The servers and the load generator are stand-ins of a few lines, so that each
# failure can be had at will and nothing depends on the speed of the machine.
# $BIN is the folder of the programs under test.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir fake workloads
    # A server that says the ready line and waits for the end. Its rate differs from start to start.
    cat > fake/server-alpha <<'SERVER'
#!/bin/sh
# Without a rate it calibrates: such starts are counted.
case "$*" in *--compute-rate*) ;; *) echo x >> "${STARTS:-/dev/null}" ;; esac
echo "ready 127.0.0.1:1 model=alpha pid=$$ compute_rate=$(grep -c x "${STARTS:-/dev/null}")00.5"
trap 'exit 0' TERM INT
i=0; while [ $i -lt 1200 ]; do sleep 0.05; i=$((i + 1)); done
SERVER
    # A load generator that keeps its command line and does as $FAKE says.
    cat > fake/loadgen <<'LOADGEN'
#!/bin/sh
# When its own ceiling is measured, before all else, it is always well.
case "$*" in *" --duration 0.6 "*) FAKE= ;; *) echo "$*" >> "$BATS_TEST_TMPDIR/commands" ;; esac
case $FAKE in
crash) echo "out of luck" >&2; kill -SEGV $$ ;;
silent) exit 1 ;;
babble) echo "this is not JSON" ;;
hang) exec sleep 60 ;;
slow) sleep 0.4 ;;
cut) echo '{"interrupted": true, "valid": true}'; exit 0 ;;
esac
completed=100 code=0 others=0.01
test "$FAKE" = starve && completed=0 code=2
# Others are at work.
case "$FAKE" in noisy) others=0.42 ;; esac
# beta is twice as quick
test "$FAKE" = differ && case "$*" in *server-beta*) completed=200 ;; esac
# every other trial is: the seed of a trial is its number
seed=${*##*--seed } seed=${seed%% *}
test "$FAKE" = uneven && completed=$((100 + seed % 2 * 100))
cat <<JSON
{"schema":"switchpoint.run/1","workload":{"mode":"closed"},"throughput_rps":$completed.5,
 "requests":{"intended":$completed,"completed":$completed,"errors":{"connect":1,"read":2}},
 "response_us":{"p50":10,"p99":null},"connections":{"served":1,"unserved":3},
 "machine":{"other_cpu_share":$others},"steady":true,"window_s":0.01,
 "generator":{"cpu_utilisation":0.5},
 "halves":[{"throughput_rps":100,"p50_us":10},{"throughput_rps":101,"p50_us":30}],
 "valid":true,"interrupted":false,"warnings":["the moon is full"]}
JSON
exit $code
LOADGEN
    cp fake/server-alpha fake/server-beta
    chmod +x fake/*
    cat > workloads/plain.conf <<'CONF'
title = Plain
question = Does it work?
path = /hello
connections = 4
warmup_s = 0
duration_s = 0.01
timeout_s = 1
CONF
    sed 's/connections = 4/sweep = connections\nvalues = 2 8/' workloads/plain.conf > workloads/swept.conf
    unset FAKE STARTS
}

# bench COMMAND [OPTIONS]: with the stand-ins; a run gives tables alone.
bench() {
    local command=$1 tables=
    shift
    if [ "$command" = run ]; then tables=--no-figures; fi
    "$BIN/bench" "$command" --bin fake --workload-dir workloads $tables "$@"
}

# wait_for COMMAND...: until it succeeds, for 20 s at most.
wait_for() {
    local tries=400
    until "$@" 2> /dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.05
    done
}

# No stand-in runs any more; what only waits for its parent to look (a zombie) has no command line.
none_left() { [ -z "$(pgrep -f "$BATS_TEST_TMPDIR/fake/")" ]; }

has_lines() { [ "$(wc -l < "$2")" -ge "$1" ]; }

identities() {
    jq -r '[.model, .workload, .point, .trial] | @csv' "$1/runs.jsonl"
}

@test "a run of two trials measures every model at every point twice and leaves everything in its folder" {
    run bench run --workloads all --trials 2 --out out
    [ "$status" -eq 0 ]
    [ "$(identities out | wc -l)" -eq 12 ]
    [ "$(identities out | sort -u | wc -l)" -eq 12 ]
    for file in environment.json plan.json runs.jsonl summary.tsv summary.md time.tsv inputs/plain.conf; do
        [ -s "out/$file" ]
    done
    [ -d out/hgrm ]
    [ "$(cut -f1 out/time.tsv | paste -sd' ')" = "what (set-up) plain swept (tables and figures)" ]
}

@test "models of a block stand together, in an order that the seed decides" {
    bench run --workloads all --seed 7 --trials 1 --out a
    bench run --workloads all --seed 7 --trials 1 --out b
    bench run --workloads all --seed 8 --trials 8 --out c
    [ "$(identities a)" = "$(identities b)" ]
    # Pairs of lines differ in the model alone, and none is always first.
    [ "$(jq -r '[.workload, .point, .trial] | @csv' c/runs.jsonl | uniq -c | awk '{print $1}' | sort -u)" = 2 ]
    [ "$(jq -r .model c/runs.jsonl | awk 'NR % 2' | sort -u | wc -l)" -eq 2 ]
}

@test "without a number of trials every point is looked at first, and then measured while there is time" {
    run bench run --workloads all --time 20s --profile quick --out out
    [ "$status" -eq 0 ]
    [ "$(jq -r 'select(.preview) | .trial' out/runs.jsonl | sort -u)" = 0 ]
    [ "$(jq -r '.preview' out/runs.jsonl | head -n 6 | sort -u)" = true ]
    [ "$(jq -r '.preview' out/runs.jsonl | tail -n +7 | sort -u)" = false ]
    # Six blocks of each point, which are all that precise figures need.
    [ "$(jq -r 'select(.preview | not) | .trial' out/runs.jsonl | sort -n | tail -n 1)" -ge 6 ]
    grep -qP '^alpha\tplain\t-\tthroughput\t1/s\t100.5\t100.5\t100.5\t[0-9]+\t[0-9]+$' out/summary.tsv
}

@test "a run goes on for as long as it is told" {
    bench run --workloads plain --trials 2 --out out
    [ "$(identities out | wc -l)" -eq 4 ]
    run bench run --resume out
    [ "$status" -eq 0 ]
    [ "$(identities out | wc -l)" -eq 4 ]
    bench run --workloads plain --time 14s --out timed
    local before=$(identities timed | wc -l)
    FAKE=uneven bench run --resume timed --time 14s
    [ "$(identities timed | wc -l)" -ge "$before" ]
}

@test "core is what is measured when nobody says what" {
    printf 'core = yes\ncore_points = 8\n' >> workloads/swept.conf
    bench run --trials 1 --out out
    [ "$(identities out | sort)" = "$(printf '"alpha","swept",8,1\n"beta","swept",8,1')" ]
    sed -i '/^core/d' workloads/swept.conf
    run bench run --trials 1 --out none
    [ "$status" -eq 64 ]
    [[ "$output" == *"no workload has core = yes"* ]]
}

@test "the compute rate is the median of three starts and goes to every server" {
    STARTS=$BATS_TEST_TMPDIR/starts bench run --trials 1 --workloads plain --out out
    [ "$(jq .compute_rate out/environment.json)" = 200.5 ]
    [ "$(grep -c -- '--compute-rate 200.5' commands)" -eq 2 ]
}

@test "the generator's own ceiling is measured first, and stated in the report" {
    bench run --trials 1 --workloads plain --out out
    [ "$(jq '.generator_ceilings | map(select(.requests_per_second > 0)) | length' out/environment.json)" -ge 2 ]
    grep -q "^The generator's own ceiling on this machine: .* requests/s with 1 thread and kept connections" out/summary.md
}

@test "summary.tsv has the contract's columns, the sum of the errors, and no row without a value" {
    bench run --trials 1 --workloads plain --models alpha --trials 3 --out out
    [ "$(head -1 out/summary.tsv)" = "$(printf 'model\tworkload\tpoint\tmetric\tunit\tmedian\tlow\thigh\ttrials\tvalid')" ]
    grep -qP '^alpha\tplain\t-\tthroughput\t1/s\t100.5\t100.5\t100.5\t3\t3$' out/summary.tsv
    grep -qP '^alpha\tplain\t-\terrors\trequests\t3\t' out/summary.tsv
    run ! grep -q response_p99 out/summary.tsv
    run ! grep -qiE 'nan|inf\b' out/summary.tsv
    grep -q 'server-alpha: served 1 of 4' out/summary.md
    [ "$(grep -c 'the moon is full' out/summary.md)" -eq 1 ]
}

# A server that the kernel of this machine does not let run, as it would say so.
forbid() {
    printf '#!/bin/sh\necho "server-%s: io_uring is disabled" >&2\nexit 69\n' "$1" > "fake/server-$1"
    chmod +x "fake/server-$1"
}

@test "a model that cannot run here is left out, and the report says why" {
    forbid gamma
    run bench run --trials 1 --workloads plain --out out
    [ "$status" -eq 0 ]
    [[ "$output" == *'warning: server-gamma was not measured: io_uring is disabled'* ]]
    [ "$(identities out | cut -d, -f1 | sort -u | tr '\n' ' ')" = '"alpha" "beta" ' ]
    [ "$(jq -c .left_out out/plan.json)" = '["server-gamma was not measured: io_uring is disabled"]' ]
    [ "$(jq -c .models out/plan.json)" = '["alpha","beta"]' ]
    grep -q '^- server-gamma was not measured: io_uring is disabled$' out/summary.md
    bench summary out | grep -q 'server-gamma was not measured'
}

@test "where no model can run there is no run" {
    forbid gamma
    run bench run --workloads all --trials 1 --models gamma --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *'none of the chosen servers can run here'* ]]
    [ ! -e out ]
}

@test "a server gets as many cores as the workload says, and points that want more than there are are left out" {
    local cpus=$(nproc)
    sed -i "s/connections = 4/sweep = cores\nvalues = 1 $cpus 1000/; s/values = 1 1 /values = 1 /" workloads/plain.conf
    echo "timeline_s = 0.1" >> workloads/plain.conf # so that the command names the point
    run bench run --trials 1 --workloads plain --models alpha --out out
    [ "$status" -eq 0 ]
    [[ "$output" == *"warning: plain: 1 of "*" points want more than the $cpus CPUs that there are"* ]]
    grep -q "^- plain: 1 of . points want more than the $cpus CPUs that there are$" out/summary.md
    grep -q "by cores:" out/summary.md
    local point
    for point in $(jq .point out/runs.jsonl); do
        grep -- "plain-$point-1" commands | grep -oE -- '--cpus [0-9,]+$' | tr ',' '\n' | wc -l
    done | sort -n | paste -sd' ' > counts
    [ "$(cat counts)" = "$(printf '1\n%s\n' "$cpus" | sort -nu | paste -sd' ')" ]
    # With all of them, the load generator's is among them.
    jq -se --argjson all "$cpus" 'map(select(.point == $all)) | all(.warnings | any(test("shared CPUs")))' out/runs.jsonl
    jq -se --argjson all "$cpus" 'map(select(.point < $all)) | all(.warnings | any(test("shared CPUs")) | not)' out/runs.jsonl
}

@test "a model that answers nothing is a result" {
    FAKE=starve run bench run --trials 1 --workloads plain --out out
    [ "$status" -eq 0 ]
    [ "$(jq -s 'map(.requests.completed) | add' out/runs.jsonl)" -eq 0 ]
    grep -q 'server-beta: no answer' out/summary.md
}

@test "a load generator that crashes or gives no JSON is recorded, and the run goes on" {
    for fake in crash silent babble; do
        FAKE=$fake run bench run --workloads all --trials 1 --out "$fake"
        [ "$status" -eq 0 ]
        [ "$(identities "$fake" | wc -l)" -eq 6 ]
        [ "$(jq -s 'map(select(.valid == false and (.error | length > 0))) | length' "$fake/runs.jsonl")" -eq 6 ]
    done
    grep -q 'out of luck' crash/runs.jsonl
}

@test "who was disturbed in most blocks is marked, once" {
    bench run --workloads plain --trials 3 --out quiet
    run ! grep -i disturbed quiet/summary.md
    FAKE=noisy bench run --workloads plain --trials 3 --out noisy
    [ "$(identities noisy | wc -l)" -eq 6 ]
    jq -se 'all(.disturbed | any(test("other processes used 42 % of a CPU")))' noisy/runs.jsonl
    [ "$(grep -ci 'disturbed' noisy/summary.md)" -ge 1 ]
    grep -qP '^alpha\tplain\t-\tdisturbed\ttrials\t1\t' noisy/summary.tsv
}

@test "somebody else on the generator's CPU is named in the result" {
    local cpus=($(taskset -pc $$ | sed 's/.*: //; s/,/ /g' | tr ' ' '\n' | while IFS=- read -r a b; do seq "$a" "${b:-$a}"; done))
    [ "${#cpus[@]}" -ge 2 ] || skip "needs two CPUs"
    taskset -c "${cpus[1]}" sh -c 'ulimit -t 60; while :; do :; done' 3>&- &
    local busy=$!
    sed -i 's/duration_s = 0.01/duration_s = 1/' workloads/plain.conf
    run "$BIN/bench" run --no-figures --trials 1 --workload-dir workloads --workloads plain --models epoll \
        --server-cpus "${cpus[0]}" --loadgen-cpus "${cpus[1]}" --out out
    kill $busy
    [ "$status" -eq 0 ]
    [ "$(wc -l < out/runs.jsonl)" -eq 1 ]
    jq -e '(.disturbed | any(test("other processes used [0-9]+ % of a CPU")))' out/runs.jsonl
    grep -qi disturbed out/summary.md
}

@test "SIGINT keeps what is measured, says how to resume, and leaves no process" {
    FAKE=slow "$BIN/bench" run --no-figures --bin fake --workload-dir workloads --workloads all --trials 1 --out out > messages 2>&1 3>&- &
    local bench=$!
    wait_for has_lines 2 out/runs.jsonl
    kill -INT $bench
    local status=0
    wait $bench || status=$?
    [ "$status" -eq 1 ]
    grep -q -- '--resume out' messages
    local kept=$(identities out)
    [ -z "$(pgrep -f "$BATS_TEST_TMPDIR/fake/loadgen")" ]
    # What there was time for is reported all the same.
    [ -s out/summary.tsv ]
    bench run --resume out
    [ "$(identities out | head -n "$(echo "$kept" | wc -l)")" = "$kept" ]
    [ "$(identities out | sort -u | wc -l)" -eq 6 ]
    [ "$(identities out | wc -l)" -eq 6 ]
}

@test "an interrupted run has figures of what was measured" {
    FAKE=slow "$BIN/bench" run --bin fake --workload-dir workloads --workloads all --trials 9 --out out > messages 2>&1 3>&- &
    local bench=$!
    wait_for has_lines 3 out/runs.jsonl
    kill -INT $bench
    local status=0
    wait $bench || status=$?
    [ "$status" -eq 1 ]
    run ! grep -q interrupted messages
    [ -s out/plots/throughput.tsv ]
    grep -q alpha out/plots/throughput.svg
}

@test "a folder that is refused is not announced as results" {
    run bench run --resume nowhere
    [ "$status" -eq 1 ]
    [[ "$output" == *"it is no run's folder"* ]]
    [[ "$output" != *results:* ]]
}

@test "a measurement that was cut short is not kept" {
    FAKE=cut run bench run --workloads all --trials 1 --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"--resume out"* ]]
    [ ! -s out/runs.jsonl ]
}

@test "kill -9 leaves no process, and a torn line is measured again" {
    FAKE=hang "$BIN/bench" run --no-figures --bin fake --workload-dir workloads --workloads all --trials 1 --out out 3>&- &
    local bench=$!
    wait_for test -s commands
    kill -9 $bench
    wait $bench || true
    wait_for none_left
    printf '{"model":"alpha","workload":"pla' >> out/runs.jsonl
    bench run --resume out
    [ "$(identities out | sort -u | wc -l)" -eq 6 ]
    [ "$(wc -l < out/runs.jsonl)" -eq 6 ]
}

@test "two at once in one folder are refused" {
    FAKE=slow "$BIN/bench" run --no-figures --bin fake --workload-dir workloads --workloads all --trials 1 --out out 2> /dev/null 3>&- &
    local bench=$!
    wait_for test -s out/plan.json
    run bench run --resume out
    [ "$status" -eq 1 ]
    [[ "$output" == *"another bench"* ]]
    kill -TERM $bench
    wait $bench || true
}

@test "results/latest points to the newest run" {
    bench run --trials 1 --workloads plain
    local first=$(readlink results/latest)
    bench run --trials 1 --workloads plain
    [ "$(readlink results/latest)" != "$first" ]
    [ -s results/latest/summary.tsv ]
    [[ "$first" == *Z-standard ]]
}

@test "a run is not written over" {
    bench run --trials 1 --workloads plain --out out
    run bench run --trials 1 --workloads plain --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"--resume out"* ]]
}

@test "a served file is there during the run and gone after it" {
    sed -i 's,/hello,/files/a.txt\nfile_bytes = 5000,' workloads/plain.conf
    sed -i '2i stat -c %s root/plain/a.txt >> "$BATS_TEST_TMPDIR/sizes"' fake/loadgen
    bench run --trials 1 --workloads plain --out out
    [ "$(sort -u sizes)" = 5000 ]
    [ ! -e out/root ]
}

@test "mistakes are usage errors that name what was wrong" {
    check() {
        local expected=$1
        shift
        run "$@"
        [ "$status" -eq 64 ]
        [[ "$output" == *"$expected"* ]]
    }
    check 'a command is missing' "$BIN/bench"
    check '"dance"' "$BIN/bench" dance
    check '"hasty"' "$BIN/bench" run --profile hasty
    check '"0"' "$BIN/bench" run --trials 0
    check '"soon"' "$BIN/bench" run --time soon
    check '"0s"' "$BIN/bench" run --time 0s
    check '"none"' "$BIN/bench" run --margin none
    check '"gamma"' bench run --models alpha,gamma
    check '"nothing"' bench run --workloads nothing
    check 'folder is missing' "$BIN/bench" plot
    check 'two models' "$BIN/bench" compare alpha
    check '--tsv' "$BIN/bench" plot --tsv out
    bench run --trials 1 --workloads plain --out measured
    check '"gamma" in measured' "$BIN/bench" compare alpha gamma measured
    check 'one model' "$BIN/bench" compare alpha alpha measured
    check "nowhere is no run's folder" "$BIN/bench" compare alpha beta nowhere
    check "./nowhere is no run's folder" "$BIN/bench" compare measured ./nowhere
    check "results/latest is no run's folder" "$BIN/bench" compare alpha beta
    check '--resume' "$BIN/bench" run --resume out --seed 3
}

@test "a mistake in a workload is named with file and line" {
    echo 'conections = 3' >> workloads/plain.conf
    run bench run --trials 1
    [ "$status" -eq 1 ]
    [[ "$output" == *'workloads/plain.conf:8: unknown setting "conections"'* ]]
    [ ! -e results ]
}

@test "compare gives a verdict on every headline figure, or the reason why there is none" {
    FAKE=differ bench run --workloads all --trials 6 --out out
    run "$BIN/bench" compare alpha beta out
    [ "$status" -eq 0 ]
    grep -qE '^plain +requests/s +100 +200 .* better$' <<< "$output"
    grep -qE '^swept [28] +requests/s +100 +200 .* better$' <<< "$output"
    grep -qE '^plain +p50 ms .* not comparable: ' <<< "$output"
    run "$BIN/bench" compare --tsv beta alpha out
    [ "$status" -eq 0 ]
    grep -qP '^plain\t-\tthroughput\t1/s\t200.5\t100.5\t0.50\d*\t.*\tworse\t' <<< "$output"
    run ! grep -qiE '\bnan\b|\binf\b' <<< "$output"
    grep -qE '^\| beta \| \*\*200\*\*' out/summary.md
}

@test "compare of two runs has each model against itself" {
    bench run --workloads plain --trials 6 --out before
    FAKE=differ bench run --workloads all --trials 6 --out after
    run "$BIN/bench" compare before after
    [ "$status" -eq 0 ]
    grep -qE '^alpha +plain +requests/s .* equivalent within 5 %$' <<< "$output"
    grep -qE '^beta +plain +requests/s .* better$' <<< "$output"
    run ! grep -q swept <<< "$output"
}

@test "compare of a single trial says that it takes more, and uses results/latest" {
    bench run --workloads plain --trials 1
    run "$BIN/bench" compare alpha beta
    [ "$status" -eq 0 ]
    run ! grep -qE ' (better|worse)$' <<< "$output"
}

@test "percentiles over trials are those of all requests together" {
    for model in blocking epoll; do [ -x "$BIN/server-$model" ]; done
    sed -i 's/duration_s = 0.01/duration_s = 0.1/' workloads/plain.conf
    "$BIN/bench" run --no-figures --workload-dir workloads --workloads plain --models blocking,epoll --trials 6 --out out
    for model in blocking epoll; do
        local total=$(jq -s --arg m $model 'map(select(.model == $m).response_us.count) | add' out/runs.jsonl)
        grep -qE "Total count += +$total\]" "out/hgrm/$model-plain.hgrm"
    done
    run "$BIN/bench" compare blocking epoll out
    [ "$status" -eq 0 ]
    grep -qE '^plain +CPU us/request .* (better|worse|equivalent within|not shown yet)' <<< "$output"
}

@test "without gnuplot the tables and data files are written and the message says so" {
    mkdir empty
    PATH=$BATS_TEST_TMPDIR/empty run "$BIN/bench" run --bin fake --workload-dir workloads --workloads all --trials 1 --out out
    [[ "$output" == *warning*gnuplot* ]]
    [ -s out/summary.md ]
    PATH=$BATS_TEST_TMPDIR/empty run "$BIN/bench" plot out
    [ "$status" -eq 1 ]
    [[ "$output" == *gnuplot* ]]
    [ -s out/plots/throughput.tsv ]
    [ -s out/plots/swept-memory.tsv ]
}

@test "every figure has its data and its three formats" {
    "$BIN/bench" run --bin fake --workload-dir workloads --workloads all --trials 2 --out out
    for data in out/plots/*.tsv; do
        for format in svg png pdf; do
            [ -s "${data%tsv}$format" ]
        done
    done
}

@test "list says what there is and how long it takes" {
    run bench list
    [ "$status" -eq 0 ]
    [[ "$output" == *alpha*beta*"Does it work?"*quick*standard*full* ]]
}
