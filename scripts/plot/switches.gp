# What a context switch costs, on one page: hops without and with I/O by the size of the ring, the
# indirect cost by working set, and what a task costs to create and destroy. DATA is the common
# beginning of the files. Error bars: 95 % intervals over trials.
file(name) = data."-".name.".tsv"
kinds = "process process-across thread thread-across coroutine callback"
# The colours of the models that are made of them.
model_of(k) = k eq "process" || k eq "process-across" ? "fork" : \
              k eq "thread" || k eq "thread-across" ? "thread-per-connection" : \
              k eq "callback" ? "epoll" : "coroutine"
is_across(k) = strstrt(k, "-across") > 0
mark(k) = k eq "process-across" ? 5 : k eq "thread-across" ? 10 : point(model_of(k))
dashes(k) = is_across(k) ? 2 : 1
label(k) = is_across(k) ? k[1:strlen(k) - 7]." on two CPUs in turn" : k

width = 1300; height = 960
eval terminal(width, height)
set output output_file
set multiplot layout 2, 2 title figure_title font ",16" noenhanced \
    margins char 11, char 4, char 4.5, char 7.5 spacing char 12, char 7
set key at screen 0.5, 0.955 center top vertical maxrows 2 samplen 2 width 2 noenhanced

set logscale xy
set format "%.0s%c"
set xlabel "tasks in the ring"
do for [io in "none pipe"] {
    in_line(k, v) = strcol(1) eq k && strcol(2) eq io ? v : NaN
    set title io eq "none" ? "Without I/O: from one task to the next" : "With I/O: a byte through a pipe"
    set ylabel "ns"
    set xrange [1.5:*]
    set offsets 0, graph 0.05, 0, 0
    plot for [k in kinds] file("hops") using (column(3)):(in_line(k, column(4))):(column(5)):(column(6)) \
        with yerrorlines lc rgb colour(model_of(k)) pt mark(k) dt dashes(k) lw 1.5 title label(k)
    unset key
}

# --- indirect cost: of the largest ring that touches working sets -------------------------------
most = 0
note_most(t) = (most = t > most ? t : most, 1)
eval no_ranges
unset logscale
stats file("indirect") using (note_most(column(2))) nooutput
set logscale x
set format y "%g"
set title sprintf("Indirect cost of a hop, %d tasks on one CPU", most)
set xlabel "working set of each task (KiB)"; set ylabel "µs beyond one task that never switches"
set xrange [*:*]
set offsets graph 0.1, graph 0.1, graph 0.1, graph 0.1
in_ring(k, v) = strcol(1) eq k && column(2) == most ? v : NaN
plot 0 with lines lc rgb "#999999" notitle, \
     for [k in "process thread coroutine callback"] file("indirect") using (column(3)):(in_ring(k, column(4) / 1e3)):(in_ring(k, column(5) / 1e3)):(in_ring(k, column(6) / 1e3)) \
        with yerrorlines lc rgb colour(model_of(k)) pt mark(k) dt dashes(k) lw 1.5 notitle

# --- creating and destroying --------------------------------------------------------------------
lives = ""
eval no_ranges
unset logscale
set offsets
stats file("lifecycle") using (lives = extended(lives, strcol(1)), 1) nooutput
life_of(k) = k eq "connection" ? "epoll" : k eq "coroutine-cold" ? "coroutine" : model_of(k)
row(k) = words(lives) + 1 - place(lives, k)
set logscale x
set format x "%.0s%c"; set format y "%g"
set title "To create and destroy one"
set xlabel "ns"; unset ylabel
set ytics () scale 0
set xrange [10:4e6]
do for [k in lives] { set ytics add (k row(k)) noenhanced }
set yrange [0.4:words(lives) + 0.6]
plot for [k in lives] file("lifecycle") using (strcol(1) eq k ? column(2) : NaN):(row(k)):(column(3)):(column(4)) \
        with xerrorbars lc rgb colour(life_of(k)) pt 7 ps 1.2 lw 2 notitle, \
     for [k in lives] file("lifecycle") using (strcol(1) eq k ? column(2) : NaN):(row(k)):(figure(column(2))) \
        with labels offset 0, 1 font ",10" notitle
unset multiplot
