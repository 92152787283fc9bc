// SPDX-License-Identifier: GPL-2.0-only
/* Seal, shutdown, delete, purge. */
#include "crowd.h"

static void test_seal(void **state)
{
	struct kmq_send s;
	struct kmq_take t;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	wait_to_send(2);
	world_forget(&world);
	seal(&world, true);
	assert_true(world.seen.hangup);
	expect_senders_done(2, -EPIPE);
	batch_make(a, &s, 0, 0, 1);
	assert_int_equal(send_batch(a, &s, true), -EPIPE);
	assert_int_equal(stat_of(&world).state, KMQ_STATE_SEALED);
	assert_int_equal(receive_one(b), 1);
	world_forget(&world);
	assert_int_equal(receive_one(b), 2);
	/* the last one out says that the end is here */
	assert_true(world.seen.hangup);
	assert_int_equal(take(b, &t, 5, true), 0);
	assert_int_equal(t.count, 0);
	assert_int_equal(take(b, &t, 5, false), 0);
	assert_int_equal(t.count, 0);

	/* not for ever */
	seal(&world, false);
	assert_int_equal(stat_of(&world).state, 0);
	assert_int_equal(take(b, &t, 5, false), -EAGAIN);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_true(receive_one(b) > 2);
}

static void test_seal_ends_receivers(void **state)
{
	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	wait_to_receive(3, 1);
	seal(&world, true);
	expect_receivers_done(3, 0);
}

/* More waiters than one hold of the lock ends; nothing is let in meanwhile. */
static void test_seal_many_senders(void **state)
{
	struct kmq_effects fx;
	u32 i, claimed = 0;

	(void)state;
	open_queue(5, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 5), 0);
	wait_to_send(MANY);
	kmq_effects_init(&fx);
	kmq_queue_seal(&world.q, true, &fx);
	assert_true(fx.again);
	finish_once(&world, &fx);
	for (i = 0; i < MANY; i++)
		claimed += sends[i].w.state == KMQ_DONE;
	assert_in_range(claimed, 1, KMQ_BUDGET);
	/* somebody receives in between: the queue is sealed all the same */
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(world.q.count, 4);
	assert_int_equal(stat_of(&world).sent, 5);
	seal(&world, true);
	expect_senders_done(MANY, -EPIPE);
	for (i = 2; i <= 5; i++)
		assert_int_equal(receive_one(b), i);
	assert_int_equal(stat_of(&world).sent, 5);
}

static void test_seal_many_receivers(void **state)
{
	(void)state;
	open_queue(5, PLENTY, KMQ_OVERFLOW_BLOCK);
	wait_to_receive(MANY, 1);
	seal(&world, true);
	expect_receivers_done(MANY, 0);
}

/* All who waited for more learn of the end, though the queue was full. */
static void test_seal_with_watermarks(void **state)
{
	struct kmq_stat_args st;
	u32 i, sum = 0;

	(void)state;
	open_queue(5000, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 600), 0);
	wait_to_receive(7, 1000);
	seal(&world, true);
	for (i = 0; i < 7; i++) {
		assert_done(&takes[i].w, 0);
		sum += takes[i].count;
		drop_taken(&takes[i]);
	}
	assert_int_equal(sum, 600);
	st = stat_of(&world);
	assert_int_equal(st.ready, 0);
	assert_int_equal(st.waiting_receivers, 0);
}

/* Drained between the slices: who polls for the end is told then. */
static void test_end_between_slices(void **state)
{
	struct kmq_effects fx;
	u32 i;

	(void)state;
	open_queue(5000, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 300), 0);
	wait_to_receive(2, 1000);
	kmq_effects_init(&fx);
	kmq_queue_seal(&world.q, true, &fx);
	assert_true(fx.again);
	finish_once(&world, &fx);
	assert_false(kmq_queue_poll(&world.q, &a->port) & KMQ_POLL_EOF);
	kmq_effects_init(&fx);
	kmq_queue_balance(&world.q, &fx);
	assert_true(kmq_queue_poll(&world.q, &a->port) & KMQ_POLL_EOF);
	assert_true(fx.hangup);
	finish(&world, &fx);
	for (i = 0; i < 2; i++) {
		assert_done(&takes[i].w, 0);
		drop_taken(&takes[i]);
	}
}

