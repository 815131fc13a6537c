# What all figures share: sizes, a colour, a point and a dash for each model, axes, legend.
#
# Loaded by draw.gp before each script. A data file has tabs, a header line, and "-" for what is
# missing. Nothing else is read.

set datafile separator "\t"
set datafile missing "-"
set datafile columnheaders
set encoding utf8

# --- sizes: the one place that knows what a variant looks like -----------------------------------
# Lengths are given in pixels of 1/96 inch. A slide has a fixed size; a column a fixed width.

is_slide = variant eq "slide"; is_column = variant eq "column"; is_in_large = variant eq "all"
type_pt = is_slide ? 20 : is_column ? 8 : 12
small_pt = is_slide ? 15 : is_column ? 6.5 : 10
title_pt = is_slide ? 26 : is_column ? 9 : 16
weight = type_pt / 12.0                             # of lines and points
point_scale = is_slide ? 1.6 : is_column ? 0.55 : 1
column_px = 84 / 25.4 * 96
normal = sprintf(",%g", type_pt); small = sprintf(",%g", small_pt); title_font = sprintf(",%g", title_pt)

terminal(width, height) = \
    format_name eq "png" ? sprintf("set terminal pngcairo size %d,%d font 'DejaVu Sans,%g' fontscale %g linewidth %g pointscale %g dashlength 0.6 background '#ffffff'", width * png_scale, height * png_scale, type_pt, png_scale, png_scale * weight, png_scale) : \
    format_name eq "svg" ? sprintf("set terminal svg size %d,%d font 'DejaVu Sans,Helvetica,sans-serif,%g' fontscale 1.333 linewidth %g dashlength 0.6 background '#ffffff'", width, height, type_pt, weight) : \
                           sprintf("set terminal pdfcairo size %.3fin,%.3fin font 'DejaVu Sans,%g' fontscale 0.75 linewidth %g dashlength 0.6 background '#ffffff'", width / 96.0, height / 96.0, type_pt, weight)
png_scale = is_column ? 300 / 96.0 : 1              # a printer's resolution

# Opens the page; a script says how large it is with all models, and how high as a column.
page_px = 0                                         # its height
page(width, height, column_height) = (page_px = at_size(height, 900, column_height), \
                                      terminal(at_size(width, 1600, column_px), page_px))
at_size(all, slide, column) = is_slide ? slide : is_column ? column : all

# A text in two lines where it is longer than `limit`, and the title so.
blank_before(t, i) = i < 1 ? 0 : t[i:i] eq " " ? i : blank_before(t, i - 1)
folded(t, limit) = strlen(t) <= limit || blank_before(t, limit) < 2 ? t : \
                   t[1:blank_before(t, limit) - 1]."\n".t[blank_before(t, limit) + 1:*]
title_colon = strstrt(figure_title, ": ")
page_title = !is_column || strlen(figure_title) < 44 ? figure_title : \
    title_colon > 0 ? figure_title[1:title_colon]."\n".figure_title[title_colon + 2:*] : folded(figure_title, 44)
is_folded(t) = strstrt(t, "\n") > 0
title_room = at_size(2.6, 2.8, is_folded(page_title) ? 3.2 : 2)     # in lines of type, from the upper edge

# What signs in a figure mean, in small print at its lower edge.
note_room = 1.3
note(text) = sprintf("set label 99 \"%s\" at screen 0.5, char %g center noenhanced font small textcolor rgb '#444444'", text, at_size(0.7, 0.6, 0.6))

# --- models: Okabe and Ito's palette and three more, chosen so that no two look alike with normal,
# deuteranopic or protanopic eyes; a point and a dash each, for print without colours --------------

colour(m) = m eq "blocking"              ? 0x000000 : \
            m eq "fork"                  ? 0xcc79a7 : \
            m eq "prefork"               ? 0x882255 : \
            m eq "thread-per-connection" ? 0xd55e00 : \
            m eq "thread-pool"           ? 0xe69f00 : \
            m eq "epoll"                 ? 0x0072b2 : \
            m eq "reactor-pool"          ? 0x56b4e9 : \
            m eq "multi-epoll"           ? 0x009e73 : \
            m eq "coroutine"             ? 0x7a5230 : \
            m eq "uring"                 ? 0x4b0082 : target_colour(m)

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

