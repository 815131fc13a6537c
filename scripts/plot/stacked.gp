# Two parts of a cost per request, stacked: a panel for each workload, a bar for each model; full
# colour for the first part, pale for the second. Error bars: the sum's 95 % interval over trials.
# AXIS says which: "switches" (voluntary and involuntary) or "cpu" (user and system).
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4; kind = ARG5
load "style.gp"

parts = kind eq "cpu" ? "full colour: user; pale: system (kernel)" \
                      : "full colour: voluntary (it waited); pale: involuntary (it was preempted)"
unit = kind eq "cpu" ? "µs/request" : "context switches/request"

stats data using (note_row(strcol(1), strcol(2), strcol(3))) nooutput
columns = words(workloads) < 3 ? words(workloads) : 3
rows = int((words(workloads) + columns - 1) / columns)
eval terminal(260 + 380 * columns, 80 + (100 + 30 * words(models)) * rows)
set output output_file

most = 0.0
note_most(w, v) = (most = strcol(1) eq w && v > most ? v : most, most)
in_panel(w, v) = strcol(1) eq w ? v : NaN
# The medians of two parts need not add up to that of their sum, which the bar shows: cut as they are.
sum_of(w) = in_panel(w, column(7))
first_of(w) = in_panel(w, column(5) + column(6) > 0 ? column(7) * column(5) / (column(5) + column(6)) : 0)
row_of = "bottom_up(strcol(3))"
label_of(w) = strcol(1) ne w ? "" : no_answer(strcol(4)) ? "× ".strcol(4) : \
              strcol(7) eq "-" ? "not measured" : figure(number(7)).(strlen(strcol(4)) ? "  ".strcol(4) : "")
label_at(w) = strcol(1) ne w ? NaN : valid(9) ? column(9) : 0

set multiplot layout rows, columns title figure_title."\n{/*0.75 ".parts."}" font ",16" \
    margins char 24, char 4, char 3.5, char 7 spacing char 5, char 6
set style fill solid 1.0 noborder
set grid noytics
do for [i = 1:words(workloads)] {
    w = word(workloads, i)
    most = 0.0
    eval no_ranges
    stats data using (note_most(w, number(9))) nooutput
    set title word(titles, i) noenhanced offset 0, -0.4
    set xrange [0:(most > 0 ? most : 1) * 1.6]
    set yrange [0.3:words(models) + 0.7]
    set xtics 0, step(most), 1.05 * most
    set format x tic_format(most)
    set xlabel (i > words(workloads) - columns ? unit : "")
    eval model_names(i % columns == 1 || columns == 1)
    plot data using (first_of(w)):(@row_of):(0):(first_of(w)):(@row_of - 0.36):(@row_of + 0.36):(colour(strcol(3))) with boxxyerror lc rgb variable, \
         data using (sum_of(w)):(@row_of):(first_of(w)):(sum_of(w)):(@row_of - 0.36):(@row_of + 0.36):(pale(colour(strcol(3)))) with boxxyerror lc rgb variable, \
         data using (in_panel(w, column(7))):(@row_of):(column(8)):(column(9)) with xerrorbars pt -1 lw 1.4 lc rgb "#777777", \
         data using (label_at(w)):(@row_of):(label_of(w)) with labels left offset 0.7, 0 font ",10" noenhanced
}
unset multiplot
