# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bats disable=SC2016,SC2086,SC2154,SC2164
# kmqctl recv: how many, how long, in which form, and what is never lost.

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

@test "one message by default" {
	kmqctl send q a b
	ctl $OK recv q
	is "$output" a
	is "$(field q READY)" 1
}

@test "it waits for the message" {
	kmqctl recv q >got & pid=$!
	eventually waiting q CONSUMERS 1
	kmqctl send q hello
	wait "$pid"
	is "$(cat got)" hello
}

@test "--max-messages takes that many" {
	seq 10 | kmqctl send q
	is "$(kmqctl recv q -n 4 | tr '\n' ' ')" "1 2 3 4 "
	is "$(field q READY)" 6
}

@test "--all takes what is there; nothing is no error" {
	ctl $OK recv q --all
	is "$output$stderr" ""
	seq 5 | kmqctl send q
	is "$(kmqctl recv q --all --max-messages 2 | wc -l)" 2
	is "$(kmqctl recv q --all | wc -l)" 3
}

@test "--all ends though a producer goes on" {
	kmqctl queue alter q --max-length 50
	timeout 20 kmqctl send q x --count 1000000 2>/dev/null & pid=$!
	eventually waiting q WAITSEND 1
	run timeout 15 kmqctl recv q --all
	is "$status" 0
	kill "$pid"
	wait "$pid" || true
}

@test "--timeout: exit 5 on an empty queue, after about that time" {
	ctl $EMPTY recv q --timeout 0
	has "$stderr" "no message is there"
	start=$(date +%s%N)
	ctl $EMPTY recv q --timeout 700ms
	(($(date +%s%N) - start >= 700000000))
	has "$stderr" "no message came for 0.7 s"
	ctl $EMPTY recv q --timeout 0 --quiet
	is "$stderr" ""
}

@test "--timeout 0 takes what is there" {
	kmqctl send q a
	ctl $OK recv q --timeout 0
	is "$output" a
}

@test "--max-messages with --timeout: what came, then exit 5" {
	kmqctl send q a b
	ctl $EMPTY recv q -n 5 --timeout 300ms
	is "$output" "$(printf 'a\nb')"
}

@test "--follow until sealed and drained" {
	kmqctl recv q --follow >got & pid=$!
	eventually waiting q CONSUMERS 1
	seq 100 | kmqctl send q
	kmqctl queue seal q
	wait "$pid"
	seq 100 | cmp - got
}

@test "--follow ends by the signal, nothing half done" {
	kmqctl recv q --follow >got & pid=$!
	eventually waiting q CONSUMERS 1
	kmqctl send q a
	eventually contains got a
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	is "$rc" 143
	kmqctl send q b
	is "$(field q READY,RECEIVED)" "1 1"
}

@test "--follow --max-messages, --follow --timeout" {
	seq 5 | kmqctl send q
	is "$(kmqctl recv q --follow -n 2 | wc -l)" 2
	ctl $EMPTY recv q --follow --timeout 300ms
	is "${#lines[@]}" 3
}

@test "sealed and drained: exit 5 when a message was asked for" {
	kmqctl queue seal q
	ctl $EMPTY recv q
	has "$stderr" "end of stream"
	ctl $OK recv q --follow
	ctl $OK recv q --all
}

@test "missing, and deleted while it waits: exit 3" {
	ctl $NOT_FOUND recv nope
	has "$stderr" "kmqctl queue create nope"
	kmqctl recv q 2>err & pid=$!
	eventually waiting q CONSUMERS 1
	kmqctl queue delete q
	rc=0
	wait "$pid" || rc=$?
	is "$rc" $NOT_FOUND
	contains err deleted
}

@test "several queues: all are heard, to the end of each" {
	kmqctl queue create r
	kmqctl recv q r --follow --print queue,body >got & pid=$!
	eventually waiting q CONSUMERS 1
	eventually waiting r CONSUMERS 1
	kmqctl send r from-r
	eventually contains got "$(printf 'r\tfrom-r')"
	kmqctl send q from-q
	eventually contains got "$(printf 'q\tfrom-q')"
	kmqctl queue seal q
	kmqctl send r more
	eventually contains got more
	kmqctl queue seal r
	wait "$pid"
}

