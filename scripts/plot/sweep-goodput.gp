# Requests answered per second against what is varied, both axes log. Where it is the offered
# load, the grey line is where all of it would be answered. A cross at the bottom: no answer.
offered = 0; shares = ""
note_shared(p, s) = (shares = s eq "1" ? extended(shares, p) : shares, 1)
stats data using (models = extended(models, strcol(1)), note_x(column(3)), note_shared(strcol(3), strcol(8)), offered = strcol(7) eq "-" ? offered : 1, 1) nooutput
eval choose
eval measure
eval line_page(1, 800, 480, 200)
set output output_file
in_line(m, v) = strcol(1) eq m ? answered(strcol(2), v) : NaN
missing(m) = strcol(1) eq m && no_answer(strcol(2)) ? 1 - edge(m) : NaN
is_hollow(m) = strcol(1) eq m && has(shares, strcol(3)) ? answered(strcol(2), number(4)) : NaN
stats data using (note_missing(strcol(1), strcol(2))) nooutput
missing_side = "below"
stats data using (!shown(strcol(1)) || no_answer(strcol(2)) || !valid(5) || !valid(6) ? 1 : note_y(column(5)) + note_y(column(6))) nooutput
eval line_panels(1, -1)
set logscale xy
set format xy "%.0s%c"
eval x_margins(x_least, x_most)
eval y_margins("%.0s%c")
set xlabel axis_title noenhanced
eval edge_axis
plot for [j = 1:offered] data using (strcol(1) eq word(models, 1) ? column(3) : NaN):(column(7)) with lines lc rgb "#bbbbbb" lw 4 notitle, \
     for [m in models] data using (column(3)):(in_line(m, column(4))) @mark_line, \
     for [m in models] data using (column(3)):(in_line(m, column(4))):(column(5)):(column(6)) @mark_bar, \
     for [m in models] data using (column(3)):(is_hollow(m)) with points lc rgb "#ffffff" pt 7 ps 0.4 * point_scale notitle, \
     for [m in models] data using (column(3)):(missing(m)) axes x1y2 with points lc rgb colour(m) pt 2 ps point_scale lw 2 notitle
eval frame("answered (requests/s)", (offered ? "grey: all that is offered   " : "").(missing_count > 0 ? "×: no answer   " : "").(strlen(shares) ? "white centre: the server shares a CPU with the load generator" : ""))
unset multiplot
