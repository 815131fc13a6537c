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
while :; do sleep 0.05; done
SERVER
    # A load generator that keeps its command line and does as $FAKE says.
    cat > fake/loadgen <<'LOADGEN'
#!/bin/sh
# When its own ceiling is measured, before the cells, it is always well.
case "$*" in *--timeline*) echo "$*" >> "$BATS_TEST_TMPDIR/commands" ;; *) FAKE= ;; esac
case $FAKE in
crash) echo "out of luck" >&2; kill -SEGV $$ ;;
silent) exit 1 ;;
babble) echo "this is not JSON" ;;
hang) exec sleep 60 ;;
slow) sleep 0.4 ;;
cut) echo '{"interrupted": true, "valid": true}'; exit 0 ;;
esac
completed=100 code=0 others=0.01 steady=true
test "$FAKE" = starve && completed=0 code=2
test "$FAKE" = unsteady && steady=false
# Others are at work: always, or while a cell is measured for the first time.
case "$FAKE $*" in noisy-once*-again.tsv*) ;; noisy*) others=0.42 ;; esac
previous=
for word; do
    test "$previous" = --timeline && echo "others $others" > "$word"
    previous=$word
done
case "$FAKE $*" in stuck*-again.tsv*) sleep 60 ;; stuck*) others=0.42 ;; esac
# beta is twice as quick
test "$FAKE" = differ && case "$*" in *server-beta*) completed=200 ;; esac
# every other trial is: the seed of a trial is its number
seed=${*##*--seed } seed=${seed%% *}
test "$FAKE" = uneven && completed=$((100 + seed % 2 * 100))
cat <<JSON
{"schema":"switchpoint.run/1","workload":{"mode":"closed"},"throughput_rps":$completed.5,
 "requests":{"completed":$completed,"errors":{"connect":1,"read":2}},
 "response_us":{"p50":10,"p99":null},"connections":{"served":1,"unserved":3},
 "machine":{"other_cpu_share":$others},"steady":$steady,
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

bench() {
    local command=$1
    shift
    "$BIN/bench" "$command" --bin fake --workload-dir workloads "$@"
}

identities() {
    jq -r '[.model, .workload, .point, .trial] | @csv' "$1/runs.jsonl"
}

@test "a run measures every cell once and leaves everything in its folder" {
    run bench run --profile quick --trials 2 --out out
    [ "$status" -eq 0 ]
    [ "$(identities out | wc -l)" -eq 12 ]
    [ "$(identities out | sort -u | wc -l)" -eq 12 ]
    for file in environment.json plan.json runs.jsonl summary.tsv summary.md; do
        [ -s "out/$file" ]
    done
    [ -d out/hgrm ] && [ -d out/timeline ]
}

@test "the order is the plan's, and the same seed gives the same plan" {
    bench run --profile quick --seed 7 --out a
    bench run --profile quick --seed 7 --out b
    bench run --profile quick --seed 8 --trials 3 --out c
    [ "$(jq -c .cells a/plan.json)" = "$(jq -c .cells b/plan.json)" ]
    [ "$(jq -r '.cells[] | [.model, .workload, .point, .trial] | @csv' c/plan.json)" = "$(identities c)" ]
}

@test "the compute rate is the median of three starts and goes to every server" {
    STARTS=$BATS_TEST_TMPDIR/starts bench run --profile quick --workloads plain --out out
    [ "$(jq .compute_rate out/environment.json)" = 200.5 ]
    [ "$(grep -c -- '--compute-rate 200.5' commands)" -eq 2 ]
}

@test "the generator's own ceiling is measured first, and stated in the report" {
    bench run --profile quick --workloads plain --out out
    [ "$(jq '.generator_ceilings | map(select(.requests_per_second > 0)) | length' out/environment.json)" -ge 2 ]
    grep -q "^The generator's own ceiling on this machine: .* requests/s with 1 thread and kept connections" out/summary.md
}

@test "summary.tsv has the contract's columns, the sum of the errors, and no row without a value" {
    bench run --profile quick --workloads plain --models alpha --trials 3 --out out
    [ "$(head -1 out/summary.tsv)" = "$(printf 'model\tworkload\tpoint\tmetric\tunit\tmedian\tlow\thigh\ttrials\tvalid')" ]
    grep -qP '^alpha\tplain\t-\tthroughput\t1/s\t100.5\t100.5\t100.5\t3\t3$' out/summary.tsv
    grep -qP '^alpha\tplain\t-\terrors\trequests\t3\t' out/summary.tsv
    run ! grep -q response_p99 out/summary.tsv
    run ! grep -qiE 'nan|inf\b' out/summary.tsv
    grep -q 'server-alpha served 1 of 4 connections' out/summary.md
    [ "$(grep -c 'the moon is full' out/summary.md)" -eq 1 ]
}

# A server that the kernel of this machine does not let run, as it would say so.
forbid() {
    printf '#!/bin/sh\necho "server-%s: io_uring is disabled" >&2\nexit 69\n' "$1" > "fake/server-$1"
    chmod +x "fake/server-$1"
}

@test "a model that cannot run here is left out, and the report says why" {
    forbid gamma
    run bench run --profile quick --workloads plain --out out
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
    run bench run --profile quick --models gamma --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *'none of the chosen servers can run here'* ]]
    [ ! -e out ]
}