@test "several queues take turns" {
	kmqctl queue create r
	kmqctl send q a --count 10
	kmqctl send r b --count 10
	is "$(kmqctl recv q r -n 10 | sort | uniq -c | tr -s ' \n' ' ')" " 5 a 5 b "
	is "$(kmqctl recv q r --all | wc -l)" 10
}

@test "| head -1 loses nothing beyond what was written" {
	seq 1000 >want
	kmqctl send q <want
	mkfifo pipe
	timeout 20 kmqctl recv q --follow >pipe & pid=$!
	head -1 <pipe >got
	rc=0
	wait "$pid" || rc=$?
	is "$(cat got)" 1
	# One error at most was met by a message in hand; a pipe holds 64K.
	if [ "$rc" -ne 141 ]; then is "$rc" $ERROR; fi
	kmqctl queue seal q
	received=$(field q RECEIVED)
	kmqctl recv q --follow >rest
	is "$((received + $(wc -l <rest)))" 1000
	tail -n +$((received + 1)) want | cmp - rest
}

@test "a closed output takes no further message" {
	mkfifo pipe
	timeout 20 kmqctl recv q --follow >pipe & pid=$!
	exec 9<pipe
	kmqctl send q a
	read -r line <&9
	is "$line" a
	exec 9<&-
	rc=0
	wait "$pid" || rc=$?
	is "$rc" 141
	kmqctl send q b
	is "$(field q READY)" 1
}

@test "no output at all: nothing is taken" {
	kmqctl send q a
	run --separate-stderr bash -c 'kmqctl recv q >&-'
	is "$status" $ERROR
	has "$stderr" "not open for writing"
	is "$(field q READY)" 1
}

@test "output that fails: stops at once, says what is lost" {
	kmqctl send q a b c
	run --separate-stderr bash -c 'kmqctl recv q --follow >/dev/full'
	is "$status" $ERROR
	has "$stderr" "No space left on device"
	has "$stderr" "1 message taken from q, from number 1 on"
	is "$(field q READY)" 2
	run --separate-stderr bash -c 'kmqctl recv q --follow --batch 8 >/dev/full'
	has "$stderr" "2 messages taken from q, from number 2 on"
}

@test "--batch takes many at a time, the output is the same" {
	seq 3000 >want
	kmqctl send q <want
	kmqctl recv q --all --batch 64 >got
	cmp want got
}

@test "--raw: the bytes and nothing else" {
	printf 'a\0b\n\xff' >want
	kmqctl send q --file want
	kmqctl recv q --raw >got
	cmp want got
	kmqctl send q a b c
	is "$(kmqctl recv q --raw --all)" abc
}

@test "bytes pass untouched when it is no terminal" {
	printf '\033[31mred\a\xff' >want
	kmqctl send q --file want
	printf '\n' >>want
	kmqctl recv q >got
	cmp want got
}

@test "control bytes are escaped on a terminal" {
	printf '\033[31mred\a\xff\ttab' >body
	kmqctl send q --file body
	run script -qec "kmqctl recv q" /dev/null
	has "$output" '\x1b[31mred\x07\xff'
	has "$output" $'\ttab'
	run ! grep -q $'\033' <<<"$output"
}

@test "--print: every field" {
	kmqctl send q hello -P 3 -k key -H a=b
	ctl $OK recv q --print queue,seq,priority,size,deliveries,cookie,uid,gid,key,headers,body
	is "$output" "$(printf 'q\t1\t3\t5\t1\t0\t0\t0\tkey\ta=b\thello')"
	kmqctl send q x & pid=$!
	wait "$pid"
	is "$(kmqctl recv q --print sender)" "$pid/0"
	kmqctl send q x
	[[ $(kmqctl recv q --print time,pid) =~ ^20[0-9T:.-]+Z$'\t'[0-9]+$ ]]
}

