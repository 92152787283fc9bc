// SPDX-License-Identifier: GPL-2.0-only
/* The ready set against a plain array. */
#include <linux/slab.h>

#include "fixture.h"

#define NODES	600

struct entry {
	struct kmq_node node;
	bool in;
};

static struct entry entries[NODES];
static struct kmq_ready ready;
static u64 next_seq;

static void make_level(u16 priority)
{
	struct kmq_level_table *table;
	struct kmq_level_group *group;
	long missing = kmq_ready_missing(&ready, priority);

	if (!missing)
		return;
	table = kmq_level_table_alloc();
	group = kmq_level_group_alloc();
	assert_non_null(table);
	assert_non_null(group);
	assert_int_equal(kmq_ready_install(&ready, priority, &table, &group),
			 missing);
	assert_int_equal(kmq_ready_missing(&ready, priority), 0);
	kfree(table);
	kfree(group);
}

static struct entry *entry_of(struct kmq_node *node)
{
	return node ? container_of(node, struct entry, node) : NULL;
}

static struct entry *free_entry(u64 *seed)
{
	u32 i, at = random_below(seed, NODES);

	for (i = 0; i < NODES; i++)
		if (!entries[(at + i) % NODES].in)
			return &entries[(at + i) % NODES];
	return NULL;
}

static struct entry *queued_entry(u64 *seed)
{
	u32 i, at = random_below(seed, NODES);

	for (i = 0; i < NODES; i++)
		if (entries[(at + i) % NODES].in)
			return &entries[(at + i) % NODES];
	return NULL;
}

/* Sign +1: leaves first. Sign -1: gives way first (oldest of the lowest). */
static struct entry *model_best(int sign)
{
	struct entry *best = NULL;
	u32 i;

	for (i = 0; i < NODES; i++) {
		struct entry *e = &entries[i];
		int by;

		if (!e->in)
			continue;
		by = best ? (e->node.priority - best->node.priority) * sign : 1;
		if (by > 0 || (!by && e->node.seq < best->node.seq))
			best = e;
	}
	return best;
}

static u32 model_count(u64 upto)
{
	u32 i, n = 0;

	for (i = 0; i < NODES; i++)
		n += entries[i].in && entries[i].node.seq <= upto;
	return n;
}

static void start(void)
{
	memset(entries, 0, sizeof(entries));
	next_seq = 1;
	kmq_ready_init(&ready);
	assert_null(kmq_ready_first(&ready));
	assert_null(kmq_ready_least(&ready));
	assert_true(kmq_ready_plain(&ready));
}

static void end(void)
{
	kmq_ready_destroy(&ready);
	assert_int_equal(shim_live(), 0);
	assert_int_equal(shim_warnings(), 0);
}

static void put_in(struct entry *e, u16 priority)
{
	make_level(priority);
	e->node.priority = priority;
	e->node.seq = next_seq++;
	e->in = true;
	kmq_ready_append_chain(&ready, &e->node, &e->node);
}

static void take_out(struct entry *e)
{
	kmq_ready_remove(&ready, &e->node);
	e->in = false;
	assert_false(e->node.returned);
}

/* A chain as kmq_run_batch() makes it: the ends point anywhere. */
static void put_in_chain(u64 *seed, u16 priority, u32 n)
{
	struct entry *chain[8], *e;
	u32 i;

	make_level(priority);
	for (i = 0; i < n; i++) {
		e = free_entry(seed);
		if (!e)
			break;
		e->in = true;
		e->node.priority = priority;
		e->node.seq = next_seq++;
		chain[i] = e;
	}
	n = i;
	if (!n)
		return;
	for (i = 0; i < n; i++) {
		chain[i]->node.link.next = i + 1 < n ?
			&chain[i + 1]->node.link : (void *)1;
		chain[i]->node.link.prev = i ?
			&chain[i - 1]->node.link : (void *)1;
	}
	kmq_ready_append_chain(&ready, &chain[0]->node, &chain[n - 1]->node);
}

static void expect_same_ends(void)
{
	assert_ptr_equal(entry_of(kmq_ready_first(&ready)), model_best(1));
	assert_ptr_equal(entry_of(kmq_ready_least(&ready)), model_best(-1));
}

/* Take out all up to a seq, as a purge does, sends going on in between. */
static void purge_some(u64 *seed, const u16 *priorities, u32 n)
{
	u64 upto = next_seq - 1 - random_below(seed, 40);
	u32 level = KMQ_PRIORITY_MAX, want, got = 0;
	struct kmq_node *node;
	struct entry *e;

	if ((s64)upto < 0)
		upto = 0;
	want = model_count(upto);
	while ((node = kmq_ready_older(&ready, &level, upto)) != NULL) {
		assert_true(node->seq <= upto);
		take_out(entry_of(node));
		got++;
		e = free_entry(seed);
		if (e && !random_below(seed, 4))
			put_in(e, priorities[random_below(seed, n)]);
	}
	assert_int_equal(got, want);
	assert_int_equal(model_count(upto), 0);
}

