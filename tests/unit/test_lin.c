// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histories of the core, recorded by real threads and checked for
 * linearizability; see tests/lin/. KMQ_UNIT_SECONDS sets how long,
 * KMQ_UNIT_SEED the first round; KMQ_UNIT_DUMP where a wrong history goes.
 */
#include <errno.h>

#include "lin/round.h"
#include "sleeper.h"

#define BODY	8u

static struct sleeper sleepers[LIN_THREADS];
static struct client *clients[LIN_THREADS];
static u64 ids[LIN_THREADS];
static struct kmq_stat_args last;

static void finish_fx(struct kmq_effects *fx)
{
	sleeper_finish(&world.q, fx, NULL);
}

static void core_open(const struct lin_plan *p)
{
	static const u32 overflows[] = {
		[LIN_BLOCK] = KMQ_OVERFLOW_BLOCK,
		[LIN_REJECT] = KMQ_OVERFLOW_REJECT,
		[LIN_DROP] = KMQ_OVERFLOW_DROP_HEAD,
	};
	u32 i;

	world_open(&world, p->h->bound, 1 << 20, overflows[p->h->overflow]);
	memset(&last, 0, sizeof(last));
	for (i = 0; i < LIN_THREADS; i++) {
		sleeper_init(&sleepers[i]);
		clients[i] = client_open(&world);
		clients[i]->ids = &ids[i];
	}
}

static void core_close(void)
{
	world_close(&world);
}

static long microseconds(const struct lin_op *op)
{
	return op->wait_us ? (long)op->wait_us : SLEEP_FOREVER;
}

static void do_send(struct lin_history *h, struct lin_op *op)
{
	struct client *client = clients[op->thread];
	struct spec spec[LIN_BATCH];
	struct kmq_pushed pushed;
	struct kmq_effects fx;
	struct kmq_send s;
	u32 i;

	for (i = 0; i < op->count; i++)
		spec[i] = (struct spec) {
			h->messages[op->first + i].priority, BODY };
	/* a message's number is its own index, from 1 */
	ids[op->thread] = op->first;
	kmq_send_init(&s, &client->port);
	if (batch_add(client, &s, spec, op->count))
		shim_die("no memory");
	if (!op->atomic && kmq_queue_push(&world.q, &client->port, s.runs,
					  &pushed)) {
		if (pushed.woken)
			sleeper_wake(pushed.woken);
		op->done = op->count;
		return;
	}
	s.atomic = op->atomic;
	s.w.task = &sleepers[op->thread];
	kmq_effects_init(&fx);
	op->err = kmq_queue_send(&world.q, &s, op->wait, &fx);
	finish_fx(&fx);
	if (op->err == -EINPROGRESS)
		op->err = sleeper_sleep(&world.q, &s.w, microseconds(op), NULL);
	op->done = s.count - s.left;
	kmq_send_free(&s);
}

/* As kmq_fetch(). */
static int fetch(struct lin_op *op, struct kmq_take *t)
{
	struct kmq_effects fx;
	bool more;
	int err;

	err = kmq_queue_pop(&world.q, t, op->wait, &more);
	if (err == KMQ_POPPED)
		return 0;
	if (err == KMQ_OTHERWISE) {
		kmq_effects_init(&fx);
		err = kmq_queue_receive(&world.q, t, op->wait, &fx);
		finish_fx(&fx);
		if (err != -EINPROGRESS)
			return err;
	}
	err = sleeper_sleep(&world.q, &t->w, microseconds(op), NULL);
	if (err != -ETIMEDOUT || t->min < 2)
		return err;
	t->min = 1;
	kmq_effects_init(&fx);
	err = kmq_queue_receive(&world.q, t, false, &fx);
	finish_fx(&fx);
	return err == -EAGAIN ? -ETIMEDOUT : err;
}

static void do_receive(struct lin_history *h, struct lin_op *op)
{
	struct client *client = clients[op->thread];
	struct kmq_effects fx;
	struct kmq_node *node;
	struct kmq_take t;

	kmq_take_init(&t, &client->port, 1 << 20, op->count, false);
	if (op->min > 1)
		t.min = op->min;
	t.w.task = &sleepers[op->thread];
	op->err = fetch(op, &t);
	if (!t.count)
		return;
	if (op->bad_buffer) {
		kmq_effects_init(&fx);
		kmq_queue_putback(&world.q, &client->port, &t.nodes, &fx);
		finish_fx(&fx);
		op->err = -EFAULT;
		return;
	}
	list_for_each_entry(node, &t.nodes, link)
		lin_got(h, op, body_intact(node) ? node_id(node) - 1 :
			LIN_ALIEN, node->seq);
	kmq_nodes_free(&t.nodes);
}

static void do_stat(struct lin_op *op)
{
	struct kmq_stat_args st = { 0 };

	kmq_queue_stat(&world.q, &st);
	op->st = (struct lin_stat) {
		.ready = st.ready,
		.waiting_senders = st.waiting_senders,
		.waiting_receivers = st.waiting_receivers,
		.sent = st.next_seq - 1,
		.received = st.received,
		.dropped = st.dropped_full,
		.purged = st.dropped_purged,
		.refused = st.refused_full,
		.blocked = st.blocked,
		.sealed = !!(st.state & KMQ_STATE_SEALED),
	};
}

static u32 do_purge(u64 upto)
{
	u32 level = KMQ_PRIORITY_MAX;
	struct kmq_effects fx;
	u64 purged = 0;
	bool more;

	do {
		kmq_effects_init(&fx);
		more = kmq_queue_purge(&world.q, upto, &level, &purged, &fx);
		finish_fx(&fx);
	} while (more);
	return purged;
}

static void core_call(struct lin_history *h, struct lin_op *op,
		      struct lin_op *second)
{
	struct kmq_queue_config cfg = world.cfg;
	struct kmq_effects fx;

	kmq_effects_init(&fx);
	switch (op->kind) {
	case LIN_SEND:
		do_send(h, op);
		break;
	case LIN_RECV:
		do_receive(h, op);
		break;
	case LIN_STAT:
		do_stat(op);
		break;
	case LIN_PURGE:
		op->done = do_purge(kmq_queue_last_seq(&world.q));
		break;
	case LIN_SEAL:
	case LIN_UNSEAL:
		kmq_queue_seal(&world.q, op->kind == LIN_SEAL, &fx);
		finish_fx(&fx);
		break;
	case LIN_ALTER:
		cfg.max_messages = op->count;
		kmq_queue_alter(&world.q, &cfg, &fx);
		finish_fx(&fx);
		break;
	case LIN_DELETE:
		kmq_queue_kill(&world.q, false, &fx);
		finish_fx(&fx);
		do_purge(U64_MAX);
		break;
	}
	if (second)
		do_receive(h, second);
}

static void test_histories(void **state)
{
	static const struct lin_driver driver = {
		.open = core_open,
		.close = core_close,
		.call = core_call,
		.quiet_us = 1000,
		.can = LIN_CAN_FAULT,
	};
	const char *seconds = getenv("KMQ_UNIT_SECONDS");
	struct lin_tally tally;

	(void)state;
	assert_true(lin_run(&driver, "core", seed_from_environment(),
			    seconds ? strtod(seconds, NULL) : 2, 20,
			    getenv("KMQ_UNIT_DUMP"), &tally));
	assert_true(tally.received && tally.dropped && tally.refused &&
		    tally.timeouts && tally.given_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_histories, "lin: histories of real threads are linearizable"),
	};

	return cmocka_run_group_tests_name("lin", tests, NULL, NULL);
}
