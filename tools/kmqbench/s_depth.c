// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmqbench: scenario self with many messages queued all the time, and the
 * kernel memory these take.
 */
#include "bench.h"

/* Below this the page counters of /proc/meminfo are too coarse */
#define MEMORY_LEAST	100000u

static const char *depth_unfit(const struct bench_case *c)
{
	const struct transport *t = c->transport;

	if (!t->keeps_depth)
		return "holds too little";
	if (t->most_depth && c->depth > t->most_depth)
		return "deeper than it can be";
	return NULL;
}

static int depth_setup(struct run *r)
{
	const struct bench_case *c = r->what;

	return channel_open(&r->channel[0], c->transport, c->size, c->batch,
			    c->depth, false);
}

/*
 * By the way that is measured: a queue filled by batches and emptied by single
 * messages would allocate for each and free now and then, which no queue can
 * do for long.
 */
static int queue_up(struct channel *c, uint64_t *sent, uint64_t depth)
{
	uint64_t end = *sent + depth;

	while (*sent < end) {
		unsigned int n = c->batch;

		if (n > end - *sent)
			n = end - *sent;
		lane_stamp(&c->out, n, *sent);
		if (c->transport->send(c, n) < 0)
			return -1;
		*sent += n;
	}
	return 0;
}

static int queue_up_and_weigh(struct run *r, uint64_t *sent)
{
	struct channel *c = &r->channel[0];
	uint64_t depth = r->what->depth;
	struct memory before, after;
	int64_t own;

	if (memory_read_settled(&before) < 0 ||
	    queue_up(c, sent, depth) < 0 || memory_read(&after) < 0)
		return -1;
	if (depth < MEMORY_LEAST)
		return 0;
	r->report->mem_kernel = (double)(after.kernel - before.kernel) / depth;
	r->report->mem_free = (double)(before.free - after.free) / depth;
	if (c->transport->memory) {
		own = c->transport->memory(c);
		if (own < 0)
			return -1;
		r->report->mem_stat = (double)own / depth;
	}
	return 0;
}

static int drain(struct channel *c, uint64_t *received, uint64_t end)
{
	while (*received < end) {
		unsigned int max = c->batch;
		int n;

		if (max > end - *received)
			max = end - *received;
		n = c->transport->recv(c, max);
		if (n < 0 || lane_check(&c->in, n, *received) < 0)
			return -1;
		*received += n;
	}
	return channel_expect_empty(c);
}

static int depth_party(struct run *r, unsigned int who)
{
	struct channel *c = &r->channel[0];
	uint64_t sent = 0, received = 0;
	int rc;

	(void)who;
	if (queue_up_and_weigh(r, &sent) < 0)
		return -1;
	if (self_loop(c, warm_up_count(r->what), &sent, &received, true) < 0)
		return -1;

	party_begins(r, 0);
	r->report->begin = now_ns();
	rc = self_loop(c, r->what->count, &sent, &received, false);
	r->report->end = now_ns();
	party_ends(r, 0);
	r->report->units = r->what->count;
	return rc < 0 ? -1 : drain(c, &received, sent);
}

static void depth_teardown(struct run *r)
{
	struct memory ignored;

	channel_close(&r->channel[0]);
	memory_read_settled(&ignored);	/* quiet for the next case */
}

const struct scenario scenario_depth = {
	.name = "depth",
	.about = "as self, with --depth messages queued all the time",
	.per = "message sent and received",
	.parties = 1,
	.count = 200000,
	.per_message = true,
	.unfit = depth_unfit,
	.setup = depth_setup,
	.party = depth_party,
	.teardown = depth_teardown,
};
