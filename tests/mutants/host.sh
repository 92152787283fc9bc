# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # run-tap sets jobs
# The mutants that the suites without a guest notice. Part of run-tap.

# One copy of the tree for each job.
make_trees()
{
	local k

	for ((k = 0; k < jobs; k++)); do
		sync_tree "$OUT/tree$k" &
	done
	wait
}

# in_trees FUNCTION: once for each copy, at the same time, with its directory
# and number; each takes lines of the list on fd 7 as it gets to them.
in_trees()
{
	local k

	for ((k = 0; k < jobs; k++)); do
		"$1" "$OUT/tree$k" "$k" 9>&- &
	done
	wait
}

# The next line of fd 7, which the jobs share, into $line.
next_line()
{
	local ok=0

	exec 8>"$OUT/next.lock"
	flock 8
	IFS= read -r line <&7 || ok=1
	exec 8>&-
	return "$ok"
}

# The programs that the mutants on stdin name, one "suite program" a line.
programs_named()
{
	local name by rest suite words w

	while IFS='|' read -r name by rest; do
		read -ra words <<< "$by"
		suite=${words[0]}
		for w in "${words[@]:1}"; do
			echo "$suite $w"
		done
	done | sort -u
}

build_unchanged()
{
	local dir=$1 k=$2 suite programs

	for suite in unit lib; do
		mapfile -t programs < <(sed -n "s/^$suite //p" "$OUT/programs")
		[ "${#programs[@]}" -gt 0 ] || continue
		build_programs "$dir" "$suite" "${programs[@]}" \
			> "$OUT/log/unchanged.build.$k" 2>&1 ||
			echo build > "$OUT/unchanged"
	done
}

run_unchanged()
{
	local dir=$1 line suite program log

	while next_line; do
		read -r suite program <<< "$line"
		log=$OUT/log/unchanged.${program//\//-}
		run_programs "$dir" "$suite" "$program" > "$log" 2>&1 ||
			echo "$program" >> "$OUT/unchanged"
	done
}

try_mutant()
{
	local dir=$1 name=$2 log=$OUT/log/$2 words p
	local files

	read -ra words <<< "$3"
	read -ra files <<< "$4"
	for p in build "${words[@]:1}"; do
		if grep -qxF "$p" "$OUT/unchanged"; then
			verdict "$name" useless "without it $p fails, too"
			return
		fi
	done
	if ! mutate "$name" "$dir" "${files[@]}" 2> "$log"; then
		verdict "$name" stale "$(cat "$log")"
	elif ! build_programs "$dir" "${words[@]}" > "$log" 2>&1; then
		verdict "$name" unknown 'does not compile'
	elif run_programs "$dir" "${words[@]}" > "$log" 2>&1; then
		: > "$log"
		verdict "$name" survived 'every test passes'
	elif grep -q '^not ok' "$log"; then
		verdict "$name" caught "$(first_failure "$log")"
	else
		verdict "$name" unknown 'the suite failed, but no test of it'
	fi
	restore "$dir" "${files[@]}"
}

try_mutants()
{
	local dir=$1 line name by files

	while next_line; do
		IFS='|' read -r name by _ files <<< "$line"
		try_mutant "$dir" "$name" "$by" "$files"
	done
}

# host_part core|lib
host_part()
{
	of_part "$1" > "$OUT/part"
	[ -s "$OUT/part" ] || return 0
	programs_named < "$OUT/part" > "$OUT/programs"
	: > "$OUT/unchanged"
	in_trees build_unchanged
	in_trees run_unchanged 7< "$OUT/programs"
	in_trees try_mutants 7< "$OUT/part"
}
