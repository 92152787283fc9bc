# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bats disable=SC2016,SC2086,SC2154,SC2164
# kmqctl queue: create, list, describe, alter, purge, seal, delete, unlink.

load helper

setup()
{
	clean_domain
}

teardown_file()
{
	clean_domain
}

@test "create prints nothing, the queue has the defaults" {
	ctl $OK queue create jobs
	is "$output$stderr" ""
	is "$(field jobs MAXLEN,MAXBYTES,MAXMSG,OVERFLOW,STATE,OWNER)" \
		"8192 16777216 262144 block open root"
}

@test "create takes every attribute" {
	ctl $OK queue create jobs --max-length 7 --max-bytes 2M \
		--max-msg-size 4K --overflow drop-head --mode 0640 \
		--owner nobody:daemon
	is "$(field jobs MAXLEN,MAXBYTES,MAXMSG,OVERFLOW,MODE,PERMS,OWNER,GROUP)" \
		"7 2097152 4096 drop-head 0640 rw-r----- nobody daemon"
}

@test "create --max-messages is --max-length" {
	ctl $OK queue create jobs --max-messages 9
	is "$(field jobs MAXLEN)" 9
}

@test "sizes: plain, K, KiB, m, g" {
	for pair in 1048576:1048576 1024KiB:1048576 3m:3145728 1G:1073741824; do
		ctl $OK queue create "q${pair%:*}" --max-bytes "${pair%:*}" \
			--max-msg-size 1K
		is "$(field "q${pair%:*}" MAXBYTES)" "${pair#*:}"
	done
}

@test "mode defaults to 0660 less the umask; an explicit one stands" {
	(umask 027; kmqctl queue create a; kmqctl queue create b --mode 0666)
	is "$(field a MODE)" 0640
	is "$(field b MODE)" 0666
}

@test "create of an existing name: exit 4, nothing changed" {
	kmqctl queue create jobs --max-length 5
	ctl $EXISTS queue create jobs --max-length 6
	has "$stderr" "jobs exists"
	is "$(field jobs MAXLEN)" 5
	ctl $EXISTS queue create jobs --max-length 5
}

@test "create --if-not-exists: 0 if equal, else 4 and every difference" {
	ctl $OK queue create jobs --if-not-exists --max-length 5
	ctl $OK queue create jobs --if-not-exists --max-length 5
	ctl $OK queue create jobs --if-not-exists
	ctl $EXISTS queue create jobs --if-not-exists --max-length 6 \
		--overflow drop-head --mode 0600 --max-bytes 1M
	has "$stderr" "jobs exists with max-length 5, not 6"
	has "$stderr" "jobs exists with overflow block, not drop-head"
	has "$stderr" "jobs exists with max-bytes 16777216, not 1048576"
	has "$stderr" "not rw-------"
	has "$stderr" "kmqctl queue alter jobs"
	is "$(field jobs MAXLEN)" 5
}

@test "names that are none" {
	for name in "" "a b" ".hidden" "ünïcode" "a/b" "$(printf 'x%.0s' {1..256})"; do
		ctl $USAGE queue create "$name"
		has "$stderr" "1 to 255"
	done
	ctl $USAGE queue create kmq.mine
	has "$stderr" "reserved"
	ctl $OK queue create "$(printf 'x%.0s' {1..255})"
	ctl $OK queue create 'a.b:c@d%e+f=g,h~i-j_k'
	is "$(kmqctl queue list | wc -l)" 3
}

@test "attributes the kernel refuses: named, with the range, exit 2" {
	ctl $USAGE queue create jobs --max-msg-size 2M --max-bytes 1G
	has "$stderr" "max_message_size"
	ctl $USAGE queue create jobs --max-msg-size 8G --max-bytes 16G
	has "$stderr" "max_message_size"
	ctl $USAGE queue create jobs --max-bytes 1K --max-msg-size 4K
	has "$stderr" "max_bytes"
	ctl $USAGE queue create jobs --max-bytes 64
	has "$stderr" "max_bytes"
	is "$(kmqctl queue list --noheadings)" ""
}

@test "list: default columns fit 100 characters" {
	kmqctl queue create jobs
	ctl $OK queue list
	for column in NAME READY BYTES MAXLEN SENDERS CONSUMERS WAITERS SENT \
		RECEIVED DROPPED STATE; do
		has "${lines[0]}" "$column"
	done
	[ "${#lines[0]}" -le 100 ]
	has "${lines[1]}" jobs
}

