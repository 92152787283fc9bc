// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmqbench: open and close one of many named objects, picked at random (but
 * the same ones each time), and the kernel memory an empty one takes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

#define PICKS		1024u
#define MEMORY_LEAST	10000u

static const char *names_unfit(const struct bench_case *c)
{
	const struct name_ops *ops = c->transport->names;

	if (!ops)
		return "has no names";
	if (c->batch > 1)
		return "opens go one at a time";
	if (ops->most && c->names > ops->most)
		return "more names than there can be";
	return NULL;
}

static void make_name(struct bench_name *n, pid_t pid, uint64_t i)
{
	snprintf(n->text, sizeof(n->text), "/kmqbench-%d-%06" PRIu64, pid, i);
	n->key = (int)(0x4b000000u + i);
}

static int names_setup(struct run *r)
{
	const struct name_ops *ops = r->what->transport->names;

	return ops->begin ? ops->begin(r->what->names) : 0;
}

static int create_and_weigh(struct run *r, pid_t pid)
{
	const struct name_ops *ops = r->what->transport->names;
	uint64_t i, names = r->what->names;
	struct memory before, after;
	struct bench_name n;

	if (memory_read_settled(&before) < 0)
		return -1;
	for (i = 0; i < names; i++) {
		make_name(&n, pid, i);
		if (ops->create(&n) < 0)
			return -1;
		r->report->units = i + 1;
	}
	if (memory_read_settled(&after) < 0)
		return -1;
	if (names >= MEMORY_LEAST) {
		r->report->mem_kernel =
			(double)(after.kernel - before.kernel) / names;
		r->report->mem_free =
			(double)(before.free - after.free) / names;
	}
	return 0;
}

static int visit(const struct name_ops *ops, const struct bench_name *picks,
		 uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		if (ops->visit(&picks[i % PICKS]) < 0)
			return -1;
	return 0;
}

static int names_party(struct run *r, unsigned int who)
{
	const struct name_ops *ops = r->what->transport->names;
	static struct bench_name picks[PICKS];
	pid_t pid = getppid();
	uint64_t x = 1, i;

	(void)who;
	if (create_and_weigh(r, pid) < 0)
		return -1;
	for (i = 0; i < PICKS; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		make_name(&picks[i], pid, (x >> 33) % r->what->names);
	}
	if (visit(ops, picks, warm_up_count(r->what)) < 0)
		return -1;

	party_begins(r, 0);
	r->report->begin = now_ns();
	if (visit(ops, picks, r->what->count) < 0)
		return -1;
	r->report->end = now_ns();
	party_ends(r, 0);
	return 0;
}

/* In the main process, so that it happens whatever became of the worker */
static void names_teardown(struct run *r)
{
	const struct name_ops *ops = r->what->transport->names;
	struct memory ignored;
	struct bench_name n;
	uint64_t i;

	for (i = 0; i < r->report->units; i++) {
		make_name(&n, getpid(), i);
		ops->remove(&n);
	}
	r->report->units = r->what->count;	/* so far: names created */
	memory_read_settled(&ignored);	/* quiet for the next case */
	if (ops->end)
		ops->end();
}

const struct scenario scenario_names = {
	.name = "names",
	.about = "open and close one of --names empty queues",
	.per = "open and close",
	.parties = 1,
	.count = 200000,
	.unfit = names_unfit,
	.setup = names_setup,
	.party = names_party,
	.teardown = names_teardown,
};
