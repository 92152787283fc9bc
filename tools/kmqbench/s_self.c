// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: one thread sends, then receives: the cost of the path alone */
#include "bench.h"

static int self_setup(struct run *r)
{
	const struct bench_case *c = r->what;

	return channel_open(&r->channel[0], c->transport, c->size, c->batch,
			    0, false);
}

/* @whole is a constant where this is called */
static inline __attribute__((always_inline))
int loop(struct channel *c, uint64_t count, uint64_t *sent,
	 uint64_t *received, bool whole)
{
	unsigned int batch = c->batch;
	uint64_t done;

	for (done = 0; done < count; done += batch) {
		unsigned int got = 0;
		int n;

		if (whole) {
			lane_fill(&c->out, batch, *sent);
			lane_poison(&c->in);
		} else {
			lane_stamp(&c->out, batch, *sent);
		}
		*sent += batch;
		n = channel_exchange(c, c, batch, batch);
		for (;;) {
			if (n < 0)
				return -1;
			if ((whole ? lane_check_whole : lane_check)
			    (&c->in, n, *received) < 0)
				return -1;
			*received += n;
			got += n;
			if (got >= batch)
				break;
			n = c->transport->recv(c, batch - got);
		}
	}
	return 0;
}

int self_loop(struct channel *c, uint64_t count, uint64_t *sent,
	      uint64_t *received, bool whole)
{
	int rc;

	if (!whole)
		return loop(c, count, sent, received, false);
	rc = loop(c, count, sent, received, true);
	lane_pattern(&c->out, c->batch);
	return rc;
}

static int self_party(struct run *r, unsigned int who)
{
	struct channel *c = &r->channel[0];
	uint64_t sent = 0, received = 0;
	int rc;

	(void)who;
	if (self_loop(c, warm_up_count(r->what), &sent, &received, true) < 0)
		return -1;

	party_begins(r, 0);
	r->report->begin = now_ns();
	rc = self_loop(c, r->what->count, &sent, &received, false);
	r->report->end = now_ns();
	party_ends(r, 0);
	r->report->units = r->what->count;
	return rc < 0 ? -1 : channel_expect_empty(c);
}

static void self_teardown(struct run *r)
{
	channel_close(&r->channel[0]);
}

const struct scenario scenario_self = {
	.name = "self",
	.about = "one thread sends one message or batch, then receives it",
	.per = "message sent and received",
	.parties = 1,
	.count = 200000,
	.per_message = true,
	.setup = self_setup,
	.party = self_party,
	.teardown = self_teardown,
};
