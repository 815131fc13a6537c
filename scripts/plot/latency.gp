# Response time percentiles: a panel for each workload, a line for each model, log axis. Error
# bars: 95 % intervals. A percentile is no number: models stand side by side. On a slide there is no
# room for the p of p99.9.
percentiles = ""
stats data using (note_row(strcol(1), strcol(2), strcol(3)), note_place(strcol(1), strcol(3)), percentiles = extended(percentiles, strcol(5)), 1) nooutput
eval index_rows
eval choose
most_in_three = 9
eval measure
panels = words(workloads)
eval line_page(panels, 370, 235, 110)
set output output_file

answer(v) = answered(strcol(4), v)
rows_of = "data every ::first_row(w, m)::last_row(w, m)"
x_of(m) = place(percentiles, strcol(5)) + 0.06 * (place(models, m) - (words(models) + 1) / 2.0)

eval line_panels(panels, at_size(1.2, 0, 0))
set format y "%g"
set ytics font small
do for [i = 1:panels] {
    w = word(workloads, i)
    eval no_remarks
    eval no_ranges
    unset logscale
    stats data using (strcol(1) eq w ? note_remark(strcol(3), strcol(4)) : 1) nooutput
    drawn = 0
    stats data using (note_drawn(strcol(1) eq w && valid(6) && !no_answer(strcol(4)))) nooutput
    eval y_range("[0.1:10]")
    set logscale y
    set xrange [0.6:words(percentiles) + 0.4]
    set xtics () font small
    set for [p in percentiles] xtics add ((is_slide ? p[2:*] : p) place(percentiles, p))
    eval remark_title
    set xlabel (is_lowest(i, panels) ? "percentile" : "")
    plot for [m in models] @rows_of using (x_of(m)):(answer(column(6))) @mark_line, \
         for [m in models] @rows_of using (x_of(m)):(answer(column(6))):(column(7)):(column(8)) @mark_bar
}
eval frame("response time (ms)", "")
unset multiplot