@test "a server gets as many cores as the workload says, and points that want more than there are are left out" {
    local cpus=$(nproc)
    sed -i "s/connections = 4/sweep = cores\nvalues = 1 $cpus 1000/; s/values = 1 1 /values = 1 /" workloads/plain.conf
    run bench run --profile quick --workloads plain --models alpha --out out
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
    FAKE=starve run bench run --profile quick --workloads plain --out out
    [ "$status" -eq 0 ]
    [ "$(jq -s 'map(.requests.completed) | add' out/runs.jsonl)" -eq 0 ]
    grep -q 'server-beta answered no request' out/summary.md
}

@test "a load generator that crashes or gives no JSON is recorded, and the run goes on" {
    for fake in crash silent babble; do
        FAKE=$fake run bench run --profile quick --out "$fake"
        [ "$status" -eq 0 ]
        [ "$(identities "$fake" | wc -l)" -eq 6 ]
        [ "$(jq -s 'map(select(.valid == false and (.error | length > 0))) | length' "$fake/runs.jsonl")" -eq 6 ]
    done
    grep -q 'out of luck' crash/runs.jsonl
}

# attempts FOLDER: for each line its model, attempt, and how many reasons it gives.
attempts() {
    jq -r '[.model, .attempt, (.disturbed | length)] | map(tostring) | join(" ")' "$1/runs.jsonl"
}

@test "an undisturbed measurement is made once" {
    bench run --profile quick --workloads plain --models alpha --out out
    [ "$(attempts out)" = "alpha 1 0" ]
    run ! grep -iE 'disturbed|unsteady' out/summary.md
    grep -qP '^alpha\tplain\t-\tdisturbed\ttrials\t0\t' out/summary.tsv
    grep -qP '^alpha\tplain\t-\tunsteady\ttrials\t0\t' out/summary.tsv
}

@test "a disturbed measurement is made again, and the first undisturbed attempt counts" {
    FAKE=noisy-once run bench run --profile quick --workloads plain --models alpha --out out
    [ "$status" -eq 0 ]
    [[ "$output" == *"alpha plain trial 1: disturbed"*"other processes used 42 % of a CPU"* ]]
    [ "$(attempts out)" = "$(printf 'alpha 1 1\nalpha 2 0')" ]
    [ "$(jq -r 'select(.attempt == 1) | .disturbed[0]' out/runs.jsonl)" = "other processes used 42 % of a CPU" ]
    grep -q 'load generator: 1 measurements. Repeated: 1. Remained disturbed: 0' out/summary.md
    run ! grep -q 'was disturbed' out/summary.md
    grep -qP '^alpha\tplain\t-\tother_cpu_share\t1\t0.01\t' out/summary.tsv
    # The file is that of the attempt that counts, and there is no other.
    [ "$(cat out/timeline/*)" = "others 0.01" ]
    [ "$(ls out/timeline)" = alpha-plain-1.tsv ]
}

