// SPDX-License-Identifier: GPL-2.0-only
/* Messages into a queue: bounds, order of admission, what gives way. */
#include "fixture.h"

static void expect_order(const u64 *ids, u32 n)
{
	struct kmq_take t;

	assert_int_equal(take(b, &t, MAX_IDS, false), n ? 0 : -EAGAIN);
	expect_taken(&t, ids, n);
}

static void expect_all_from(u64 first, u32 n)
{
	struct kmq_take t;
	u32 got = 0;

	/* as many holds of the lock as the budget asks for */
	while (got < n) {
		assert_int_equal(take(b, &t, n - got, false), 0);
		assert_true(t.count > 0);
		got += t.count;
		expect_range(&t, first + got - t.count, t.count);
	}
	assert_int_equal(take(b, &t, 1, false), -EAGAIN);
}

static void test_in_order(void **state)
{
	struct kmq_stat_args st;
	u32 n;

	(void)state;
	open_queue(10000, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (n = 1; n <= 40; n++)
		assert_int_equal(send_some(a, 0, n % 5 * 100, n), 0);
	st = stat_of(&world);
	assert_int_equal(st.ready, 820);
	assert_int_equal(st.sent, 820);
	assert_int_equal(st.next_seq, 821);
	assert_int_equal(a->port.sent, 820);
	assert_int_equal(st.memory, atomic_long_read(
			 &world.user.used[KMQ_R_BYTES]) -
			 atomic_long_read(&a->credit->avail));
	expect_all_from(1, 820);
	st = stat_of(&world);
	assert_int_equal(st.received, 820);
	assert_int_equal(st.received_bytes, st.sent_bytes);
	assert_int_equal(st.bytes + st.memory + st.ready, 0);
	assert_int_equal(b->port.received, 820);
}

static void test_priorities(void **state)
{
	static const struct spec mixed[] = {
		{ 5, 8 }, { 0, 8 }, { 32767, 8 }, { 5, 8 }, { 0, 8 }, { 6, 8 },
	};
	struct kmq_send s;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	kmq_send_init(&s, &a->port);
	assert_int_equal(batch_add(a, &s, mixed, 6), 0);
	assert_int_equal(send_batch(a, &s, false), 0);
	assert_int_equal(s.last_seq, 6);
	assert_int_equal(send_some(a, 5, 8, 1), 0);
	assert_int_equal(send_some(a, 0, 8, 1), 0);
	assert_int_equal(send_some(a, 32767, 8, 1), 0);
	/* 9 came last, with the priority of 3: behind it */
	assert_int_equal(receive_one(b), 3);
	expect_order((const u64[]){ 9, 6, 1, 4, 7, 2, 5, 8 }, 8);
}

/* Bounds hold exactly, one message at a time and in batches. */
static void test_bounds_are_exact(void **state)
{
	struct kmq_send s;

	(void)state;
	open_queue(5, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 5), 0);
	assert_int_equal(send_some(a, 0, 0, 1), -EAGAIN);
	assert_int_equal(world.q.count, 5);
	expect_all_from(1, 5);

	alter(&world, 100, 5 * record_bytes(8), KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 8, 4), 0);
	assert_int_equal(send_some(a, 0, 9, 1), -EAGAIN);
	assert_int_equal(send_some(a, 0, 8, 1), 0);
	assert_int_equal(send_some(a, 0, 0, 1), -EAGAIN);
	assert_int_equal(world.q.bytes, 5 * record_bytes(8));
	assert_int_equal(purge(&world, U64_MAX), 5);

	/* a prefix of a batch goes in, the rest is told */
	batch_make(a, &s, 0, 8, 7);
	assert_int_equal(send_batch(a, &s, false), -EAGAIN);
	assert_int_equal(world.q.count, 5);
	assert_int_equal(stat_of(&world).refused_full, 4);
}

static void test_prefix_of_mixed_sizes(void **state)
{
	static const struct spec spec[] = {
		{ 0, 8 }, { 0, 100 }, { 0, 8 }, { 0, 500 }, { 0, 8 },
	};
	struct kmq_effects fx;
	struct kmq_send s;

	(void)state;
	open_queue(100, 600, KMQ_OVERFLOW_BLOCK);
	kmq_send_init(&s, &a->port);
	assert_int_equal(batch_add(a, &s, spec, 5), 0);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, false, &fx), -EAGAIN);
	assert_false(fx.again);
	assert_int_equal(fx.readable, 3);
	assert_int_equal(s.left, 2);
	assert_int_equal(s.last_seq, 3);
	finish(&world, &fx);

	/* the same batch goes on where it stopped */
	expect_all_from(1, 3);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, false, &fx), -EAGAIN);
	assert_int_equal(s.left, 1);
	finish(&world, &fx);
	expect_all_from(4, 1);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, false, &fx), 0);
	assert_int_equal(s.left, 0);
	assert_int_equal(s.left_bytes, 0);
	assert_int_equal(s.last_seq, 5);
	finish(&world, &fx);
	kmq_send_free(&s);
	expect_all_from(5, 1);
}