static void random_operations(const u16 *priorities, u32 n, int rounds)
{
	u64 seed = seed_from_environment();
	struct entry *e;
	int i;

	start();
	for (i = 0; i < rounds; i++) {
		u16 priority = priorities[random_below(&seed, n)];
		bool growing = (i / 500) % 2 == 0;
		u32 dice = random_below(&seed, 100);

		if (dice < (growing ? 35 : 10)) {
			e = free_entry(&seed);
			if (e)
				put_in(e, priority);
		} else if (dice < (growing ? 50 : 14)) {
			put_in_chain(&seed, priority,
				     1 + random_below(&seed, 8));
		} else if (dice < 55) {
			/* out from anywhere, and perhaps back to its place */
			e = queued_entry(&seed);
			if (e) {
				take_out(e);
				expect_same_ends();
				if (random_below(&seed, 3)) {
					kmq_ready_return(&ready, &e->node);
					e->in = true;
				}
			}
		} else if (dice < 75) {
			e = entry_of(kmq_ready_first(&ready));
			assert_ptr_equal(e, model_best(1));
			if (e)
				take_out(e);
		} else if (dice < 95) {
			e = entry_of(kmq_ready_least(&ready));
			assert_ptr_equal(e, model_best(-1));
			if (e)
				take_out(e);
		} else if (dice == 99 && !random_below(&seed, 4)) {
			purge_some(&seed, priorities, n);
		}
		expect_same_ends();
	}
	/* the rest leaves in order */
	while ((e = model_best(1)) != NULL) {
		assert_ptr_equal(entry_of(kmq_ready_first(&ready)), e);
		take_out(e);
	}
	assert_null(kmq_ready_first(&ready));
	assert_int_equal(ready.above, 0);
	assert_true(kmq_ready_plain(&ready));
	end();
}

static void test_few_priorities(void **state)
{
	static const u16 priorities[] = { 0, 0, 0, 1, 2, 127, 128 };

	(void)state;
	random_operations(priorities, ARRAY_SIZE(priorities), 20000);
}

static void test_edges_of_groups(void **state)
{
	static const u16 priorities[] = {
		0, 1, 63, 64, 127, 128, 129, 255, 256, 8191, 8192, 16383,
		16384, 32639, 32640, 32766, 32767,
	};

	(void)state;
	random_operations(priorities, ARRAY_SIZE(priorities), 20000);
}

static void test_plain_only(void **state)
{
	static const u16 priorities[] = { 0 };

	(void)state;
	random_operations(priorities, ARRAY_SIZE(priorities), 10000);
}

/* One message of each priority: they leave from the top, or from the bottom. */
static void test_all_priorities(void **state)
{
	struct entry *all = calloc(KMQ_PRIORITY_MAX + 1, sizeof(*all));
	struct kmq_node *node;
	u32 i, p;

	(void)state;
	assert_non_null(all);
	start();
	for (i = 0; i <= KMQ_PRIORITY_MAX; i++)
		/* 2^15 values, each once, in an order that jumps about */
		put_in(&all[i], (i * 11403u + 77) & KMQ_PRIORITY_MAX);
	assert_int_equal(ready.above, KMQ_PRIORITY_MAX);
	for (p = 0; p <= KMQ_PRIORITY_MAX / 2; p++) {
		node = kmq_ready_least(&ready);
		assert_non_null(node);
		assert_int_equal(node->priority, p);
		take_out(entry_of(node));
		node = kmq_ready_first(&ready);
		assert_non_null(node);
		assert_int_equal(node->priority, KMQ_PRIORITY_MAX - p);
		take_out(entry_of(node));
	}
	assert_null(kmq_ready_first(&ready));
	end();
	free(all);
}

/* A returned message has its old place among those of its priority. */
static void test_returned_order(void **state)
{
	static const u8 order[] = { 3, 0, 4, 1, 5, 2 };
	u32 i;

	(void)state;
	start();
	for (i = 0; i < 8; i++)
		put_in(&entries[i], i < 6 ? 5 : 4);
	for (i = 0; i < 6; i++)
		take_out(&entries[i]);
	assert_ptr_equal(entry_of(kmq_ready_first(&ready)), &entries[6]);
	for (i = 0; i < 6; i++) {
		kmq_ready_return(&ready, &entries[order[i]].node);
		entries[order[i]].in = true;
		assert_false(kmq_ready_plain(&ready));
	}
	for (i = 0; i < 8; i++) {
		assert_ptr_equal(entry_of(kmq_ready_first(&ready)),
				 &entries[i]);
		take_out(&entries[i]);
	}
	end();
}

static void test_levels_on_demand(void **state)
{
	struct kmq_level_table *table;
	struct kmq_level_group *group;
	long both, one;

	(void)state;
	start();
	assert_int_equal(kmq_ready_missing(&ready, 0), 0);
	both = kmq_ready_missing(&ready, 300);
	table = kmq_level_table_alloc();
	group = kmq_level_group_alloc();
	assert_int_equal(shim_live_bytes(), both);
	assert_int_equal(kmq_ready_install(&ready, 300, &table, &group), both);
	assert_null(table);
	assert_null(group);
	assert_int_equal(kmq_ready_missing(&ready, 256), 0);
	assert_int_equal(kmq_ready_missing(&ready, 383), 0);
	one = kmq_ready_missing(&ready, 384);
	assert_in_range(one, 1, both - 1);

	/* somebody else was faster: what he brought stays, ours is left over */
	table = kmq_level_table_alloc();
	group = kmq_level_group_alloc();
	assert_int_equal(kmq_ready_install(&ready, 300, &table, &group), 0);
	assert_non_null(table);
	assert_non_null(group);
	assert_int_equal(kmq_ready_install(&ready, 384, &table, &group), one);
	assert_non_null(table);
	assert_null(group);
	assert_int_equal(kmq_ready_missing(&ready, 384), 0);
	kfree(table);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain_only, "ready: random operations, priority 0"),
		TEST(test_few_priorities, "ready: random operations, few priorities"),
		TEST(test_edges_of_groups, "ready: random operations, edges of groups"),
		TEST(test_all_priorities, "ready: all 32768 priorities from both ends"),
		TEST(test_returned_order, "ready: the returned find their old place"),
		TEST(test_levels_on_demand, "ready: levels come on demand, once"),
	};

	return cmocka_run_group_tests_name("ready", tests, NULL, NULL);
}