@test "what remains disturbed after three attempts is marked" {
    FAKE=noisy bench run --profile quick --models alpha --out out
    [ "$(identities out | sort -u | wc -l)" -eq 3 ]
    [ "$(attempts out)" = "$(for cell in 1 2 3; do printf 'alpha %d 1\n' 1 2 3; done)" ]
    grep -q 'load generator: 3 measurements. Repeated: 3. Remained disturbed: 3' out/summary.md
    grep -q 'server-alpha was disturbed in 1 of 1 trials (trial 1: other processes used 42 % of a CPU)' out/summary.md
    grep -q 'server-alpha at connections 8 was disturbed in 1 of 1 trials' out/summary.md
    grep -qP '^alpha\tplain\t-\tdisturbed\ttrials\t1\t1\t1\t1\t1$' out/summary.tsv
}

@test "with --no-repeat a disturbed measurement is marked, and not made again" {
    FAKE=noisy bench run --no-repeat --profile quick --workloads plain --models alpha --out out
    [ "$(attempts out)" = "alpha 1 1" ]
    grep -q 'Repeated: 0. Remained disturbed: 1' out/summary.md
}

@test "a cell that was interrupted while it was repeated has a result" {
    FAKE=stuck "$BIN/bench" run --bin fake --workload-dir workloads --profile quick --workloads plain --models alpha --out out 3>&- &
    local bench=$!
    until [ -s out/timeline/alpha-plain-1-again.tsv ]; do sleep 0.05; done
    kill -INT $bench
    wait $bench || true
    [ "$(attempts out)" = "alpha 1 1" ]
    bench run --no-repeat --resume out
    [ "$(attempts out)" = "alpha 1 1" ]
    [ "$(ls out/timeline)" = alpha-plain-1.tsv ]
}

@test "an unsteady measurement is marked, and not made again" {
    FAKE=unsteady bench run --profile quick --workloads plain --models alpha --out out
    [ "$(attempts out)" = "alpha 1 0" ]
    grep -q 'Unsteady: 1 measurements' out/summary.md
    grep -q 'server-alpha was unsteady in 1 of 1 trials (trial 1: 100 and 101 requests/s, p50 0.01 and 0.03 ms)' out/summary.md
    grep -qP '^alpha\tplain\t-\tunsteady\ttrials\t1\t' out/summary.tsv
}

@test "somebody else on the generator's CPU is named in the result" {
    local cpus=($(taskset -pc $$ | sed 's/.*: //; s/,/ /g' | tr ' ' '\n' | while IFS=- read -r a b; do seq "$a" "${b:-$a}"; done))
    [ "${#cpus[@]}" -ge 2 ] || skip "needs two CPUs"
    taskset -c "${cpus[1]}" sh -c 'ulimit -t 60; while :; do :; done' 3>&- &
    local busy=$!
    sed -i 's/duration_s = 0.01/duration_s = 1/' workloads/plain.conf
    run "$BIN/bench" run --no-repeat --workload-dir workloads --workloads plain --models epoll \
        --server-cpus "${cpus[0]}" --loadgen-cpus "${cpus[1]}" --profile quick --out out
    kill $busy
    [ "$status" -eq 0 ]
    [ "$(wc -l < out/runs.jsonl)" -eq 1 ]
    jq -e '.attempt == 1 and (.disturbed | any(test("other processes used [0-9]+ % of a CPU")))' out/runs.jsonl
    grep -q 'server-epoll was disturbed in 1 of 1 trials' out/summary.md
}

@test "SIGINT keeps what is measured, says how to resume, and leaves no process" {
    FAKE=slow "$BIN/bench" run --bin fake --workload-dir workloads --profile quick --out out 2> messages 3>&- &
    local bench=$!
    until [ "$(wc -l < out/runs.jsonl)" -ge 2 ] 2> /dev/null; do sleep 0.05; done
    kill -INT $bench
    local status=0
    wait $bench || status=$?
    [ "$status" -eq 1 ]
    grep -q -- '--resume out' messages
    local kept=$(identities out)
    [ -z "$(pgrep -f "$BATS_TEST_TMPDIR/fake/loadgen")" ]
    bench run --resume out
    [ "$(identities out | head -n "$(echo "$kept" | wc -l)")" = "$kept" ]
    [ "$(identities out | sort -u | wc -l)" -eq 6 ]
    [ "$(identities out | wc -l)" -eq 6 ]
}

