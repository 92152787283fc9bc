// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to processes while they send and receive: signals, stops, death,
 * forks, handles that go from hand to hand, buffers that are not there.
 */
#include "stress.h"

static unsigned int kills(struct crew *crew)
{
	kill_somebody(crew);
	nap_us(3000);
	replace_dead(crew);
	return 5000 + random_below(25000);
}

static unsigned int stops(struct crew *crew)
{
	stop_somebody(crew);
	nap_us(random_below(8000));
	if (random_below(2))
		continue_all(crew);
	return random_below(4000);
}

static unsigned int kills_and_stops(struct crew *crew)
{
	stop_somebody(crew);
	kill_somebody(crew);
	nap_us(random_below(5000));
	continue_all(crew);
	replace_dead(crew);
	return 5000 + random_below(15000);
}

static const struct scenario scenarios[] = {
	{
		.name = "signals",
		.queues = 1, .max_messages = 10, .max_bytes = 1 << 20,
		.max_len = 200, .levels = 2,
		.roles = {
			{ 2, 1, SEND, PLAIN, BLOCK, 1, BY_STORM },
			{ 2, 1, SEND, RECORDS, BLOCK, 8, BY_STORM },
			{ 1, 2, SEND, XFER, DEADLINE, 4, BY_STORM },
			{ 2, 1, RECV, PLAIN, BLOCK, 1, BY_STORM | SLOW },
			{ 1, 2, RECV, XFER, WATERMARK, 6, BY_STORM },
			{ 1, 1, SEND | RECV, XFER, DEADLINE, 4, BY_STORM },
		},
		.needs = 1u << E_INTR,
	}, {
		.name = "signals_with_restart",
		.queues = 1, .max_messages = 10, .max_bytes = 1 << 20,
		.max_len = 200,
		.roles = {
			{ 2, 1, SEND, PLAIN, BLOCK, 1, BY_RESTART },
			{ 2, 1, SEND, RECORDS, BLOCK, 8, BY_RESTART },
			{ 1, 2, SEND, XFER, BLOCK, 4, BY_RESTART },
			{ 2, 1, RECV, PLAIN, BLOCK, 1, BY_RESTART | SLOW },
			{ 1, 1, RECV, RECORDS, BLOCK, 4, BY_RESTART },
			{ 1, 2, RECV, XFER, WATERMARK, 6, BY_RESTART },
		},
	}, {
		.name = "stop_and_continue",
		.queues = 2, .max_messages = 20, .max_bytes = 1 << 20,
		.max_len = 200,
		.roles = {
			{ 3, 2, SEND, RECORDS, BLOCK, 6, STOPPED },
			{ 1, 2, SEND, PLAIN, BLOCK, 1, 0 },
			{ 2, 2, RECV, RECORDS, BLOCK, 6, STOPPED },
			{ 1, 2, RECV, XFER, WATERMARK, 6, STOPPED },
			{ 1, 2, RECV, PLAIN, BLOCK, 1, 0 },
		},
		.chaos = stops,
		.needs = 1u << E_STOP,
	}, {
		.name = "kill_producers",
		.queues = 2, .max_messages = 20, .max_bytes = 1 << 20,
		.max_len = 400,
		.roles = {
			{ 4, 2, SEND, RECORDS, BLOCK, 12, KILLED },
			{ 2, 1, SEND, PLAIN, BLOCK, 1, KILLED },
			{ 2, 1, SEND, XFER, DEADLINE, 12, KILLED },
			{ 2, 2, RECV, RECORDS, BLOCK, 8, 0 },
		},
		.chaos = kills,
		.needs = 1u << E_KILL,
	}, {
		.name = "kill_everybody",
		.queues = 2, .max_messages = 30, .max_bytes = 1 << 20,
		.levels = 3, .max_len = 400, .may = MAY_REPEAT,
		.roles = {
			{ 3, 2, SEND, RECORDS, BLOCK, 12, KILLED | STOPPED },
			{ 2, 2, SEND, XFER, BLOCK, 6, KILLED },
			{ 2, 2, RECV, RECORDS, BLOCK, 12, KILLED | STOPPED },
			{ 2, 2, RECV, PLAIN, BLOCK, 1, KILLED },
			{ 2, 2, RECV, XFER, WATERMARK, 12, KILLED },
			{ 2, 2, RECV, PLAIN, EPOLL_ALONE, 1, KILLED },
		},
		.chaos = kills_and_stops,
		.needs = 1u << E_KILL | 1u << E_STOP,
	}, {
		.name = "fork_with_handles",
		.queues = 2, .max_messages = 30, .max_bytes = 1 << 20,
		.max_len = 100,
		.roles = {
			{ 2, 1, SEND, RECORDS, BLOCK, 8, FORKS },
			{ 2, 1, SEND, XFER, BLOCK, 4, FORKS | SHARED },
			{ 2, 1, RECV, PLAIN, BLOCK, 1, FORKS },
			{ 2, 1, RECV, RECORDS, BLOCK, 8, FORKS | SHARED },
		},
		.needs = 1u << E_FORK,
	}, {
		.name = "handles_passed_on",
		.queues = 2, .max_messages = 30, .max_bytes = 1 << 20,
		.max_len = 100, .may = MAY_REPEAT,
		.roles = {
			{ 2, 2, SEND, PLAIN, BLOCK, 1, PASSED | AS_USER | KILLED },
			{ 2, 2, SEND, XFER, BLOCK, 4, PASSED | AS_USER | KILLED },
			{ 1, 2, SEND, RECORDS, BLOCK, 4, SHARED | AS_USER },
			{ 2, 2, RECV, RECORDS, BLOCK, 8, PASSED | KILLED },
			{ 1, 2, RECV, PLAIN, BLOCK, 1, PASSED | AS_USER },
		},
		.chaos = kills,
		.needs = 1u << E_KILL,
	}, {
		.name = "bad_buffers",
		.queues = 1, .max_messages = 50, .max_bytes = 1 << 20,
		.levels = 2, .max_len = 700, .may = MAY_REPEAT,
		.roles = {
			{ 2, 1, SEND, PLAIN, BLOCK, 1, BAD_BUFFERS },
			{ 2, 1, SEND, RECORDS, BLOCK, 16, BAD_BUFFERS },
			{ 2, 1, RECV, PLAIN, BLOCK, 1, BAD_BUFFERS },
			{ 2, 1, RECV, RECORDS, BLOCK, 16, BAD_BUFFERS },
		},
		.needs = 1u << E_FAULT | 1u << E_TOO_SMALL,
	},
};

int main(int argc, char **argv)
{
	begin("hurt", argc, argv, 14);
	run_scenarios(scenarios, ARRAY_SIZE(scenarios));
	check_nothing_left();
	return end();
}