@test "list: -o, +, all, --noheadings, --raw, --bytes" {
	kmqctl queue create jobs --max-bytes 2M
	is "$(kmqctl queue list -o name,maxbytes --noheadings --raw)" "jobs 2M"
	is "$(kmqctl queue list -o NAME,MAXBYTES --raw --bytes)" \
		"$(printf 'NAME MAXBYTES\njobs 2097152')"
	has "$(kmqctl queue list -o +OWNER | head -1)" "STATE OWNER"
	has "$(kmqctl queue list -o all | head -1)" BLOCKEDTIME
	ctl $OK -o NAME --noheadings queue ls
	is "$output" jobs
}

@test "list: patterns" {
	for q in jobs jobs.dead logs; do kmqctl queue create $q; done
	is "$(kmqctl queue list -o NAME --raw --noheadings 'jobs*' | wc -l)" 2
	is "$(kmqctl queue list -o NAME --raw --noheadings jobs)" jobs
	is "$(kmqctl queue list -o NAME --raw --noheadings nothing)" ""
}

@test "list --json: numbers are numbers, an empty domain an empty array" {
	is "$(kmqctl queue list --json | json '$d->{queues}')" '[]'
	kmqctl queue create jobs
	kmqctl send jobs a b c
	doc=$(kmqctl queue list --json -o all)
	run json '$d->{queues}[0]{name}' '$d->{queues}[0]{ready}' \
		'$d->{queues}[0]{maxbytes}' '$d->{queues}[0]{blocked}' \
		'$d->{queues}[0]{created}' <<<"$doc"
	is "${lines[*]:0:4}" '"jobs" 3 16777216 null'
	[[ ${lines[4]} =~ ^\"20[0-9-]+T[0-9:]+\.[0-9]{9}Z\"$ ]]
}

@test "list of many queues has each once" {
	for i in $(seq 66); do echo "queue-$i"; done | sort >"$BATS_TEST_TMPDIR/want"
	while read -r q; do kmqctl queue create "$q"; done <"$BATS_TEST_TMPDIR/want"
	kmqctl queue list -o NAME --raw --noheadings | sort |
		diff - "$BATS_TEST_TMPDIR/want"
}

@test "list --watch prints table after table when it is no terminal" {
	kmqctl queue create jobs
	run timeout 1.5 kmqctl queue list --watch 200ms
	is "$status" 124
	has "${lines[0]}" "IN/S"
	[ "$(grep -c '^NAME' <<<"$output")" -ge 3 ]
	run ! grep -q $'\033' <<<"$output"
	run timeout 0.7 kmqctl queue list --watch=0.2 -o NAME other
	[ "$(grep -c jobs <<<"$output")" -eq 0 ]
}

@test "list --watch shows rates" {
	kmqctl queue create jobs
	timeout 10 kmqctl queue list --watch 500ms --raw --noheadings \
		-o IN/S >"$BATS_TEST_TMPDIR/rates" & pid=$!
	sleep 1
	kmqctl send jobs x --count 100
	eventually grep -qE '^[1-9][0-9]*$' "$BATS_TEST_TMPDIR/rates"
	kill "$pid"
}

@test "list --watch stops when its output is closed" {
	kmqctl queue create jobs
	timeout 10 kmqctl queue list --watch 100ms | head -1 >"$BATS_TEST_TMPDIR/out"
	rc=${PIPESTATUS[0]}
	# By the signal, or by the error if that is ignored; not by timeout.
	[ "$rc" -eq 141 ] || [ "$rc" -eq $ERROR ]
}

@test "list --watch redraws in place on a terminal" {
	command -v script >/dev/null
	kmqctl queue create jobs
	run timeout 5 script -qec "timeout 1.5 kmqctl queue list --watch 300ms" /dev/null
	has "$output" $'\033[2J'
	[ "$(grep -o $'\033\\[H' <<<"$output" | wc -l)" -ge 3 ]
	has "$output" "1 queue, every 0.3 s"
}

@test "describe: one line a value, details only STAT knows" {
	kmqctl queue create jobs --overflow drop-head --max-length 2
	kmqctl send jobs a b c
	ctl $OK queue describe jobs --bytes
	[[ $output =~ NAME\ +jobs ]]
	[[ $output =~ LOSTFULL\ +1 ]]
	[[ $output =~ NEXTSEQ\ +4 ]]
	[[ $output =~ READY\ +2 ]]
	doc=$(kmqctl queue info jobs --json -o +DROPPED)
	run json '$d->{queues}[0]{lostfull}' '$d->{queues}[0]{dropped}' <<<"$doc"
	is "${lines[*]}" "1 1"
}

@test "describe of several, one of them missing: exit 3, the others are shown" {
	kmqctl queue create a
	kmqctl queue create b
	ctl $NOT_FOUND queue describe a nope b
	has "$stderr" "no queue nope"
	[[ $output =~ NAME\ +a ]]
	[[ $output =~ NAME\ +b ]]
}

@test "alter changes what is named and nothing else" {
	kmqctl queue create jobs --max-length 5
	ctl $OK queue alter jobs --max-length 50 --overflow reject-publish
	is "$(field jobs MAXLEN,OVERFLOW,MAXMSG)" "50 reject-publish 262144"
	ctl $OK queue alter jobs --mode 0600 --owner nobody
	is "$(field jobs MODE,OWNER)" "0600 nobody"
	ctl $NOT_FOUND queue alter nope --max-length 5
	ctl $USAGE queue alter jobs --max-bytes 1K
	has "$stderr" "max_bytes"
	is "$(field jobs MAXBYTES)" 16777216
}

@test "purge says how many, and counts them as dropped" {
	kmqctl queue create jobs
	kmqctl send jobs a b c
	ctl $OK queue purge jobs
	is "$output" "jobs: 3 messages purged"
	is "$(field jobs READY,DROPPED)" "0 3"
	ctl $OK queue purge jobs --quiet
	is "$output" ""
	ctl $NOT_FOUND queue purge nope
}

@test "seal, unseal: a sealed queue refuses sends and says how to go on" {
	kmqctl queue create jobs
	ctl $OK queue seal jobs
	is "$(field jobs STATE)" sealed
	ctl $ERROR send jobs hello
	has "$stderr" "sealed"
	has "$stderr" "kmqctl queue unseal jobs"
	ctl $OK queue unseal jobs
	is "$(field jobs STATE)" open
	ctl $OK send jobs hello
	ctl $OK queue close jobs
	ctl $NOT_FOUND queue seal nope
}

@test "delete: gone with what is in it; missing ones exit 3, others go" {
	for q in a b c; do kmqctl queue create $q; done
	kmqctl send a hello
	ctl $NOT_FOUND queue delete a nope b
	has "$stderr" "no queue nope"
	has "$stderr" "kmqctl queue create nope"
	is "$(kmqctl queue list -o NAME --raw --noheadings)" c
	ctl $OK queue rm c
}

@test "delete --if-empty, --if-unused" {
	kmqctl queue create jobs
	kmqctl send jobs hello
	ctl $ERROR queue delete jobs --if-empty
	has "$stderr" "kmqctl queue purge jobs"
	kmqctl queue purge jobs -q
	kmqctl recv jobs --follow & pid=$!
	eventually waiting jobs CONSUMERS 1
	ctl $ERROR queue delete jobs --if-unused
	has "$stderr" "in use"
	kill "$pid"
	wait "$pid" || true
	ctl $OK queue delete jobs --if-unused --if-empty
}

@test "unlink: the name goes, who has it open works on" {
	kmqctl queue create jobs
	kmqctl recv jobs --follow >"$BATS_TEST_TMPDIR/out" & pid=$!
	eventually waiting jobs CONSUMERS 1
	ctl $OK queue unlink jobs
	ctl $NOT_FOUND queue describe jobs
	kill -0 "$pid"
	ctl $OK queue create jobs
	is "$(kmqctl queue list --raw --noheadings -o CONSUMERS,STATE jobs | sort)" \
		"$(printf '0 open\n1 open,unlinked')"
	kill "$pid"
	wait "$pid" || true
}

@test "rights: only the owner may alter, purge, seal, delete" {
	chmod 666 /dev/kmq
	kmqctl queue create jobs --mode 0666
	for step in "alter jobs --max-length 5" "purge jobs" "seal jobs" \
		"delete jobs" "unlink jobs"; do
		run --separate-stderr as_nobody kmqctl queue $step
		is "$status" $DENIED
		has "$stderr" "root"
	done
	is "$(field jobs STATE,MAXLEN)" "open 8192"
	as_nobody kmqctl queue create mine
	as_nobody kmqctl queue delete mine
}

@test "rights: the message names owner, mode and what is missing" {
	chmod 666 /dev/kmq
	kmqctl queue create jobs --mode 0600
	run --separate-stderr as_nobody kmqctl send jobs hello
	is "$status" $DENIED
	has "$stderr" "jobs belongs to root:root, mode 0600"
	run --separate-stderr as_nobody kmqctl recv jobs
	is "$status" $DENIED
	is "$(field jobs SENT)" 0
	# Names and counters are for everybody in the domain.
	run as_nobody kmqctl queue list -o NAME --raw --noheadings
	is "$output" jobs
}
