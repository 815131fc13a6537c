# Response time as the run went on: a panel for each model, the median and the longest of each
# interval; a gap where nothing was answered. One trial, the same for all.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4
load "style.gp"

least = 1e9; most = 0.0; last = 0.0
stats data using (models = extended(models, strcol(1)), last = column(3) > last ? column(3) : last, 1) nooutput
stats data using (most = number(7) > most ? number(7) : most, 1) nooutput
stats data using (least = number(5) > 0 && number(5) < least ? number(5) : least, 1) nooutput
height = 80 + 190 * words(models)
eval terminal(1100, height)
set output output_file

in_line(m, v) = strcol(1) eq m ? v : NaN
set multiplot layout words(models), 1 title figure_title font ",16" noenhanced \
    margins char 12, char 3, char 4.5, char 6.5 spacing char 5, char 3.5
set logscale y
set format xy "%g"
set xrange [0:last]
set yrange [(least < 1e9 ? least * 0.7 : 0.01):(most > 0 ? most * 1.5 : 1)]
set key at screen 0.5, screen (1 - 36.0 / height) center top horizontal samplen 2
do for [i = 1:words(models)] {
    m = word(models, i)
    set title m noenhanced offset 0, -0.5
    set xlabel (i == words(models) ? "time in the measured window (s)" : "")
    set ylabel "response time (ms)"
    plot data using (column(3)):(in_line(m, number(7))) with linespoints lc rgb colour(m) pt point(m) ps 0.6 lw 1.8 notitle, \
         data using (column(3)):(in_line(m, number(5))) with lines lc rgb pale(colour(m)) lw 1.8 notitle, \
         NaN with linespoints lc rgb "#444444" pt 7 ps 0.6 lw 1.8 title (i == 1 ? "longest in the interval" : ""), \
         NaN with lines lc rgb "#aaaaaa" lw 1.8 title (i == 1 ? "median of the interval" : "")
    unset key
}
unset multiplot
