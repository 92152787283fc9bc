// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmqbench: one process sends, another receives.
 *
 * On one CPU the figure depends on when the scheduler lets the reader run, so
 * it is to be read together with the context switches.
 */
#include "bench.h"

static int oneway_setup(struct run *r)
{
	const struct bench_case *c = r->what;

	return channel_open(&r->channel[0], c->transport, c->size, c->batch,
			    0, true);
}

static int send_all(struct channel *c, uint64_t *seq, uint64_t count,
		    bool whole)
{
	uint64_t end = *seq + count;

	for (; *seq < end; *seq += c->batch) {
		if (whole)
			lane_fill(&c->out, c->batch, *seq);
		else
			lane_stamp(&c->out, c->batch, *seq);
		if (c->transport->send(c, c->batch) < 0)
			return -1;
	}
	return 0;
}

static int receive_all(struct channel *c, uint64_t *seq, uint64_t count,
		       bool whole)
{
	uint64_t end = *seq + count;

	while (*seq < end) {
		int n;

		if (whole)
			lane_poison(&c->in);
		n = c->transport->recv(c, c->batch);
		if (n < 0)
			return -1;
		if ((whole ? lane_check_whole : lane_check)
		    (&c->in, n, *seq) < 0)
			return -1;
		*seq += n;
	}
	return 0;
}

static int sender(struct run *r)
{
	struct channel *c = &r->channel[0];
	uint64_t seq = 0;

	if (send_all(c, &seq, warm_up_count(r->what), true) < 0)
		return -1;
	lane_pattern(&c->out, c->batch);
	rendezvous(r, 0);
	party_begins(r, 0);
	r->report->begin = now_ns();
	if (send_all(c, &seq, r->what->count, false) < 0)
		return -1;
	party_ends(r, 0);
	return 0;
}

static int receiver(struct run *r)
{
	struct channel *c = &r->channel[0];
	uint64_t seq = 0;

	if (receive_all(c, &seq, warm_up_count(r->what), true) < 0)
		return -1;
	rendezvous(r, 1);
	party_begins(r, 1);
	if (receive_all(c, &seq, r->what->count, false) < 0)
		return -1;
	r->report->end = now_ns();
	party_ends(r, 1);
	r->report->units = r->what->count;
	return channel_expect_empty(c);
}

static int oneway_party(struct run *r, unsigned int who)
{
	return who ? receiver(r) : sender(r);
}

static void oneway_teardown(struct run *r)
{
	channel_close(&r->channel[0]);
}

const struct scenario scenario_oneway = {
	.name = "oneway",
	.about = "one process sends, another receives",
	.per = "message sent and received",
	.parties = 2,
	.count = 1000000,
	.per_message = true,
	.setup = oneway_setup,
	.party = oneway_party,
	.teardown = oneway_teardown,
};
