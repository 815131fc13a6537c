# Every model in every workload, each column relative to its best: by the figure that answers the
# workload's question. White is the best,
# the darker the worse; grey is no figure to compare. On a slide and in a paper's column the models
# are columns and there is one point of each workload.
#
# kind: "value"; "least", the ratio is at least that, since the best is a lower bound itself;
# "bound", a lower bound, which is not compared; "remark"; "none", not measured.
keys = ""; labels = ""
label_of(w, t, p, metric) = w.(p eq "none" ? "" : " ".p).(metric eq "throughput" || metric eq "capacity" ? "" : ", ".metric)
note_key(k, l) = (labels = has(keys, k) ? labels : labels.'"'.l.'" ', keys = extended(keys, k), 1)
note_cell(w, p, is_main, m, l) = (models = extended(models, m), is_in_large || is_main eq "1" ? note_key(w."/".p, l) : 1)
stats data using (note_cell(strcol(1), strcol(3), strcol(4), strcol(5), label_of(strcol(1), strcol(2), strcol(3), strcol(6)))) nooutput
eval choose
eval measure
columns = words(keys); rows = words(models)
longest_label = 0
do for [i = 1:columns] { longest_label = strlen(word(labels, i)) > longest_label ? strlen(word(labels, i)) : longest_label }
wide_px = 9.0 * longest + 110 + 46 * columns
wide_px = wide_px < 1000 ? 1000.0 : wide_px
eval page(wide_px, 7 * longest_label + 110 + 30 * rows, 4.6 * longest + 64 + 12.5 * columns)
set output output_file

# Figures at most tenfold apart are told apart by shade.
shade_of(r) = r > 10 ? 1.0 : r > 1 ? log10(r) : 0.0
mixed(a, b, s) = int(a + (b - a) * s)
blend(s) = mixed(255, 0x0b, s) * 65536 + mixed(255, 0x3c, s) * 256 + mixed(255, 0x6f, s)
is_figure(k) = k eq "value" || k eq "least"
background(k, r) = is_figure(k) ? blend(shade_of(r)) : k eq "none" ? 0xf6f6f6 : 0xd4d4d4
ink(k, r) = is_figure(k) && shade_of(r) > 0.45 ? 0xffffff : is_figure(k) ? 0x111111 : 0x444444
is_shown(w, p, m) = shown(m) && has(keys, w."/".p)
column_of(w, p) = place(keys, w."/".p)
row_of(m) = place(models, m)
x_of(w, p, m) = !is_shown(w, p, m) ? NaN : is_in_large ? column_of(w, p) : row_of(m)
y_of(w, p, m) = is_in_large ? rows + 1 - row_of(m) : columns + 1 - column_of(w, p)
cell_x = "x_of(strcol(1), strcol(3), strcol(5))"; cell_y = "y_of(strcol(1), strcol(3), strcol(5))"
ratio = "(valid(8) ? column(8) : 1)"

name_font = sprintf(",%g", at_size(small_pt, type_pt, small_pt)); cell_font = sprintf(",%g", at_size(small_pt, type_pt, 5.2))
# Where cells are narrow, without the sign for "times".
text_of(t) = is_column && strlen(t) > 1 && t[strlen(t):*] eq "×" ? t[1:strlen(t) - 1] : t

set multiplot title page_title font title_font noenhanced
set border 0; unset grid
set xtics () scale 0 noenhanced; set ytics () scale 0 noenhanced
if (is_in_large) {
    set lmargin at screen (9.0 * longest + 20) / wide_px; set rmargin at screen 1 - 80 / wide_px
    set tmargin at screen 1 - (56.0 + 6.5 * longest_label) / page_px; set bmargin at screen 34.0 / page_px
    set for [i = 1:columns] x2tics (word(labels, i) i); set x2tics scale 0 rotate by 50 left offset -0.5, 0 font small noenhanced
    set for [i = 1:rows] ytics add (word(models, i) rows + 1 - i)
    set xrange [0.5:columns + 0.5]; set yrange [0.5:rows + 0.5]; set x2range [0.5:columns + 0.5]
} else {
    set lmargin at_size(0, 0.95, 0.7) * longest_label + 1; set rmargin 2; set bmargin at_size(0, 2.4, 2.2)
    set tmargin at screen 1 - (is_slide ? 150.0 : 24 + 5.0 * longest) / page_px
    set for [i = 1:rows] x2tics (word(models, i) i); set x2tics scale 0 noenhanced font name_font
    if (is_column) { set x2tics rotate by 60 left offset -0.4, 0 }
    set for [i = 1:columns] ytics add (word(labels, i) columns + 1 - i)
    set xrange [0.5:rows + 0.5]; set yrange [0.5:columns + 0.5]; set x2range [0.5:rows + 0.5]
}
unset xtics
set style fill solid 1.0 border rgb "#ffffff"
eval note(is_column ? "1.0: the best; 2.0: half as good; 1/64: served 1 of 64" : \
    is_slide ? "1.0: the best of all models; 2.0×: half as good (half the throughput, twice the cost); 1/64: served 1 of 64; gen: the generator was the limit" : \
    "1.0: the best; 2.0×: half as good (half the throughput, twice the cost); 1/64: served 1 of 64; none: no answer; gen: the generator was the limit")
plot data using (@cell_x):(@cell_y):(@cell_x - 0.5):(@cell_x + 0.5):(@cell_y - 0.5):(@cell_y + 0.5):(background(strcol(7), @ratio)) with boxxyerror lc rgb variable notitle, \
     data using (@cell_x):(@cell_y):(text_of(strcol(9))):(ink(strcol(7), @ratio)) with labels tc rgb variable noenhanced font cell_font notitle
unset multiplot