/* Room goes to senders in the order they came, records one by one. */
static void test_block_is_fifo(void **state)
{
	struct kmq_send s1, s2, s3;
	struct kmq_stat_args st;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);		/* 1 2 */
	assert_int_equal(send_wait(a, &s1, 0, 0, 3), -EINPROGRESS); /* 3-5 */
	assert_int_equal(send_wait(b, &s2, 0, 0, 1), -EINPROGRESS); /* 6 */
	assert_int_equal(send_wait(a, &s3, 0, 0, 2), -EINPROGRESS); /* 7 8 */
	st = stat_of(&world);
	assert_int_equal(st.waiting_senders, 3);
	assert_int_equal(st.blocked, 3);
	assert_int_equal(st.refused_full, 0);
	/* who does not wait does not overtake, even where it would fit */
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(send_some(b, 0, 0, 1), -EAGAIN);	/* 9 */
	assert_waiting(&s1.w);
	assert_int_equal(receive_one(b), 2);
	assert_int_equal(receive_one(b), 3);
	assert_done(&s1.w, 0);
	assert_waiting(&s2.w);
	assert_int_equal(receive_one(b), 4);
	assert_done(&s2.w, 0);
	assert_int_equal(receive_one(b), 5);
	assert_waiting(&s3.w);
	assert_int_equal(receive_one(b), 6);
	assert_done(&s3.w, 0);
	assert_int_equal(s3.left, 0);
	expect_all_from(7, 2);
	assert_int_equal(stat_of(&world).waiting_senders, 0);
	assert_int_equal(a->port.nsending + b->port.nsending, 0);
	kmq_send_free(&s1);
	kmq_send_free(&s2);
	kmq_send_free(&s3);
}

/* One receive of many lets many waiting senders in at once. */
static void test_one_receive_admits_many(void **state)
{
	struct kmq_send s[6];
	struct kmq_take t;
	int i;

	(void)state;
	open_queue(6, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 6), 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(send_wait(a, &s[i], 0, 0, 1), -EINPROGRESS);
	world_forget(&world);
	assert_int_equal(take(b, &t, 4, false), 0);
	expect_range(&t, 1, 4);
	assert_int_equal(world.seen.nwoken, 4);
	assert_true(world.seen.readable > 0);
	for (i = 0; i < 4; i++) {
		assert_done(&s[i].w, 0);
		kmq_send_free(&s[i]);
	}
	assert_waiting(&s[4].w);
	assert_int_equal(world.q.count, 6);
	expect_all_from(5, 8);
	kmq_send_free(&s[4]);
	kmq_send_free(&s[5]);
}

static void test_reject(void **state)
{
	struct kmq_send s;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_REJECT);
	batch_make(a, &s, 0, 0, 3);
	assert_int_equal(send_batch(a, &s, true), -EAGAIN);
	assert_int_equal(world.q.count, 2);
	assert_int_equal(stat_of(&world).refused_full, 1);
	assert_int_equal(stat_of(&world).blocked, 0);
	expect_all_from(1, 2);
}

