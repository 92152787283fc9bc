# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # run-tap sets jobs
# The mutants that need the kernel: all modules first, then as few boots as
# possible, each loading one after the other. Part of run-tap.

VM=${KMQ_MUTANTS_VM:-$KMQ_TOP/tests/vm/run}
GUEST_SECONDS=400
# A mutant may end the guest; the others are tried in the next one.
BOOTS_MAX=30

# "suite program..." without who is to notice.
suite_of()
{
	local words

	read -ra words <<< "$1"
	case ${words[0]} in
	kernel|unload)	words=("${words[@]:1}") ;;
	esac
	echo "${words[*]}"
}

build_guest_programs()
{
	local suite programs

	for suite in abi stress; do
		mapfile -t programs < <(sed -n "s/^$suite //p" "$OUT/programs")
		[ "${#programs[@]}" -gt 0 ] || continue
		make -s -j"$jobs" -C "$KMQ_TOP/tests/$suite" \
			O="$KMQ_TOP/build/$suite" \
			"${programs[@]/#/$KMQ_TOP/build/$suite/}" || return
	done
	make -s -j"$jobs" -C "$KMQ_TOP/tools" O="$KMQ_TOP/build/tools"
}

# Once for each kernel by kbuild, in the first copy of the tree; the jobs work in
# copies of what it left, by the commands that it recorded: for a module that
# differs in one file it would take several times as long.
build_unchanged_module()
{
	local ko args=() k

	# Debian's gcc of these kernels; others come with a root of their own
	[ -z "$CCACHE" ] || args=("CC=${CCACHE}gcc-12")
	ko=$("$OUT/tree0/tests/build/module" "$kernel" "${args[@]}") || return
	cp "$ko" "$OUT/modules/unchanged.ko"
	built=${ko%/kmod/kmq.ko}
	headers=$("$KMQ_SETUP/kernel" "$kernel" | sed -n 's/^headers=//p')
	for ((k = 0; k < jobs; k++)); do
		rm -rf "$OUT/tree$k/built"
		cp -R "$built" "$OUT/tree$k/built"
		# lists of objects
		sed -i "s#$built#$OUT/tree$k/built#" \
			"$OUT/tree$k/built/kmod/kmq.mod"
	done
}

# recorded DIR TARGET: makes what kbuild made.
recorded()
{
	local cmd

	cmd=$(sed -n 's/^\(saved\)\{0,1\}cmd_[^ ]* := //p' \
		"$1/$(dirname "$2")/.${2##*/}.cmd" | head -n 1)
	(cd "$headers" && eval "${cmd//"$built"/"$1"}")
}

# build_module DIR TO FILE...: what depends on the files, and the module.
build_module()
{
	local dir=$1 to=$2 file object objects=()

	shift 2
	for file; do
		mapfile -t -O "${#objects[@]}" objects < <(cd "$dir" &&
			grep -lF "$built/$file" kmod/.*.o.cmd kmod/core/.*.o.cmd)
	done
	for object in "${objects[@]}"; do
		object=${object/\/./\/}
		object=${object%.cmd}
		cp -n "$dir/$object" "$dir/$object.unchanged"
		recorded "$dir" "$object" || return
	done
	recorded "$dir" kmod/kmq.o && recorded "$dir" kmod/kmq.ko &&
		cp "$dir/kmod/kmq.ko" "$to"
}

restore_module()
{
	local dir=$1 object

	restore "$@"
	find "$dir" -name '*.o.unchanged' |
		while read -r object; do
			mv "$object" "${object%.unchanged}"
		done
}

build_mutants()
{
	local dir=$1/built line name by files names log

	while next_line; do
		IFS='|' read -r name by _ files <<< "$line"
		read -ra names <<< "$files"
		log=$OUT/log/$name
		if ! mutate "$name" "$dir" "${names[@]}" 2> "$log"; then
			verdict "$name" stale "$(cat "$log")"
		elif ! build_module "$dir" "$OUT/modules/$name.ko" \
				"${names[@]}" > "$log" 2>&1 || [ -s "$log" ]; then
			verdict "$name" unknown 'does not compile'
		else
			echo "$name|$by" >> "$OUT/built"
		fi
		restore_module "$dir" "${names[@]}"
	done
}

