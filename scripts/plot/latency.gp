# Response time percentiles: a panel for each workload, a line for each model, log axis. Error
# bars: 95 % intervals over trials.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4
load "style.gp"

percentiles = ""
stats data using (note_row(strcol(1), strcol(2), strcol(3)), percentiles = extended(percentiles, strcol(5)), 1) nooutput
columns = words(workloads) < 3 ? words(workloads) : 3
rows = int((words(workloads) + columns - 1) / columns)
height = 130 + 270 * rows
eval terminal(legend_width(130 + 400 * columns), height)
set output output_file

in_line(w, m, v) = strcol(1) eq w && strcol(3) eq m ? answered(strcol(4), v) : NaN
x_of(m) = place(percentiles, strcol(5)) + 0.06 * (place(models, m) - (words(models) + 1) / 2.0)

set multiplot layout rows, columns title figure_title font ",16" noenhanced \
    margins char 11, char 3, char 3, char panels_top(words(models)) + remarks_room spacing char 9, char 6
set format y "%g"
set xtics ()
set for [p in percentiles] xtics add (p place(percentiles, p))
eval legend(height)
do for [i = 1:words(workloads)] {
    w = word(workloads, i)
    eval no_remarks
    eval no_ranges
    unset logscale
    stats data using (strcol(1) eq w ? note_remark(strcol(3), strcol(4)) : 1) nooutput
    drawn = 0
    stats data using (note_drawn(strcol(1) eq w && valid(6) && !no_answer(strcol(4)))) nooutput
    eval y_range("[0.1:10]")
    set logscale y
    set xrange [0.6:words(percentiles) + 0.4]
    eval panel_title(i)
    unset label
    eval remark_label
    set ylabel (i % columns == 1 || columns == 1 ? "response time (ms)" : "")
    plot for [m in models] data using (x_of(m)):(in_line(w, m, column(6))):(column(7)):(column(8)) with yerrorlines \
        lc rgb colour(m) pt point(m) ps 0.8 lw 1.3 title (i == 1 ? m : "")
    unset key
}
unset multiplot
