# Context switches of the server per request against the number of connections; x log. Error bars:
# 95 % intervals; a cross on top: no answer, so nothing to divide by.
stats data using (models = extended(models, strcol(1)), note_x(column(3)), 1) nooutput
eval choose
eval measure
stats data using (note_missing(strcol(1), strcol(2))) nooutput
eval line_page(1, 800, 480, 200)
set output output_file

in_line(m, v) = strcol(1) eq m ? answered(strcol(2), v) : NaN
missing(m) = strcol(1) eq m && no_answer(strcol(2)) ? edge(m) : NaN

stats data using (note_drawn(shown(strcol(1)) && valid(4) && !no_answer(strcol(2)))) nooutput
eval line_panels(1, -1)
set logscale x
set format x "%.0s%c"
set offsets 0, 0, graph 0.08 + 1.3 * edge_room, 0
eval x_margins(x_least, x_most)
if (drawn > 0) { set yrange [0:*] } else { set yrange [0:1] }
set xlabel axis_title noenhanced
eval edge_axis
plot for [m in models] data using (column(3)):(in_line(m, column(4))) @mark_line, \
     for [m in models] data using (column(3)):(in_line(m, column(4))):(column(5)):(column(6)) @mark_bar, \
     for [m in models] data using (column(3)):(missing(m)) axes x1y2 with points lc rgb colour(m) pt 2 ps point_scale lw 2 notitle
eval frame("context switches/request", missing_count > 0 ? "×: no answer" : "")
unset multiplot
