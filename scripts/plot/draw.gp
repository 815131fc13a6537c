# Draws one figure in all its variants and formats, in one process:
#
#     gnuplot -c draw.gp SCRIPT DATA STEM TITLE AXIS VARIANTS
#
# SCRIPT is a script of this folder, DATA a file of a run's plots/ folder. VARIANTS are names
# separated by blanks: "all" (every model: STEM.svg, .png, .pdf), "slide" (the card's models, 16:9,
# large type: STEM-slide.svg, .png) and "column" (84 mm wide, 8 pt: STEM-column.pdf, .png).
# A script finds `data`, `figure_title`, `axis_title` and whatever style.gp defines.
script = ARG1; data = ARG2; stem = ARG3; figure_title = ARG4; axis_title = ARG5; variants = ARG6
formats_of(v) = v eq "slide" ? "svg png" : v eq "column" ? "pdf png" : "svg png pdf"
do for [variant in variants] {
    formats = formats_of(variant)
    do for [format_name in formats] {
        output_file = stem.(variant eq "all" ? "" : "-".variant).".".format_name
        reset
        load "style.gp"
        load script
        unset output
    }
}