@test "--json: one object a line, with everything" {
	kmqctl send q 'say "hi"	\ there' -P 3 -k key -H a=b
	kmqctl send q 'two
lines'
	kmqctl recv q --json --all >got
	is "$(wc -l <got)" 2
	run json '$d->{body}' '$d->{queue}' '$d->{seq}' '$d->{priority}' \
		'$d->{size}' '$d->{uid}' '$d->{key}' '$d->{headers}' \
		'$d[1]{body}' <got
	is "$output" "$(cat <<-'END'
	"say \"hi\"\t\\ there"
	"q"
	1
	3
	16
	0
	"key"
	[{"name":"a","value":"b"}]
	"two\nlines"
	END
	)"
}

@test "--json: UTF-8 as text, other bytes as base64" {
	kmqctl send q 'grüße €'
	bodies=('\xff' 'a\0b' '\033[1m' '\xc0\x80' '\xed\xa0\x80' 'ab' 'abc\a')
	for body in "${bodies[@]}"; do
		# shellcheck disable=SC2059 # the escapes are the body
		printf "$body" | kmqctl send q --file -
	done
	kmqctl recv q --json --all >got
	run json '$d->{body} eq "gr\x{fc}\x{df}e \x{20ac}"' \
		'[map { $_->{body} } @d[1..7]]' \
		'join " ", map { $_->{body_base64} // "-" } @d[1..7]' <got
	is "${lines[0]}" 1
	is "${lines[1]}" '[null,null,null,null,null,"ab",null]'
	want=
	for body in "${bodies[@]}"; do
		# shellcheck disable=SC2059
		[ "$body" = ab ] && want+="- " || want+="$(printf "$body" | base64) "
	done
	is "${lines[2]}" "\"${want% }\""
}

@test "--exec: body on its input, the rest in its environment" {
	kmqctl send q hello -P 7 --key k1
	ctl $OK recv q --exec 'cat; echo; echo "$KMQ_QUEUE $KMQ_SEQ $KMQ_PRIORITY $KMQ_SIZE $KMQ_UID $KMQ_KEY"'
	is "$output" "$(printf 'hello\nq 1 7 5 0 k1')"
	kmqctl send q nokey
	is "$(KMQ_KEY=old kmqctl recv q --exec 'echo "<$KMQ_KEY>"')" "<>"
}

@test "--exec: a body of any bytes and size, read or not" {
	kmqctl queue alter q --max-msg-size 1M
	head -c 1000000 /dev/urandom >want
	kmqctl send q --file want --count 2
	kmqctl recv q --exec 'cat >got'
	cmp want got
	ctl $OK recv q --exec true
}

@test "--exec: a failing command stops it, and the message is named" {
	seq 5 | kmqctl send q
	ctl $ERROR recv q --follow --exec 'read n; test "$n" != 3'
	has "$stderr" "failed with status 1 at message 3 of q, which is gone"
	is "$(field q READY)" 2
	ctl $ERROR recv q --exec 'kill -9 $$'
	has "$stderr" "killed by signal 9"
	ctl $ERROR recv q --exec /no/such/command
	has "$stderr" "status 127"
}

@test "--exec: SIGPIPE and friends are as usual in the command" {
	kmqctl send q hello
	ctl $OK recv q --exec 'yes | head -1'
	is "$output" y
	has_not "$stderr" "Broken pipe"
}

@test "three workers share the work, each message once" {
	seq 600 >want
	for i in 1 2 3; do
		kmqctl recv q --follow >"got.$i" &
	done
	eventually waiting q CONSUMERS 3
	kmqctl send q --seal <want
	wait
	cat got.* | sort -n | cmp - want
}

@test "an empty message is a message" {
	kmqctl send q ''
	ctl $OK recv q
	is "$output" ""
	is "$(field q RECEIVED)" 1
}

@test "a message larger than any buffer at hand" {
	kmqctl queue alter q --max-msg-size 1M
	head -c 1048576 /dev/urandom >want
	kmqctl send q small
	kmqctl send q --file want
	kmqctl recv q >/dev/null
	kmqctl recv q --raw >got
	cmp want got
}
