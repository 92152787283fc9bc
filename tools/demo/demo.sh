#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# demo.sh: what kmq is for, in less than a minute. Needs root, kmq loaded and
# kmqctl in PATH; "make demo" runs it in a guest. Works with queues named
# demo.* only.
#
# KMQ_DEMO_FILE: another text file to send (default: the package database)
set -eu -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
tmp=$(mktemp -d)
screen='' bold='' plain=''
if [ -t 1 ]; then
	screen=y bold=$'\033[1m' plain=$'\033[0m'
fi

# shellcheck disable=SC2317 # it is a trap
clean_up()
{
	local p q

	for p in $(jobs -pr); do
		kill "$p" 2>/dev/null || true
	done
	for q in $(kmqctl queue list --noheadings --raw -o NAME 'demo.*' \
			2>/dev/null); do
		kmqctl -q queue delete "$q" 2>/dev/null || true
	done
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

title()
{
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say()
{
	printf '%s\n' "$@"
}

# Shows a command, then runs it.
show()
{
	printf '  $ %s\n' "$*"
	"$@"
}

die()
{
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# The tables of "queue list --watch": each in the place of the last one on a
# terminal, elsewhere without the heading unless it is another one.
draw()
{
	local line lines=0 heading=''

	while IFS= read -r line; do
		if [ -z "$line" ]; then
			[ -z "$screen" ] || printf '\033[%dA' "$lines"
			lines=0
			continue
		fi
		lines=$((lines + 1))
		if [ -n "$screen" ]; then
			printf '  %s\033[K\n' "$line"
			continue
		fi
		[ "$line" != "$heading" ] || continue
		[ "$lines" -gt 1 ] || heading=$line
		printf '  %s\n' "$line"
	done
}

# watch_queue NAME COLUMNS: until unwatch.
watch_queue()
{
	local every=1s

	[ -z "$screen" ] || every=250ms
	mkfifo "$tmp/tables"
	draw < "$tmp/tables" &
	drawer=$!
	kmqctl queue list --watch="$every" -o "$2" "$1" > "$tmp/tables" &
	watcher=$!
}

unwatch()
{
	kill "$watcher"
	wait "$watcher" 2>/dev/null || true
	wait "$drawer"
	rm "$tmp/tables"
}

check()
{
	command -v kmqctl >/dev/null ||
		die "no kmqctl in PATH; \"make demo\" sets all of this up"
	kmqctl -q status >/dev/null || exit 1
	program=$top/build/demo/registration
	[ -x "$program" ] || {
		make -s -C "$here" O="$tmp" >&2 ||
			die "cannot build $here/registration.c"
		program=$tmp/registration
	}
}

pick_file()
{
	local f

	for f in "${KMQ_DEMO_FILE:-}" /var/lib/dpkg/status /var/log/dpkg.log \
			/usr/share/common-licenses/GPL-2; do
		if [ -n "$f" ] && [ -s "$f" ] && [ -r "$f" ]; then
			cp "$f" "$tmp/input"
			file=$f
			return
		fi
	done
	die "no file to send; name one: KMQ_DEMO_FILE=FILE"
}

every_line_once()
{
	local i sent got pids=() producer

	file=''
	pick_file
	title '1. Three workers share a file, and no line is lost'
	say "Every line of $file ($(wc -l < "$tmp/input") lines) becomes a message." \
		'The queue holds 1000 of them; while it is full the sender waits.'
	show kmqctl queue create demo.lines --max-length 1000
	say "  \$ kmqctl send demo.lines --seal < $file &"
	say '  $ kmqctl recv demo.lines --follow --print seq,body > worker.1 &   (and .2, .3)'
	say 'The sender starts first and fills the queue; the workers come a second later.' ''
	watch_queue demo.lines \
		NAME,STATE,READY,WAITSEND,CONSUMERS,SENT,RECEIVED,IN/S,OUT/S
	kmqctl -q send demo.lines --seal < "$tmp/input" &
	producer=$!
	sleep 1.2
	for i in 1 2 3; do
		kmqctl -q recv demo.lines --follow --print seq,body \
			> "$tmp/worker.$i" &
		pids+=($!)
	done
	wait "$producer"
	for i in "${pids[@]}"; do
		wait "$i"
	done
	sleep 0.6
	unwatch

	say ''
	for i in 1 2 3; do
		say "  worker $i received $(wc -l < "$tmp/worker.$i") lines"
	done
	sent=$(sort "$tmp/input" | sha256sum)
	got=$(cut -f 2- "$tmp"/worker.[123] | sort | sha256sum)
	say "  sent,     sorted: ${sent%% *}" "  received, sorted: ${got%% *}"
	[ "$sent" = "$got" ] || die 'the lines received are not those sent'
	sort -n -s -k 1,1 "$tmp"/worker.[123] | cut -f 2- > "$tmp/output"
	cmp -s "$tmp/input" "$tmp/output" ||
		die 'put back in order the lines are not the file'
	say 'Each line arrived exactly once. Put in order by their numbers in the queue' \
		'they are the file again, byte for byte.'
	kmqctl -q queue delete demo.lines
}

flash_sale()
{
	local i shops=() workers=() start us sold

	title '2. A flash sale: 60 orders at once, three slow workers'
	say 'Four shops send 15 orders each as fast as they can. A worker writes one down,' \
		'then needs 30 ms more (simulated). The queue holds ten: the shops are slowed' \
		'down to the speed of the workers instead of losing orders.'
	show kmqctl queue create demo.orders --max-length 10
	say "  \$ kmqctl send demo.orders --batch 1 < shop.1 &     (four of them)"
	say "  \$ kmqctl recv demo.orders --follow --exec \\" \
		"      'read -r order; echo \"\$order\" >> sold.1; sleep 0.03' &         (three)" ''
	for i in 1 2 3; do
		kmqctl -q recv demo.orders --follow \
			--exec "read -r order; echo \"\$order\" >> '$tmp/sold.$i'; exec sleep 0.03" &
		workers+=($!)
	done
	watch_queue demo.orders \
		NAME,READY,MAXLEN,WAITSEND,CONSUMERS,SENT,RECEIVED,IN/S,OUT/S
	start=${EPOCHREALTIME/./}
	for i in 1 2 3 4; do
		seq -f "shop $i, order %g" 15 > "$tmp/shop.$i"
		kmqctl -q send demo.orders --batch 1 < "$tmp/shop.$i" &
		shops+=($!)
	done
	for i in "${shops[@]}"; do
		wait "$i"
	done
	us=$((${EPOCHREALTIME/./} - start))
	kmqctl queue seal demo.orders
	for i in "${workers[@]}"; do
		wait "$i"
	done
	unwatch

	say ''
	printf '  The shops were done after %d.%d s. The queue says:\n' \
		$((us / 1000000)) $((us / 100000 % 10))
	kmqctl queue describe demo.orders \
		-o SENT,RECEIVED,DROPPED,REFUSED,BLOCKED,BLOCKEDTIME |
		sed 's/^/  /'
	sold=$(cat "$tmp"/sold.* | sort | sha256sum)
	[ "$sold" = "$(sort "$tmp"/shop.* | sha256sum)" ] ||
		die 'the orders sold are not those sent'
	say 'BLOCKED sends had to wait, together for BLOCKEDTIME. Nothing was refused or' \
		'dropped: the checksums of the orders sent and sold are the same.'
	kmqctl -q queue delete demo.orders
}

registration()
{
	title '3. Why a queue: signing up a user'
	say 'To sign up, a service writes a record, sends a mail and a text message: three' \
		'services of 50 ms each (simulated by sleeping; queues and processes are real).' \
		'How long the user waits, measured here and now, on average of eight:' ''
	"$program" 8
	say 'Queued means: write the record, put a job into each of two queues, answer.'
}

next_steps()
{
	title 'What to try next'
	cat <<-'END'
	  make vm                      a prompt with kmq loaded; make vm-shell: one more
	  seq 10 | kmqctl send ch --create --seal; kmqctl recv ch --follow
	  kmqctl queue list --watch    kmqctl who    kmqctl limits    kmqctl --help
	  README.md                    C and shell examples, how to load it on a real machine
	  make check                   all tests
	END
}

check
say "kmq: message queues in the kernel. This is Linux $(uname -r) with kmq loaded."
every_line_once
flash_sale
registration
next_steps