@test "a measurement that was cut short is not kept" {
    FAKE=cut run bench run --profile quick --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"--resume out"* ]]
    [ ! -s out/runs.jsonl ]
}

@test "kill -9 leaves no process, and a torn line is measured again" {
    FAKE=hang "$BIN/bench" run --bin fake --workload-dir workloads --profile quick --out out 3>&- &
    local bench=$!
    until [ -s commands ]; do sleep 0.05; done
    kill -9 $bench
    wait $bench || true
    sleep 0.2
    [ -z "$(pgrep -f "$BATS_TEST_TMPDIR/fake/")" ]
    printf '{"model":"alpha","workload":"pla' >> out/runs.jsonl
    bench run --resume out
    [ "$(identities out | sort -u | wc -l)" -eq 6 ]
    [ "$(wc -l < out/runs.jsonl)" -eq 6 ]
}

@test "two at once in one folder are refused" {
    FAKE=slow "$BIN/bench" run --bin fake --workload-dir workloads --profile quick --out out 2> /dev/null 3>&- &
    local bench=$!
    until [ -s out/plan.json ]; do sleep 0.05; done
    run bench run --resume out
    [ "$status" -eq 1 ]
    [[ "$output" == *"another bench"* ]]
    kill -TERM $bench
    wait $bench || true
}

@test "results/latest points to the newest run" {
    bench run --profile quick --workloads plain
    local first=$(readlink results/latest)
    bench run --profile quick --workloads plain
    [ "$(readlink results/latest)" != "$first" ]
    [ -s results/latest/summary.tsv ]
    [[ "$first" == *Z-quick ]]
}

@test "a run is not written over" {
    bench run --profile quick --workloads plain --out out
    run bench run --profile quick --workloads plain --out out
    [ "$status" -eq 1 ]
    [[ "$output" == *"--resume out"* ]]
}

@test "a served file is there during the run and gone after it" {
    sed -i 's,/hello,/files/a.txt\nfile_bytes = 5000,' workloads/plain.conf
    sed -i '2i stat -c %s root/plain/a.txt >> "$BATS_TEST_TMPDIR/sizes"' fake/loadgen
    bench run --profile quick --workloads plain --out out
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
    check '"gamma"' bench run --models alpha,gamma
    check '"nothing"' bench run --workloads nothing
    check 'folder is missing' "$BIN/bench" plot
    check 'two models' "$BIN/bench" compare alpha
    check '--tsv' "$BIN/bench" plot --tsv out
    bench run --profile quick --workloads plain --out measured
    check '"gamma" in measured' "$BIN/bench" compare alpha gamma measured
    check 'one model' "$BIN/bench" compare alpha alpha measured
    check "nowhere is no run's folder" "$BIN/bench" compare alpha beta nowhere
    check "./nowhere is no run's folder" "$BIN/bench" compare measured ./nowhere
    check "results/latest is no run's folder" "$BIN/bench" compare alpha beta
    check '--resume' "$BIN/bench" run --resume out --seed 3
}

@test "a mistake in a workload is named with file and line" {
    echo 'conections = 3' >> workloads/plain.conf
    run bench run --profile quick
    [ "$status" -eq 1 ]
    [[ "$output" == *'workloads/plain.conf:8: unknown setting "conections"'* ]]
    [ ! -e results ]
}

@test "compare gives a verdict on every headline figure, or the reason why there is none" {
    FAKE=differ bench run --profile quick --trials 3 --out out
    run "$BIN/bench" compare alpha beta out
    [ "$status" -eq 0 ]
    [ "$(grep -c '^plain ' <<< "$output")" -eq 7 ]
    [ "$(grep -c '^swept [28] ' <<< "$output")" -eq 14 ]
    grep -qE '^plain +requests/s +100 +200 .* better$' <<< "$output"
    grep -qE '^plain +p50 ms .* not comparable: alpha: served 1 of 4$' <<< "$output"
    run "$BIN/bench" compare --tsv beta alpha out
    [ "$status" -eq 0 ]
    [ "$(head -1 <<< "$output")" = "$(printf 'workload\tpoint\tmetric\tunit\ta\tb\tratio\tlow\thigh\tp\tverdict\treason\tmodel')" ]
    grep -qP '^plain\t-\tthroughput\t1/s\t200.5\t100.5\t0.50\d*\t0.50\d*\t0.50\d*\t0\tworse\t-\t-$' <<< "$output"
    run ! grep -qiE '\bnan\b|\binf\b' <<< "$output"
    grep -qE '^\| beta \| \*\*200\*\* \(200–200\) \|' out/summary.md
}

