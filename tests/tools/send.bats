# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bats disable=SC2016,SC2086,SC2154,SC2164
# kmqctl send: arguments, lines, files; full, sealed and missing queues.

load helper

setup()
{
	clean_domain
	kmqctl queue create q
	cd "$BATS_TEST_TMPDIR"
}

teardown_file()
{
	clean_domain
}

@test "each argument is a message, in order, without a word" {
	ctl $OK send q one "two words" three
	is "$output$stderr" ""
	is "$(kmqctl recv q --all)" "$(printf 'one\ntwo words\nthree')"
}

@test "a message that looks like an option, and an empty one" {
	ctl $OK send q -- -5 --help ''
	is "$(kmqctl recv q --all --print size,body)" \
		"$(printf '2\t-5\n6\t--help\n0\t')"
}

@test "lines of standard input" {
	printf 'one\n\nthree' | kmqctl send q
	is "$(kmqctl recv q --all --print size,body)" \
		"$(printf '3\tone\n0\t\n5\tthree')"
	kmqctl send q </dev/null
	is "$(field q READY)" 0
}

@test "many lines, each once and in order" {
	seq 5000 >want
	kmqctl send q <want
	is "$(field q READY)" 5000
	kmqctl recv q --all >got
	cmp want got
}

@test "bytes travel unchanged: a file" {
	head -c 100000 /dev/urandom >want
	ctl $OK send q --file want
	kmqctl recv q --raw >got
	cmp want got
	ctl $OK send q --file - <want
	kmqctl recv q --raw >got
	cmp want got
}

@test "bytes travel unchanged: lines of any bytes" {
	head -c 100000 /dev/urandom >want
	printf '\n' >>want
	kmqctl send q <want
	kmqctl recv q --all >got
	cmp want got
}

@test "--send-on overrides what the source suggests" {
	printf 'a\nb\n' >lines
	kmqctl send q --file lines --send-on newline
	kmqctl send q --send-on eof <lines
	is "$(kmqctl recv q --all --print size)" "$(printf '1\n1\n4')"
}

@test "an empty file is an empty message" {
	: >empty
	kmqctl send q --file empty
	is "$(kmqctl recv q --print size)" 0
}

@test "a file that cannot be read" {
	ctl $ERROR send q --file /no/such/file
	has "$stderr" "cannot open /no/such/file"
	ctl $ERROR send q --file /
	has "$stderr" "cannot read /"
	is "$(field q SENT)" 0
}

@test "--count repeats each message" {
	kmqctl send q a b --count 3
	is "$(kmqctl recv q --all | tr -d '\n')" aaabbb
	printf 'x\ny\n' | kmqctl send q -n 2
	is "$(kmqctl recv q --all | tr -d '\n')" xxyy
}

@test "--priority, --key, --header" {
	kmqctl send q low
	kmqctl send q high -P 9 --key k1 -H a=1 -H b=two=2
	is "$(kmqctl recv q --print body,priority,key,headers)" \
		"$(printf 'high\t9\tk1\ta=1,b=two=2')"
	is "$(kmqctl recv q --print body,priority,key,headers)" \
		"$(printf 'low\t0\t\t')"
}

@test "headers beyond what a message may have" {
	big=$(head -c 5000 /dev/zero | tr '\0' x)
	ctl $USAGE send q hello -H "a=$big" -H "b=$big"
	has "$stderr" '"b"'
	is "$(field q SENT)" 0
}

@test "a missing queue: exit 3 and the command that creates it" {
	ctl $NOT_FOUND send nope hello
	has "$stderr" "kmqctl queue create nope"
	has "$stderr" "network namespace"
}

@test "--create, --seal: a stream from start to end" {
	seq 10 | kmqctl send ch --create --seal
	is "$(field ch STATE,READY)" "sealed 10"
	kmqctl recv ch --follow >got
	seq 10 | cmp - got
	ctl $OK send q last --create
}

@test "--seal does not seal after a failure" {
	kmqctl queue alter q --max-length 1 --overflow reject-publish
	ctl $EMPTY send q a b --seal
	is "$(field q STATE)" open
}

@test "full: --nonblock and --timeout exit 5 and tell what was sent" {
	kmqctl queue alter q --max-length 2
	ctl $EMPTY send q a b c --nonblock
	has "$stderr" "q is full (2 messages, 0 consumers)"
	has "$stderr" "2 messages were sent before that"
	ctl $EMPTY send q c --timeout 300ms
	has "$stderr" "timed out"
	ctl $EMPTY send q c --timeout 0
	is "$(field q READY,SENT)" "2 2"
}

