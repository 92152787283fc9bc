// SPDX-License-Identifier: GPL-2.0-only
/* The short ways in and out: all or nothing, and only when it is simple. */
#include "fixture.h"

/* The short way in does all of it or nothing, and only when it is simple. */
static void test_push(void **state)
{
	const struct spec spec[] = { { 0, 8 }, { 0, 8 }, { 4, 8 } };
	struct kmq_stat_args st;
	struct kmq_run *run;
	struct kmq_send s;

	(void)state;
	open_queue(3, 1000, KMQ_OVERFLOW_BLOCK);
	run = run_make(a, spec, 3);
	assert_non_null(run);
	assert_true(push(a, run));
	st = stat_of(&world);
	assert_int_equal(st.ready, 3);
	assert_int_equal(st.bytes, 3 * record_bytes(8));
	assert_int_equal(st.memory, run->memory);
	assert_int_equal(st.sent, 3);
	assert_int_equal(st.sent_bytes, st.bytes);
	assert_int_equal(st.next_seq, 4);
	assert_int_equal(a->port.sent, 3);

	/* one too many, one byte too many, others wait for room */
	run = run_make(a, spec, 1);
	assert_false(push(a, run));
	assert_int_equal(receive_one(b), 3);
	assert_int_equal(receive_one(b), 1);
	alter(&world, 3, 2 * record_bytes(8) - 1, KMQ_OVERFLOW_BLOCK);
	assert_false(push(a, run));
	alter(&world, 3, 1000, KMQ_OVERFLOW_BLOCK);
	batch_make(b, &s, 0, 8, 3);
	s.atomic = true;
	assert_int_equal(send_batch(b, &s, true), -EINPROGRESS);
	assert_false(push(a, run));
	assert_true(cancel(&world, &s.w));
	kmq_send_free(&s);

	/* sealed, shut down */
	seal(&world, true);
	assert_false(push(a, run));
	seal(&world, false);
	shut(c, KMQ_OPEN_SEND);
	assert_false(push(c, run));
	assert_int_equal(stat_of(&world).sent, 3);
	assert_true(push(a, run));
	assert_int_equal(receive_one(b), 2);
	assert_int_equal(receive_one(b), 4);

	/* deleted */
	run = run_make(a, spec, 1);
	assert_int_equal(kill_queue(&world, false), 0);
	assert_false(push(a, run));
	kmq_run_free(run);
}

/* One message for one who waits does not touch the queue. */
static void test_push_hands_over(void **state)
{
	const struct spec small = { 5, 8 }, large = { 5, 500 };
	struct kmq_take first, second;
	struct kmq_stat_args st;
	struct kmq_run *run;

	(void)state;
	open_queue(3, 1000, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take(b, &first, 5, true), -EINPROGRESS);
	assert_int_equal(take(c, &second, 1, true), -EINPROGRESS);
	run = run_make(a, &small, 1);
	assert_true(push(a, run));
	assert_done(&first.w, 0);
	assert_waiting(&second.w);
	assert_int_equal(run->nodes[0].seq, 1);
	assert_int_equal(first.room, KMQ_XFER_MAX - record_bytes(8));
	st = stat_of(&world);
	assert_int_equal(st.sent, 1);
	assert_int_equal(st.received, 1);
	assert_int_equal(st.sent_bytes, record_bytes(8));
	assert_int_equal(st.received_bytes, record_bytes(8));
	assert_int_equal(st.next_seq, 2);
	assert_int_equal(st.ready + st.bytes + st.memory, 0);
	assert_int_equal(st.waiting_receivers, 1);
	assert_int_equal(a->port.sent, 1);
	assert_int_equal(b->port.received, 1);
	/* what never was in the queue can go back there */
	putback(b, &first);
	assert_done(&second.w, 0);
	putback(c, &second);
	assert_int_equal(stat_of(&world).memory, run->memory);
	assert_int_equal(receive_one(b), 1);

	/* two of them, or one too large, go the long way */
	assert_int_equal(take(b, &first, 5, true), -EINPROGRESS);
	first.room = record_bytes(8);
	run = run_make(a, &large, 1);
	assert_false(push(a, run));
	kmq_run_free(run);
	run = run_make(a, (const struct spec[]){ { 0, 8 }, { 0, 8 } }, 2);
	assert_false(push(a, run));
	kmq_run_free(run);
	alter(&world, 3, record_bytes(8) - 1, KMQ_OVERFLOW_BLOCK);
	run = run_make(a, &small, 1);
	assert_false(push(a, run));
	kmq_run_free(run);
	assert_waiting(&first.w);
	assert_true(cancel(&world, &first.w));
	assert_int_equal(stat_of(&world).sent, 1);
}

