# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bats disable=SC2016,SC2086,SC2154,SC2164
# What kmqctl says without kmq: usage, help, completion, and that it is absent.

load helper

@test "no verb: usage, exit 2, the verbs are named" {
	ctl $USAGE
	has "$stderr" "send, recv"
}

@test "--help fits a screen of 80 by 25 and names every verb" {
	ctl $OK --help
	[ "$(wc -l <<<"$output")" -le 25 ]
	run ! grep -qE '.{81}' <<<"$output"
	run kmqctl --help
	for verb in create list describe alter purge seal unseal delete unlink \
		send recv who status limits ping reset; do
		has "$output" "$verb"
	done
}

@test "help without dashes" {
	ctl $OK help
	has "$output" "Usage: kmqctl"
}

@test "every verb has --help, at most 80 columns wide" {
	for verb in "queue create" "queue list" "queue describe" "queue alter" \
		"queue purge" "queue seal" "queue unseal" "queue delete" \
		"queue unlink" send recv who status limits ping reset; do
		ctl $OK $verb --help
		has "$output" "Usage: kmqctl $verb"
		has "$output" "--domain"
		run ! grep -E '.{81}' <<<"$output"
	done
}

@test "queue --help lists the verbs of the noun" {
	ctl $OK queue --help
	has "$output" "queue unseal"
}

@test "aliases lead to the same verb" {
	for pair in ls:list rm:delete info:describe close:seal; do
		ctl $OK queue "${pair%:*}" --help
		has "$output" "Usage: kmqctl queue ${pair#*:}"
		has "$output" "Also called: ${pair%:*}"
	done
}

