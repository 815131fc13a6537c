# The headline: how many requests per second each model can be asked while the service level holds,
# a panel for each kind of requests. The pale bar behind is the most that was answered at all: what
# lies between the two is answered too late. The error bar is the interval of the capacity.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4
load "style.gp"

points = ""; slo = ""
stats data using (points = extended(points, strcol(2)), models = extended(models, strcol(3)), slo = strcol(4), 1) nooutput
columns = words(points) < 3 ? words(points) : 3
rows = int((words(points) + columns - 1) / columns)
panel = 110 + 34 * words(models)
width = 280 + 380 * columns; height = 100 + panel * rows
eval terminal(width, height)
set output output_file

most = 0.0
note_most(w, v) = (most = strcol(2) eq w && v > most ? v : most, most)
in_panel(w, v) = strcol(2) eq w ? v : NaN
label_of(b, v) = v > 0 ? b.figure(v) : "nothing sustained"
label_at(w) = strcol(2) ne w ? NaN : valid(9) && number(9) > number(6) ? column(9) : valid(6) ? column(6) : 0

set multiplot layout rows, columns title figure_title." (".slo.")" font ",16" noenhanced \
    margins char 24, char 5, char 4.5, char 6.5 spacing char 5, char 6
set style fill solid 1.0 noborder
set grid noytics
set key at screen 0.5, screen (1 - 36.0 / height) center top horizontal samplen 2 width 2
do for [i = 1:words(points)] {
    w = word(points, i)
    most = 0.0
    eval no_ranges
    stats data using (note_most(w, number(6) > 0 && !(number(9) > number(6)) ? number(6) : number(9))) nooutput
    set title w noenhanced offset 0, -0.4
    set xrange [0:(most > 0 ? most : 1) * 1.4]
    set yrange [0.3:words(models) + 0.7]
    set xtics 0, step(most), 1.05 * most
    set format x tic_format(most)
    set xlabel (i > words(points) - columns ? "requests/s" : "")
    eval model_names(i % columns == 1 || columns == 1)
    plot data using (in_panel(w, column(9))):(bottom_up(strcol(3))):(0):(column(9)):(bottom_up(strcol(3)) - 0.36):(bottom_up(strcol(3)) + 0.36):(pale(pale(colour(strcol(3))))) with boxxyerror lc rgb variable notitle, \
         data using (in_panel(w, column(6))):(bottom_up(strcol(3))):(0):(column(6)):(bottom_up(strcol(3)) - 0.36):(bottom_up(strcol(3)) + 0.36):(colour(strcol(3))) with boxxyerror lc rgb variable notitle, \
         data using (in_panel(w, column(6))):(bottom_up(strcol(3))):(column(7)):(column(8)) with xerrorbars pt -1 lw 1.4 lc rgb "#777777" notitle, \
         data using (label_at(w)):(bottom_up(strcol(3))):(label_of(strcol(5), number(6))) with labels left offset 0.7, 0 font ",10" noenhanced notitle, \
         NaN with boxes lc rgb "#444444" title (i == 1 ? "capacity (figure, interval)" : ""), \
         NaN with boxes lc rgb pale(pale(0x444444)) title (i == 1 ? "peak throughput" : "")
    unset key
}
unset multiplot
