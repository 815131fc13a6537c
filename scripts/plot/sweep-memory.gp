# Memory of the server against the number of connections, in all and by where it is; both axes
# log. Each legend says what a further connection costs: the slope of the least-squares line.
data = ARG1; output_file = ARG2; format_name = ARG3; figure_title = ARG4; axis_title = ARG5
load "style.gp"

kinds = "all user stacks kernel"
kind_titles = '"All" "User memory without stacks" "Stacks of the threads" "Kernel: stacks, page tables, sockets"'
stats data using (models = extended(models, strcol(1)), note_x(column(3)), 1) nooutput
eval terminal(1700, 850)
set output output_file

in_line(k, m, v) = strcol(1) eq m && strcol(4) eq k ? v : NaN
bytes(v) = abs(v) >= 1 << 20 ? sprintf("%.1f MiB", v / 1048576) : abs(v) >= 10240 ? sprintf("%.0f KiB", v / 1024) : \
           abs(v) >= 1024 ? sprintf("%.1f KiB", v / 1024) : sprintf("%.0f B", v)
slope = ""
note_slope(k, m) = (slope = strcol(1) eq m && strcol(4) eq k && strcol(8) ne "-" ? bytes(column(8)) : slope, 1)

set multiplot layout 2, 2 title figure_title font ",16" noenhanced \
    margins char 11, char 36, char 4.5, char 5 spacing char 48, char 7
set format x "%.0s%c"
set format y "%g"
set key at graph 1.04, graph 1 left top Left reverse samplen 2 spacing 1.2 noenhanced font ",10" title "each further connection:" left
do for [i = 1:4] {
    k = word(kinds, i)
    set title word(kind_titles, i)
    set xlabel (i > 2 ? axis_title : "") noenhanced
    set ylabel "memory (MiB)"
    legends = ""
    eval no_ranges
    unset logscale
    do for [m in models] {
        slope = ""
        stats data using (note_slope(k, m)) nooutput
        legends = legends.'"'.m.(strlen(slope) ? ": ".slope : "").'" '
    }
    drawn = 0
    stats data using (note_drawn(strcol(4) eq k && valid(5))) nooutput
    set logscale xy
    eval y_range("[0.1:10]")
    eval x_margins(x_least, x_most)
    plot for [j = 1:words(models)] data using (column(3) * beside(word(models, j))):(in_line(k, word(models, j), column(5))):(column(6)):(column(7)) with yerrorlines \
        lc rgb colour(word(models, j)) pt point(word(models, j)) ps 0.9 lw 1.4 title word(legends, j)
}
unset multiplot