@test "full for a second: says so, and when it goes on" {
	kmqctl queue alter q --max-length 1
	kmqctl send q a
	kmqctl send q b 2>err & pid=$!
	eventually contains err "q is full (1 message, 0 consumers), waiting"
	is "$(kmqctl recv q)" a
	wait "$pid"
	contains err "q has room again"
	is "$(grep -c waiting err)" 1
	is "$(kmqctl recv q)" b
}

@test "full for a second, then the timeout" {
	kmqctl queue alter q --max-length 1
	kmqctl send q a
	ctl $EMPTY send q b --timeout 1.5s
	has "$stderr" "waiting"
	has "$stderr" "timed out"
}

@test "full: --quiet waits in silence" {
	kmqctl queue alter q --max-length 1
	kmqctl send q a
	ctl $EMPTY send q b --quiet --timeout 1.5s
	has_not "$stderr" "waiting"
}

@test "reject-publish: exit 5 at once" {
	kmqctl queue alter q --max-length 1 --overflow reject-publish
	kmqctl send q a
	ctl $EMPTY send q b
	has "$stderr" "q is full"
	is "$(field q REFUSED)" 1
}

@test "a burst through a small queue arrives whole" {
	kmqctl queue alter q --max-length 10
	seq 1000 >want
	kmqctl send q --seal <want & pid=$!
	kmqctl recv q --follow >got
	wait "$pid"
	cmp want got
}

@test "deleted while it waits: exit 3" {
	kmqctl queue alter q --max-length 1
	kmqctl send q a
	kmqctl send q b 2>err & pid=$!
	eventually waiting q WAITSEND 1
	kmqctl queue delete q
	rc=0
	wait "$pid" || rc=$?
	is "$rc" $NOT_FOUND
	contains err "deleted"
}

@test "sealed while it waits: exit 1" {
	kmqctl queue alter q --max-length 1
	kmqctl send q a
	kmqctl send q b 2>err & pid=$!
	eventually waiting q WAITSEND 1
	kmqctl queue seal q
	rc=0
	wait "$pid" || rc=$?
	is "$rc" $ERROR
	contains err "sealed"
}

@test "interactive input is sent line by line" {
	mkfifo in
	kmqctl send q <in & pid=$!
	exec 9>in
	echo one >&9
	is "$(kmqctl recv q --timeout 10)" one
	echo two >&9
	is "$(kmqctl recv q --timeout 10)" two
	printf 'thr' >&9
	sleep 0.2
	is "$(field q READY)" 0
	printf 'ee\n' >&9
	is "$(kmqctl recv q --timeout 10)" three
	exec 9>&-
	wait "$pid"
}

@test "too long a message: what came before is sent, the line is named" {
	kmqctl queue alter q --max-msg-size 10
	printf 'short\nmuch too long a line\nshort\n' >lines
	run --separate-stderr bash -c 'kmqctl send q <lines'
	is "$status" $ERROR
	has "$stderr" "line 2 of standard input is longer than the 10 bytes q takes"
	is "$(kmqctl recv q --all)" short
	ctl $ERROR send q --file lines
	has "$stderr" "lines is longer"
	ctl $ERROR send q ok "too long as an argument"
	has "$stderr" "message 2"
	is "$(kmqctl recv q --all)" ok
}

@test "the longest message there may be" {
	kmqctl queue alter q --max-msg-size 1M
	head -c 1048576 /dev/urandom >want
	kmqctl send q --file want
	kmqctl recv q --raw >got
	cmp want got
	head -c 1048577 /dev/zero | tr '\0' x >long
	ctl $ERROR send q --file long
	run --separate-stderr bash -c 'kmqctl send q <long'
	is "$status" $ERROR
	has "$stderr" "line 1"
}

@test "--batch 1 sends one at a time" {
	seq 20 | kmqctl send q --batch 1
	is "$(field q SENT)" 20
}

@test "a message above what one call's buffer takes goes in several" {
	head -c 200000 /dev/zero | tr '\0' x >body
	kmqctl send q --file body --count 20
	is "$(field q SENT)" 20
}

@test "progress is shown on a terminal only, and not with --quiet" {
	cat >feed <<-'END'
	{ seq 20; sleep 1.3; seq 20; sleep 0.4; seq 5; } | kmqctl send q "$@"
	END
	script -qec "bash feed" /dev/null >loud & loud=$!
	script -qec "bash feed --quiet" /dev/null >quiet & quiet=$!
	bash feed >plain 2>&1
	wait "$loud"
	wait "$quiet"
	contains loud "45 messages sent"
	is "$(wc -c <quiet)" 0
	is "$(wc -c <plain)" 0
	is "$(field q SENT)" 135
}
