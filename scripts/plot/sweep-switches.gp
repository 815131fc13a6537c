# Context switches of the server per request against the number of connections; x log. Error bars:
# 95 % intervals over trials; a cross on top: no answer, so nothing to divide by.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4; axis_title = ARG5
load "style.gp"

stats data using (models = extended(models, strcol(1)), note_x(column(3)), 1) nooutput
stats data using (note_missing(strcol(1), strcol(2))) nooutput
eval terminal(1100, 560)
set output output_file

in_line(m, v) = strcol(1) eq m ? answered(strcol(2), v) : NaN
missing(m) = strcol(1) eq m && no_answer(strcol(2)) ? edge(m) : NaN

set multiplot layout 1, 1 title figure_title font ",16" noenhanced \
    margins char 11, char 32, char 4.5, char 4
drawn = 0
eval no_ranges
unset logscale
stats data using (note_drawn(valid(4) && !no_answer(strcol(2)))) nooutput
set logscale x
set format x "%.0s%c"
set offsets 0, 0, graph 0.08 + 1.3 * edge_room, 0
eval x_margins(x_least, x_most)
if (drawn > 0) { set yrange [0:*] } else { set yrange [0:1] }
set xlabel axis_title noenhanced
set ylabel "context switches/request"
eval edge_axis
eval legend_beside
plot for [m in models] data using (column(3) * beside(m)):(in_line(m, column(4))):(column(5)):(column(6)) with yerrorlines \
         lc rgb colour(m) pt point(m) ps 1 lw 1.5 title m, \
     for [m in models] data using (column(3)):(missing(m)) axes x1y2 with points lc rgb colour(m) pt 2 ps 1 lw 2 notitle, \
     NaN with points lc rgb "#444444" pt 2 ps 1 lw 2 title (missing_count > 0 ? "no answer" : "")
unset multiplot
