# Two parts of a cost per request, stacked: a panel for each workload, a bar for each model; full
# colour for the first part, pale for the second. Error bars: the sum's 95 % interval.
# AXIS says which: "switches" (voluntary and involuntary) or "cpu" (user and system).
is_cpu = axis_title eq "cpu"
parts = is_cpu ? "full colour: user; pale: system (kernel)" \
               : is_column ? "full colour: voluntary; pale: involuntary" : "full colour: voluntary (it waited); pale: involuntary (it was preempted)"
unit = is_cpu ? "µs/request" : "switches/request"

stats data using (note_row(strcol(1), strcol(2), strcol(3)) + note_signs(strcol(4), "")) nooutput
eval choose
eval measure
panels = words(workloads)
eval row_page(panels)
set output output_file

most = 0.0
note_most(w, v) = (most = strcol(1) eq w && shown(strcol(3)) && v > most ? v : most, most)
in_panel(w, v) = strcol(1) eq w && shown(strcol(3)) ? v : NaN
# The medians of two parts need not add up to that of their sum, which the bar shows: cut as they are.
sum_of(w) = in_panel(w, column(7))
first_of(w) = in_panel(w, column(5) + column(6) > 0 ? column(7) * column(5) / (column(5) + column(6)) : 0)
row = "bottom_up(strcol(3))"
remark_of(r) = strlen(r) ? " ".brief(r) : ""
label_of(w) = strcol(1) ne w ? "" : no_answer(strcol(4)) ? "× ".strcol(4) : \
              strcol(7) eq "-" ? "not measured" : figure(number(7)).remark_of(strcol(4))
label_at(w) = strcol(1) ne w ? NaN : valid(9) ? column(9) : 0

eval row_panels(panels)
set style fill solid 1.0 noborder
set grid noytics
eval note(is_column ? unit."; ".parts : parts."    ".@signs)
do for [i = 1:panels] {
    w = word(workloads, i)
    most = 0.0
    eval no_ranges
    stats data using (note_most(w, number(9))) nooutput
    eval panel_title
    eval row_axis(most, unit, i, panels)
    plot data using (first_of(w)):(@row):(0):(first_of(w)):(@row - 0.36):(@row + 0.36):(colour(strcol(3))) with boxxyerror lc rgb variable, \
         data using (sum_of(w)):(@row):(first_of(w)):(sum_of(w)):(@row - 0.36):(@row + 0.36):(pale(colour(strcol(3)))) with boxxyerror lc rgb variable, \
         data using (in_panel(w, column(7))):(@row):(column(8)):(column(9)) with xerrorbars pt -1 lw 1.4 lc rgb "#777777", \
         data using (label_at(w)):(@row):(label_of(w)) with labels left offset 0.7, 0 font small noenhanced
}
unset multiplot
