// SPDX-License-Identifier: GPL-2.0-only
/* Messages out of a queue: buffers, waiting, shares, and the way back. */
#include "fixture.h"

/* A receive with every parameter of its own. */
static int take_as(struct client *client, struct kmq_take *t, u32 room,
		   u32 max, u32 min, bool plain, bool wait)
{
	struct kmq_effects fx;
	int err;

	kmq_take_init(t, &client->port, room, max, plain);
	t->min = min;
	kmq_effects_init(&fx);
	err = kmq_queue_receive(&world.q, t, wait, &fx);
	finish(&world, &fx);
	return err;
}

static void test_buffer_limits(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 100, 5), 0);
	/* records: two fit, with a byte to spare or none */
	assert_int_equal(take_as(b, &t, 2 * record_bytes(100), 10, 1, false,
				 false), 0);
	assert_int_equal(t.room, 0);
	expect_range(&t, 1, 2);
	assert_int_equal(take_as(b, &t, 2 * record_bytes(100) - 1, 10, 1, false,
				 false), 0);
	expect_range(&t, 3, 1);

	/* too small for the next one: it stays, and its size is told */
	assert_int_equal(take_as(b, &t, record_bytes(100) - 1, 10, 1, false,
				 false), -EMSGSIZE);
	assert_int_equal(t.needed, record_bytes(100));
	assert_int_equal(t.count, 0);
	assert_int_equal(take_as(b, &t, 99, 1, 1, true, true), -EMSGSIZE);
	assert_int_equal(t.needed, 100);
	assert_int_equal(kmq_queue_next_size(&world.q, true), 100);
	assert_int_equal(kmq_queue_next_size(&world.q, false),
			 record_bytes(100));
	/* plain: only the body counts */
	assert_int_equal(take_as(b, &t, 100, 1, 1, true, false), 0);
	expect_range(&t, 4, 1);
	assert_int_equal(take_as(b, &t, PLENTY, 1, 1, false, false), 0);
	expect_range(&t, 5, 1);
	assert_int_equal(kmq_queue_next_size(&world.q, true), 0);
}

/* The same through the tree and the levels, where messages leave one by one. */
static void test_buffer_limits_slow(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 3, 100, 4), 0);
	assert_int_equal(take_as(b, &t, 2 * record_bytes(100), 2, 1, false,
				 false), 0);
	assert_int_equal(t.count, 2);
	putback(b, &t);
	assert_int_equal(take_as(b, &t, 100, 10, 1, false, false), -EMSGSIZE);
	assert_int_equal(t.needed, record_bytes(100));
	assert_int_equal(take_as(b, &t, 3 * record_bytes(100), 10, 1, false,
				 false), 0);
	expect_range(&t, 1, 3);
	assert_int_equal(take_as(b, &t, 150, 10, 1, true, false), 0);
	expect_range(&t, 4, 1);
}

/* A receive may go on to fill its buffer. */
static void test_receive_goes_on(void **state)
{
	struct kmq_effects fx;
	struct kmq_take t;

	(void)state;
	open_queue(1000, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 600), 0);
	kmq_take_init(&t, &b->port, PLENTY, 500, false);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_receive(&world.q, &t, false, &fx), 0);
	finish(&world, &fx);
	assert_int_equal(t.count, KMQ_BUDGET);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_receive(&world.q, &t, false, &fx), 0);
	finish(&world, &fx);
	assert_int_equal(t.count, 500);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_receive(&world.q, &t, false, &fx), 0);
	finish(&world, &fx);
	expect_range(&t, 1, 500);
	assert_int_equal(b->port.received, 500);
}

static void test_handed_over(void **state)
{
	struct kmq_stat_args st;
	struct kmq_take t1, t2;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take(b, &t1, 10, true), -EINPROGRESS);
	assert_int_equal(take(c, &t2, 10, true), -EINPROGRESS);
	assert_int_equal(stat_of(&world).waiting_receivers, 2);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_done(&t1.w, 0);
	assert_waiting(&t2.w);
	expect_range(&t1, 1, 1);
	/* none remains for pollers */
	assert_int_equal(world.seen.readable, 0);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_done(&t2.w, 0);
	expect_range(&t2, 2, 1);
	st = stat_of(&world);
	assert_int_equal(st.ready, 0);
	assert_int_equal(st.received, 2);
	assert_int_equal(st.waiting_receivers, 0);
	assert_int_equal(b->port.received, 1);
	assert_int_equal(b->port.nreceiving, 0);
}

