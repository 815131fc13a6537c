# Figures by their content: the data has a row for each model, and the picture holds its name and
# its colour.
#
# $BIN is the folder of the programs under test.

bats_require_minimum_version 1.5.0

setup() {
    command -v gnuplot > /dev/null || skip "gnuplot is not installed"
    cd "$BATS_TEST_TMPDIR"
    SCRIPTS=$(realpath "$BATS_TEST_DIRNAME/../../scripts/plot")
    MODELS="blocking thread-per-connection epoll nginx"
}

# rows FIELD...: for each model a row of the fields, in which MODEL is its name.
rows() {
    local model row
    for model in $MODELS; do
        row=$(printf '%s\t' "$@")
        echo "${row//MODEL/$model}"
    done | sed 's/\t$//'
}

# table NAME HEADER...: what comes in, as the data file of a figure.
table() {
    local name=$1
    shift
    { printf '%s\t' "$@" | sed 's/\t$/\n/'; cat; } > "$name.tsv"
}

# draws NAME SCRIPT [AXIS]: all variants, without a word.
draws() {
    local out
    out=$(cd "$SCRIPTS" && gnuplot -c draw.gp "$2.gp" "$BATS_TEST_TMPDIR/$1.tsv" \
        "$BATS_TEST_TMPDIR/$1" "A figure: what it shows" "${3:-x}" "all slide column" 2>&1)
    [ -z "$out" ] || { echo "$1: $out"; return 1; }
    local file
    for file in "$1".{svg,png,pdf} "$1"-slide.{svg,png} "$1"-column.{pdf,png}; do
        [ -s "$file" ] || { echo "no $file"; return 1; }
    done
}

# colour_of MODEL: as an SVG has it; it is taken from the style, which is the one place that says.
colour_of() {
    awk -v "name=\"$1\"" '$0 ~ "colour\\(m\\) = m eq " || /^ +m eq / {
        for (i = 1; i < NF; i++)
            if ($i == "eq" && $(i + 1) == name && !found && $(i + 3) ~ /^0x/) {
                found = 1
                c = substr($(i + 3), 3)
                for (j = 0; j < 3; j++)
                    v[j] = 16 * (index("0123456789abcdef", substr(c, 2 * j + 1, 1)) - 1) + \
                        index("0123456789abcdef", substr(c, 2 * j + 2, 1)) - 1
                printf "rgb\\( *%d, *%d, *%d\\)", v[0], v[1], v[2]
            }
        }' "$SCRIPTS/style.gp"
}

# holds FILE MODEL...: the name of each.
holds() {
    local file=$1 model
    shift
    for model; do
        grep -q ">[^<]*${model}[^<]*<" "$file" || { echo "$file: no $model"; return 1; }
    done
}

# paints FILE MODEL...: the colour of each.
paints() {
    local file=$1 model colour
    shift
    for model; do
        colour=$(colour_of "$model")
        [ -n "$colour" ] || { echo "no colour of $model"; return 1; }
        grep -Eq "$colour" "$file" || { echo "$file: no $colour of $model"; return 1; }
    done
}

# shows NAME: every model is there, and on the slide the card's alone.
shows() {
    holds "$1.svg" $MODELS
    paints "$1.svg" $MODELS
    holds "$1-slide.svg" blocking thread-per-connection epoll
    if grep -q ">nginx<" "$1-slide.svg"; then
        echo "$1-slide.svg: nginx is no model of the card"
        return 1
    fi
}

@test "bars of throughput, switches and CPU time show every model" {
    rows hello Hello MODEL "" "" 1000 900 1100 |
        table throughput workload title model remark bound rps rps_low rps_high
    rows hello Hello MODEL "served 1 of 64" 1 0.2 1.2 1.1 1.3 |
        table switches workload title model remark voluntary involuntary total total_low total_high
    draws throughput throughput
    draws switches stacked switches
    shows throughput
    shows switches
    grep -q "1/64: served 1 of 64" switches.svg
}

@test "percentiles and spectra show every model" {
    for p in p50 p99; do rows hello Hello MODEL "" $p 1 0.9 1.1; done | sort -s -k 3,3 |
        table latency workload title model remark percentile ms ms_low ms_high
    for x in 1 10 100 1000; do rows hello Hello MODEL "" $x $x; done | sort -s -k 3,3 |
        table spectrum workload title model remark one_by_one_minus_p ms
    draws latency latency
    draws spectrum spectrum
    shows latency
    shows spectrum
}

