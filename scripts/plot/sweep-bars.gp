# Requests answered per second where so little is varied that there is no curve: a panel for each
# point, a bar for each model, pale where the server shares a CPU with the load generator. Error
# bars: 95 % intervals.
shares = ""
note_shared(p, s) = (shares = s eq "1" ? extended(shares, p) : shares, 1)
stats data using (models = extended(models, strcol(1)), note_x(column(3)), note_shared(strcol(3), strcol(8)), note_signs(strcol(2), "")) nooutput
eval choose
shared_note = strlen(shares) ? "pale: the server shares a CPU with the load generator" : ""
workloads = points
do for [p in points] { titles = titles.'"'.p.' '.(p eq "1" && axis_title[strlen(axis_title):*] eq "s" ? axis_title[1:strlen(axis_title) - 1] : axis_title).'" ' }
eval measure
panels = words(points)
eval row_page(panels)
set output output_file
most = 0.0
stats data using (most = shown(strcol(1)) && number(6) > most ? number(6) : most, 1) nooutput
in_panel(p, v) = strcol(3) eq p && shown(strcol(1)) ? v : NaN
shade(p, c) = has(shares, p) ? pale(c) : c
label_of(r, v) = v > 0 ? figure(v).(strlen(r) ? " ".brief(r) : "") : strlen(r) ? "× ".r : "not measured"
row = "bottom_up(strcol(1))"
eval row_panels(panels)
set style fill solid 1.0 noborder
set grid noytics
eval note(shared_note.(strlen(shared_note) && has_served && !is_column ? "    " : "").(strlen(shared_note) && is_column ? "" : @signs))
do for [i = 1:panels] {
    p = word(points, i)
    eval panel_title
    eval row_axis(most, "requests/s", i, panels)
    plot data using (in_panel(p, column(4))):(@row):(0):(column(4)):(@row - 0.36):(@row + 0.36):(shade(p, colour(strcol(1)))) with boxxyerror lc rgb variable, \
         data using (in_panel(p, column(4))):(@row):(column(5)):(column(6)) with xerrorbars pt -1 lw 1.4 lc rgb "#555555", \
         data using (in_panel(p, valid(6) ? column(6) : 0)):(@row):(label_of(strcol(2), number(4))) with labels left offset 0.7, 0 font small noenhanced
}
unset multiplot