/* A batch wakes as many as it has messages for, not all of them. */
static void test_no_more_wakes_than_records(void **state)
{
	struct kmq_take t[10];
	int i;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < 10; i++)
		assert_int_equal(take(b, &t[i], 100, true), -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 4), 0);
	assert_int_equal(world.seen.nwoken, 4);
	for (i = 0; i < 4; i++) {
		assert_done(&t[i].w, 0);
		expect_range(&t[i], 1 + i, 1);
	}
	for (i = 4; i < 10; i++) {
		assert_waiting(&t[i].w);
		assert_true(cancel(&world, &t[i].w));
	}
}

/* k who wait share what came, whatever room the first has. */
static void test_fair_share(void **state)
{
	static const u32 sent[] = { 10, 11, 3, 7, 100, 256 };
	u32 i, k, j;

	(void)state;
	open_queue(1000, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < ARRAY_SIZE(sent); i++) {
		for (k = 1; k <= 5; k++) {
			u64 first = world.last_id + 1;
			struct kmq_take t[5];
			u32 most = DIV_ROUND_UP(sent[i], k), got = 0;

			for (j = 0; j < k; j++)
				assert_int_equal(take(b, &t[j], 1000, true),
						 -EINPROGRESS);
			assert_int_equal(send_some(a, 0, 0, sent[i]), 0);
			for (j = 0; j < k; j++) {
				u32 n = t[j].count;

				if (got == sent[i]) {
					assert_waiting(&t[j].w);
					cancel(&world, &t[j].w);
					continue;
				}
				assert_done(&t[j].w, 0);
				assert_in_range(n, 1, most);
				assert_true(n >= sent[i] / k);
				expect_range(&t[j], first + got, n);
				got += n;
			}
			assert_int_equal(got, sent[i]);
		}
	}
}

/* Who waits with a buffer too small is told, the next one is served. */
static void test_small_waiter(void **state)
{
	struct kmq_take small, large;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take_as(b, &small, 80, 1, 1, true, true),
			 -EINPROGRESS);
	assert_int_equal(take_as(c, &large, 500, 1, 1, true, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 100, 1), 0);
	assert_done(&small.w, -EMSGSIZE);
	assert_int_equal(small.needed, 100);
	assert_int_equal(small.count, 0);
	assert_done(&large.w, 0);
	expect_range(&large, 1, 1);
}

/* A watermark: not woken for less, but for a full queue, a full buffer, seal. */
static void test_watermark(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(20, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take_as(b, &t, PLENTY, 100, 5, false, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 4), 0);
	assert_waiting(&t.w);
	assert_int_equal(world.q.count, 4);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	assert_done(&t.w, 0);
	expect_range(&t, 1, 7);

	/* enough there already */
	assert_int_equal(send_some(a, 0, 0, 5), 0);
	assert_int_equal(take_as(b, &t, PLENTY, 100, 5, false, true), 0);
	expect_range(&t, 8, 5);
	/* without waiting, what there is */
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(take_as(b, &t, PLENTY, 100, 5, false, false), 0);
	expect_range(&t, 13, 2);

	/* the queue is full before */
	assert_int_equal(take_as(b, &t, PLENTY, 100, 50, false, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 19), 0);
	assert_waiting(&t.w);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_done(&t.w, 0);
	expect_range(&t, 15, 20);

	/* no more will come */
	assert_int_equal(take_as(b, &t, PLENTY, 100, 50, false, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_waiting(&t.w);
	seal(&world, true);
	assert_done(&t.w, 0);
	expect_range(&t, 35, 2);
}

/* A watermark above the bounds of a drop-head queue is never reached. */
static void test_watermark_drop_head(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(take_as(b, &t, PLENTY, 100, 50, false, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 9), 0);
	assert_waiting(&t.w);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_done(&t.w, 0);
	expect_range(&t, 1, 10);
	assert_int_equal(world.seen.ndropped, 0);
}

/* A sender blocks while a receiver insists on more: they must not both wait. */
static void test_watermark_meets_blocked_sender(void **state)
{
	struct kmq_take t;
	struct kmq_send s;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 5), 0);
	assert_int_equal(take_as(b, &t, PLENTY, 100, 8, false, true),
			 -EINPROGRESS);
	batch_make(a, &s, 0, 0, 6);
	s.atomic = true;
	assert_int_not_equal(send_batch(a, &s, true), -EAGAIN);
	assert_done(&t.w, 0);
	expect_range(&t, 1, 5);
	assert_int_equal(s.left, 0);
	assert_int_equal(world.q.count, 6);

	/* the other way round: the sender waits first */
	batch_make(a, &s, 0, 0, 7);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, true), -EINPROGRESS);
	assert_int_equal(take_as(b, &t, PLENTY, 100, 8, false, true), 0);
	expect_range(&t, 6, 6);
	assert_done(&s.w, 0);
	kmq_send_free(&s);
}