/* While those who wait are being served in slices, nothing overtakes. */
static void test_push_between_slices(void **state)
{
	const struct spec spec = { 0, 0 };
	static struct kmq_take t[300];
	struct kmq_effects fx;
	struct kmq_run *run;
	struct kmq_send s;
	u32 i;

	(void)state;
	open_queue(1000, PLENTY, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < 300; i++)
		assert_int_equal(take(b, &t[i], 1, true), -EINPROGRESS);
	batch_make(a, &s, 0, 0, 250);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, false, &fx), 0);
	assert_true(fx.again);
	assert_in_range(world.q.count, 1, 250);
	run = run_make(c, &spec, 1);
	assert_false(push(c, run));
	kmq_run_free(run);
	finish(&world, &fx);
	for (i = 0; i < 250; i++) {
		assert_done(&t[i].w, 0);
		expect_range(&t[i], 1 + i, 1);
	}
	for (; i < 300; i++)
		assert_true(cancel(&world, &t[i].w));
}

static int pop(struct client *client, struct kmq_take *t, u32 room, u32 max,
	       bool wait, bool *more)
{
	kmq_take_init(t, &client->port, room, max, true);
	return kmq_queue_pop(&world.q, t, wait, more);
}

/* The short way out: one message, and only when it is simple. */
static void test_pop(void **state)
{
	struct kmq_take t;
	struct kmq_send s;
	bool more = true;

	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(pop(b, &t, 100, 1, false, &more), KMQ_OTHERWISE);
	assert_int_equal(send_some(a, 0, 100, 2), 0);
	assert_int_equal(pop(b, &t, 99, 1, true, &more), KMQ_OTHERWISE);
	assert_int_equal(pop(b, &t, 1000, 2, true, &more), KMQ_OTHERWISE);
	assert_int_equal(pop(b, &t, 105, 1, true, &more), KMQ_POPPED);
	assert_true(more);
	assert_int_equal(t.room, 5);
	expect_range(&t, 1, 1);
	assert_int_equal(world.q.count, 1);
	assert_int_equal(world.q.bytes, record_bytes(100));
	assert_int_equal(b->port.received, 1);
	assert_int_equal(stat_of(&world).received, 1);
	assert_int_equal(stat_of(&world).received_bytes, record_bytes(100));

	/* another priority, a sender that waits, seal, shutdown, a watermark */
	assert_int_equal(send_some(a, 1, 0, 1), 0);
	assert_int_equal(pop(b, &t, 100, 1, true, &more), KMQ_OTHERWISE);
	assert_int_equal(receive_one(b), 3);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(send_wait(a, &s, 0, 0, 1), -EINPROGRESS);
	assert_int_equal(pop(b, &t, 100, 1, true, &more), KMQ_OTHERWISE);
	assert_true(cancel(&world, &s.w));
	kmq_send_free(&s);
	seal(&world, true);
	assert_int_equal(pop(b, &t, 100, 1, true, &more), KMQ_OTHERWISE);
	seal(&world, false);
	shut(c, KMQ_OPEN_RECV);
	assert_int_equal(pop(c, &t, 100, 1, true, &more), KMQ_OTHERWISE);
	assert_int_equal(receive_one(b), 2);
	assert_int_equal(receive_one(b), 4);
	kmq_take_init(&t, &b->port, 1000, 5, false);
	t.min = 2;
	assert_int_equal(kmq_queue_pop(&world.q, &t, true, &more),
			 KMQ_OTHERWISE);
	/* the last one may go to who would take more */
	assert_int_equal(pop(b, &t, 100, 5, true, &more), KMQ_POPPED);
	assert_false(more);
	assert_int_equal(world.q.memory + world.q.bytes + world.q.count, 0);
	putback(b, &t);
	assert_int_equal(pop(b, &t, 100, 1, true, &more), KMQ_OTHERWISE);
	assert_int_equal(receive_one(b), 5);

	/* it may begin to wait */
	assert_int_equal(pop(b, &t, 100, 1, true, &more), KMQ_WAITS);
	assert_waiting(&t.w);
	assert_int_equal(stat_of(&world).waiting_receivers, 1);
	assert_int_equal(send_some(a, 9, 10, 1), 0);
	assert_done(&t.w, 0);
	expect_range(&t, world.last_id, 1);
	assert_int_equal(kill_queue(&world, false), 0);
	assert_int_equal(pop(b, &t, 100, 1, true, &more), KMQ_OTHERWISE);
}

#define SHORT(function, text)						\
	{ .name = "short: " text, .test_func = function,			\
	  .teardown_func = close_queue }

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHORT(test_push, "the short way in"),
		SHORT(test_push_hands_over, "the short way in, to one who waits"),
		SHORT(test_push_between_slices, "the short way in overtakes nobody"),
		SHORT(test_pop, "the short way out"),
	};

	return cmocka_run_group_tests_name("short", tests, NULL, NULL);
}
