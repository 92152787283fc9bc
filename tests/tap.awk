# SPDX-License-Identifier: GPL-2.0-only
#
# Judges the TAP streams of one suite, one after the other in its output.
#
#   awk -v status=EXIT_STATUS -v name=SUITE -f tap.awk OUTPUT
#
# First line: passed failed skipped. Then, for people: what failed with the lines
# around it, and what was skipped. Counts top-level results; nested ones
# (indented, or behind "#") are comments on these.

function note(text)
{
	notes[++nr_notes] = text
}

function fail(text)
{
	failed++
	note("  FAILED " name ": " text)
}

# A stream is whole when it ran what it planned.
function end_stream()
{
	if (plan == "" && results == 0)
		return
	if (plan == "")
		fail("a stream of " results " results has no plan")
	else if (plan != results)
		fail("planned " plan " tests, got " results)
	plan = ""
	results = 0
}

# Diagnostics stand before the result (kselftest, cmocka) or behind it (bats).
function print_context(	i)
{
	for (i = 1; i <= nr_context; i++)
		note("    " context[i])
	nr_context = 0
}

function keep(line,	i)
{
	if (nr_context == 40) {
		for (i = 1; i < 40; i++)
			context[i] = context[i + 1]
		nr_context--
	}
	context[++nr_context] = line
}

BEGIN { passed = failed = skipped = seen = results = 0 }

{ sub(/\r$/, "") }

/^TAP version / {
	end_stream()
	behind = 0
	next
}

/^1\.\.[0-9]+/ {
	if (plan != "")
		end_stream()
	seen = 1
	plan = substr($1, 4) + 0
	behind = 0
	if (plan == 0) {
		skipped++
		note("  skipped " name ": " substr($0, 5))
		plan = ""
	}
	next
}

/^(not )?ok($|[ \t])/ {
	if (plan != "" && results >= plan)
		end_stream()
	seen = 1
	results++
	line = $0
	bad = sub(/^not ok[ \t]*/, "", line)
	if (!bad)
		sub(/^ok[ \t]*/, "", line)
	if (match(line, /^[0-9]+/) && substr(line, 1, RLENGTH) + 0 != results)
		note("  " name ": result " results " is numbered " \
		     substr(line, 1, RLENGTH))
	behind = 0
	if (bad) {
		fail(line)
		print_context()
		behind = 1
	} else if (line ~ /#[ \t]*[Ss][Kk][Ii][Pp]/) {
		skipped++
		note("  skipped " name ": " line)
	} else {
		passed++
	}
	nr_context = 0
	next
}

/^Bail out!/ {
	seen = 1
	fail($0)
	print_context()
	next
}

{
	if (behind)
		note("    " $0)
	else
		keep($0)
}

END {
	end_stream()
	if (!seen)
		fail("printed no test results")
	if (status == 124)
		fail("not finished in time")
	else if (status != 0 && failed == 0)
		fail("exit status " status)
	if (failed && nr_context)
		print_context()
	print passed, failed, skipped
	for (i = 1; i <= nr_notes; i++)
		print notes[i]
}
