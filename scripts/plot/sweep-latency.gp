# Response time against what is varied, the median and the 99th percentile side by side, on the
# same axes; both log. Error bars: 95 % intervals; a cross on top: no answer.
stats data using (models = extended(models, strcol(1)), note_x(column(3)), 1) nooutput
eval choose
workloads = "p50 p99 "; titles = "'median' '99th percentile'"
eval measure
eval line_page(2, 500, 480, 200)
set output output_file

in_line(m, v) = strcol(1) eq m ? answered(strcol(2), v) : NaN
missing(m) = strcol(1) eq m && no_answer(strcol(2)) ? edge(m) : NaN
stats data using (note_missing(strcol(1), strcol(2))) nooutput
missing_side = "above"

# From the lowest median to the highest 99th percentile, with their intervals.
stats data using (!shown(strcol(1)) || no_answer(strcol(2)) || !valid(5) || !valid(9) ? 1 : note_y(column(5)) + note_y(column(9))) nooutput

eval line_panels(2, 0)
set format y "%g"
set format x "%.0s%c"
set xlabel axis_title noenhanced
eval edge_axis
set logscale xy
eval x_margins(x_least, x_most)
eval y_margins("%g")
do for [i = 1:2] {
    set title word(titles, i)
    plot for [m in models] data using (column(3)):(in_line(m, column(3 * i + 1))) @mark_line, \
         for [m in models] data using (column(3)):(in_line(m, column(3 * i + 1))):(column(3 * i + 2)):(column(3 * i + 3)) @mark_bar, \
         for [m in models] data using (column(3)):(missing(m)) axes x1y2 with points lc rgb colour(m) pt 2 ps point_scale lw 2 notitle
}
eval frame("response time (ms)", missing_count > 0 ? "×: no answer" : "")
unset multiplot
