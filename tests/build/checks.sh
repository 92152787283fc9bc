# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What tests/build/style and tests/build/static share: checks called by name,
# reported as TAP. Sourced behind tests/setup/lib.sh.

# A check that cannot be made here says why and returns this.
CHECK_SKIPPED=77

# Files of the tree, whether committed yet or not; without git (a tarball) all.
tree()
{
	if git -C "$KMQ_TOP" rev-parse --git-dir >/dev/null 2>&1; then
		git -C "$KMQ_TOP" ls-files -co --exclude-standard -- "$@" |
			while read -r f; do
				[ ! -f "$KMQ_TOP/$f" ] || printf '%s\n' "$f"
			done
	else
		(
			cd "$KMQ_TOP" || exit
			find "${@:-.}" -path ./build -prune -o -type f -print |
				sed 's#^\./##'
		)
	fi | sort
}

# True without input, whatever was before it in the pipe; shows what there is.
nothing()
{
	! grep ''
}

# run_checks CHECK...: each with its words, as "sparse 6.1"; sets and returns
# status. The checks find an empty directory in $scratch.
run_checks()
{
	local nr=0 status=0 check report words code

	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	echo "TAP version 13"
	echo "1..$#"
	for check; do
		nr=$((nr + 1)) code=0
		read -ra words <<< "$check"
		report=$( ("${words[@]}") 2>&1) || code=$?
		case $code in
		0)	echo "ok $nr - $check" ;;
		"$CHECK_SKIPPED")
			echo "ok $nr - $check # SKIP ${report##*$'\n'}" ;;
		*)	status=1
			echo "not ok $nr - $check"
			# shellcheck disable=SC2001 # every line
			sed 's/^/# /' <<< "$report" ;;
		esac
	done
	return "$status"
}