static void test_shutdown_of_one_port(void **state)
{
	struct kmq_take ta, tb;
	struct kmq_send s;

	(void)state;
	open_queue(1, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take(b, &tb, 1, true), -EINPROGRESS);
	assert_int_equal(take(c, &ta, 1, true), -EINPROGRESS);
	world_forget(&world);
	shut(b, KMQ_OPEN_RECV);
	assert_true(world.seen.hangup);
	assert_done(&tb.w, -ECANCELED);
	assert_waiting(&ta.w);
	assert_int_equal(take(b, &tb, 1, true), -ECANCELED);
	assert_int_equal(take(b, &tb, 1, false), -ECANCELED);
	/* its other direction works on */
	assert_int_equal(send_some(b, 0, 0, 1), 0);
	assert_done(&ta.w, 0);
	expect_range(&ta, 1, 1);

	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_int_equal(send_wait(a, &s, 0, 0, 1), -EINPROGRESS);
	assert_int_equal(send_wait(b, &sends[0], 0, 0, 1), -EINPROGRESS);
	shut(a, KMQ_OPEN_SEND);
	assert_done(&s.w, -ECANCELED);
	kmq_send_free(&s);
	assert_waiting(&sends[0].w);
	batch_make(a, &s, 0, 0, 1);
	assert_int_equal(send_batch(a, &s, true), -ECANCELED);
	assert_true(kmq_queue_poll(&world.q, &a->port) & KMQ_POLL_SHUT_SEND);
	assert_false(kmq_queue_poll(&world.q, &a->port) & KMQ_POLL_SHUT_RECV);
	assert_false(kmq_queue_poll(&world.q, &c->port) & KMQ_POLL_SHUT_SEND);
	assert_true(kmq_queue_poll(&world.q, &b->port) & KMQ_POLL_SHUT_RECV);
	assert_int_equal(receive_one(c), 2);
	assert_done(&sends[0].w, 0);
	kmq_send_free(&sends[0]);
}

static void test_shutdown_of_the_other_direction(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(1, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take(b, &t, 1, true), -EINPROGRESS);
	shut(b, KMQ_OPEN_SEND);
	assert_waiting(&t.w);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_done(&t.w, 0);
	expect_range(&t, 1, 1);

	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_int_equal(send_wait(a, &sends[0], 0, 0, 1), -EINPROGRESS);
	shut(a, KMQ_OPEN_RECV);
	assert_waiting(&sends[0].w);
	assert_int_equal(receive_one(c), 2);
	assert_done(&sends[0].w, 0);
	kmq_send_free(&sends[0]);
}

/* The head of the line is shut down: who stood behind it goes on. */
static void test_shutdown_lets_others_on(void **state)
{
	struct kmq_send large, small;

	(void)state;
	open_queue(10, 1000, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 500, 1), 0);
	assert_int_equal(send_wait(a, &large, 0, 800, 1), -EINPROGRESS);
	assert_int_equal(send_wait(b, &small, 0, 8, 1), -EINPROGRESS);
	shut(a, KMQ_OPEN_SEND | KMQ_OPEN_RECV);
	assert_done(&large.w, -ECANCELED);
	assert_done(&small.w, 0);
	kmq_send_free(&large);
	kmq_send_free(&small);
}

