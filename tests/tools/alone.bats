# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bats disable=SC2016,SC2086,SC2154,SC2164
# What holds for more than one domain, and so has to be tested alone: the
# device, limits of users and of the module, other domains.

load helper

setup()
{
	clean_domain
	chmod 666 /dev/kmq
}

teardown_file()
{
	clean_domain
}

@test "rights: no access to the device" {
	chmod 600 /dev/kmq
	run --separate-stderr as_nobody kmqctl queue list
	chmod 666 /dev/kmq
	is "$status" $DENIED
	has "$stderr" "/dev/kmq"
	chmod 600 /dev/kmq
	run --separate-stderr as_nobody kmqctl status
	chmod 666 /dev/kmq
	is "$status" $DENIED
	has "$stderr" "nobody may not use /dev/kmq"
}

@test "limits: lsipc's layout, three scopes" {
	kmqctl queue create q
	ctl $OK limits
	has "${lines[0]}" RESOURCE
	has "${lines[0]}" "USE%"
	is "${#lines[@]}" 10
	run json '$d->{limits}[0]{resource}' '$d->{limits}[0]{used}' \
		'scalar @{$d->{limits}}' < <(kmqctl limits --json --scope user)
	is "${lines[*]}" '"objects" 1 3'
}

@test "limits set: takes effect, is named when it refuses" {
	as_nobody kmqctl queue create one
	ctl $OK limits set --user nobody --objects 1
	is "$(kmqctl limits show --user nobody --noheadings --raw -o LIMIT | head -1)" 1
	run --separate-stderr as_nobody kmqctl queue create two
	is "$status" $ERROR
	has "$stderr" "user nobody may have 1 objects"
	refused=$(kmqctl limits --user nobody --noheadings --raw -o REFUSED | head -1)
	[ "$refused" -ge 1 ]
	ctl $OK limits set --user nobody --objects 4096 --handles 100 --memory 64M
	is "$(kmqctl limits --user nobody --noheadings --raw --bytes -o LIMIT | tr '\n' ' ')" \
		"4096 100 67108864 "
}

@test "limits set: of the domain and the module" {
	for scope in domain module; do
		mapfile -t old < <(kmqctl limits --scope $scope --noheadings \
			--raw --bytes -o LIMIT)
		ctl $OK limits set --scope $scope --objects 77
		mapfile -t new < <(kmqctl limits --scope $scope --noheadings \
			--raw --bytes -o LIMIT)
		ctl $OK limits set --scope $scope --objects "${old[0]}"
		is "${new[*]}" "77 ${old[*]:1}"
	done
}

@test "limits set: also for a user who has nothing yet" {
	ctl $OK limits set --user 54321 --handles 3
	is "$(kmqctl limits --user 54321 --noheadings --raw -o RESOURCE,LIMIT |
		sed -n 2p)" "handles 3"
}

@test "limits set: denied to users" {
	run --separate-stderr as_nobody kmqctl limits set --user nobody --objects 5
	is "$status" $DENIED
	has "$stderr" "CAP_SYS_RESOURCE"
}

@test "reset: empties the domain and says how many" {
	for q in a b c; do kmqctl queue create $q; done
	kmqctl send a hello
	ctl $OK reset --all
	is "$output" "3 queues deleted"
	is "$(kmqctl queue list --noheadings)" ""
	run --separate-stderr as_nobody kmqctl reset --all
	is "$status" $DENIED
}

@test "--domain: another network namespace by pid and by path" {
	unshare -n sleep 100 & pid=$!
	netns_differs()
	{
		[ "$(readlink "/proc/$pid/ns/net")" != \
			"$(readlink /proc/self/ns/net)" ]
	}
	eventually netns_differs
	kmqctl queue create here
	ctl $OK -p "$pid" queue create there
	is "$(kmqctl -p "$pid" queue list -o NAME --raw --noheadings)" there
	is "$(kmqctl -p "/proc/$pid/ns/net" queue list -o NAME --raw --noheadings)" there
	is "$(kmqctl queue list -o NAME --raw --noheadings)" here
	kmqctl send -p "$pid" there hello
	is "$(kmqctl recv -p "$pid" there)" hello
	ctl $OK reset --all-domains
	is "$output" "2 queues deleted"
	kill "$pid"
	wait "$pid" || true
}
