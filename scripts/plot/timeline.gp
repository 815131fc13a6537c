# Response time as the run went on: a panel for each model, the median and the longest of each
# interval; a gap where nothing was answered. One block, the same requests for all. Grey: a stall,
# from when its request was due to its answer, to the width of an interval. Every model has to serve
# the request that stalls: what took as long as the shortest of the models' longest was one.
least = 1e9; most = 0.0; last = 0.0; interval = 1e9; before = -1.0
note_interval(t) = (interval = before >= 0 && t > before && t - before < interval ? t - before : interval, before = t, 1)
stats data using (models = extended(models, strcol(1)), last = column(3) > last ? column(3) : last, note_interval(column(3))) nooutput
eval choose
stats data using (most = shown(strcol(1)) && number(7) > most ? number(7) : most, 1) nooutput
stats data using (least = number(5) > 0 && number(5) < least ? number(5) : least, 1) nooutput
stall_ms = 1e9
do for [m in models] {
    longest_ms = 0.0
    stats data using (longest_ms = strcol(1) eq m && number(7) > longest_ms ? number(7) : longest_ms, 1) nooutput
    if (longest_ms > 0 && longest_ms < stall_ms) { stall_ms = longest_ms }
}
is_stall(m) = strcol(1) eq m && number(7) >= 0.9 * stall_ms && number(7) > 20 * least
workloads = models
do for [m in models] { titles = titles.'"'.m.'" ' }
eval measure
columns = is_column || words(models) < 2 ? 1 : 2
rows = int((words(models) + columns - 1) / columns)
eval page(130 + 520 * columns, 110 + 125 * rows, 70 + 46 * rows)
set output output_file

in_line(m, v) = strcol(1) eq m ? v : NaN
bottom = (least < 1e9 ? least * 0.7 : 0.01); top = (most > 0 ? most * 1.5 : 1)
eval sprintf("set multiplot layout %d, %d title page_title font title_font noenhanced margins char %g, char 2, char %g, char %g spacing char %g, char %g", \
    rows, columns, at_size(9, 9, 8), at_size(3.6, 3.4, 3) + note_room, title_room + at_size(1.8, 1.8, 1), at_size(6, 6, 4), at_size(2.6, 3.4, 2))
set logscale y
set format xy "%g"
set xrange [0:last + interval]
set yrange [bottom:top]
set ytics 10 ** int(floor(log10(bottom)) + 1), 100 font small
set xtics font small
set style fill solid 1 noborder
do for [i = 1:words(models)] {
    m = word(models, i)
    set title m noenhanced offset 0, (is_column ? -0.9 : -0.6) font (is_column ? small : "")
    set xlabel (i > words(models) - columns ? "time in the measured window (s)" : "")
    set format x (i > words(models) - columns ? "%g" : "")
    plot data using (is_stall(m) ? column(3) : NaN):(top):(column(3) + interval - column(7) / 1e3 > 0 ? column(3) + interval - column(7) / 1e3 : 0):(column(3) + interval):(bottom):(top) with boxxyerror lc rgb "#dddddd" notitle, \
         data using (column(3) + interval / 2):(in_line(m, number(5))) with lines lc rgb pale(colour(m)) lw 2.2 notitle, \
         data using (column(3) + interval / 2):(in_line(m, number(7))) with linespoints lc rgb colour(m) pt point(m) ps 0.5 * point_scale lw 1.5 notitle
}
legend = "unset key"
eval frame("response time (ms)", is_column ? "line: longest; pale: median; grey: a stall" : \
    "full colour: longest in an interval; pale: median; grey: a request that stalls, from when it was due to its answer")
unset multiplot
