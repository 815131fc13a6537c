# Response time against what is varied, the median and the 99th percentile side by side, on the
# same axes; both log. Error bars: 95 % intervals over trials; a cross on top: no answer.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4; axis_title = ARG5
load "style.gp"

stats data using (models = extended(models, strcol(1)), note_x(column(3)), 1) nooutput
height = 560
eval terminal(1360, height)
set output output_file

in_line(m, v) = strcol(1) eq m ? answered(strcol(2), v) : NaN
missing(m) = strcol(1) eq m && no_answer(strcol(2)) ? edge(m) : NaN
stats data using (note_missing(strcol(1), strcol(2))) nooutput
missing_side = "above"

# From the lowest median to the highest 99th percentile, with their intervals.
stats data using (no_answer(strcol(2)) || !valid(5) || !valid(9) ? 1 : note_y(column(5)) + note_y(column(9))) nooutput

set multiplot layout 1, 2 title figure_title font ",16" noenhanced \
    margins char 11, char 3, char 4.5, char panels_top(words(models)) spacing char 9, char 6
set format y "%g"
set format x "%.0s%c"
set xlabel axis_title noenhanced
eval edge_axis
eval legend(height)
set logscale xy
eval x_margins(x_least, x_most)
eval y_margins("%g")
do for [i = 1:2] {
    set title (i == 1 ? "median" : "99th percentile")
    set ylabel "response time (ms)"
    plot for [m in models] data using (column(3) * beside(m)):(in_line(m, column(3 * i + 1))):(column(3 * i + 2)):(column(3 * i + 3)) with yerrorlines \
             lc rgb colour(m) pt point(m) ps 1 lw 1.5 title (i == 1 ? m : ""), \
         for [m in models] data using (column(3)):(missing(m)) axes x1y2 with points lc rgb colour(m) pt 2 ps 1 lw 2 notitle, \
         NaN with points lc rgb "#444444" pt 2 ps 1 lw 2 title (i == 1 && missing_count > 0 ? "no answer" : "")
    unset key
}
unset multiplot
