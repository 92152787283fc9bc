# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by the scripts of tests/setup, tests/vm and tests/build.

KMQ_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
KMQ_CACHE=${KMQ_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kmq}
export KMQ_CACHE
# shellcheck disable=SC2034 # used by those who source this
KMQ_SETUP=$KMQ_TOP/tests/setup

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "${0##*/}: $*"
	exit 1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		return 126
	fi
}

# One process at a time prepares an entry of the cache; the others wait for it
# and find it ready. The lock ends with the process.
cache_lock()
{
	local fd

	mkdir -p "$KMQ_CACHE/locks"
	exec {fd}>"$KMQ_CACHE/locks/$1"
	flock "$fd"
}

# Puts a finished directory or file in its place: never half of it.
cache_publish()
{
	rm -rf "$2"
	mv -T "$1" "$2"
}

apt_update()
{
	say "apt-get update"
	as_root apt-get -qq update ||
		die "apt-get update failed (it needs root or sudo, and the Debian mirror of this machine)"
}

# Base address of this machine's Debian mirror; $1: "debian" or "security".
apt_mirror()
{
	local uri release
	local want='^[a-z]+$'

	[ "$1" = security ] && want='^[a-z]+-security$'
	# shellcheck disable=SC2016 # apt's own placeholders
	while read -r release uri; do
		if [[ $release =~ $want && $uri == */debian* ]]; then
			printf '%s\n' "${uri%/}"
			return
		fi
	done < <(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
			'Created-By: Packages')
	die "no Debian $1 mirror in this machine's apt sources"
}
