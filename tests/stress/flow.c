// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many producers and consumers in every way there is to send, to receive and to
 * wait, with nobody interfering.
 */
#include "stress.h"

static const struct scenario scenarios[] = {
	{
		.name = "plain",
		.queues = 1, .max_messages = 64, .max_bytes = 1 << 20,
		.max_len = 200,
		.roles = {
			{ 3, 2, SEND, PLAIN, BLOCK, 1, 0 },
			{ 3, 2, RECV, PLAIN, BLOCK, 1, 0 },
		},
	}, {
		.name = "records_and_priorities",
		.queues = 1, .max_messages = 500, .max_bytes = 1 << 20,
		.levels = 5, .max_len = 300,
		.roles = {
			{ 3, 1, SEND, RECORDS, BLOCK, 24, 0 },
			{ 1, 3, SEND, XFER, BLOCK, 8, AS_USER },
			{ 2, 1, RECV, RECORDS, BLOCK, 32, 0 },
			{ 1, 2, RECV, PLAIN, BLOCK, 1, 0 },
		},
	}, {
		.name = "several_queues",
		.queues = 5, .max_messages = 40, .max_bytes = 1 << 20,
		.max_len = 100,
		.roles = {
			{ 5, 2, SEND, RECORDS, BLOCK, 16, 0 },
			{ 5, 1, RECV, XFER, BLOCK, 16, 0 },
			{ 1, 5, RECV, PLAIN, BLOCK, 1, 0 },
		},
	}, {
		.name = "send_and_receive_in_one_call",
		.queues = 2, .max_messages = 100, .max_bytes = 1 << 20,
		.levels = 2, .max_len = 150,
		.roles = {
			{ 4, 2, SEND | RECV, XFER, DEADLINE, 16, 0 },
			{ 2, 2, SEND | RECV, XFER, DEADLINE, 1, 0 },
		},
		.needs = 1u << E_TIMEOUT,
	}, {
		.name = "poll_and_epoll",
		.queues = 2, .max_messages = 8, .max_bytes = 1 << 20,
		.max_len = 100,
		.roles = {
			{ 2, 2, SEND, PLAIN, POLL, 1, 0 },
			{ 2, 2, SEND, RECORDS, EPOLL_EDGE, 4, 0 },
			{ 2, 2, RECV, PLAIN, POLL, 1, 0 },
			{ 2, 2, RECV, PLAIN, EPOLL_ALONE, 1, 0 },
			{ 2, 2, RECV, RECORDS, EPOLL_EDGE, 4, 0 },
			{ 2, 2, RECV, XFER, EPOLL, 4, SHARED },
		},
		.needs = 1u << E_AGAIN,
	}, {
		.name = "only_exclusive_pollers",
		.queues = 1, .max_messages = 16, .max_bytes = 1 << 20,
		.max_len = 64,
		.roles = {
			{ 2, 2, SEND, RECORDS, EPOLL_ALONE, 6, 0 },
			{ 3, 2, RECV, PLAIN, EPOLL_ALONE, 1, 0 },
		},
	}, {
		.name = "deadlines_and_watermarks",
		.queues = 2, .max_messages = 60, .max_bytes = 64 << 10,
		.max_len = 500,
		.roles = {
			{ 2, 2, SEND, XFER, DEADLINE, 12, 0 },
			{ 1, 2, SEND, PLAIN, BLOCK, 1, SLOW },
			{ 2, 2, RECV, XFER, WATERMARK, 20, 0 },
			{ 1, 2, RECV, XFER, DEADLINE, 8, 0 },
			{ 1, 2, RECV, PLAIN, BLOCK, 1, SLOW },
		},
		.needs = 1u << E_TIMEOUT,
	}, {
		.name = "large_messages",
		.queues = 1, .max_messages = 100, .max_bytes = 256 << 10,
		.max_len = 60000,
		.roles = {
			{ 2, 1, SEND, RECORDS, BLOCK, 4, 0 },
			{ 2, 1, SEND, PLAIN, BLOCK, 1, 0 },
			{ 2, 1, RECV, RECORDS, BLOCK, 4, 0 },
			{ 2, 1, RECV, PLAIN, BLOCK, 1, 0 },
		},
	}, {
		.name = "oldest_make_room",
		.queues = 2, .max_messages = 50, .max_bytes = 1 << 20,
		.overflow = KMQ_OVERFLOW_DROP_HEAD, .levels = 3, .max_len = 200,
		.roles = {
			{ 3, 2, SEND, RECORDS, BLOCK, 20, 0 },
			{ 1, 2, SEND, PLAIN, EPOLL, 1, 0 },
			{ 2, 2, RECV, RECORDS, BLOCK, 8, SLOW },
		},
	}, {
		.name = "full_queue_refuses",
		.queues = 1, .max_messages = 20, .max_bytes = 1 << 20,
		.overflow = KMQ_OVERFLOW_REJECT, .max_len = 200,
		.may = MAY_FULL,
		.roles = {
			{ 3, 2, SEND, RECORDS, BLOCK, 10, 0 },
			{ 1, 2, SEND, XFER, EPOLL, 4, 0 },
			{ 2, 2, RECV, PLAIN, BLOCK, 1, 0 },
		},
		.needs = 1u << E_AGAIN,
	},
};

int main(int argc, char **argv)
{
	begin("flow", argc, argv, 14);
	run_scenarios(scenarios, ARRAY_SIZE(scenarios));
	check_nothing_left();
	return end();
}
