# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by the scripts here: copies of the tree, and mutants in them.

MUTANTS=$KMQ_TOP/tests/mutants
OUT=${KMQ_MUTANTS:-$KMQ_TOP/build/mutants}
mapfile -t lists < <(find "$MUTANTS"/{core,edge,lib} -type f | LC_ALL=C sort)
# What the suites are built from.
PARTS=(kmod libkmq tests Kbuild)

CCACHE=''
if command -v ccache >/dev/null; then
	CCACHE='ccache '
	export CCACHE_DIR=$KMQ_CACHE/ccache CCACHE_NOHASHDIR=1
fi

# all_mutants: "name|by|on|file file..." a line.
all_mutants()
{
	awk -v mode=list -f "$MUTANTS/mutants.awk" "${lists[@]}"
}

# Makes DIR a copy of the tree. What is the same keeps its time, so that make
# builds only what an earlier run left different.
sync_tree()
{
	local dir=$1 part file

	for part in "${PARTS[@]}"; do
		if [ ! -e "$dir/$part" ]; then
			mkdir -p "$dir"
			cp -R "$KMQ_TOP/$part" "$dir/$part"
			continue
		fi
		diff -rqN "$KMQ_TOP/$part" "$dir/$part" |
			sed -n "s#^Files $KMQ_TOP/\(.*\) and .* differ\$#\1#p" |
			while read -r file; do
				if [ -e "$KMQ_TOP/$file" ]; then
					mkdir -p "$(dirname "$dir/$file")"
					cp "$KMQ_TOP/$file" "$dir/$file"
				else
					rm -f "$dir/$file"
				fi
			done
	done
}

# mutate NAME DIR FILE...: fails when an old text is not there exactly once.
mutate()
{
	local name=$1 dir=$2 file

	shift 2
	for file; do
		awk -v mode=apply -v name="$name" -v file="$file" \
			-f "$MUTANTS/mutants.awk" "$OUT/lists" \
			"$KMQ_TOP/$file" > "$dir/changed" || return
		# the time is a new one, here and in restore()
		cat "$dir/changed" > "$dir/$file"
	done
}

# restore DIR FILE...
restore()
{
	local dir=$1 file

	shift
	for file; do
		cat "$KMQ_TOP/$file" > "$dir/$file"
	done
}

# What a suite that failed says first.
first_failure()
{
	sed -n 's/^not ok [0-9]* *-* *//p' "$1" | head -n 1
}

# verdict NAME KIND TEXT: caught, survived, or a reason why neither is known.
verdict()
{
	printf '%s|%s\n' "$2" "$3" > "$OUT/verdict/$1"
}

# In the copy DIR of the tree: everything a unit or lib mutant needs.
build_programs()
{
	local dir=$1 suite=$2 program targets=()

	shift 2
	for program; do
		targets+=("$dir/build/$suite/$program")
	done
	make -s -C "$dir/tests/$suite" O="$dir/build/$suite" \
		CC="${CCACHE}gcc" "${targets[@]}"
}

run_programs()
{
	local dir=$1 suite=$2

	shift 2
	case $suite in
	unit)	KMQ_UNIT=$dir/build/unit KMQ_UNIT_LIMIT=$PROGRAM_SECONDS \
			"$dir/tests/unit/run-tap" "$@" ;;
	lib)	KMQ_LIB_TESTS=$dir/build/lib \
			"$dir/tests/lib/run-tap" --host "$@" ;;
	esac
}