@test "sweeps show every model, and a point on a shared CPU is pale" {
    for x in 10 100 1000; do rows MODEL "" $x 1 0.9 1.1 2 1.8 2.2; done |
        table latency model remark point p50_ms p50_ms_low p50_ms_high p99_ms p99_ms_low p99_ms_high
    for x in 10 100 1000; do rows MODEL "" $x $x $x $x $x 0; done |
        table goodput model remark point rps rps_low rps_high offered_rps shares_cpu
    for x in 1 2; do rows MODEL "" $x $x $x $x - $((x - 1)); done |
        table cores model remark point rps rps_low rps_high offered_rps shares_cpu
    for x in 10 100 1000; do rows MODEL "" $x 1 0.9 1.1; done |
        table switches model remark point switches switches_low switches_high
    draws latency sweep-latency connections
    draws goodput sweep-goodput "offered load (requests/s)"
    draws cores sweep-bars cores
    draws switches sweep-switches connections
    for name in latency goodput cores switches; do shows $name; done
    grep -q "shares a CPU" cores.svg
    grep -q "1 core<" cores.svg
}

@test "a slope of memory that is not distinguishable from none is about 0" {
    for kind in all user stacks kernel; do
        for x in 10 100 1000; do rows MODEL "" $x $kind 1 0.9 1.1 -5 -9 -1; done
    done | table memory model remark point kind mib mib_low mib_high bytes_per_connection \
        bytes_per_connection_low bytes_per_connection_high
    draws memory sweep-memory connections
    shows memory
    grep -q "about 0" memory.svg
    ! grep -q -- "-5 B" memory.svg
}

@test "a stall is marked in the timeline" {
    for t in 0 0.1 0.2 0.3 0.4; do
        rows MODEL "" $t 100 0.1 0.2 "$([ $t = 0.3 ] && echo 205 || echo 0.3)"
    done | table timeline model remark time_s rps p50_ms p99_ms max_ms
    draws timeline timeline
    shows timeline
    grep -Eqi "#dddddd|rgb\(221, *221, *221\)" timeline.svg
}

@test "capacity and its curve show estimates, bounds and windows of every model" {
    rows capacity hello MODEL "p99<10ms errors<0.1%" "≥" 1000 950 1050 1200 1100 |
        table capacity workload point model slo bound rps rps_low rps_high peak_rps bound_rps
    for window in "500 2 1" "900 8 none" "1100 40 0"; do
        set -- $window
        rows MODEL hello "$1" "$2" "$3" 1000 950 1050 10
    done | sort -s -k 1,1 |
        table curve model point rate_rps p99_ms held capacity_rps capacity_low capacity_high limit_ms
    draws capacity capacity
    draws curve curve
    shows capacity
    shows curve
    grep -q "≥1000 of 1100" capacity.svg
}

@test "the heat map prints ratios, and what was served as what it is" {
    {
        rows hello Hello none 1 MODEL throughput value 3.4 "3.4×" 1
        rows stall Stall none 1 MODEL p99 remark - 1/64 1
    } | table heatmap workload title point main model metric kind ratio text value
    draws heatmap heatmap
    holds heatmap.svg $MODELS hello "stall, p99" 3.4 1/64
    holds heatmap-slide.svg blocking epoll "stall, p99"
}

@test "of the reference run every figure has all models in its data and in its picture" {
    local reference data stem models model
    reference=$(realpath "$BATS_TEST_DIRNAME/../../results/reference")
    mkdir run
    cp -r "$reference"/{plan.json,runs.jsonl,environment.json,inputs,timeline} run
    run --separate-stderr "$BIN/bench" plot run
    [ "$status" -eq 0 ]
    models=$(awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "model") c = i; next }
        { print $c }' run/plots/heatmap.tsv | sort -u)
    [ "$(wc -l <<< "$models")" -ge 4 ]
    for data in run/plots/*.tsv; do
        stem=${data%.tsv}
        for model in $models; do
            grep -q "\b$model\b" "$data" || { echo "$data: no $model"; return 1; }
        done
        holds "$stem.svg" $models
        [ -s "$stem-slide.png" ]
        [ -s "$stem-column.pdf" ]
    done
}
