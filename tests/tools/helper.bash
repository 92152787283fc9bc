# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# Shared by the tests of kmqctl.

bats_require_minimum_version 1.5.0

# Exit codes of kmqctl(1).
export OK=0 ERROR=1 USAGE=2 NOT_FOUND=3 EXISTS=4 EMPTY=5 DENIED=6

# An empty domain for every test.
clean_domain()
{
	kmqctl reset --all --quiet
}

# ctl STATUS ARGUMENT...: kmqctl must end with that status. Leaves $output,
# $lines and $stderr as bats' "run --separate-stderr" does, in a fifth of the
# time: guests are slow.
ctl()
{
	local want=$1

	shift
	status=0
	output=$(kmqctl "$@" 2>"$BATS_TEST_TMPDIR/stderr") || status=$?
	stderr=$(<"$BATS_TEST_TMPDIR/stderr")
	lines=()
	[ -z "$output" ] || mapfile -t lines <<<"$output"
	[ "$status" -ne "$want" ] || return 0
	echo "kmqctl $*: exit $status, not $want"
	echo "stdout: $output"
	echo "stderr: $stderr"
	return 1
}

is()
{
	if [ "$1" != "$2" ]; then
		echo "got:  $1"
		echo "want: $2"
		return 1
	fi
}

# has TEXT PART: PART is in it, word for word.
has()
{
	if [[ $1 != *"$2"* ]]; then
		echo "not found: $2"
		echo "in: $1"
		return 1
	fi
}

has_not()
{
	if [[ $1 == *"$2"* ]]; then
		echo "found: $2"
		echo "in: $1"
		return 1
	fi
}

# One value of a queue: field NAME COLUMN.
field()
{
	kmqctl queue list --noheadings --raw --bytes -o "$2" "$1"
}

# json EXPRESSION...: each of the document on standard input, which is $d in
# it, on a line of its own; as JSON again, so that 3 and "3" can be told apart.
# Standard input may be several documents, one a line: then $d[0], $d[1]...
# Fails when it is no JSON.
json()
{
	perl -MJSON::PP -e '
		local $/;
		my $text = <STDIN>;
		our ($d, @d);
		my $json = JSON::PP->new->utf8->allow_nonref->canonical;
		$json->incr_parse($text);
		while (my $one = $json->incr_parse) { push @d, $one }
		$json->incr_text =~ /^\s*$/ or die "no JSON\n";
		@d or die "no JSON\n";
		$d = $d[0];
		for (@ARGV) {
			my $v = eval;
			die $@ if $@;
			print $json->encode($v), "\n";
		}
	' "$@"
}

# Try until it holds; ten seconds are for ever on the slowest guest.
eventually()
{
	local i

	for ((i = 0; i < 100; i++)); do
		"$@" && return
		sleep 0.1
	done
	echo "never came true: $*"
	return 1
}

# waiting NAME COLUMN N: that many calls wait on the queue.
waiting()
{
	[ "$(field "$1" "$2")" = "$3" ]
}

contains()
{
	grep -qF -- "$2" "$1"
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# Run as somebody who has no rights but those of everybody.
as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