@test "--version" {
	ctl $OK --version
	[[ $output =~ ^kmqctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "unknown verb: named, with the nearest and the known ones" {
	ctl $USAGE snd jobs
	has "$stderr" 'unknown verb "snd"'
	has "$stderr" "did you mean send?"
	ctl $USAGE queue crate jobs
	has "$stderr" 'unknown verb "queue crate"; did you mean create?'
	ctl $USAGE xyzzy
	has_not "$stderr" "did you mean"
	has "$stderr" "Known: send, recv"
}

@test "a verb of queue without its noun" {
	ctl $USAGE create jobs
	has "$stderr" 'did you mean "kmqctl queue create"?'
}

@test "queue without a verb" {
	ctl $USAGE queue
	has "$stderr" "One of: create, list"
}

@test "unknown option: named, with the nearest ones" {
	ctl $USAGE queue create jobs --max-lenght 5
	has "$stderr" "unknown option --max-lenght; did you mean --max-length?"
	ctl $USAGE queue list -Z
	has "$stderr" "unknown option -Z"
	ctl $USAGE --colour queue list
	has "$stderr" "unknown option --colour"
}

@test "ambiguous, superfluous and missing values" {
	ctl $USAGE queue create jobs --max 5
	has "$stderr" "--max-length, --max-messages, --max-bytes"
	ctl $USAGE queue create jobs --if-not-exists=yes
	has "$stderr" "option --if-not-exists takes no value"
	ctl $USAGE queue create jobs --max-length
	has "$stderr" "option --max-length needs a value"
	ctl $USAGE send jobs -P
	has "$stderr" "option --priority needs a value"
}

@test "an option before the noun that the verb has no use for" {
	ctl $USAGE --json queue seal jobs
	has "$stderr" "--json means nothing to queue seal"
	ctl $USAGE -o NAME send jobs hello
	has "$stderr" "--output means nothing to send"
}

@test "a name is missing, or one too many" {
	for verb in "queue create" "queue describe" "queue alter" \
		"queue purge" "queue seal" "queue unseal" "queue delete" \
		"queue unlink" send recv; do
		ctl $USAGE $verb
		has "$stderr" "which queue? Usage: kmqctl $verb"
	done
	ctl $USAGE queue create a b
	has "$stderr" 'one argument too many: "b"'
	ctl $USAGE status now
	ctl $USAGE ping jobs
	ctl $USAGE reset --all jobs
	has "$stderr" "kmqctl queue delete jobs"
}

@test "values that are no values, for each kind of option" {
	ctl $USAGE queue create a --max-length 0
	has "$stderr" '--max-length: "0" is no number from 1 to 2147483647'
	ctl $USAGE queue create a --max-length 12x
	ctl $USAGE queue create a --max-messages -1
	ctl $USAGE queue create a --max-bytes 12Q
	has "$stderr" "allowed: a number of bytes, or with K, M, G or T"
	ctl $USAGE queue create a --max-bytes 99999999999999999999
	ctl $USAGE queue create a --max-bytes 99999999T
	ctl $USAGE queue create a --max-bytes -5
	ctl $USAGE queue create a --max-msg-size 1Kb
	ctl $USAGE queue create a --overflow lose
	has "$stderr" "none of block, reject-publish, drop-head"
	ctl $USAGE queue create a --mode 0888
	has "$stderr" "octal"
	ctl $USAGE queue create a --owner no-such-user-here
	has "$stderr" 'no user "no-such-user-here"'
	ctl $USAGE queue create a --owner root:no-such-group-here
	ctl $USAGE queue create a --owner root:
	ctl $USAGE queue create a --owner ''
	ctl $USAGE send a -P 32768 x
	has "$stderr" '--priority: "32768" is no number from 0 to 32767'
	ctl $USAGE send a --count 0 x
	ctl $USAGE send a --batch 0 x
	ctl $USAGE send a --key '' x
	ctl $USAGE send a --header novalue x
	has "$stderr" '"novalue" is not NAME=VALUE'
	ctl $USAGE send a --header =v x
	ctl $USAGE send a --send-on never
	has "$stderr" "none of newline, eof"
	ctl $USAGE send a --timeout soon x
	has "$stderr" "500ms, 2s"
	ctl $USAGE recv a --timeout 3y
	ctl $USAGE recv a --timeout 99999h
	ctl $USAGE recv a --timeout .
	ctl $USAGE recv a --max-messages 0
	ctl $USAGE recv a --print body,colour
	has "$stderr" 'unknown field "colour"'
	has "$stderr" "Fields: body, key"
	ctl $USAGE queue list -o NAME,SIZE
	has "$stderr" 'unknown column "SIZE"; known: NAME,'
	ctl $USAGE queue list --watch=0
	ctl $USAGE limits --scope world
	ctl $USAGE limits get
}

@test "options that exclude each other" {
	ctl $USAGE recv a --all --follow
	ctl $USAGE recv a --all --timeout 1
	ctl $USAGE recv a --raw --json
	ctl $USAGE recv a --raw --print key
	ctl $USAGE recv a --exec cat --json
	ctl $USAGE recv a --exec cat --batch 4
	ctl $USAGE send a --file /dev/null hello
	ctl $USAGE limits --scope module --user root
}

@test "steps that must be told what to do" {
	ctl $USAGE queue alter jobs
	has "$stderr" "alter what?"
	ctl $USAGE reset
	has "$stderr" "--all"
	ctl $USAGE limits set
	ctl $USAGE limits set --scope domain
	ctl $USAGE limits --objects 5
}

@test "output that cannot be written is an error" {
	run --separate-stderr bash -c 'kmqctl --help >/dev/full'
	is "$status" $ERROR
	has "$stderr" "No space left on device"
}

@test "a domain that does not exist" {
	ctl $NOT_FOUND -p no-such-netns queue list
	has "$stderr" 'no domain "no-such-netns"'
	has "$stderr" "ip-netns(8)"
	ctl $NOT_FOUND -p 4000000000 queue list
	ctl $NOT_FOUND -p /no/such/file queue list
}

@test "no module: every verb says so, exit 1" {
	[ ! -e /dev/kmq ] || skip "kmq is here"
	for verb in "queue list" "queue create a" "queue delete a" "send a b" \
		"recv a" who limits ping "reset --all"; do
		ctl $ERROR $verb
		has "$stderr" "/dev/kmq"
		has "$stderr" "modprobe kmq"
	done
}

@test "no module: status tells why and what to do, also as JSON" {
	[ ! -e /dev/kmq ] || skip "kmq is here"
	ctl $ERROR status
	has "$stderr" "kmq"
	has "$stderr" "modprobe kmq"
	ctl $ERROR status --json
	has "$output" '"state": "not-loaded"'
	has "$output" '"advice": "'
}

# complete WORD...: what bash would offer for the last one.
complete_words()
{
	# shellcheck source=/dev/null
	. "$BATS_TEST_DIRNAME/../../tools/completion/kmqctl"
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_kmqctl
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "completion: verbs and options" {
	run complete_words kmqctl ''
	has "$output" queue
	has "$output" recv
	run complete_words kmqctl queue un
	is "$output" "$(printf 'unseal\nunlink')"
	run complete_words kmqctl queue create jobs --max-m
	is "$output" "$(printf -- '--max-messages\n--max-msg-size')"
	run complete_words kmqctl -p 1 --json send jobs --se
	is "$output" "$(printf -- '--send-on\n--seal')"
	run complete_words kmqctl limits --scope 'do'
	is "$output" domain
	run complete_words kmqctl limits --scope = 'do'
	is "$output" domain
	run complete_words kmqctl queue create x --overflow dr
	is "$output" drop-head
	run complete_words kmqctl limits s
	is "$output" "$(printf 'show\nset')"
}

@test "the manual page names every option of every verb" {
	page=$BATS_TEST_DIRNAME/../../tools/man/kmqctl.1.scd
	for verb in "queue create" "queue list" "queue describe" "queue alter" \
		"queue delete" send recv who status limits ping reset; do
		for option in $(kmqctl $verb --help | grep -oE '^ +(-.,)? +--[a-z-]+' |
				grep -oE -- '--[a-z-]+'); do
			grep -qF -- "*$option*" "$page" ||
				{ echo "$verb $option"; false; }
		done
	done
}