# Within a family: solid, dashed, dash and dot.
dash(m) = has("fork thread-pool reactor-pool ", m) ? 2 : has("prefork multi-epoll ", m) ? 4 : \
          m eq "uring" ? 5 : has(named, m) ? 1 : 3

# --- targets: greys for foreign servers that come with the suite, teals for server-epoll's other
# interfaces; any other takes the next of a list ---------------------------------------------------

target_colour(m) = m eq "nginx"          ? 0x4d4d4d : \
                   m eq "apache-prefork" ? 0x707070 : \
                   m eq "apache-worker"  ? 0x8f8f8f : \
                   m eq "apache-event"   ? 0xababab : \
                   m eq "lighttpd"       ? 0xc4c4c4 : \
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
named = "blocking fork prefork thread-per-connection thread-pool epoll reactor-pool multi-epoll coroutine uring nginx apache-prefork apache-worker apache-event lighttpd select poll "
others_before(m) = (sum [i = 1:place(models, m)] (has(named, word(models, i)) ? 0 : 1))
other_place(m) = (others_before(m) + 7) % 8 + 1

# Paler, for the second part of a stack: half way to white.
pale(c) = (int(c / 65536) + 255) / 2 * 65536 + (int(c / 256) % 256 + 255) / 2 * 256 + (c % 256 + 255) / 2

# --- axes ---------------------------------------------------------------------------------------

set border 3 lc rgb "#555555" lw 0.8
set tics nomirror out scale 0.6 textcolor rgb "#222222"
if (is_column) { set tics font small; set xtics offset 0, 0.4 }
set grid xtics ytics lc rgb "#dddddd" lt 1 lw 0.8
set bars 0.5
set pointintervalbox 0.01
if (is_column) { set xlabel "" font small; set ylabel "" font small; set title font small }
set errorbars lw 1.1
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
# stats leaves out what is out of range.
no_ranges = "set xrange [*:*]; set yrange [*:*]"

# --- lists of names that have no blanks, in the order in which they come -------------------------

has(list, s) = strstrt(" ".list, " ".s." ") > 0
extended(list, s) = has(list, s) ? list : list.s." "
place(list, s) = words(list[1:strstrt(" ".list, " ".s." ")])

models = ""; workloads = ""; titles = ""
shown(m) = has(models, m)

# Of the models in the data those that the variant shows: on a slide the card's; where it has fewer
# than two of them, the first four.
card = "blocking thread-per-connection thread-pool epoll "
chosen = ""
choose = "chosen = ''; do for [m in models] { if (!is_slide || has(card, m)) { chosen = chosen.m.' ' } }; \
    if (words(chosen) < 2) { chosen = ''; do for [m in models] { if (words(chosen) < 4) { chosen = chosen.m.' ' } } }; models = chosen"

# A row of workload, title, model, remark ...: remembers the first three.
note_row(w, t, m) = (titles = has(workloads, w) ? titles : titles.'"'.t.'" ', \
                     workloads = extended(workloads, w), models = extended(models, m), 1)

# Characters of the longest name, and whether a panel's title needs two lines.
longest = 0; folds = 0
title_limit = 99
measure = "longest = 0; do for [m in models] { longest = strlen(m) > longest ? strlen(m) : longest }; \
    title_limit = at_size(40, columns_of(words(workloads)) > 3 ? 20 : 28, 20); \
    do for [i = 1:words(workloads)] { folds = folds || is_folded(folded(word(titles, i), title_limit)) }"
panel_title = "set title folded(word(titles, i), title_limit) noenhanced offset 0, -0.5; if (i > 1) { unset label 99 }"

# Where the rows of a model in a workload stand together, the first and the last of them, so that a
# line need not look at all others: for long files.
row_keys = ""; row_starts = ""; row_count = 0; row_key = ""
note_place(w, m) = (row_starts = w."/".m eq row_key ? row_starts : row_starts.row_count." ", \
                    row_keys = w."/".m eq row_key ? row_keys : row_keys.w."/".m." ", row_key = w."/".m, row_count = row_count + 1, 1)
index_rows = "row_starts = row_starts.row_count"
first_row(w, m) = has(row_keys, w."/".m) ? int(word(row_starts, place(row_keys, w."/".m))) : row_count + 1
last_row(w, m) = has(row_keys, w."/".m) ? int(word(row_starts, place(row_keys, w."/".m) + 1)) - 1 : row_count + 1

# --- remarks ------------------------------------------------------------------------------------

