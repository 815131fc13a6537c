# What all figures share: the terminal, a colour and a point for each model, axes, legend.
#
# A script is called in this folder as  gnuplot -c SCRIPT DATA OUTPUT FORMAT TITLE AXIS,  gives
# its arguments their names and loads this file. DATA is a file of a run's plots/ folder: tabs, a
# header line, "-" for what is missing. Nothing else is read.

set datafile separator "\t"
set datafile missing "-"
set datafile columnheaders
set encoding utf8

# --- size: in pixels of the PNG; the others follow ---------------------------------------------

terminal(width, height) = \
    format_name eq "png" ? sprintf("set terminal pngcairo size %d,%d font 'DejaVu Sans,12' background '#ffffff'", width, height) : \
    format_name eq "svg" ? sprintf("set terminal svg size %d,%d font 'DejaVu Sans,Helvetica,sans-serif,12' fontscale 1.3 background '#ffffff'", width, height) : \
                           sprintf("set terminal pdfcairo size %.2fin,%.2fin font 'DejaVu Sans,12' fontscale 0.75 background '#ffffff'", width / 96.0, height / 96.0)

# --- models: Okabe and Ito's palette, which the colour-blind can tell apart, and a point each ----

colour(m) = m eq "blocking"              ? 0x000000 : \
            m eq "fork"                  ? 0xcc79a7 : \
            m eq "prefork"               ? 0x882255 : \
            m eq "thread-per-connection" ? 0xd55e00 : \
            m eq "thread-pool"           ? 0xe69f00 : \
            m eq "epoll"                 ? 0x0072b2 : \
            m eq "reactor-pool"          ? 0x56b4e9 : \
            m eq "multi-epoll"           ? 0x009e73 : \
            m eq "coroutine"             ? 0xc8b400 : \
            m eq "uring"                 ? 0x7f3fbf : target_colour(m)

point(m) = m eq "blocking"              ? 5 : \
           m eq "fork"                  ? 4 : \
           m eq "prefork"               ? 12 : \
           m eq "thread-per-connection" ? 9 : \
           m eq "thread-pool"           ? 11 : \
           m eq "epoll"                 ? 7 : \
           m eq "reactor-pool"          ? 6 : \
           m eq "multi-epoll"           ? 13 : \
           m eq "coroutine"             ? 8 : \
           m eq "uring"                 ? 15 : target_point(m)

# --- targets: browns for foreign servers that come with the suite, teals for server-epoll's other
# interfaces; any other takes the next of a list ---------------------------------------------------

target_colour(m) = m eq "nginx"          ? 0x5b3a1e : \
                   m eq "apache-prefork" ? 0x8c6239 : \
                   m eq "apache-worker"  ? 0xb08850 : \
                   m eq "apache-event"   ? 0xd0b184 : \
                   m eq "lighttpd"       ? 0x9a7d6f : \
                   m eq "select"         ? 0x20808a : \
                   m eq "poll"           ? 0x7fc4c0 : other_colours[other_place(m)]

target_point(m) = m eq "nginx"          ? 10 : \
                  m eq "apache-prefork" ? 14 : \
                  m eq "apache-worker"  ? 3 : \
                  m eq "apache-event"   ? 1 : \
                  m eq "lighttpd"       ? 12 : \
                  m eq "select"         ? 8 : \
                  m eq "poll"           ? 10 : other_points[other_place(m)]

array other_colours[8] = [0xb03060, 0x3b5998, 0x6b8e23, 0x708090, 0x9370db, 0xbc8f00, 0x2f4f4f, 0xe0708a]
array other_points[8] = [4, 6, 8, 12, 14, 10, 3, 1]

# Which of the names without a colour of their own it is, from 1 to 8 and around again.
named = "blocking fork prefork thread-per-connection thread-pool epoll reactor-pool multi-epoll coroutine uring nginx apache-prefork apache-worker apache-event lighttpd select poll"
others_before(m) = (sum [i = 1:place(models, m)] (has(named, word(models, i)) ? 0 : 1))
other_place(m) = (others_before(m) + 7) % 8 + 1

# Paler, for the second part of a stack: half way to white.
pale(c) = (int(c / 65536) + 255) / 2 * 65536 + (int(c / 256) % 256 + 255) / 2 * 256 + (c % 256 + 255) / 2

# --- axes ---------------------------------------------------------------------------------------

set border 3 lc rgb "#555555"
set tics nomirror out scale 0.6 textcolor rgb "#222222"
set grid xtics ytics lc rgb "#dddddd" lt 1 lw 0.8
set bars 0.6
set errorbars lw 1.2
unset key

# A step for about three tics up to `most`: 1, 2 or 5 times a power of ten.
magnitude(x) = 10.0 ** floor(log10(x))
step_of(r) = r < 1.5 ? 1 : r < 3.5 ? 2 : r < 7.5 ? 5 : 10
step(most) = most > 0 ? magnitude(most / 3.0) * step_of(most / 3.0 / magnitude(most / 3.0)) : 1
tic_format(most) = step(most) >= 1000 ? "%.0s%c" : "%g"

# Three significant digits, two below 0.1; with k and M.
digits(v) = abs(v) >= 99.95 || v == 0 ? "%.0f" : abs(v) >= 9.995 ? "%.1f" : abs(v) >= 0.0995 ? "%.2f" : "%.2g"
scaled(v, suffix) = sprintf(digits(v), v).suffix
figure(v) = abs(v) >= 999.5e3 ? scaled(v / 1e6, "M") : abs(v) >= 9995 ? scaled(v / 1e3, "k") : scaled(v, "")

