// SPDX-License-Identifier: GPL-2.0-only
/* Waiting and leaving, bounds that change, work in slices, what is seen. */
#include "crowd.h"

static void test_cancel(void **state)
{
	struct kmq_take t;

	(void)state;
	open_queue(1, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	wait_to_send(3);
	/* in the middle, at the end; the order of the others stays */
	assert_true(cancel(&world, &sends[1].w));
	assert_int_equal(sends[1].w.state, KMQ_IDLE);
	kmq_send_free(&sends[1]);
	assert_int_equal(stat_of(&world).waiting_senders, 2);
	assert_true(cancel(&world, &sends[2].w));
	kmq_send_free(&sends[2]);
	assert_int_equal(receive_one(b), 1);
	assert_done(&sends[0].w, 0);
	/* too late */
	assert_false(kmq_queue_cancel(&world.q, &sends[0].w));
	kmq_send_free(&sends[0]);
	assert_int_equal(receive_one(b), 2);
	assert_int_equal(receive_one(b), 0);

	assert_int_equal(take(b, &t, 1, true), -EINPROGRESS);
	assert_true(cancel(&world, &t.w));
	assert_int_equal(stat_of(&world).waiting_receivers, 0);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_int_equal(t.count, 0);
}

/* Between claim and done a waiter must not leave. */
static void test_cancel_of_the_claimed(void **state)
{
	struct kmq_effects fx;
	struct kmq_take t;
	struct kmq_send s;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(take(b, &t, 1, true), -EINPROGRESS);
	batch_make(a, &s, 0, 0, 1);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, true, &fx), 0);
	assert_int_equal(t.w.state, KMQ_CLAIMED);
	assert_false(kmq_queue_cancel(&world.q, &t.w));
	assert_int_equal(t.w.state, KMQ_CLAIMED);
	finish(&world, &fx);
	assert_done(&t.w, 0);
	expect_range(&t, 1, 1);
	kmq_send_free(&s);
}

/* A sender that gives up after a part of its batch went in. */
static void test_cancel_of_half_a_batch(void **state)
{
	struct kmq_send s;

	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_wait(a, &s, 0, 0, 5), -EINPROGRESS);
	assert_int_equal(s.left, 2);
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(s.left, 1);
	assert_true(cancel(&world, &s.w));
	kmq_send_free(&s);
	assert_int_equal(receive_one(b), 2);
	assert_int_equal(receive_one(b), 3);
	assert_int_equal(receive_one(b), 4);
	assert_int_equal(receive_one(b), 0);
}

/* The head of the line leaves: who stood behind it may fit. */
static void test_cancel_lets_others_on(void **state)
{
	struct kmq_send large, small;

	(void)state;
	open_queue(10, 1000, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 500, 1), 0);
	assert_int_equal(send_wait(a, &large, 0, 800, 1), -EINPROGRESS);
	assert_int_equal(send_wait(b, &small, 0, 8, 1), -EINPROGRESS);
	assert_false(kmq_queue_poll(&world.q, &a->port) & KMQ_POLL_WRITE);
	world_forget(&world);
	assert_true(cancel(&world, &large.w));
	assert_done(&small.w, 0);
	assert_true(world.seen.writable > 0);
	kmq_send_free(&large);
	kmq_send_free(&small);
}