@test "compare of two runs has each model against itself" {
    bench run --profile quick --workloads plain --trials 3 --out before
    FAKE=differ bench run --profile quick --trials 3 --out after
    run "$BIN/bench" compare before after
    [ "$status" -eq 0 ]
    grep -qE '^alpha +plain +requests/s .* no difference shown$' <<< "$output"
    grep -qE '^beta +plain +requests/s .* better$' <<< "$output"
    run ! grep -q swept <<< "$output"
}

@test "compare of a single trial says that it takes more, and uses results/latest" {
    bench run --profile quick --workloads plain
    run "$BIN/bench" compare alpha beta
    [ "$status" -eq 0 ]
    [[ "$output" == *"needs 2 trials"* ]]
    run ! grep -qE ' (better|worse)$' <<< "$output"
    grep -q 'With one trial there are no intervals' results/latest/summary.md
}

@test "percentiles over trials are those of all requests together" {
    for model in blocking epoll; do [ -x "$BIN/server-$model" ]; done
    sed -i 's/duration_s = 0.01/duration_s = 0.1/' workloads/plain.conf
    "$BIN/bench" run --no-repeat --workload-dir workloads --workloads plain --models blocking,epoll --profile quick --trials 3 --out out
    run ! grep -q 'no histograms' out/summary.md
    for model in blocking epoll; do
        local total=$(jq -s --arg m $model 'map(select(.model == $m).response_us.count) | add' out/runs.jsonl)
        grep -qE "Total count += +$total\]" "out/hgrm/$model-plain.hgrm"
    done
    run "$BIN/bench" compare blocking epoll out
    [ "$status" -eq 0 ]
    grep -qE '^plain +CPU us/request .* (better|worse|no difference shown)$' <<< "$output"
}

@test "full measures until it is precise, at most so often, and a resumed run decides alike" {
    printf 'trials = 2\ntrials_most = 4\n' >> workloads/plain.conf
    printf 'trials = 2\ntrials_most = 4\n' >> workloads/swept.conf
    bench run --profile full --workloads plain --out still 2> messages
    grep -q 'at most 8 measurements' messages
    [ "$(identities still | wc -l)" -eq 4 ]
    grep -q '4 of 4 measurements (4 to 8 were planned; finished early by precision: 1 of 1 points)' still/summary.md
    FAKE=uneven bench run --profile full --out uneven
    [ "$(identities uneven | wc -l)" -eq 24 ]
    # Torn between the models of a trial, a point is still decided by whole trials.
    cp -r still torn
    for kept in 1 3; do
        head -n $kept still/runs.jsonl > torn/runs.jsonl
        bench run --resume torn
        [ "$(identities torn)" = "$(identities still)" ]
    done
    bench run --profile full --workloads plain --trials 3 --out exact
    [ "$(identities exact | wc -l)" -eq 6 ]
}

@test "without gnuplot the data files are written and the message says so" {
    bench run --profile quick --out out
    mkdir empty
    PATH=$BATS_TEST_TMPDIR/empty run "$BIN/bench" plot out
    [ "$status" -eq 1 ]
    [[ "$output" == *gnuplot* ]]
    [ -s out/plots/throughput.tsv ]
    [ -s out/plots/swept-memory.tsv ]
}

@test "every figure has its data and its three formats" {
    command -v gnuplot > /dev/null || skip "gnuplot is not installed"
    bench run --profile quick --trials 2 --out out
    run "$BIN/bench" plot out
    [ "$status" -eq 0 ]
    [[ "$output" == *out/plots* ]]
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
