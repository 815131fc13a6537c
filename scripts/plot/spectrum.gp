# The whole distribution of response times, the tail stretched out: x is 1/(1 - percentile) on a
# log axis, as HdrHistogram's plots have it. All requests of all blocks together.
stats data using (note_row(strcol(1), strcol(2), strcol(3)) + note_place(strcol(1), strcol(3))) nooutput
eval index_rows
eval choose
most_in_three = 9
eval measure
panels = words(workloads)
eval line_page(panels, 370, 235, 110)
set output output_file

# Without the shortest of all, which would take up half of a log axis.
value = "(column(5) > 1 ? answered(strcol(4), column(6)) : NaN)"

eval line_panels(panels, at_size(1.2, 0, 0))
set format y "%g"
set xtics ("0" 1, "90" 10, "99" 100, "99.9" 1e3, "" 1e4, "99.999" 1e5, "" 1e6) font small
if (!is_in_large) { set xtics ("0" 1, "" 10, "99" 100, "" 1e3, "99.99" 1e4, "" 1e5, "" 1e6) }
set ytics font small
do for [i = 1:panels] {
    w = word(workloads, i)
    eval no_remarks
    eval no_ranges
    unset logscale
    drawn = 0
    do for [m in models] {
        if (first_row(w, m) < row_count) {
            stats data every ::first_row(w, m)::first_row(w, m) using (note_remark(strcol(3), strcol(4)) + note_drawn(!no_answer(strcol(4)))) nooutput
        }
    }
    set logscale xy
    if (drawn > 0) { set xrange [1:*] } else { set xrange [1:1000] }
    eval y_range("[0.1:10]")
    eval remark_title
    set xlabel (is_lowest(i, panels) ? "percentile (%)" : "")
    plot for [m in models] data every ::first_row(w, m)::last_row(w, m) using (column(5)):@value with linespoints \
        lc rgb colour(m) pt point(m) ps 0.7 * point_scale pointinterval 12 lw 1.6 dt dash(m) notitle
}
eval frame("response time (ms)", "")
unset multiplot