static void test_shutdown_in_slices(void **state)
{
	struct kmq_effects fx;
	u32 i;

	(void)state;
	open_queue(1, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	wait_to_send(MANY);
	kmq_effects_init(&fx);
	assert_true(kmq_queue_shutdown(&world.q, &a->port, KMQ_OPEN_SEND, &fx));
	assert_int_equal(stat_of(&world).waiting_senders, MANY - KMQ_BUDGET);
	finish(&world, &fx);
	shut(a, KMQ_OPEN_SEND);
	for (i = 0; i < MANY; i++) {
		assert_done(&sends[i].w, -ECANCELED);
		kmq_send_free(&sends[i]);
	}
}

static void test_shutdown_of_many(void **state)
{
	struct kmq_send s;
	u32 i;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	wait_to_send(MANY);
	assert_int_equal(send_wait(b, &s, 0, 0, 1), -EINPROGRESS);
	shut(a, KMQ_OPEN_SEND);
	for (i = 0; i < MANY; i++) {
		assert_done(&sends[i].w, -ECANCELED);
		kmq_send_free(&sends[i]);
	}
	assert_waiting(&s.w);
	assert_int_equal(stat_of(&world).waiting_senders, 1);
	assert_int_equal(receive_one(c), 1);
	assert_done(&s.w, 0);
	kmq_send_free(&s);
}

static void test_kill(void **state)
{
	struct kmq_take t, u;
	struct kmq_send s;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(kill_queue(&world, true), -ENOTEMPTY);
	assert_int_equal(take(b, &t, 1, false), 0);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	wait_to_send(2);
	assert_int_equal(kill_queue(&world, true), -ENOTEMPTY);
	world_forget(&world);
	assert_int_equal(kill_queue(&world, false), 0);
	assert_true(world.seen.hangup);
	expect_senders_done(2, -EIDRM);
	batch_make(a, &s, 0, 0, 1);
	assert_int_equal(send_batch(a, &s, true), -EIDRM);
	assert_int_equal(take(b, &u, 1, true), -EIDRM);
	assert_true(kmq_queue_poll(&world.q, &a->port) & KMQ_POLL_DEAD);
	/* what comes back now is freed */
	world_forget(&world);
	putback(b, &t);
	assert_int_equal(world.seen.ndropped, 1);
	assert_int_equal(stat_of(&world).received, 0);
	assert_int_equal(kill_queue(&world, false), 0);
}

static void test_kill_if_empty(void **state)
{
	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	wait_to_receive(2, 1);
	assert_int_equal(kill_queue(&world, true), 0);
	expect_receivers_done(2, -EIDRM);
}

/* A purge has emptied the queue, those who wait have not been admitted yet. */
static void test_kill_if_empty_between_slices(void **state)
{
	u32 level = KMQ_PRIORITY_MAX;
	struct kmq_effects fx;
	u64 purged = 0;

	(void)state;
	open_queue(KMQ_BUDGET, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, KMQ_BUDGET), 0);
	wait_to_send(3);
	kmq_effects_init(&fx);
	kmq_queue_purge(&world.q, U64_MAX, &level, &purged, &fx);
	assert_int_equal(purged, KMQ_BUDGET);
	assert_int_equal(world.q.count, 0);
	assert_int_equal(kill_queue(&world, true), -ENOTEMPTY);
	assert_true(fx.again);
	finish(&world, &fx);
	expect_senders_done(3, 0);
	assert_int_equal(world.q.count, 3);
}

/* Between the slices of a delete nothing goes in, whatever others do. */
static void test_kill_many(void **state)
{
	struct kmq_effects fx;
	struct kmq_take t;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 10), 0);
	assert_int_equal(take(b, &t, 1, false), 0);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	wait_to_send(MANY);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_kill(&world.q, false, &fx), 0);
	assert_true(fx.again);
	finish_once(&world, &fx);
	putback(b, &t);
	shut(c, KMQ_OPEN_SEND);
	alter(&world, 1000, PLENTY, KMQ_OVERFLOW_BLOCK);
	purge(&world, U64_MAX);
	assert_int_equal(world.q.count, 0);
	assert_int_equal(kill_queue(&world, false), 0);
	expect_senders_done(MANY, -EIDRM);
	assert_int_equal(world.q.count, 0);
	assert_int_equal(stat_of(&world).sent, 11);
}

