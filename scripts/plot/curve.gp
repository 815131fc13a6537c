# The hockey stick: the 99th percentile of the response time against the offered rate, a point for
# each window of the searches; a row for each model, a column for each kind of requests. Filled: the
# service level was held; hollow: it was not; small and grey: the window says nothing. The band is
# the capacity with its interval, the horizontal line the limit of the service level.
stats data using (models = extended(models, strcol(1)), workloads = extended(workloads, strcol(2)), note_place(strcol(2), strcol(1))) nooutput
eval index_rows
eval choose
if (is_column) { workloads = word(workloads, 1)." " }
do for [w in workloads] { titles = titles.'"'.(w eq "-" ? " " : w).'" ' }
eval measure
columns = words(workloads)
rows = words(models)
eval page(150 + 9 * longest + 330 * columns, 120 + 82 * rows, 62 + 34 * rows)
set output output_file

stats data using (shown(strcol(1)) && has(workloads, strcol(2)) && number(4) > 0 ? note_y(number(4)) : 1) nooutput
rows_of = "data every ::first_row(w, m)::last_row(w, m)"
at(held, i) = strcol(5) eq held ? number(i) : NaN
low = 0.0; high = 0.0; middle = 0.0; limit = 0.0
note_band(x) = (middle = valid(6) ? column(6) : 0, low = valid(7) ? column(7) : 0, high = valid(8) ? column(8) : 0, limit = valid(9) ? column(9) : 0, 1)

# From the lowest rate to the highest, for each kind of requests.
array x_from[columns]; array x_to[columns]
do for [j = 1:columns] {
    x_least = NaN; x_most = NaN
    stats data using (shown(strcol(1)) && strcol(2) eq word(workloads, j) ? note_x(number(3)) + (number(8) > 0 ? note_x(number(8)) : 1) : 1) nooutput
    x_from[j] = x_least * 0.9; x_to[j] = x_most * 1.1
}
bottom = y_most > 0 ? y_least / 1.6 : 0.1; top = y_most > 0 ? y_most * 1.6 : 10

eval sprintf("set multiplot layout %d, %d title page_title font title_font noenhanced margins char %g, char %g, char %g, char %g spacing char %g, char %g", \
    rows, columns, at_size(11, 10, 9) + longest * at_size(0.95, 0.95, 0.85), at_size(3, 3, 2), at_size(3.6, 3.4, 3) + note_room, title_room + at_size(1.8, 1.8, 1), at_size(2.5, 2.5, 1), at_size(0.9, 1, 0.6))
set format x "%.0s%c"
set xtics font small; set ytics font small
set style fill solid 1 noborder
do for [i = 1:rows] {
    m = word(models, i)
    do for [j = 1:columns] {
        w = word(workloads, j)
        middle = 0.0; low = 0.0; high = 0.0; limit = 0.0
        if (first_row(w, m) < row_count) {
            unset logscale; eval no_ranges
            stats data every ::first_row(w, m)::first_row(w, m) using (note_band(1)) nooutput
        }
        unset label; unset object; unset arrow
        if (low > 0 && high >= low) { set object 1 rectangle from first low, graph 0 to first high, graph 1 behind fc rgb pale(pale(colour(m))) fs solid 1 noborder }
        if (middle > 0) { set arrow 1 from first middle, graph 0 to first middle, graph 1 nohead lc rgb colour(m) lw 1.6 back }
        if (limit > 0) { set arrow 2 from graph 0, first limit to graph 1, first limit nohead lc rgb "#555555" lw 1 dt 2 back }
        if (j == 1) { set label 1 m at graph 0, graph 0.5 right noenhanced offset at_size(-7, -6.5, -6), 0 }
        set title (i == 1 ? word(titles, j) : "") noenhanced offset 0, -0.5
        set logscale xy
        set xrange [x_from[j]:x_to[j]]
        set yrange [bottom:top]
        set format y (j == 1 ? "%g" : "")
        set format x (i == rows ? "%.0s%c" : "")
        set xlabel (i == rows ? "offered rate (requests/s)" : "")
        set ytics 10 ** int(floor(log10(bottom)) + 1), 10
        if (top / bottom < 200) { set ytics (); set for [k in '1 3'] for [e = -2:5] ytics add (j == 1 ? gprintf("%g", k * 10.0 ** e) : "" k * 10.0 ** e) }
        if (x_to[j] / x_from[j] < 20) { set xtics (); set for [k in '1 2 3 5'] for [e = 0:7] xtics add (i == rows ? gprintf("%.0s%c", k * 10.0 ** e) : "" k * 10.0 ** e) }
        plot @rows_of using (at("none", 3)):(number(4)) with points pt 7 ps 0.35 * point_scale lc rgb "#aaaaaa" notitle, \
             @rows_of using (at("1", 3)):(number(4)) with points pt 7 ps 0.7 * point_scale lc rgb colour(m) notitle, \
             @rows_of using (at("0", 3)):(number(4)) with points pt 6 ps 0.7 * point_scale lw 1.3 lc rgb colour(m) notitle
    }
}
unset object; unset arrow
legend = "unset key"
eval frame("99th percentile of the response time (ms)", is_column || (columns == 1 && !is_slide) ? "filled: held; hollow: not; band: capacity with interval; dashes: limit" : \
    "filled: the service level was held; hollow: it was not; grey: says nothing; band: capacity with its interval; dashes: the limit")
unset multiplot