no_answer(r) = r eq "no answer" || r eq "failed"
answered(r, v) = no_answer(r) ? NaN : v

# "served 1 of 64" in a few characters.
brief(r) = words(r) == 4 && word(r, 1) eq "served" ? word(r, 2)."/".word(r, 4) : r

# What brief remarks and a bound's sign mean, of those that a figure has.
has_served = 0; has_bound = 0
note_signs(r, b) = (has_served = has_served || strstrt(r, "served ") == 1, has_bound = has_bound || strlen(b) > 0, 1)
signs = "(has_served ? '1/64: served 1 of 64 connections' : '').(has_served && has_bound ? '    ' : '').(has_bound ? '≥: the load generator was the limit' : '')"

# "served: blocking 1/64, prefork 16/64" for the models of a panel that have a remark.
no_remarks = "remarks = ''"
eval no_remarks
note_remark(m, r) = (remarks = strlen(r) == 0 || !shown(m) || strstrt(remarks, m." ") > 0 ? remarks : \
                     remarks.(strlen(remarks) ? ", " : "").m." ".brief(r), 1)
# Between the title of a panel and the panel; slides and columns have no room for it.
remark_title = "unset label 1; if (!is_in_large) { remarks = '' };  set title folded(word(titles, i), title_limit) noenhanced offset 0, (strlen(remarks) ? 0.4 : -0.5); if (i > 1) { unset label 99 }; \
    set label 1 (strstrt(remarks, '/') ? 'served: ' : '').remarks at graph 0.5, graph 1.0 center noenhanced font sprintf(',%g', small_pt * 0.85) textcolor rgb '#444444' offset 0, 0.55"

# --- pages of panels ----------------------------------------------------------------------------

most_in_three = 6 # panels in three columns of a slide
columns_of(n) = is_column ? (n < 2 ? 1 : 2) : n <= 3 ? n : is_slide && n > most_in_three ? 4 : is_slide && n == 4 ? 2 : 3
rows_of(n) = int((n + columns_of(n) - 1) / columns_of(n))
is_lowest(i, n) = i > n - columns_of(n)
is_leftmost(i, n) = i % columns_of(n) == 1 || columns_of(n) == 1

# Panels with a row for each model, the first on top; names at the panels in the first column.
bottom_up(m) = shown(m) ? words(models) + 1 - place(models, m) : NaN
model_names(first, n) = "set ytics font ".(is_column || is_slide && rows_of(n) > 2 ? "small" : "normal")."; ".(first ? "set ytics () scale 0; set for [m in models] ytics add (m bottom_up(m)) noenhanced" \
                                  : "set ytics () scale 0; set for [m in models] ytics add ('' bottom_up(m))")
row_page(n) = page(200 + 330 * columns_of(n), 76 + rows_of(n) * (66 + 23 * words(models)), \
                   48 + rows_of(n) * (26 + 12 * folds + 11.5 * words(models)))
row_panels(n) = sprintf("set multiplot layout %d, %d title page_title font title_font noenhanced margins char %g, char %g, char %g, char %g spacing char %g, char %g", \
    rows_of(n), columns_of(n), longest * at_size(0.95, 0.95, 0.78) + 2, at_size(3, 3, 1), at_size(3.6, 3.4, 0.6) + note_room, \
    title_room + at_size(1.6, 1.6, 1.2) + folds, at_size(4, 4, 1.5), at_size(4.8, 3.8, 2.2) + folds)
# The axis along the bars; a column has no room for it, and has the figures beside its bars.
row_axis(most, unit, i, n) = "set xrange [0:(most > 0 ? most : 1) * bar_room]; set yrange [0.3:words(models) + 0.7]; ". \
    (is_column ? "unset xtics; unset xlabel; " : "set xtics 0, step(most * row_tics), 1.05 * most font small; set format x tic_format(most); ". \
    (is_lowest(i, n) ? "set xlabel '".unit."' offset 0, 0.4; " : "unset xlabel; ")).model_names(is_leftmost(i, n), n)
row_tics = at_size(1, 1.6, 1)
# Beyond the longest bar there is room for its figure, as a factor.
bar_room = at_size(1.55, 1.6, 2.3)

# Panels with a line for each model, and around them one legend, beside the panels or, in a paper's
# column, between the title and the panels.
legend_rows = "ceil(words(models) / 2.0)"
line_page(n, panel_width, panel_height, column_height) = \
    page(110 + columns_of(n) * panel_width + 9 * longest, 92 + rows_of(n) * panel_height, \
         (is_folded(page_title) ? 50 : 38) + 10.5 * @legend_rows + rows_of(n) * column_height)
