# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bats disable=SC2016,SC2086,SC2154,SC2164
# kmqctl who, status, limits, ping, reset, domains, and completion of names.

load helper

setup()
{
	clean_domain
	cd "$BATS_TEST_TMPDIR"
}

teardown_file()
{
	clean_domain
}

@test "who: process, role and what it waits for" {
	kmqctl queue create q --max-length 1
	ctl $OK who
	kmqctl recv q --follow --exec 'sleep 100' & consumer=$!
	eventually waiting q CONSUMERS 1
	ctl $OK who q --raw --noheadings -o NAME,PID,COMM,UID,ROLE
	is "$output" "q $consumer kmqctl 0 receiver"
	ctl $OK who --json
	is "$(json '$d->{handles}[0]{pid}' '$d->{handles}[0]{role}' <<<"$output")" \
		"$(printf '%s\n"receiver"' "$consumer")"
	kill "$consumer"
	wait "$consumer" || true

	kmqctl send q a
	kmqctl send q b & sender=$!
	eventually waiting q WAITSEND 1
	ctl $OK who q --raw --noheadings -o PID,ROLE,STATE
	is "$output" "$sender sender waits-for-room"
	kmqctl queue purge q -q
	wait "$sender"
}

@test "who: default columns, and nobody" {
	kmqctl queue create q
	ctl $OK who q --json
	is "$(json '$d->{handles}' <<<"$output")" '[]'
	kmqctl recv q --follow & pid=$!
	eventually waiting q CONSUMERS 1
	ctl $OK who
	for column in NAME PID COMM UID ROLE STATE SINCE SENT RECEIVED; do
		has "${lines[0]}" "$column"
	done
	kill "$pid"
	wait "$pid" || true
	ctl $NOT_FOUND who nope
}

@test "who: processes are hidden from those who may not receive" {
	chmod 666 /dev/kmq
	kmqctl queue create q --mode 0600
	kmqctl recv q --follow & pid=$!
	eventually waiting q CONSUMERS 1
	run as_nobody kmqctl who q --raw --noheadings -o NAME,PID,COMM
	kill "$pid"
	wait "$pid" || true
	is "$output" "q - -"
}

@test "status: version, features, domain, totals" {
	kmqctl queue create a
	kmqctl queue create b
	kmqctl send a x y z
	ctl $OK status
	[[ $output =~ STATE\ +ready ]]
	[[ $output =~ FEATURES\ +queue ]]
	run json '$d->{status}[0]{queues}' '$d->{status}[0]{ready}' \
		'$d->{status}[0]{netns}' '$d->{status}[0]{module}' \
		< <(kmqctl status --json)
	netns=$(readlink /proc/self/ns/net)
	is "${lines[*]}" \
		"2 3 ${netns//[^0-9]/} \"$(cat /sys/module/kmq/version)\""
}

@test "ping: a round trip, and nothing is left" {
	ctl $OK ping
	[[ $output =~ ^1\ message\ sent\ and\ received:\ min\ [0-9.]+\ us ]]
	ctl $OK ping --count 20 --json
	is "$(json '$d->{ping}[0]{messages}' <<<"$output")" 20
	is "$(kmqctl queue list --noheadings)" ""
}

@test "--domain: denied to users" {
	chmod 666 /dev/kmq
	run --separate-stderr as_nobody kmqctl -p 1 queue list
	is "$status" $DENIED
}

@test "completion offers the names of queues" {
	kmqctl queue create jobs
	kmqctl queue create jolly
	kmqctl queue create other
	# shellcheck source=/dev/null
	. "$BATS_TEST_DIRNAME/../../tools/completion/kmqctl"
	COMP_WORDS=(kmqctl recv jo)
	COMP_CWORD=2
	_kmqctl
	is "${COMPREPLY[*]}" "jobs jolly"
	COMP_WORDS=(kmqctl queue delete --if-empty '')
	COMP_CWORD=4
	_kmqctl
	is "${COMPREPLY[*]}" "jobs jolly other"
	COMP_WORDS=(kmqctl queue create j)
	COMP_CWORD=3
	_kmqctl
	is "${COMPREPLY[*]}" ""
}