/* Many who insist on more do not hide one who takes anything. */
static void test_watermark_hides_nobody(void **state)
{
	struct kmq_take picky[40], modest, other;
	int i;

	(void)state;
	open_queue(1000, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < 40; i++)
		assert_int_equal(take_as(b, &picky[i], PLENTY, 100, 10 + i % 7,
					 false, true), -EINPROGRESS);
	assert_int_equal(take_as(c, &modest, PLENTY, 100, 1, false, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_done(&modest.w, 0);
	expect_range(&modest, 1, 1);

	/* also one whose watermark is just lower */
	assert_int_equal(take_as(c, &other, PLENTY, 100, 3, false, true),
			 -EINPROGRESS);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	assert_done(&other.w, 0);
	expect_range(&other, 2, 3);
	for (i = 0; i < 40; i++) {
		assert_waiting(&picky[i].w);
		assert_true(cancel(&world, &picky[i].w));
	}
}

/* What comes back stands where it stood, above the bounds if need be. */
static void test_putback(void **state)
{
	struct kmq_stat_args before, after;
	struct kmq_take t;

	(void)state;
	open_queue(4, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 8, 4), 0);
	before = stat_of(&world);
	assert_int_equal(take(b, &t, 3, false), 0);
	assert_int_equal(b->port.received, 3);
	assert_int_equal(send_some(a, 0, 8, 3), 0);
	world_forget(&world);
	putback(b, &t);
	assert_int_equal(world.seen.readable, 3);
	after = stat_of(&world);
	assert_int_equal(after.ready, 7);
	assert_int_equal(after.bytes, 7 * record_bytes(8));
	assert_int_equal(after.received, before.received);
	assert_int_equal(after.received_bytes, before.received_bytes);
	assert_int_equal(b->port.received, 0);
	assert_int_equal(send_some(a, 0, 8, 1), -EAGAIN);
	assert_int_equal(take(c, &t, 100, false), 0);
	expect_range(&t, 1, 7);
	assert_int_equal(stat_of(&world).memory, 0);
}

static void test_putback_priorities(void **state)
{
	static const u64 order[] = { 3, 4, 5, 6, 1, 2, 7 };
	struct kmq_take t, u;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(send_some(a, 7, 0, 2), 0);
	assert_int_equal(take(b, &t, 3, false), 0);
	assert_int_equal(send_some(a, 7, 0, 2), 0);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_int_equal(take(c, &u, 1, false), 0);
	assert_int_equal(u.count, 1);
	putback(b, &t);
	putback(c, &u);
	assert_int_equal(take(c, &t, 100, false), 0);
	expect_taken(&t, order, 7);
}

/* Who waits gets what comes back. */
static void test_putback_is_handed_over(void **state)
{
	struct kmq_take t, u;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(take(b, &t, 2, false), 0);
	assert_int_equal(take(c, &u, 1, true), -EINPROGRESS);
	putback(b, &t);
	assert_done(&u.w, 0);
	expect_range(&u, 1, 1);
	assert_int_equal(receive_one(b), 2);
}

/* Interleaved runs: memory is counted once per run, while any node is there. */
static void test_memory_of_interleaved_runs(void **state)
{
	struct kmq_take t1, t2;
	u64 one;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 8, 3), 0);
	one = world.q.memory;
	assert_int_equal(send_some(a, 0, 8, 3), 0);
	assert_int_equal(world.q.memory, 2 * one);
	assert_int_equal(take(b, &t1, 2, false), 0);
	assert_int_equal(world.q.memory, 2 * one);
	assert_int_equal(take(b, &t2, 2, false), 0);
	assert_int_equal(world.q.memory, one);
	putback(b, &t1);
	assert_int_equal(world.q.memory, 2 * one);
	putback(b, &t2);
	assert_int_equal(world.q.memory, 2 * one);
	assert_int_equal(take(b, &t1, 1, false), 0);
	drop_taken(&t1);
	assert_int_equal(take(b, &t1, 5, false), 0);
	drop_taken(&t1);
	assert_int_equal(world.q.memory, 0);
}

