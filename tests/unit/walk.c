// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "walk.h"

#define CLIENTS		4

static struct client *client[MAX_CLIENTS];
static struct model model;
static struct model_run runs[WALK_STEPS * 4];
static u32 nruns;

/* The real half of model.call[] of the same index. */
static struct real_call {
	struct kmq_send send;
	struct kmq_take take;
} real[MODEL_CALLS];

u32 (*walk_dice)(u32 limit);

static u32 dice(u32 limit)
{
	return walk_dice(limit);
}

static struct kmq_waiter *waiter_of(u32 at)
{
	return model.call[at].sends ? &real[at].send.w : &real[at].take.w;
}

static int compare_ids(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void compare_taken(u32 at)
{
	struct model_call *c = &model.call[at];
	struct kmq_take *t = &real[at].take;
	struct kmq_node *node;
	u32 i = 0;

	assert_int_equal(t->count, c->n);
	list_for_each_entry(node, &t->nodes, link) {
		assert_true(i < c->n);
		assert_int_equal(node_id(node), c->msg[i].id);
		assert_int_equal(node->seq, c->msg[i].seq);
		assert_true(body_intact(node));
		i++;
	}
	assert_int_equal(i, c->n);
	if (c->result == -EMSGSIZE)
		assert_int_equal(t->needed, c->needed);
	else
		assert_int_equal(t->room, c->room);
}

static void compare_stat(void)
{
	struct kmq_stat_args st = stat_of(&world);
	struct model_msg *first = model_first(&model);
	u32 i;

	assert_int_equal(st.ready, model.count);
	assert_int_equal(st.bytes, model_bytes(&model));
	assert_int_equal(st.memory, model_memory(&model));
	assert_int_equal(st.next_seq, model.next_seq);
	assert_int_equal(st.sent, model.st.sent);
	assert_int_equal(st.sent_bytes, model.st.sent_bytes);
	assert_int_equal(st.received, model.st.received);
	assert_int_equal(st.received_bytes, model.st.received_bytes);
	assert_int_equal(st.dropped_full, model.st.dropped_full);
	assert_int_equal(st.dropped_purged, model.st.dropped_purged);
	assert_int_equal(st.refused_full, model.st.refused_full);
	assert_int_equal(st.blocked, model.st.blocked);
	assert_int_equal(st.waiting_senders, model_waiting(&model, true));
	assert_int_equal(st.waiting_receivers, model_waiting(&model, false));
	assert_int_equal(st.state, model.sealed ? KMQ_STATE_SEALED : 0);
	assert_int_equal(kmq_queue_next_size(&world.q, false),
			 first ? first->size : 0);
	assert_int_equal(kmq_queue_next_size(&world.q, true),
			 first ? first->body : 0);
	for (i = 0; i < world.nclients; i++) {
		struct kmq_handle_row row = { 0 };

		kmq_port_stat(&world.q, &client[i]->port, &row);
		assert_int_equal(row.sent, model.port_sent[i]);
		assert_int_equal(row.received, model.port_received[i]);
		assert_int_equal(kmq_queue_poll(&world.q, &client[i]->port),
				 model_poll(&model, i));
	}
}

/* Everything is as the model has it; calls that are done are put away. */
static void compare(void)
{
	u32 i;

	assert_false(world.seen.again);
	assert_int_equal(world.seen.ndropped, model.ndropped);
	qsort(world.seen.dropped, model.ndropped, sizeof(u64), compare_ids);
	qsort(model.dropped, model.ndropped, sizeof(u64), compare_ids);
	assert_memory_equal(world.seen.dropped, model.dropped,
			    model.ndropped * sizeof(u64));
	model.ndropped = 0;
	world_forget(&world);

	for (i = 0; i < MODEL_CALLS; i++) {
		struct model_call *c = &model.call[i];

		if (c->state == CALL_WAITS)
			assert_waiting(waiter_of(i));
		if (c->state != CALL_DONE)
			continue;
		if (waiter_of(i)->state != KMQ_IDLE)
			assert_done(waiter_of(i), c->result);
		if (c->sends) {
			assert_int_equal(real[i].send.left, c->n - c->next);
			if (c->next)
				assert_int_equal(real[i].send.last_seq,
						 c->msg[c->next - 1].seq);
			kmq_send_free(&real[i].send);
			c->state = CALL_FREE;
		} else {
			compare_taken(i);
			c->state = c->n ? CALL_HELD : CALL_FREE;
		}
	}
	compare_stat();
}

static u32 find_call(enum call_state state)
{
	u32 i, at = dice(MODEL_CALLS);

	for (i = 0; i < MODEL_CALLS; i++)
		if (model.call[(at + i) % MODEL_CALLS].state == state)
			return (at + i) % MODEL_CALLS;
	return MODEL_CALLS;
}

static u32 any_client(void)
{
	return world.nclients - 1 - dice(min(world.nclients, (u32)CLIENTS));
}

static const u16 priorities[] = { 0, 0, 0, 0, 1, 5, 127, 128, 32767 };
static const u32 bodies[] = { 0, 0, 8, 100, 200, 1000, 5000 };

static bool add_run(struct model_call *c, struct kmq_send *s, u32 n, u32 spread)
{
	struct kmq_run *run;
	struct spec spec[4] = { { 0 } };
	u32 i;

	for (i = 0; i < n; i++) {
		spec[i].priority = priorities[dice(spread)];
		spec[i].body = bodies[dice(n == 1 ? ARRAY_SIZE(bodies) : 4)];
	}
	if (n == 1 && !dice(30))
		spec[0].body = 20000;
	run = run_make(client[c->client], spec, n);
	if (!run)
		return false;
	assert_true(nruns < ARRAY_SIZE(runs));
	runs[nruns].memory = run->memory;
	runs[nruns].queued = 0;
	for (i = 0; i < n; i++) {
		struct model_msg *msg = &c->msg[c->n++];

		msg->id = node_id(&run->nodes[i]);
		msg->size = record_bytes(spec[i].body);
		msg->body = spec[i].body;
		msg->priority = spec[i].priority;
		msg->run = &runs[nruns];
	}
	nruns++;
	kmq_send_add(s, run);
	return true;
}

/*
 * Runs of messages for a batch. Now and then there is no memory, or no more may
 * be used: then nothing is sent, and nothing else is different.
 */
static bool make_batch(struct model_call *c, struct kmq_send *s)
{
	u32 spread = dice(2) ? 1 : ARRAY_SIZE(priorities), n = 1 + dice(3);
	bool refused = !dice(30), ok = true;
	atomic_long_t *limit = &world.domain.limit[KMQ_R_BYTES];
	long before = atomic_long_read(limit);

	if (refused)
		atomic_long_set(limit, 0);
	shim_fail_nth(dice(15) ? 0 : 1 + dice(10));
	for (; n && ok; n--)
		ok = add_run(c, s, 1 + dice(4), spread);
	if (!ok && errno == ENOMEM)
		assert_true(shim_failed());
	else if (!ok)
		assert_true(refused && errno == EDQUOT);
	shim_fail_nth(0);
	atomic_long_set(limit, before);
	if (!ok) {
		kmq_send_free(s);
		c->state = CALL_FREE;
	}
	return ok;
}

static void step_send(void)
{
	u32 at = find_call(CALL_FREE);
	struct model_call *c = &model.call[at];
	u64 before = model.count;
	struct kmq_effects fx;
	bool wait = dice(2);
	struct kmq_send *s;
	int err;

	if (at == MODEL_CALLS)
		return;
	s = &real[at].send;
	memset(c, 0, sizeof(*c));
	c->sends = true;
	c->client = any_client();
	kmq_send_init(s, &client[c->client]->port);
	if (!make_batch(c, s)) {
		compare();
		return;
	}
	c->atomic = !dice(5);
	s->atomic = c->atomic;

	model_send(&model, c, wait);
	/* the short way must be no different from the long one */
	if (c->n == s->runs->count && !c->atomic && dice(4) &&
	    push(client[c->client], s->runs)) {
		assert_int_equal(c->state, CALL_DONE);
		assert_int_equal(c->result, 0);
		c->state = CALL_FREE;
		compare();
		return;
	}
	kmq_effects_init(&fx);
	err = kmq_queue_send(&world.q, s, wait, &fx);
	/* whoever polls is told of a queue that is not empty any more */
	if (!before && model.count)
		assert_true(fx.readable > 0);
	finish(&world, &fx);
	if (err == -EINPROGRESS)
		assert_true(c->state == CALL_WAITS ||
			    s->w.state == KMQ_DONE);
	else
		assert_int_equal(err, c->result);
	compare();
}

static void step_receive(void)
{
	static const u32 rooms[] = { 0, 50, 64, 100, 300, 1000, 6000, 1 << 20 };
	u32 at = find_call(CALL_FREE);
	struct model_call *c = &model.call[at];
	bool was_full = model_full(&model);
	int err = KMQ_OTHERWISE;
	struct kmq_effects fx;
	bool wait = dice(2), more;
	struct kmq_take *t;

	if (at == MODEL_CALLS)
		return;
	t = &real[at].take;
	memset(c, 0, sizeof(*c));
	c->client = any_client();
	c->room = dice(3) ? 1 << 20 : rooms[dice(ARRAY_SIZE(rooms))];
	c->max = dice(3) ? 1 + dice(20) : 1;
	c->min = dice(3) ? 1 : 1 + dice(min(c->max, 10u));
	c->plain = dice(2);
	kmq_take_init(t, &client[c->client]->port, c->room, c->max, c->plain);
	t->min = c->min;

	model_receive(&model, c, wait);
	if (dice(4))
		err = kmq_queue_pop(&world.q, t, wait, &more);
	if (err != KMQ_OTHERWISE) {
		assert_int_equal(c->state, err == KMQ_WAITS ? CALL_WAITS :
				 CALL_DONE);
		if (err == KMQ_POPPED)
			assert_int_equal(more, model.count != 0);
		compare();
		return;
	}
	kmq_effects_init(&fx);
	err = kmq_queue_receive(&world.q, t, wait, &fx);
	if (was_full && !model_full(&model) && c->n)
		assert_true(fx.writable > 0);
	if (c->n && model.count)
		assert_true(fx.readable > 0);
	finish(&world, &fx);
	assert_int_equal(err, c->state == CALL_WAITS ? -EINPROGRESS :
			 c->result);
	compare();
}

static void step_held(void)
{
	u32 at = find_call(CALL_HELD);
	struct model_call *c = &model.call[at];

	if (at == MODEL_CALLS)
		return;
	if (dice(2)) {
		model_putback(&model, c);
		putback(client[c->client], &real[at].take);
	} else {
		drop_taken(&real[at].take);
	}
	c->state = CALL_FREE;
	compare();
}

static void step_cancel(void)
{
	u32 at = find_call(CALL_WAITS);

	if (at == MODEL_CALLS)
		return;
	model.call[at].state = CALL_FREE;
	model_balance(&model);
	assert_true(cancel(&world, waiter_of(at)));
	if (model.call[at].sends)
		kmq_send_free(&real[at].send);
	compare();
}

static void step_alter(void)
{
	static const u32 overflows[] = {
		KMQ_OVERFLOW_BLOCK, KMQ_OVERFLOW_BLOCK, KMQ_OVERFLOW_REJECT,
		KMQ_OVERFLOW_DROP_HEAD,
	};

	world.cfg.max_message_size = dice(2) ? 64 : dice(6000);
	alter(&world, 1 + dice(30), 64 + dice(dice(2) ? 2000 : 40000),
	      overflows[dice(4)]);
	model.cfg = world.cfg;
	model_balance(&model);
	compare();
}

static void step_purge(void)
{
	u64 upto = dice(2) ? U64_MAX : model.next_seq - dice(20);

	if ((s64)upto < 0 && upto != U64_MAX)
		upto = 0;
	assert_int_equal(purge(&world, upto), model_purge(&model, upto));
	compare();
}

static void step_seal(void)
{
	model.sealed = !model.sealed && !dice(3);
	model_balance(&model);
	seal(&world, model.sealed);
	compare();
}

static void step_shutdown(void)
{
	u32 who = any_client(), what = 1 + dice(3), fresh;

	if (world.nclients == MAX_CLIENTS)
		return;
	model.shut[who] |= what;
	model_end_calls(&model, who, what, -ECANCELED);
	model_balance(&model);
	shut(client[who], what);
	/* the index first: opening one changes it */
	fresh = world.nclients;
	client[fresh] = client_open(&world);
	compare();
}

void walk_step(void)
{
	u32 d = dice(100);

	if (d < 35)
		step_send();
	else if (d < 62)
		step_receive();
	else if (d < 76)
		step_held();
	else if (d < 82)
		step_cancel();
	else if (d < 86)
		step_alter();
	else if (d < 88)
		step_purge();
	else if (d < 91)
		step_seal();
	else if (d < 92)
		step_shutdown();
	else if (d < 96)
		step_send();
	else
		step_receive();
}

void walk_start(void)
{
	u32 i;

	world_open(&world, 1 + dice(20), 1000 + dice(20000),
		   dice(3) ? KMQ_OVERFLOW_BLOCK : KMQ_OVERFLOW_DROP_HEAD);
	for (i = 0; i < CLIENTS; i++)
		client[i] = client_open(&world);
	model_init(&model, &world.cfg);
	nruns = 0;
}

/* Delete the queue with whatever waits, then hand back or free what is held. */
void walk_end(void)
{
	u32 at;

	model.dead = true;
	model_balance(&model);
	assert_int_equal(kill_queue(&world, false), 0);
	compare();
	while (find_call(CALL_HELD) < MODEL_CALLS)
		step_held();
	for (at = 0; at < 5; at++)
		walk_step();
	while (find_call(CALL_HELD) < MODEL_CALLS)
		step_held();
	world_close(&world);
}

