# The instrument against the truth, on one page: points are measured, lines are what they should
# be. DATA is the common beginning of the files, one for each check that was made; a panel whose
# check was not made stays empty and says so.
file(name) = data."-".name.".tsv"
is_there(name) = int(system("test -s '".file(name)."' && echo 1 || echo 0"))
queues = "blocking thread-pool epoll"
theory_of(m) = m eq "blocking" ? "M/M/1" : m eq "thread-pool" ? "M/M/4" : "M/M/∞"

width = 1500; height = 1000
eval terminal(width, height)
set output output_file
set multiplot layout 2, 3 title figure_title font ",16" noenhanced \
    margins char 11, char 4, char 4.5, char 6.5 spacing char 10, char 9
set key top left Left reverse samplen 2 spacing 1.1 noenhanced
law = "#999999"
empty = "unset logscale; set xrange [0:1]; set yrange [0:1]; set label 9 'not checked' at graph 0.5, 0.5 center; plot NaN notitle; unset label 9"
fresh = "unset logscale; set format xy '%g'; set xtics autofreq; set ytics autofreq; set xrange [*:*]; set yrange [*:*]; unset label 9"

# --- a known stall ---
eval fresh
set title "A stall of known length: what two clients see of it"
set xlabel "percentile (% of requests)"; set ylabel "response time (ms)"
if (is_there("stall")) {
    series(s, v) = strcol(1) eq s ? v : NaN
    set logscale xy
    set yrange [0.01:3e5]
    set xtics ("0" 1, "90" 10, "99" 100, "99.9" 1e3)
    plot file("stall") using (column(2)):(series("theory", column(3))) with lines lw 5 lc rgb law title "what must be seen", \
         file("stall") using (column(2)):(series("open loop", column(3))) with points pt 7 ps 0.7 lc rgb "#0072b2" title "open loop, from the intended begin", \
         file("stall") using (column(2)):(series("closed loop", column(3))) with points pt 6 ps 0.7 lc rgb "#555555" title "closed loop: coordinated omission"
} else { eval empty }

# --- a known law of arrivals ---
eval fresh
set title "Arrivals, as the server saw them"
set xlabel "time between two arrivals (ms)"; set ylabel "share of all"
set key bottom right Right noreverse
if (is_there("arrivals")) {
    set yrange [0:1]
    plot file("arrivals") using 1:3 with lines lw 5 lc rgb law title "exponential law", \
         file("arrivals") using 1:2 with points pt 7 ps 0.4 lc rgb "#0072b2" title "measured"
} else { eval empty }
set key top left Left reverse

# --- known service times ---
eval fresh
set title "Known service times: measured less true"
set xlabel "work of a request"; set ylabel "measured less true (µs)"
if (is_there("service-time")) {
    works = ""; tightest = 1e9; furthest = 0.0
    note_least(v) = (tightest = v < tightest ? v : tightest, 1)
    note_most(v) = (furthest = v > furthest ? v : furthest, 1)
    stats file("service-time") using (models = extended(models, strcol(1)), works = extended(works, strcol(2)), \
        note_least(column(5)) + note_most(abs(column(4) - column(3))), 1) nooutput
    reach = 1.4 * (furthest > tightest ? furthest : tightest)
    set xrange [0.4:words(works) + 0.6]
    set xtics rotate by 25 right noenhanced ()
    do for [w in works] { set xtics add (w place(works, w)) }
    set yrange [-reach:2.9 * reach]
    set key maxrows 6 font ",9"
    plot file("service-time") using (place(works, strcol(2))):(0):(place(works, strcol(2)) - 0.4):(place(works, strcol(2)) + 0.4):(-column(5) < -reach ? -reach : -column(5)):(column(5) > 1.2 * reach ? 1.2 * reach : column(5)) \
             with boxxyerror fs solid 1 noborder fc rgb "#e8e8e8" title "tolerance", \
         for [m in models] file("service-time") using (place(works, strcol(2)) + 0.75 / words(models) * (place(models, m) - (words(models) + 1) / 2.0)):(strcol(1) eq m ? column(4) - column(3) : NaN) \
             with points pt point(m) ps 1 lc rgb colour(m) title m
    set xtics norotate center enhanced
    set key maxrows auto font ",12"
} else { eval empty }

# --- queues ---
do for [i = 1:3] {
    m = word(queues, i)
    eval fresh
    set title theory_of(m)." and server-".m noenhanced
    set xlabel "utilisation (of ".(m eq "epoll" ? "four servers, if there were any" : m eq "blocking" ? "the server" : "four workers").")"
    set ylabel "response time (ms)"
    if (is_there("queueing")) {
        in_curve(q, v) = strcol(1) eq m && strcol(2) eq q ? v : NaN
        in_points(q, v) = strcol(1) eq m && strcol(3) eq q ? v : NaN
        eval no_ranges
        stats file("queueing-theory") using (in_curve("p99", column(5))) nooutput name "LAW"
        stats file("queueing-theory") using (in_curve("mean", column(5))) nooutput name "LEAST"
        set logscale y
        set xrange [0:1]
        set yrange [LEAST_min / 2:LAW_max * 30]
        plot file("queueing-theory") using (column(3)):(in_curve("p99", column(5))) with lines lw 3 dt 2 lc rgb law title "theory, p99", \
             file("queueing-theory") using (column(3)):(in_curve("mean", column(5))) with lines lw 3 lc rgb law title "theory, mean", \
             file("queueing") using (column(4)):(in_points("p99", column(7))):(column(8)):(column(9)) with yerrorbars pt 6 ps 1.1 lw 1.5 lc rgb colour(m) title "measured, p99", \
             file("queueing") using (column(4)):(in_points("mean", column(7))):(column(8)):(column(9)) with yerrorbars pt 7 ps 1.1 lw 1.5 lc rgb colour(m) title "measured, mean"
    } else { eval empty }
}
unset multiplot