/* Equal watermarks are served in order of arrival, lower ones first. */
static void test_watermark_order(void **state)
{
	static const u32 min[] = { 6, 3, 6, 2, 3 };
	struct kmq_take t[5];
	u32 i;

	(void)state;
	open_queue(100, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < 5; i++)
		assert_int_equal(take_as(b, &t[i], PLENTY, min[i], min[i],
					 false, true), -EINPROGRESS);
	assert_true(cancel(&world, &t[2].w));
	assert_int_equal(stat_of(&world).waiting_receivers, 4);
	assert_int_equal(send_some(a, 0, 0, 5), 0);	/* 2 to t[3], 3 to t[1] */
	assert_done(&t[3].w, 0);
	expect_range(&t[3], 1, 2);
	assert_done(&t[1].w, 0);
	expect_range(&t[1], 3, 3);
	assert_waiting(&t[4].w);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	assert_done(&t[4].w, 0);
	expect_range(&t[4], 6, 3);
	shut(b, KMQ_OPEN_RECV);
	assert_done(&t[0].w, -ECANCELED);
}

/* What was taken costs its sender memory until it is freed. */
static void test_paid_until_freed(void **state)
{
	struct kmq_take t, u;
	long paid;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 1000, 1), 0);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	paid = world.q.memory;
	client_close(a);
	assert_int_equal(atomic_long_read(&world.user.used[KMQ_R_BYTES]), paid);
	assert_int_equal(take(b, &t, 3, false), 0);
	assert_int_equal(atomic_long_read(&world.user.used[KMQ_R_BYTES]), paid);
	assert_int_equal(take(b, &u, 3, false), 0);
	drop_taken(&t);
	assert_in_range(atomic_long_read(&world.user.used[KMQ_R_BYTES]), 1,
			paid - 1000);
	drop_taken(&u);
	assert_int_equal(atomic_long_read(&world.user.used[KMQ_R_BYTES]), 0);
}

/* Who takes one of several leaves a hint for the next poller. */
static void test_poller_hints(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	assert_int_equal(world.seen.readable, 3);
	world_forget(&world);
	assert_int_equal(take(b, &t, 1, false), 0);
	drop_taken(&t);
	assert_true(world.seen.readable > 0);
	assert_true(world.seen.writable > 0);
	world_forget(&world);
	assert_int_equal(take(b, &t, 2, false), 0);
	drop_taken(&t);
	assert_int_equal(world.seen.readable, 0);
	assert_true(world.seen.writable > 0);

	/* every send tells, whatever was queued before */
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	world_forget(&world);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(world.seen.readable, 2);
}

#define RECEIVE(function, text)						\
	{ .name = "receive: " text, .test_func = function,		\
	  .teardown_func = close_queue }

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECEIVE(test_buffer_limits, "what the buffer holds, exactly"),
		RECEIVE(test_buffer_limits_slow, "the same one by one"),
		RECEIVE(test_receive_goes_on, "a call may go on after a budget"),
		RECEIVE(test_handed_over, "handed to those who wait, in order"),
		RECEIVE(test_no_more_wakes_than_records, "no more wake-ups than records"),
		RECEIVE(test_fair_share, "those who wait share"),
		RECEIVE(test_small_waiter, "a waiting buffer too small"),
		RECEIVE(test_watermark, "a watermark and what ends it"),
		RECEIVE(test_watermark_drop_head, "a watermark beyond a drop-head queue"),
		RECEIVE(test_watermark_meets_blocked_sender, "a watermark meets a blocked sender"),
		RECEIVE(test_watermark_hides_nobody, "watermarks hide nobody"),
		RECEIVE(test_watermark_order, "watermarks in order"),
		RECEIVE(test_putback, "put back: old place, counters undone"),
		RECEIVE(test_putback_priorities, "put back among priorities"),
		RECEIVE(test_putback_is_handed_over, "put back to who waits"),
		RECEIVE(test_memory_of_interleaved_runs, "memory of interleaved runs"),
		RECEIVE(test_paid_until_freed, "paid until it is freed"),
		RECEIVE(test_poller_hints, "pollers are told what remains"),
	};

	return cmocka_run_group_tests_name("receive", tests, NULL, NULL);
}
