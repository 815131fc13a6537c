# The whole distribution of response times, the tail stretched out: x is 1/(1 - percentile) on a
# log axis, as HdrHistogram's plots have it. All requests of all trials together.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4
load "style.gp"

stats data using (note_row(strcol(1), strcol(2), strcol(3))) nooutput
columns = words(workloads) < 3 ? words(workloads) : 3
rows = int((words(workloads) + columns - 1) / columns)
height = 130 + 270 * rows
eval terminal(legend_width(130 + 400 * columns), height)
set output output_file

# Without the shortest of all, which would take up half of a log axis.
in_line(w, m, v) = strcol(1) eq w && strcol(3) eq m && column(5) > 1 ? answered(strcol(4), v) : NaN

set multiplot layout rows, columns title figure_title font ",16" noenhanced \
    margins char 11, char 3, char 4.5, char panels_top(words(models)) + remarks_room spacing char 9, char 6
set format y "%g"
set xtics ("0" 1, "90" 10, "99" 100, "99.9" 1e3, "99.99" 1e4, "99.999" 1e5, "99.9999" 1e6) font ",8"
eval legend(height)
do for [i = 1:words(workloads)] {
    w = word(workloads, i)
    eval no_remarks
    eval no_ranges
    unset logscale
    stats data using (strcol(1) eq w ? note_remark(strcol(3), strcol(4)) : 1) nooutput
    drawn = 0
    stats data using (note_drawn(strcol(1) eq w && !no_answer(strcol(4)))) nooutput
    set logscale xy
    if (drawn > 0) { set xrange [1:*] } else { set xrange [1:1000] }
    eval y_range("[0.1:10]")
    eval panel_title(i)
    unset label
    eval remark_label
    set xlabel (i > words(workloads) - columns ? "percentile (% of requests)" : "")
    set ylabel (i % columns == 1 || columns == 1 ? "response time (ms)" : "")
    plot for [m in models] data using (column(5)):(in_line(w, m, column(6))) with linespoints \
        lc rgb colour(m) pt point(m) ps 0.7 pointinterval -12 lw 1.6 title (i == 1 ? m : "")
    unset key
}
unset multiplot
