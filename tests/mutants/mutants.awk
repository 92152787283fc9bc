# SPDX-License-Identifier: GPL-2.0-only
#
# Reads lists of mutants:
#
#   mutant NAME       a name of its own
#   by SUITE WHAT...  who has to notice it, see run-tap
#   on KERNEL         where, if not on 6.1
#   why TEXT          the rule that is broken; repeatable
#   in FILE           the change, as lines of a diff: " " stays, "-" goes, "+"
#                     comes. What stays or goes must occur exactly once. More
#                     places, of this file or another, begin with "in" again.
#
#   awk -v mode=list LIST...          "name|by|on|file file..." of each
#   awk -v mode=apply -v name=NAME -v file=FILE LIST... FILE
#                                     FILE with the mutant's changes, on stdout
#
# Exits with 3 when an old text does not occur exactly once.

function bad(text)
{
	print FILENAME ":" FNR ": " text > "/dev/stderr"
	failed = 1
	exit 2
}

function flush_mutant()
{
	if (mutant == "" || mode != "list")
		return
	if (by == "" || !nfiles || why == "")
		bad(mutant " lacks one of in, by, why")
	print mutant "|" by "|" on "|" files
}

function start_mutant(text)
{
	flush_mutant()
	if (text in known)
		bad("there is another mutant " text)
	known[text] = 1
	mutant = text
	by = on = why = files = where = ""
	nfiles = 0
}

# One more place, in the file of that name.
function start_place(text)
{
	where = text
	nfiles++
	if (index(" " files " ", " " text " ") == 0)
		files = files (files == "" ? "" : " ") text
	if (mutant == name && where == file)
		nplaces++
}

function change(kind, text)
{
	if (where == "")
		bad("a change in no file")
	if (mutant != name || where != file)
		return
	if (kind != "+")
		old[nplaces, ++nold[nplaces]] = text
	if (kind != "-")
		new[nplaces, ++nnew[nplaces]] = text
}

# Where the old text of a place begins; fails unless there is one such line.
function find_place(p,    i, j, found, n)
{
	n = 0
	for (i = 1; i + nold[p] - 1 <= nlines; i++) {
		for (j = 1; j <= nold[p]; j++)
			if (line[i + j - 1] != old[p, j])
				break
		if (j > nold[p]) {
			found = i
			n++
		}
	}
	if (n != 1) {
		print name ": the old text occurs " n " times in " file \
			> "/dev/stderr"
		failed = 3
		exit 3
	}
	return found
}

function apply(    p, i, j, at)
{
	for (p = 1; p <= nplaces; p++)
		at[find_place(p)] = p
	for (i = 1; i <= nlines; i++) {
		if (!(i in at)) {
			print line[i]
			continue
		}
		p = at[i]
		for (j = 1; j <= nnew[p]; j++)
			print new[p, j]
		i += nold[p] - 1
	}
}

mode == "apply" && FILENAME == ARGV[ARGC - 1] {
	line[++nlines] = $0
	next
}

# An empty line is one of the text when more of the text follows.
/^$/ { blank++; next }
/^[-+ ]/ {
	for (; intext && blank; blank--)
		change(" ", "")
	blank = 0
	intext = 1
	change(substr($0, 1, 1), substr($0, 2))
	next
}
{ blank = intext = 0 }
/^#/ { next }
$1 == "mutant" && NF == 2 { start_mutant($2); next }
$1 == "in" && NF == 2 { start_place($2); next }
$1 == "by" { by = substr($0, 4); next }
$1 == "on" && NF == 2 { on = $2; next }
$1 == "why" { why = why substr($0, 4); next }
{ bad("what is this: " $0) }

END {
	if (failed)
		exit failed
	if (mode == "list")
		flush_mutant()
	else if (!nplaces)
		exit 2
	else
		apply()
}
