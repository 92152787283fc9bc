# SPDX-License-Identifier: GPL-2.0-only
#
# scdoc's output without its empty paragraphs, which mandoc -Tlint reports. A
# paragraph that ends an indented part starts behind it.
/^\.P$/ { held = 1; next }
/^\.RE$/ { print; next }
/^\.S[HS] / { held = 0; print; start = 1; next }
{ if (held && !start) print ".P"; held = start = 0; print }
