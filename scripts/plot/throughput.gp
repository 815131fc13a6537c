# Requests answered per second: a panel for each workload, for their scales differ; a bar for each
# model, from zero; the error bar is the 95 % interval. A figure with a ≥ is a lower bound: the
# generator was at its limit, and the server may be capable of more.
stats data using (note_row(strcol(1), strcol(2), strcol(3)) + note_signs(strcol(4), strcol(5))) nooutput
eval choose
eval measure
panels = words(workloads)
eval row_page(panels)
set output output_file

most = 0.0
note_most(w, v) = (most = strcol(1) eq w && shown(strcol(3)) && v > most ? v : most, most)
in_panel(w, v) = strcol(1) eq w && shown(strcol(3)) ? v : NaN
row = "bottom_up(strcol(3))"
remark_of(r) = strlen(r) ? " ".brief(r) : ""
label_of(b, r, v) = v > 0 ? b.figure(v).remark_of(r) : strlen(r) ? "×".remark_of(r) : "not measured"
label_at(w) = strcol(1) ne w ? NaN : valid(8) ? column(8) : 0

eval row_panels(panels)
eval note(@signs)
set style fill solid 1.0 noborder
set grid noytics
do for [i = 1:panels] {
    w = word(workloads, i)
    most = 0.0
    eval no_ranges
    stats data using (note_most(w, number(8))) nooutput
    eval panel_title
    eval row_axis(most, "requests/s", i, panels)
    plot data using (in_panel(w, column(6))):(@row):(0):(column(6)):(@row - 0.36):(@row + 0.36):(colour(strcol(3))) with boxxyerror lc rgb variable, \
         for [halo in "3.6 1.4"] data using (in_panel(w, column(6))):(@row):(column(7)):(column(8)) with xerrorbars pt -1 lw halo + 0 lc rgb (halo + 0 > 2 ? "#ffffff" : "#555555"), \
         data using (label_at(w)):(@row):(label_of(strcol(5), strcol(4), number(6))) with labels left offset 0.7, 0 font small noenhanced
}
unset multiplot