line_panels(n, above) = sprintf("set multiplot layout %d, %d title page_title font title_font noenhanced margins char %g, char %g, char %g, char %g spacing char %g, char %g", \
    rows_of(n), columns_of(n), at_size(9.5, 9, 8), is_column ? 2 : 8 + 0.95 * longest, at_size(3.6, 3.4, 3) + note_room, \
    title_room + at_size(1.7, 1.7, 1) + above + folds + (is_column ? 0.3 + @legend_rows : 0), at_size(8, 7, 5.5), at_size(3.6, 3.4, 2.8) + above + folds)
legend = is_column ? "set key at screen 0.52, screen 1 - (is_folded(page_title) ? 34.0 : 22.0) / page_px center top vertical maxrows @legend_rows samplen 2.2 spacing 0.95 width 1 font small Left reverse noenhanced" : \
    "set key at screen 0.995, screen 1 - at_size(80.0, 110.0, 0.0) / page_px right top vertical maxrows 40 samplen 2.5 spacing 1.25 Left reverse noenhanced"
# Draws what belongs to the page and not to a panel, after the panels: the legend, the label of all
# y axes, and what signs mean.
frame(y_label, text) = "unset title; unset label; unset border; unset tics; unset grid; unset logscale; unset xlabel; unset ylabel; unset offsets; ". \
    "set lmargin at screen 0; set rmargin at screen 1; set tmargin at screen 1; set bmargin at screen 0; ".legend."; ".note(text)."; ". \
    "set label 98 '".y_label."' at char at_size(1.2, 1, 0.9), screen at_size(0.48, 0.48, 0.42) rotate center; ". \
    "plot [0:1] [0:1] for [m in models] 2 with linespoints lc rgb colour(m) pt point(m) dt dash(m) ps point_scale lw 1.5 title m"
mark_line = "with linespoints lc rgb colour(m) pt point(m) dt dash(m) ps 0.8 * point_scale lw 1.5 notitle"
mark_bar = "with yerrorbars lc rgb colour(m) pt point(m) ps 0.8 * point_scale lw 1 notitle"

# --- log axes -----------------------------------------------------------------------------------

# Where a model gave no answer at a point, its line has a gap and this mark stands at the edge,
# each model on a level of its own. The second y axis runs from 0 to 1 for it.
edge(m) = 0.975 - 0.035 * (place(models, m) - 1)
missing_side = ""; missing_count = 0; edge_room = 0.0
note_missing(m, r) = (shown(m) && no_answer(r) ? \
    (missing_count = missing_count + 1, edge_room = 1 - edge(m) > edge_room ? 1 - edge(m) : edge_room) : 0, 1)
edge_axis = "set y2range [0:1]; unset y2tics; set ytics nomirror"

# Log axes end a little beyond the outermost points, not at the next power of ten; where that is
# too short for powers of ten to be tics, these are the points, or 1, 2 and 5.
x_least = NaN; x_most = NaN; points = ""
note_x(x) = (x_least = x_least <= x ? x_least : x, x_most = x_most >= x ? x_most : x, \
             points = extended(points, sprintf("%g", x)), 1)
y_least = NaN; y_most = NaN
note_y(y) = (y_least = y_least <= y ? y_least : y, y_most = y_most >= y ? y_most : y, 1)
x_margins(least, most) = "set xrange [x_least * 0.8:x_most * 1.25]; ".(most / least <= 64 && words(points) < 6 ? "set xtics (); set for [p in points] xtics add (p p + 0)" : "set xtics autofreq")
# Beyond them there is room for the marks of those that gave no answer, above or below.
y_room(side) = missing_side eq side ? (2.25 * y_most / y_least) ** (edge_room / (1 - edge_room)) : 1
y_margins(format) = !(y_most > 0) ? "set yrange [0.1:10]" : \
    "set yrange [y_least / 1.5 / y_room('below'):y_most * 1.5 * y_room('above')]; ".(y_most / y_least >= 30 ? "set ytics autofreq" : \
    sprintf("set ytics (); set for [k in '1 2 5'] for [e = -6:12] ytics add (gprintf('%s', k * 10.0 ** e) k * 10.0 ** e)", format))