/* The oldest of the lowest priority goes, be it the new one. */
static void test_drop_head(void **state)
{
	(void)state;
	open_queue(4, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(send_some(a, 5, 0, 1), 0);	/* 1 */
	assert_int_equal(send_some(a, 2, 0, 2), 0);	/* 2 3 */
	assert_int_equal(send_some(a, 9, 0, 1), 0);	/* 4 */
	assert_int_equal(world.seen.ndropped, 0);
	assert_int_equal(send_some(a, 2, 0, 1), 0);	/* 5 for 2 */
	assert_int_equal(send_some(a, 1, 0, 1), 0);	/* 6 for itself */
	assert_int_equal(send_some(a, 7, 0, 2), 0);	/* 7 for 3, 8 for 5 */
	assert_int_equal(send_some(a, 4, 0, 1), 0);	/* 9 for itself */
	assert_int_equal(world.seen.ndropped, 5);
	assert_int_equal(world.seen.lost, 5);
	assert_memory_equal(world.seen.dropped,
			    ((const u64[]){ 2, 6, 3, 5, 9 }), 5 * sizeof(u64));
	assert_int_equal(stat_of(&world).dropped_full, 5);
	assert_int_equal(stat_of(&world).sent, 9);
	assert_int_equal(stat_of(&world).next_seq, 10);
	expect_order((const u64[]){ 4, 7, 8, 1 }, 4);
}

/* Several give way to one that is large, as many as it takes. */
static void test_drop_head_by_bytes(void **state)
{
	struct kmq_send s;

	(void)state;
	open_queue(100, 10 * 64, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(send_some(a, 0, 0, 10), 0);
	assert_int_equal(send_some(a, 0, 3 * 64, 1), 0);
	assert_int_equal(world.seen.ndropped, 4);
	assert_int_equal(world.q.bytes, 10 * 64);
	expect_all_from(5, 7);
	/* a batch larger than the queue: its end is what remains */
	assert_int_equal(send_some(a, 0, 0, 25), 0);
	expect_all_from(12 + 15, 10);
	/* what can never fit is refused and drops nothing */
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	batch_make(a, &s, 0, 10 * 64, 1);
	assert_int_equal(send_batch(a, &s, true), -EMSGSIZE);
	assert_int_equal(world.q.count, 3);
}

/* A drop-head queue works in slices of the budget, whatever the batch. */
/* One message may need the room of very many. */
static void test_drop_head_budget_of_one(void **state)
{
	struct kmq_effects fx;
	struct kmq_send s;

	(void)state;
	open_queue(1000, 400 * 64, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(send_some(a, 0, 0, 400), 0);
	batch_make(a, &s, 0, 399 * 64, 1);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, false, &fx), -EAGAIN);
	assert_true(fx.retry);
	assert_int_equal(fx.ndropped, KMQ_BUDGET);
	finish(&world, &fx);
	assert_int_equal(send_batch(a, &s, false), 0);
	assert_int_equal(world.seen.ndropped, 400);
	expect_all_from(401, 1);
}

static void test_drop_head_budget(void **state)
{
	struct kmq_effects fx;
	struct kmq_send s;
	int rounds = 0, err;

	(void)state;
	open_queue(300, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(send_some(a, 0, 0, 300), 0);
	world_forget(&world);
	batch_make(a, &s, 0, 0, 1000);
	do {
		u32 before = s.left, dropped = world.seen.ndropped;

		kmq_effects_init(&fx);
		err = kmq_queue_send(&world.q, &s, false, &fx);
		assert_true(before - s.left + fx.ndropped <= KMQ_BUDGET);
		if (err) {
			assert_int_equal(err, -EAGAIN);
			assert_true(fx.again);
		}
		finish(&world, &fx);
		assert_true(s.left < before || world.seen.ndropped > dropped);
		rounds++;
	} while (err);
	kmq_send_free(&s);
	assert_true(rounds >= 1000 / (int)KMQ_BUDGET);
	assert_int_equal(world.seen.ndropped, 1000);
	assert_int_equal(world.q.count, 300);
	expect_all_from(1001, 300);
}

static void test_atomic(void **state)
{
	struct kmq_send s;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 6), 0);
	batch_make(a, &s, 0, 0, 5);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, false), -EAGAIN);
	assert_int_equal(world.q.count, 6);
	batch_make(a, &s, 0, 0, 4);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, false), 0);
	assert_int_equal(world.q.count, 10);

	/* it waits for all of its room, and holds up those behind it */
	batch_make(a, &s, 0, 0, 3);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, true), -EINPROGRESS);
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(receive_one(b), 2);
	assert_waiting(&s.w);
	assert_int_equal(s.left, 3);
	assert_int_equal(send_some(b, 0, 0, 1), -EAGAIN);
	assert_int_equal(receive_one(b), 3);
	assert_done(&s.w, 0);
	kmq_send_free(&s);
	assert_int_equal(world.q.count, 10);

	/* what can never fit as a whole */
	batch_make(a, &s, 0, 0, 11);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, true), -EMSGSIZE);
	alter(&world, 100, 20 * 64, KMQ_OVERFLOW_BLOCK);
	batch_make(a, &s, 0, 0, 21);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, true), -EMSGSIZE);
	assert_int_equal(world.q.count, 10);
}