# Those of one kernel, "name|module|suite program...", the unchanged code first.
guest_list()
{
	local name by suite program

	while read -r suite program; do
		echo "unchanged.$suite.$program|unchanged|$suite $program"
	done < "$OUT/programs"
	while IFS='|' read -r name by; do
		echo "$name|$name|$(suite_of "$by")"
	done < "$OUT/built"
}

# A mutant that ended the guest is not loaded again.
boot_guests()
{
	local boot running

	for ((boot = 1; boot <= BOOTS_MAX; boot++)); do
		"$VM" --kernel "$kernel" --no-module --timeout "$GUEST_SECONDS" \
			--results "$OUT/results" --env "KMQ_MUTANTS=$OUT" --log "$OUT/console.$boot.log" \
			-- "$MUTANTS/guest" "$OUT/guest.list" \
			2> "$OUT/guest.$boot.log" </dev/null || true
		running=$(cat "$OUT/results/running" 2>/dev/null || true)
		[ "$running" != end ] || return 0
		[ -n "$running" ] || {
			cat "$OUT/guest.$boot.log" >&2
			die "no guest"
		}
		grep -q "^$running " "$OUT/results/done" 2>/dev/null || {
			cp "$OUT/console.$boot.log" "$OUT/results/$running.log"
			echo "$running 0 died" >> "$OUT/results/done"
		}
	done
}

# judge_guest_mutant NAME BY
judge_guest_mutant()
{
	local name=$1 by=$2 out=$OUT/results/$1.out log=$OUT/results/$1.log
	local status unloaded report='' p

	for p in $(suite_of "$by"); do
		if grep -qxF "$p" "$OUT/unchanged"; then
			verdict "$name" useless "without it $p fails, too"
			return
		fi
	done
	cat "$out" > "$OUT/log/$name" 2>/dev/null || true
	if ! read -r status unloaded < <(sed -n "s/^$name //p" \
			"$OUT/results/done"); then
		verdict "$name" unknown 'no guest got to it'
		return
	fi
	if [ "$status" -eq 255 ]; then
		verdict "$name" unknown "the module does not load"
		return
	fi
	report=$("$KMQ_TOP/tests/vm/judge" "$log" | sed -n 's/^| //p' |
		grep -m1 -E 'BUG|WARNING|Oops' || true)
	report=${report#*] }
	case $by in
	kernel\ *)
		if [ -n "$report" ]; then
			verdict "$name" caught "kernel: $report"
			return
		fi ;;
	unload\ *)
		if [ "$unloaded" = stuck ]; then
			verdict "$name" caught 'the module does not unload'
			return
		fi ;;
	*)
		if [ "$status" -ne 0 ] && grep -q '^not ok' "$out"; then
			verdict "$name" caught "$(first_failure "$out")"
			return
		fi ;;
	esac
	verdict "$name" survived \
		"status $status, module $unloaded, kernel: ${report:-nothing}"
}

judge_unchanged()
{
	local suite program name

	: > "$OUT/unchanged"
	while read -r suite program; do
		name=unchanged.$suite.$program
		if ! grep -qx "$name 0 unloaded" "$OUT/results/done" ||
				! "$KMQ_TOP/tests/vm/judge" \
				"$OUT/results/$name.log" > /dev/null; then
			echo "$program" >> "$OUT/unchanged"
			cat "$OUT/results/$name.out" >&2
		fi
	done < "$OUT/programs"
}

on_kernel()
{
	local name by rest built headers

	rm -rf "$OUT/modules" "$OUT/results"
	mkdir -p "$OUT/modules" "$OUT/results"
	: > "$OUT/built"
	while IFS='|' read -r name by rest; do
		echo "$name|$(suite_of "$by")"
	done < "$OUT/part" | programs_named > "$OUT/programs"
	build_guest_programs >&2
	build_unchanged_module >&2
	in_trees build_mutants 7< "$OUT/part"
	guest_list > "$OUT/guest.list"
	boot_guests
	judge_unchanged
	while IFS='|' read -r name by; do
		judge_guest_mutant "$name" "$by"
	done < "$OUT/built"
}

# edge_part edge|debug
edge_part()
{
	local kernel

	of_part "$1" > "$OUT/of_part"
	while read -r kernel; do
		awk -F '|' -v k="$kernel" '($3 == "" ? "6.1" : $3) == k' \
			"$OUT/of_part" > "$OUT/part"
		on_kernel
	done < <(awk -F '|' '{ print $3 == "" ? "6.1" : $3 }' "$OUT/of_part" |
		sort -u)
}
