# Requests answered per second: a panel for each workload, for their scales differ; a bar for each
# model, from zero; the error bar is the 95 % interval over trials. A figure with a ≥ is a lower
# bound: the generator was at its limit, and the server may be capable of more.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4
load "style.gp"

stats data using (note_row(strcol(1), strcol(2), strcol(3))) nooutput

columns = words(workloads) < 3 ? words(workloads) : 3
rows = int((words(workloads) + columns - 1) / columns)
panel = 100 + 30 * words(models)
width = 260 + 380 * columns; height = 60 + panel * rows
eval terminal(width, height)
set output output_file

most = 0.0
note_most(w, v) = (most = strcol(1) eq w && v > most ? v : most, most)
in_panel(w, v) = strcol(1) eq w ? v : NaN
label_of(b, r, v) = (v > 0 ? b.figure(v) : "").(strlen(r) ? (v > 0 ? "  " : "× ").r : v > 0 ? "" : "not measured")
label_at(w) = strcol(1) ne w ? NaN : valid(8) ? column(8) : 0

set multiplot layout rows, columns title figure_title font ",16" noenhanced \
    margins char 24, char 4, char 3.5, char 5.5 spacing char 5, char 6
set style fill solid 1.0 noborder
set grid noytics
do for [i = 1:words(workloads)] {
    w = word(workloads, i)
    most = 0.0
    eval no_ranges
    stats data using (note_most(w, number(8))) nooutput
    set title word(titles, i) noenhanced offset 0, -0.4
    set xrange [0:(most > 0 ? most : 1) * 1.6]
    set yrange [0.3:words(models) + 0.7]
    set xtics 0, step(most), 1.05 * most
    set format x tic_format(most)
    set xlabel (i > words(workloads) - columns ? "requests/s" : "")
    eval model_names(i % columns == 1 || columns == 1)
    plot data using (in_panel(w, column(6))):(bottom_up(strcol(3))):(0):(column(6)):(bottom_up(strcol(3)) - 0.36):(bottom_up(strcol(3)) + 0.36):(colour(strcol(3))) with boxxyerror lc rgb variable, \
         for [halo in "3.6 1.4"] data using (in_panel(w, column(6))):(bottom_up(strcol(3))):(column(7)):(column(8)) with xerrorbars pt -1 lw halo + 0 lc rgb (halo + 0 > 2 ? "#ffffff" : "#555555"), \
         data using (label_at(w)):(bottom_up(strcol(3))):(label_of(strcol(5), strcol(4), number(6))) with labels left offset 0.7, 0 font ",10" noenhanced
}
unset multiplot