# A missing value takes its whole row out of stats, unless it is not looked at.
number(i) = valid(i) ? column(i) : NaN

# Whether there is anything to draw in a panel; where not, its axis needs a range all the same.
drawn = 0
note_drawn(condition) = (drawn = drawn + condition, 1)
y_range(otherwise) = drawn > 0 ? "set yrange [*:*]" : "set yrange ".otherwise

# --- lists of names that have no blanks, in the order in which they come -------------------------

has(list, s) = strstrt(" ".list, " ".s." ") > 0
extended(list, s) = has(list, s) ? list : list.s." "
place(list, s) = words(list[1:strstrt(" ".list, " ".s." ")])

models = ""; workloads = ""; titles = ""

# A row of workload, title, model, remark ...: remembers the first three.
note_row(w, t, m) = (titles = has(workloads, w) ? titles : titles.'"'.t.'" ', \
                     workloads = extended(workloads, w), models = extended(models, m), 1)

# "blocking: served 1 of 64" for every model of the panel that has a remark, two in a line.
no_remarks = "remarks = ''; remark_count = 0"
eval no_remarks
new_remark(r) = (remark_count = remark_count + 1, remarks.(remark_count == 1 ? "" : remark_count % 2 ? "\n" : "   ").r)
note_remark(m, r) = (remarks = strlen(r) == 0 || strstrt(remarks, m.": ") > 0 ? remarks : new_remark(m.": ".r), 1)
remark_lines(n) = (n + 1) / 2

# --- panels with a row for each model, the first on top ------------------------------------------

bottom_up(m) = words(models) + 1 - place(models, m)
# Names at the rows of a panel in the first column; the others share them.
model_names(first) = first ? "set ytics () scale 0; set for [m in models] ytics add (m bottom_up(m)) noenhanced" \
                           : "set ytics () scale 0; set for [m in models] ytics add ('' bottom_up(m))"
# stats leaves out what is out of range.
no_ranges = "set xrange [*:*]; set yrange [*:*]"

# --- panels with a line for each model, and one legend for all of them ---------------------------

# Between the figure's title and its panels, five names in a row (and "no answer" is one).
legend_rows(n) = int(n / 5) + 1
legend(height) = sprintf("set key at screen 0.5, screen %g center top vertical maxrows %d samplen 2 spacing 1.1 width 1 noenhanced", 1 - 36.0 / height, legend_rows(words(models)))
panels_top(n) = 3.8 + 1.2 * legend_rows(n)
remarks_room = 3 # more, where panels have remarks
# Room for five names even where there are few panels.
legend_width(width) = width < 1250 ? 1250 : width
# Beside a figure of one panel.
legend_beside = "set key at graph 1.03, graph 1 left top Left reverse samplen 2 spacing 1.2 noenhanced"

# Under the title of a panel, in small print.
panel_title(i) = sprintf("set title word(titles, %d) noenhanced offset 0, %g", i, -0.2 + 0.75 * remark_lines(remark_count))
remark_label = "set label 1 remarks at graph 0.5, graph 1.0 center noenhanced font ',9' textcolor rgb '#444444' offset 0, 0.75 * remark_lines(remark_count)"

# Where a model gave no answer at a point, its line has a gap and this mark stands at the edge,
# each model on a level of its own. The second y axis runs from 0 to 1 for it.
no_answer(r) = r eq "no answer" || r eq "failed"
answered(r, v) = no_answer(r) ? NaN : v
edge(m) = 0.975 - 0.035 * (place(models, m) - 1)
missing_side = ""; missing_count = 0; edge_room = 0.0
note_missing(m, r) = (missing_count = missing_count + no_answer(r), \
                      edge_room = no_answer(r) && 1 - edge(m) > edge_room ? 1 - edge(m) : edge_room, 1)
edge_axis = "set y2range [0:1]; unset y2tics; set ytics nomirror"

# Log axes end a little beyond the outermost points, not at the next power of ten; where that is
# too short for powers of ten to be tics, these are the points, or 1, 2 and 5.
x_least = NaN; x_most = NaN; points = ""
note_x(x) = (x_least = x_least <= x ? x_least : x, x_most = x_most >= x ? x_most : x, \
             points = extended(points, sprintf("%g", x)), 1)
y_least = NaN; y_most = NaN
note_y(y) = (y_least = y_least <= y ? y_least : y, y_most = y_most >= y ? y_most : y, 1)
x_margins(least, most) = "set xrange [x_least * 0.7:x_most * 1.4]; ".(most / least <= 64 ? "set xtics (); set for [p in points] xtics add (p p + 0)" : "set xtics autofreq")
# Beyond them there is room for the marks of those that gave no answer, above or below.
y_room(side) = missing_side eq side ? (2.25 * y_most / y_least) ** (edge_room / (1 - edge_room)) : 1
y_margins(format) = !(y_most > 0) ? "set yrange [0.1:10]" : \
    "set yrange [y_least / 1.5 / y_room('below'):y_most * 1.5 * y_room('above')]; ".(y_most / y_least >= 30 ? "set ytics autofreq" : \
    sprintf("set ytics (); set for [k in '1 2 5'] for [e = -6:12] ytics add (gprintf('%s', k * 10.0 ** e) k * 10.0 ** e)", format))

# Side by side, so that error bars at the same place can be told apart: as a factor on a log axis.
beside(m) = (2 * x_most / x_least) ** (0.0025 * (place(models, m) - (words(models) + 1) / 2.0))
