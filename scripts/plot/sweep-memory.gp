# Memory of the server against the number of connections, both axes log, and beside it what each
# further connection costs: the slope of the least-squares line, by where the memory is. A slope
# below 100 bytes, or whose interval holds 0, is about 0. The names of the bars are the legend.
stats data using (models = extended(models, strcol(1)), note_x(column(3)), 1) nooutput
eval choose
eval measure
height = 150 + 30.0 * words(models)
height = height < 460 ? 460 : height
eval page(1180, height, 350)
set output output_file

in_line(m, v) = strcol(1) eq m && strcol(4) eq "all" ? v : NaN
bytes(v) = abs(v) >= 1 << 20 ? sprintf("%.1f MiB", v / 1048576) : abs(v) >= 10240 ? sprintf("%.0f KiB", v / 1024) : \
           abs(v) >= 1024 ? sprintf("%.1f KiB", v / 1024) : sprintf("%.0f B", v)
is_zero(low, v, high) = abs(v) < 100 || (low <= 0 && high >= 0)

# The slopes of a model stand in each of its rows.
array slope[100]; array slope_low[100]; array slope_high[100]
kinds = "user stacks kernel "
note_slope(m, k) = strcol(1) ne m || strcol(4) ne k || !valid(8) ? 1 : \
    (slope[1] = column(8), slope_low[1] = column(9), slope_high[1] = column(10), 1)
array total[100]; array part[300]; array label[100]
most = 0.0
do for [j = 1:words(models)] {
    m = word(models, j)
    do for [k = 0:3] {
        slope[1] = NaN; slope_low[1] = NaN; slope_high[1] = NaN
        stats data using (note_slope(m, k == 0 ? "all" : word(kinds, k))) nooutput
        zero = slope[1] == slope[1] ? is_zero(slope_low[1], slope[1], slope_high[1]) : 1
        if (k == 0) {
            label[j] = slope[1] != slope[1] ? "not measured" : zero ? "about 0" : bytes(slope[1])
            total[j] = zero ? 0.0 : slope[1] / 1024
            most = total[j] > most ? total[j] : most
        } else { part[3 * j - 3 + k] = zero ? 0.0 : slope[1] / 1024 }
    }
}

bar_begin = at_size(0.66, 0.68, 0.44)
set multiplot title page_title font title_font noenhanced
if (is_column) {
    set lmargin at screen 0.14; set rmargin at screen 0.97; set tmargin at screen 1 - (is_folded(page_title) ? 48.0 : 36.0) / page_px; set bmargin at screen 0.6
} else {
    set lmargin at screen 0.075; set rmargin at screen 0.43; set tmargin at screen 1 - at_size(78.0, 130.0, 0) / page_px; set bmargin at screen at_size(92.0, 140.0, 0) / page_px
}
set title "in all" offset 0, -0.5
stats data using (note_drawn(shown(strcol(1)) && strcol(4) eq "all" && valid(5))) nooutput
set logscale xy
set format x "%.0s%c"; set format y "%g"
eval y_range("[0.1:10]")
eval x_margins(x_least, x_most)
set xlabel axis_title noenhanced offset 0, (is_column ? 0.6 : 0)
set ylabel "memory (MiB)"
plot for [m in models] data using (column(3)):(in_line(m, column(5))) @mark_line, \
     for [m in models] data using (column(3)):(in_line(m, column(5))):(in_line(m, column(6))):(in_line(m, column(7))) @mark_bar

if (is_column) {
    set lmargin at screen bar_begin; set tmargin at screen 0.465; set bmargin at screen 0.14
} else { set lmargin at screen bar_begin; set rmargin at screen 0.98 }
unset logscale; unset ylabel
set title "of each further connection" offset 0, -0.5
set style fill solid 1.0 noborder
set grid noytics
set xtics autofreq font small
set format x "%g"
widest = most > 0 ? most : 1
set border 1
set xrange [-0.06 * widest:widest * at_size(1.35, 1.4, 1.45)]; set yrange [0.3:words(models) + 0.7]
set xtics 0, step(most), 1.05 * widest
set xlabel "KiB/connection"
set ytics () scale 0
set for [m in models] ytics add (m bottom_up(m)) noenhanced
eval note("full colour: user memory; pale: stacks; palest: kernel")
# The parts are cut to the sum, which is a slope of its own.
parts(j) = part[3 * j - 2] + part[3 * j - 1] + part[3 * j]
upto(j, k) = parts(j) > 0 ? total[j] / parts(j) * ((k > 0 ? part[3 * j - 2] : 0) + (k > 1 ? part[3 * j - 1] : 0) + (k > 2 ? part[3 * j] : 0)) : k > 2 ? total[j] : 0
shade(c, k) = k == 1 ? c : k == 2 ? pale(c) : pale(pale(c))
y(j) = words(models) + 1 - j
plot for [k = 1:3] for [j = 1:words(models)] "+" every ::::0 using (upto(j, k)):(y(j)):(upto(j, k - 1)):(upto(j, k)):(y(j) - 0.36):(y(j) + 0.36) with boxxyerror lc rgb shade(colour(word(models, j)), k) notitle, \
     for [j = 1:words(models)] "+" every ::::0 using (total[j]):(y(j)):(label[j]) with labels left offset 0.7, 0 font small notitle, \
     for [j = 1:words(models)] "+" every ::::0 using (-0.03 * widest):(y(j)) with points pt point(word(models, j)) ps point_scale lc rgb colour(word(models, j)) notitle
unset multiplot