/* All or none beyond the budget too, in one hold of the lock. */
static void test_atomic_beyond_budget(void **state)
{
	struct kmq_effects fx;
	struct kmq_send s;

	(void)state;
	open_queue(KMQ_ATOMIC_MAX, PLENTY, KMQ_OVERFLOW_BLOCK);
	batch_make(a, &s, 0, 0, KMQ_ATOMIC_MAX);
	s.atomic = true;
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, false, &fx), 0);
	finish(&world, &fx);
	assert_int_equal(world.q.count, KMQ_ATOMIC_MAX);

	/* as a waiter, when one message that leaves makes room for all of it */
	batch_make(b, &s, 0, 0, KMQ_ATOMIC_MAX - 100);
	s.atomic = true;
	assert_int_equal(send_batch(b, &s, true), -EINPROGRESS);
	assert_int_equal(purge(&world, KMQ_ATOMIC_MAX - 101),
			 KMQ_ATOMIC_MAX - 101);
	assert_waiting(&s.w);
	assert_int_equal(s.left, KMQ_ATOMIC_MAX - 100);
	assert_int_equal(receive_one(b), KMQ_ATOMIC_MAX - 100);
	assert_done(&s.w, 0);
	assert_int_equal(world.q.count, KMQ_ATOMIC_MAX);
	kmq_send_free(&s);

	/* drop-head works in slices, so it cannot promise all or none */
	alter(&world, 600, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	batch_make(b, &s, 0, 0, 600);
	s.atomic = true;
	assert_int_equal(send_batch(b, &s, true), -EOPNOTSUPP);
	assert_int_equal(world.q.count, KMQ_ATOMIC_MAX);
}

/* A record that can never fit ends the batch behind what did. */
static void test_never_fits(void **state)
{
	static const struct spec spec[] = { { 0, 8 }, { 0, 8 }, { 0, 2000 } };
	struct kmq_effects fx;
	struct kmq_send s;

	(void)state;
	open_queue(10, 1000, KMQ_OVERFLOW_BLOCK);
	kmq_send_init(&s, &a->port);
	assert_int_equal(batch_add(a, &s, spec, 3), 0);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, true, &fx), -EMSGSIZE);
	assert_int_equal(s.left, 1);
	finish(&world, &fx);
	kmq_send_free(&s);
	assert_int_equal(world.q.count, 2);

	/* exactly the bound does fit */
	assert_int_equal(purge(&world, U64_MAX), 2);
	assert_int_equal(send_some(a, 0, 1000 - 64, 1), 0);
	assert_int_equal(send_some(a, 0, 1000 - 64 + 1, 1), -EMSGSIZE);
}

/* A waiting batch whose bound is lowered under it is told. */
static void test_hopeless_after_alter(void **state)
{
	struct kmq_send s1, s2;

	(void)state;
	open_queue(10, 1000, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 900 - 64, 1), 0);
	assert_int_equal(send_wait(a, &s1, 0, 500, 1), -EINPROGRESS);
	assert_int_equal(send_wait(a, &s2, 0, 8, 2), -EINPROGRESS);
	alter(&world, 10, 500, KMQ_OVERFLOW_BLOCK);
	assert_done(&s1.w, -EMSGSIZE);
	assert_waiting(&s2.w);
	kmq_send_free(&s1);
	alter(&world, 10, 2000, KMQ_OVERFLOW_BLOCK);
	assert_done(&s2.w, 0);
	kmq_send_free(&s2);
}

#define SEND(function, text)						\
	{ .name = "send: " text, .test_func = function,			\
	  .teardown_func = close_queue }

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEND(test_in_order, "in, out, in order"),
		SEND(test_priorities, "the highest priority leaves first"),
		SEND(test_bounds_are_exact, "bounds hold exactly"),
		SEND(test_prefix_of_mixed_sizes, "a batch goes on where it stopped"),
		SEND(test_block_is_fifo, "block: room goes to senders in their order"),
		SEND(test_one_receive_admits_many, "block: one receive admits many"),
		SEND(test_reject, "reject: EAGAIN even to who would wait"),
		SEND(test_drop_head, "drop-head: the oldest of the lowest goes"),
		SEND(test_drop_head_by_bytes, "drop-head: as many as it takes"),
		SEND(test_drop_head_budget_of_one, "drop-head: one message for many, in slices"),
		SEND(test_drop_head_budget, "drop-head: in slices of the budget"),
		SEND(test_atomic, "atomic: all or none"),
		SEND(test_atomic_beyond_budget, "atomic: beyond the budget"),
		SEND(test_never_fits, "what can never fit"),
		SEND(test_hopeless_after_alter, "what can never fit any more"),
	};

	return cmocka_run_group_tests_name("send", tests, NULL, NULL);
}