static void test_alter(void **state)
{
	struct kmq_queue_config cfg;

	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	wait_to_send(3);
	alter(&world, 5, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_done(&sends[0].w, 0);
	assert_done(&sends[1].w, 0);
	assert_waiting(&sends[2].w);
	kmq_queue_get_config(&world.q, &cfg);
	assert_int_equal(cfg.max_messages, 5);

	/* lowered below what is there: it stays, new sends meet the bound */
	alter(&world, 2, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(world.q.count, 5);
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(receive_one(b), 2);
	assert_int_equal(receive_one(b), 3);
	assert_waiting(&sends[2].w);
	assert_int_equal(receive_one(b), 4);
	assert_done(&sends[2].w, 0);
	assert_int_equal(world.q.count, 2);

	/* room for pollers */
	world_forget(&world);
	alter(&world, 10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_true(world.seen.writable > 0);
	expect_senders_done(3, 0);
}

/* A batch that must stay whole cannot wait in a queue that drops. */
static void test_alter_under_atomic(void **state)
{
	struct kmq_send s, next;

	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	batch_make(a, &s, 0, 0, 2);
	s.atomic = true;
	assert_int_equal(send_batch(a, &s, true), -EINPROGRESS);
	alter(&world, 3, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	assert_done(&s.w, -EOPNOTSUPP);
	assert_int_equal(s.left, 2);
	kmq_send_free(&s);
	batch_make(a, &next, 0, 0, 3);
	assert_int_equal(send_batch(a, &next, true), 0);
	assert_int_equal(world.q.count, 3);
}

/* drop-head set under many: a newcomer waits for their slices, no longer. */
static void test_drop_head_between_slices(void **state)
{
	struct kmq_effects alter_fx, fx;
	struct kmq_send s;

	(void)state;
	open_queue(1, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	wait_to_send(MANY);
	world.cfg.overflow = KMQ_OVERFLOW_DROP_HEAD;
	kmq_effects_init(&alter_fx);
	kmq_queue_alter(&world.q, &world.cfg, &alter_fx);
	assert_true(alter_fx.again);
	batch_make(b, &s, 0, 0, 1);
	kmq_effects_init(&fx);
	assert_int_equal(kmq_queue_send(&world.q, &s, true, &fx), -EAGAIN);
	assert_true(fx.again);
	finish_once(&world, &fx);
	assert_int_equal(send_batch(b, &s, true), 0);
	finish(&world, &alter_fx);
	expect_senders_done(MANY, 0);
	assert_int_equal(receive_one(b), MANY + 2);
	assert_int_equal(stat_of(&world).refused_full, 0);
}

/* Many who can never be admitted any more are told in slices, too. */
static void test_hopeless_in_slices(void **state)
{
	struct kmq_effects fx;
	u32 i, done = 0;

	(void)state;
	open_queue(10, 200, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 64, 1), 0);
	for (i = 0; i < MANY; i++)
		assert_int_equal(send_wait(a, &sends[i], 0, 64, 1),
				 -EINPROGRESS);
	world.cfg.max_bytes = 100;
	kmq_effects_init(&fx);
	kmq_queue_alter(&world.q, &world.cfg, &fx);
	assert_true(fx.again);
	finish_once(&world, &fx);
	for (i = 0; i < MANY; i++)
		done += sends[i].w.state == KMQ_DONE;
	assert_in_range(done, 1, KMQ_BUDGET);
	finish(&world, &fx);
	expect_senders_done(MANY, -EMSGSIZE);
}

static void test_alter_overflow(void **state)
{
	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 3), 0);
	wait_to_send(2);
	/* nobody has to wait any more */
	alter(&world, 3, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	expect_senders_done(2, 0);
	assert_int_equal(world.seen.ndropped, 2);
	assert_int_equal(receive_one(b), 3);
	/* drop-head drops above a lowered bound when something is sent */
	alter(&world, 1, PLENTY, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(world.q.count, 2);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_int_equal(world.q.count, 1);
	assert_int_equal(receive_one(b), 6);
}

/* More is to be moved than one hold of the lock may: all of it is, in slices. */
static void test_many_senders_in_slices(void **state)
{
	struct kmq_effects fx;
	u32 i, done = 0;

	(void)state;
	open_queue(1, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	wait_to_send(MANY);
	world.cfg.max_messages = 10000;
	kmq_effects_init(&fx);
	kmq_queue_alter(&world.q, &world.cfg, &fx);
	assert_true(fx.again);
	finish_once(&world, &fx);
	for (i = 0; i < MANY; i++)
		done += sends[i].w.state == KMQ_DONE;
	assert_in_range(done, 1, KMQ_BUDGET);
	assert_int_equal(world.q.count, 1 + done);
	while (fx.again) {
		u64 before = world.q.count;

		kmq_effects_init(&fx);
		kmq_queue_balance(&world.q, &fx);
		assert_true(world.q.count - before <= KMQ_BUDGET);
		finish_once(&world, &fx);
	}
	expect_senders_done(MANY, 0);
	for (i = 1; i <= MANY + 1; i++)
		assert_int_equal(receive_one(b), i);
}

static void test_many_receivers_in_slices(void **state)
{
	u32 i;

	(void)state;
	open_queue(10000, PLENTY, KMQ_OVERFLOW_BLOCK);
	wait_to_receive(MANY, 1);
	assert_int_equal(send_some(a, 0, 0, MANY - 20), 0);
	for (i = 0; i < MANY; i++) {
		if (i < MANY - 20) {
			assert_done(&takes[i].w, 0);
			expect_range(&takes[i], i + 1, 1);
		} else {
			assert_true(cancel(&world, &takes[i].w));
		}
	}
	assert_int_equal(world.q.count, 0);
}

/* A large batch does not stop at the budget, with or without room. */
static void test_large_batch(void **state)
{
	struct kmq_send s;
	u32 i;

	(void)state;
	open_queue(900, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, 850), 0);
	assert_int_equal(send_wait(a, &s, 0, 0, 1000), -EINPROGRESS);
	assert_int_equal(s.left, 950);
	for (i = 1; i <= 1850; i++) {
		assert_int_equal(receive_one(b), i);
		assert_int_equal(s.w.state, i < 950 ? KMQ_WAITING : KMQ_DONE);
	}
	kmq_send_free(&s);
}

static unsigned int poll_bits(void)
{
	return kmq_queue_poll(&world.q, &a->port);
}

static void test_poll(void **state)
{
	struct kmq_send s;

	(void)state;
	open_queue(3, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(poll_bits(), KMQ_POLL_WRITE);
	assert_int_equal(send_some(a, 0, 0, 1), 0);
	assert_int_equal(poll_bits(), KMQ_POLL_READ | KMQ_POLL_WRITE);
	assert_int_equal(send_some(a, 0, 0, 2), 0);
	assert_int_equal(poll_bits(), KMQ_POLL_READ);
	assert_int_equal(send_wait(a, &s, 0, 0, 1), -EINPROGRESS);
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(poll_bits(), KMQ_POLL_READ);
	kmq_send_free(&s);
	seal(&world, true);
	assert_true(poll_bits() & KMQ_POLL_SEALED);
	assert_true(poll_bits() & KMQ_POLL_READ);
	assert_false(poll_bits() & KMQ_POLL_EOF);
	assert_int_equal(purge(&world, U64_MAX), 3);
	assert_true(poll_bits() & KMQ_POLL_EOF);
	assert_false(poll_bits() & KMQ_POLL_READ);
	seal(&world, false);
	assert_int_equal(poll_bits(), KMQ_POLL_WRITE);

	/* writable means: the largest message there may be goes in */
	world.cfg.max_message_size = 100;
	alter(&world, 100, 500, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 332 - 64, 1), 0);
	assert_int_equal(500 - world.q.bytes, record_bytes(100) - 4);
	assert_int_equal(poll_bits(), KMQ_POLL_READ);
	world.cfg.max_message_size = 96;
	alter(&world, 100, 500, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(poll_bits(), KMQ_POLL_READ | KMQ_POLL_WRITE);
	alter(&world, 1, 500, KMQ_OVERFLOW_REJECT);
	assert_int_equal(poll_bits(), KMQ_POLL_READ);
	alter(&world, 1, 500, KMQ_OVERFLOW_DROP_HEAD);
	assert_int_equal(poll_bits(), KMQ_POLL_READ | KMQ_POLL_WRITE);
}

static void test_stat(void **state)
{
	struct kmq_handle_row row = { 0 };
	struct kmq_stat_args st;
	struct kmq_send s;
	struct kmq_take t;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	st = stat_of(&world);
	assert_int_equal(st.next_seq, 1);
	assert_int_equal(st.head_time, 0);
	assert_int_equal(send_some(a, 0, 8, 1), 0);
	assert_int_equal(send_some(a, 3, 8, 1), 0);
	st = stat_of(&world);
	/* the fixture stamps each message with its number */
	assert_int_equal(st.head_time, 2);
	assert_int_equal(st.ready, 2);
	assert_int_equal(st.bytes, 2 * record_bytes(8));
	assert_int_equal(st.sent_bytes, 2 * record_bytes(8));

	batch_make(a, &s, 0, 0, 1);
	assert_int_equal(send_batch(a, &s, true), -EINPROGRESS);
	s.w.since = 4711;
	kmq_port_stat(&world.q, &a->port, &row);
	assert_int_equal(row.state, KMQ_HANDLE_SENDING);
	assert_int_equal(row.waiting_since, 4711);
	assert_int_equal(row.sent, 2);
	kmq_queue_blocked(&world.q, 99);
	kmq_queue_blocked(&world.q, 1);
	assert_int_equal(stat_of(&world).blocked_ns, 100);
	assert_int_equal(receive_one(b), 2);
	assert_done(&s.w, 0);
	kmq_send_free(&s);
	assert_int_equal(purge(&world, U64_MAX), 2);

	assert_int_equal(take(b, &t, 1, true), -EINPROGRESS);
	t.w.since = 12;
	memset(&row, 0, sizeof(row));
	shut(b, KMQ_OPEN_SEND);
	kmq_port_stat(&world.q, &b->port, &row);
	assert_int_equal(row.state,
			 KMQ_HANDLE_RECEIVING | KMQ_HANDLE_SHUT_SEND);
	assert_int_equal(row.waiting_since, 12);
	assert_int_equal(row.received, 1);
	/* nobody waits there: no time is shown */
	memset(&row, 0, sizeof(row));
	kmq_port_stat(&world.q, &a->port, &row);
	assert_int_equal(row.state + row.waiting_since, 0);
	assert_true(cancel(&world, &t.w));
}

/*
 * A budget is used up, the queue is empty, and a sender still waits. Who looks
 * now sees neither messages nor room: whoever changes that must say so.
 */
static void between_slices(struct kmq_take *t, struct kmq_effects *fx,
			   struct kmq_send *s)
{
	open_queue(KMQ_BUDGET, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 0, 0, KMQ_BUDGET), 0);
	assert_int_equal(send_wait(a, s, 0, 0, 1), -EINPROGRESS);
	kmq_take_init(t, &b->port, KMQ_XFER_MAX, KMQ_BUDGET, false);
	kmq_effects_init(fx);
	assert_int_equal(kmq_queue_receive(&world.q, t, false, fx), 0);
	assert_int_equal(t->count, KMQ_BUDGET);
	assert_true(fx->again);
	assert_int_equal(kmq_queue_poll(&world.q, &a->port), 0);
	world_forget(&world);
}

static void test_send_between_slices(void **state)
{
	struct kmq_send first, second;
	struct kmq_effects fx;
	struct kmq_take t;

	(void)state;
	between_slices(&t, &fx, &first);
	assert_int_equal(send_wait(a, &second, 0, 0, 1), -EINPROGRESS);
	assert_done(&first.w, 0);
	assert_done(&second.w, 0);
	assert_int_equal(world.seen.readable, 2);
	assert_true(world.seen.writable > 0);
	finish(&world, &fx);
	drop_taken(&t);
	kmq_send_free(&first);
	kmq_send_free(&second);
	assert_int_equal(purge(&world, U64_MAX), 2);
}

static void test_alter_between_slices(void **state)
{
	struct kmq_effects fx;
	struct kmq_send s;
	struct kmq_take t;

	(void)state;
	between_slices(&t, &fx, &s);
	alter(&world, 10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_done(&s.w, 0);
	assert_int_equal(world.seen.readable, 1);
	assert_true(world.seen.writable > 0);
	finish(&world, &fx);
	drop_taken(&t);
	kmq_send_free(&s);
	assert_int_equal(purge(&world, U64_MAX), 1);
}

#define WAITING(function, text)						\
	{ .name = "waiting: " text, .test_func = function,			\
	  .teardown_func = close_queue }

int main(void)
{
	const struct CMUnitTest tests[] = {
		WAITING(test_cancel, "a waiter leaves"),
		WAITING(test_cancel_of_the_claimed, "a claimed waiter may not leave"),
		WAITING(test_cancel_of_half_a_batch, "half a batch is given up"),
		WAITING(test_cancel_lets_others_on, "who leaves lets others on"),
		WAITING(test_alter, "bounds raised and lowered"),
		WAITING(test_alter_under_atomic, "drop-head set under an atomic waiter"),
		WAITING(test_drop_head_between_slices, "drop-head set under many"),
		WAITING(test_hopeless_in_slices, "many told in slices that they never fit"),
		WAITING(test_alter_overflow, "overflow changed under waiters"),
		WAITING(test_many_senders_in_slices, "many senders admitted in slices"),
		WAITING(test_many_receivers_in_slices, "many receivers served in slices"),
		WAITING(test_large_batch, "a batch beyond the budget"),
		WAITING(test_send_between_slices, "pollers told of a send between slices"),
		WAITING(test_alter_between_slices, "pollers told of an alter between slices"),
		WAITING(test_poll, "poll bits"),
		WAITING(test_stat, "stat"),
	};

	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
