# Requests answered per second against what is varied, both axes log. Where it is the offered
# load, the grey line is where all of it would be answered. A cross at the bottom: no answer.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4; axis_title = ARG5
load "style.gp"

offered = 0
stats data using (models = extended(models, strcol(1)), note_x(column(3)), offered = strcol(7) eq "-" ? offered : 1, 1) nooutput
eval terminal(1100, 560)
set output output_file

in_line(m, v) = strcol(1) eq m ? answered(strcol(2), v) : NaN
missing(m) = strcol(1) eq m && no_answer(strcol(2)) ? 1 - edge(m) : NaN

set multiplot layout 1, 1 title figure_title font ",16" noenhanced \
    margins char 11, char 32, char 4.5, char 4
stats data using (note_missing(strcol(1), strcol(2))) nooutput
missing_side = "below"
stats data using (no_answer(strcol(2)) || !valid(5) || !valid(6) ? 1 : note_y(column(5)) + note_y(column(6))) nooutput
set logscale xy
set format xy "%.0s%c"
eval x_margins(x_least, x_most)
eval y_margins("%.0s%c")
set xlabel axis_title noenhanced
set ylabel "answered (requests/s)"
eval edge_axis
eval legend_beside
plot for [j = 1:offered] data using (strcol(1) eq word(models, 1) ? column(3) : NaN):(column(7)) with lines lc rgb "#aaaaaa" lw 4 title "all that is offered", \
     for [m in models] data using (column(3) * beside(m)):(in_line(m, column(4))):(column(5)):(column(6)) with yerrorlines \
         lc rgb colour(m) pt point(m) ps 1 lw 1.5 title m, \
     for [m in models] data using (column(3)):(missing(m)) axes x1y2 with points lc rgb colour(m) pt 2 ps 1 lw 2 notitle, \
     NaN with points lc rgb "#444444" pt 2 ps 1 lw 2 title (missing_count > 0 ? "no answer" : "")
unset multiplot
