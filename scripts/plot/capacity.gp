# The headline: how many requests per second each model can be asked while the service level holds,
# a panel for each kind of requests. A point with its interval; the tick beside it is the bound of
# operational analysis, cores / CPU time per request, which no queue can exceed. A figure with a ≥ is
# a lower bound: the generator was at its limit.
slo = ""
stats data using (workloads = extended(workloads, strcol(1)."/".strcol(2)), models = extended(models, strcol(3)), slo = strcol(4), note_signs("", strcol(5))) nooutput
eval choose
name_of(w) = w[strstrt(w, "/") + 1:*]
do for [w in workloads] { titles = titles.'"'.(name_of(w) eq "-" ? w[1:strlen(w) - 2] : name_of(w)).'" ' }
eval measure
panels = words(workloads)
eval row_page(panels)
set output output_file

most = 0.0
is_in(w) = strcol(1)."/".strcol(2) eq w && shown(strcol(3))
reach(i, j) = number(i) > number(j) ? number(i) : number(j) > 0 ? number(j) : number(i)
note_most(w, v) = (most = is_in(w) && v > most ? v : most, most)
in_panel(w, v) = is_in(w) ? v : NaN
row = "bottom_up(strcol(3))"
beside_bound(t) = number(10) > 0 && !is_column ? t." of ".figure(number(10)) : t
label_of(b, v) = v > 0 ? beside_bound(b.figure(v)) : v == 0 ? "nothing sustained" : "not measured"
label_at(w) = !is_in(w) ? NaN : number(8) > 0 || number(10) > 0 ? reach(8, 10) : 0

bar_room = at_size(1.75, 1.85, 2)
eval row_panels(panels)
set grid noytics
eval note((is_column ? "requests/s;  " : "").slo.(is_column ? "    tick: CPU bound" : "    tick, second figure: cores / CPU time of a request").(has_bound && !is_column ? "    " : "").(is_column ? "" : @signs))
do for [i = 1:panels] {
    w = word(workloads, i)
    most = 0.0
    eval no_ranges
    stats data using (note_most(w, reach(8, 10))) nooutput
    eval panel_title
    eval row_axis(most, "requests/s", i, panels)
    plot data using (in_panel(w, column(6))):(@row):(0):(column(6)):(@row):(@row):(pale(pale(colour(strcol(3))))) with boxxyerror lc rgb variable lw 1.5, \
         data using (in_panel(w, column(10))):(@row - 0.24):(0):(0.48) with vectors nohead lw 1.6 lc rgb "#777777", \
         data using (in_panel(w, column(6))):(@row):(column(7)):(column(8)):(colour(strcol(3))) with xerrorbars pt 7 ps 0.9 * point_scale lw 1.8 lc rgb variable, \
         data using (label_at(w)):(@row):(label_of(strcol(5), number(6))) with labels left offset 0.7, 0 font small noenhanced
}
unset multiplot