static void test_purge(void **state)
{
	struct kmq_stat_args st;
	int i;

	(void)state;
	open_queue(1000, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(purge(&world, U64_MAX), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(send_some(a, i * 53 % 400, 8, 3), 0);
	assert_int_equal(kmq_queue_last_seq(&world.q), 60);
	assert_int_equal(purge(&world, 30), 30);
	st = stat_of(&world);
	assert_int_equal(st.ready, 30);
	assert_int_equal(st.bytes, 30 * record_bytes(8));
	assert_int_equal(st.dropped_purged, 30);
	assert_int_equal(st.dropped_full, 0);
	assert_int_equal(st.next_seq, 61);
	for (i = 0; i < 30; i++) {
		assert_in_range(world.seen.dropped[i], 1, 30);
		assert_true(receive_one(b) > 30);
	}
	assert_int_equal(receive_one(b), 0);
	assert_int_equal(world.seen.lost, 0);
}

/* A purge takes what was there when it began, in slices, sends going on. */
static void test_purge_in_slices(void **state)
{
	u32 level = KMQ_PRIORITY_MAX;
	u64 upto, purged = 0;
	struct kmq_effects fx;
	struct kmq_take t;
	int rounds = 0;
	bool more;
	u32 i;

	(void)state;
	open_queue(5000, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < 1200; i++)
		assert_int_equal(send_some(a, i % 4 * 100, 0, 1), 0);
	assert_int_equal(take(b, &t, 50, false), 0);
	upto = kmq_queue_last_seq(&world.q);
	do {
		u64 before = purged;

		kmq_effects_init(&fx);
		more = kmq_queue_purge(&world.q, upto, &level, &purged, &fx);
		finish(&world, &fx);
		assert_true(purged - before <= KMQ_BUDGET);
		if (!rounds++)
			putback(b, &t);
		assert_int_equal(send_some(a, rounds % 4 * 100, 0, 3), 0);
	} while (more);
	assert_int_equal(purged, 1200);
	assert_true(rounds > 4);
	for (i = 0; i < world.seen.ndropped; i++)
		assert_in_range(world.seen.dropped[i], 1, 1200);
	assert_int_equal(world.q.count, 3 * rounds);
	for (i = 0; i < 3 * rounds; i++)
		assert_true(receive_one(b) > 1200);
}

/* A purge makes room: senders go on, those who poll are told. */
static void test_purge_makes_room(void **state)
{
	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	wait_to_send(2);
	assert_int_equal(purge(&world, 3), 3);
	expect_senders_done(2, 0);
	assert_int_equal(world.q.count, 2);
	assert_true(world.seen.writable > 0);
	world_forget(&world);
	seal(&world, true);
	world_forget(&world);
	assert_int_equal(purge(&world, U64_MAX), 2);
	assert_true(world.seen.hangup);
}

#define LIFE(function, text)						\
	{ .name = "life: " text, .test_func = function,			\
	  .teardown_func = close_queue }

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIFE(test_seal, "seal, drain, end of stream, unseal"),
		LIFE(test_seal_ends_receivers, "seal ends waiting receivers"),
		LIFE(test_seal_many_senders, "seal: many senders, none let in"),
		LIFE(test_seal_many_receivers, "seal: many receivers"),
		LIFE(test_seal_with_watermarks, "seal: many messages and watermarks"),
		LIFE(test_end_between_slices, "seal: drained between slices"),
		LIFE(test_shutdown_of_one_port, "shutdown ends one direction of one handle"),
		LIFE(test_shutdown_of_the_other_direction, "shutdown leaves the other direction alone"),
		LIFE(test_shutdown_lets_others_on, "shutdown lets others on"),
		LIFE(test_shutdown_in_slices, "shutdown ends 256 waiters in one hold of the lock"),
		LIFE(test_shutdown_of_many, "shutdown of many calls"),
		LIFE(test_kill, "delete"),
		LIFE(test_kill_if_empty, "delete if empty"),
		LIFE(test_kill_if_empty_between_slices, "delete if empty, not while senders wait"),
		LIFE(test_kill_many, "delete: many senders, none let in"),
		LIFE(test_purge, "purge up to a message"),
		LIFE(test_purge_in_slices, "purge in slices, sends going on"),
		LIFE(test_purge_makes_room, "purge makes room"),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
