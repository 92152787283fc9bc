// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmqbench: two processes answer each other, one message at a time.
 *
 * The figure is that of a whole round trip, two messages. Where the transport
 * can, a party sends its message and receives the next one in a single call.
 */
#include "bench.h"

enum { PING, PONG };

static const char *pingpong_unfit(const struct bench_case *c)
{
	return c->batch > 1 ? "answers go one at a time" : NULL;
}

static int pingpong_setup(struct run *r)
{
	const struct bench_case *c = r->what;
	int i;

	for (i = PING; i <= PONG; i++)
		if (channel_open(&r->channel[i], c->transport, c->size, 1, 0,
				 true) < 0)
			return -1;
	return 0;
}

static void prepare(struct channel *out, struct channel *in, uint64_t seq,
		    bool whole)
{
	if (whole) {
		lane_fill(&out->out, 1, seq);
		lane_poison(&in->in);
	} else {
		lane_stamp(&out->out, 1, seq);
	}
}

static int check(struct channel *in, uint64_t seq, bool whole)
{
	return (whole ? lane_check_whole : lane_check)(&in->in, 1, seq);
}

static int client_trips(struct run *r, uint64_t *seq, uint64_t trips,
			bool whole)
{
	struct channel *out = &r->channel[PING], *in = &r->channel[PONG];
	uint64_t end = *seq + trips;

	for (; *seq < end; ++*seq) {
		prepare(out, in, *seq, whole);
		if (channel_exchange(out, in, 1, 1) < 0 ||
		    check(in, *seq, whole) < 0)
			return -1;
	}
	return 0;
}

/* The first receive and the last send stand alone */
static int server_trips(struct run *r, uint64_t *seq, uint64_t trips,
			bool whole)
{
	struct channel *out = &r->channel[PONG], *in = &r->channel[PING];
	uint64_t end = *seq + trips;

	if (in->transport->recv(in, 1) < 0)
		return -1;
	for (;;) {
		if (check(in, *seq, whole) < 0)
			return -1;
		prepare(out, in, *seq, whole);
		if (++*seq == end)
			return out->transport->send(out, 1);
		if (channel_exchange(out, in, 1, 1) < 0)
			return -1;
	}
}

static uint64_t warm_trips(const struct run *r)
{
	uint64_t n = warm_up_count(r->what) / 2;

	return n ? n : 1;
}

static int client(struct run *r)
{
	struct report *rep = r->report;
	uint64_t trips = r->what->count / 2, seq = 0;

	if (client_trips(r, &seq, warm_trips(r), true) < 0)
		return -1;
	lane_pattern(&r->channel[PING].out, 1);
	rendezvous(r, 0);
	party_begins(r, 0);
	rep->begin = now_ns();
	if (client_trips(r, &seq, trips, false) < 0)
		return -1;
	rep->end = now_ns();
	party_ends(r, 0);
	rep->units = trips;
	return channel_expect_empty(&r->channel[PONG]);
}

static int server(struct run *r)
{
	uint64_t trips = r->what->count / 2, seq = 0;

	if (server_trips(r, &seq, warm_trips(r), true) < 0)
		return -1;
	lane_pattern(&r->channel[PONG].out, 1);
	rendezvous(r, 1);
	party_begins(r, 1);
	if (server_trips(r, &seq, trips, false) < 0)
		return -1;
	party_ends(r, 1);
	return channel_expect_empty(&r->channel[PING]);
}

static int pingpong_party(struct run *r, unsigned int who)
{
	return who ? server(r) : client(r);
}

static void pingpong_teardown(struct run *r)
{
	channel_close(&r->channel[PING]);
	channel_close(&r->channel[PONG]);
}

const struct scenario scenario_pingpong = {
	.name = "pingpong",
	.about = "two processes answer each other, one message at a time",
	.per = "round trip of two messages",
	.parties = 2,
	.count = 200000,
	.per_message = true,
	.unfit = pingpong_unfit,
	.setup = pingpong_setup,
	.party = pingpong_party,
	.teardown = pingpong_teardown,
};
