// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real threads on one queue. Each message is accounted for: received, dropped
 * or given back to its sender, exactly one of these; a sender's messages stay in
 * order. KMQ_UNIT_SECONDS sets how long each scenario runs.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

#define SENDERS		4
#define RECEIVERS	3
#define IDS		(1u << 20)
#define FOREVER		(-1)
#define PRIORITIES	4

enum { FATE_NONE, FATE_RECEIVED, FATE_DROPPED };

/* In threads a failed check ends the program. */
#define check(condition) do {						\
	if (!(condition))						\
		shim_die("%s:%d: %s", __FILE__, __LINE__, #condition);	\
} while (0)

/* Whom to wake; lives as long as its thread. */
struct task {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool kicked;
	u64 seed;
	u32 index;
	struct client *client;
	pthread_mutex_t port_mutex;
	u64 last_id;
	u64 last_seq[PRIORITIES];
	u64 calls;
	u64 timeouts;
};

/* What became of the messages of one sender; by the low half of the number. */
static struct ledger {
	u8 fate[IDS];
	u8 accepted[IDS];
	u64 seq[IDS];
} *ledger;

static struct scenario {
	const char *name;
	u32 overflow;
	u32 messages;
	u32 priorities;
	bool timeouts;
	bool putbacks;
	bool purges;
	bool shutdowns;
	bool alters;
	bool seal_at_end;
} now;

static struct task senders[SENDERS], receivers[RECEIVERS];
static bool stopping;
static u64 nreceived, ndropped, naccepted, nputback;

static bool stopped(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_RELAXED);
}

static void count(u64 *counter, u64 n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static void settle(struct kmq_node *node, u8 fate, bool has_seq)
{
	u64 id = node_id(node);
	struct ledger *l = &ledger[(id >> 32) - 1];
	u32 at = (u32)id;

	check(id >> 32 && id >> 32 <= SENDERS && at < IDS);
	check(body_intact(node));
	check(__atomic_exchange_n(&l->fate[at], fate, __ATOMIC_RELAXED) ==
	      FATE_NONE);
	if (has_seq)
		l->seq[at] = node->seq;
}

static void kick(struct task *task)
{
	pthread_mutex_lock(&task->mutex);
	task->kicked = true;
	pthread_cond_signal(&task->cond);
	pthread_mutex_unlock(&task->mutex);
}

/* From the moment it is DONE the waiter is its owner's. */
static void wake(struct kmq_waiter *waiter)
{
	struct task *task = waiter->task;

	/* pairs with the acquire in is_done() */
	smp_store_release(&waiter->state, KMQ_DONE);
	kick(task);
}

/* As finish_once() in kmod/wait.c. */
static void finish_round(struct kmq_effects *fx)
{
	struct kmq_waiter *waiter;
	struct kmq_node *node;

	while ((waiter = next_claimed(fx)) != NULL)
		wake(waiter);
	list_for_each_entry(node, &fx->dropped, link) {
		settle(node, FATE_DROPPED, false);
		count(&ndropped, 1);
	}
	if (!list_empty(&fx->dropped))
		kmq_nodes_free(&fx->dropped);
}

static void finish_all(struct kmq_effects *fx)
{
	bool again = fx->again;

	finish_round(fx);
	while (again) {
		struct kmq_effects more;

		kmq_effects_init(&more);
		kmq_queue_balance(&world.q, &more);
		again = more.again;
		finish_round(&more);
	}
}

static bool is_done(struct kmq_waiter *waiter)
{
	/* pairs with the release in wake() */
	return smp_load_acquire(&waiter->state) == KMQ_DONE;
}

/* Sleep until kicked or @us have passed; whether it was in time. */
static bool sleep_once(struct task *task, long us)
{
	struct timespec until;
	bool kicked;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += us % 1000000 * 1000;
	until.tv_sec += us / 1000000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&task->mutex);
	while (!task->kicked && !err) {
		if (us == FOREVER)
			pthread_cond_wait(&task->cond, &task->mutex);
		else
			err = pthread_cond_timedwait(&task->cond, &task->mutex,
						     &until);
	}
	kicked = task->kicked;
	task->kicked = false;
	pthread_mutex_unlock(&task->mutex);
	return kicked;
}

/* As sleep_on() in kmod/wait.c. */
static int sleep_on(struct task *task, struct kmq_waiter *waiter, long us)
{
	struct kmq_effects fx;

	while (!is_done(waiter)) {
		if (sleep_once(task, us))
			continue;
		if (!kmq_queue_cancel(&world.q, waiter)) {
			while (!is_done(waiter))
				sleep_once(task, FOREVER);
			break;
		}
		kmq_effects_init(&fx);
		kmq_queue_balance(&world.q, &fx);
		finish_all(&fx);
		task->timeouts++;
		return -ETIMEDOUT;
	}
	return waiter->result;
}

/* After a shutdown of its handle a thread goes on with a fresh port. */
static void reopen(struct task *task)
{
	pthread_mutex_lock(&task->port_mutex);
	check(!task->client->port.nsending && !task->client->port.nreceiving);
	kmq_port_init(&task->client->port);
	pthread_mutex_unlock(&task->port_mutex);
}

/* The first @n of a batch that began behind @before were accepted. */
static void note_accepted(struct task *task, u64 before, u32 n)
{
	u32 i;

	for (i = 1; i <= n; i++)
		ledger[task->index].accepted[(u32)before + i] = 1;
	count(&naccepted, n);
}

static int send_one_batch(struct task *task)
{
	u32 n = 1 + random_below(&task->seed, 8), runs, i, all = 0;
	u64 before = task->last_id;
	struct kmq_pushed pushed;
	struct kmq_effects fx;
	struct kmq_send s;
	bool wait = random_below(&task->seed, 4);
	long us = now.timeouts ? random_below(&task->seed, 100) : FOREVER;
	int err;

	kmq_send_init(&s, &task->client->port);
	runs = random_below(&task->seed, 3) ? 1 : 2;
	while (runs--) {
		struct spec spec[8];

		for (i = 0; i < n; i++) {
			spec[i].priority = random_below(&task->seed,
							now.priorities);
			spec[i].body = random_below(&task->seed, 100);
		}
		if (n == 1 && !random_below(&task->seed, 20))
			spec[0].body = 20000;
		check(!batch_add(task->client, &s, spec, n));
		all += n;
	}
	if (s.count == n && kmq_queue_push(&world.q, &task->client->port,
					   s.runs, &pushed)) {
		if (pushed.woken)
			wake(pushed.woken);
		note_accepted(task, before, n);
		return 0;
	}
	s.atomic = now.overflow == KMQ_OVERFLOW_BLOCK && all <= 4 &&
		!random_below(&task->seed, 4);
	s.w.task = task;
	do {
		kmq_effects_init(&fx);
		err = kmq_queue_send(&world.q, &s, wait, &fx);
		finish_all(&fx);
	} while (err == -EAGAIN && fx.again);
	if (err == -EINPROGRESS)
		err = sleep_on(task, &s.w, us);
	check(err || !s.left);
	check(!s.atomic || s.left == 0 || s.left == s.count);
	note_accepted(task, before, s.count - s.left);
	kmq_send_free(&s);
	return err;
}

static void *sender(void *arg)
{
	struct task *task = arg;
	int err = 0;

	while ((u32)task->last_id < IDS - 64) {
		task->calls++;
		/* as kmq_object_delete() looks, without the lock */
		check(!READ_ONCE(world.q.dead) || stopped());
		err = send_one_batch(task);
		if (err == -ECANCELED)
			reopen(task);
		else if (err == -EIDRM || err == -EPIPE)
			break;
		check(!err || err == -EAGAIN || err == -ETIMEDOUT ||
		      err == -ECANCELED || err == -EIDRM || err == -EPIPE);
		if (err == -EAGAIN)
			sched_yield();
		/* or receivers see little of a queue that drops */
		if (now.overflow == KMQ_OVERFLOW_DROP_HEAD &&
		    !random_below(&task->seed, 4))
			usleep(20);
	}
	return NULL;
}

/* One hold of the lock hands out by priority, then in order. */
static void check_order(struct task *task, struct kmq_take *t)
{
	struct kmq_node *node, *last = NULL;
	u32 n = 0;

	list_for_each_entry(node, &t->nodes, link) {
		u64 *seen = &task->last_seq[node->priority];

		check(!last || last->priority > node->priority ||
		      (last->priority == node->priority &&
		       last->seq < node->seq));
		if (!now.putbacks) {
			check(node->seq > *seen);
			*seen = node->seq;
		}
		last = node;
		n++;
	}
	check(n == t->count);
}

static void consume(struct task *task, struct kmq_take *t)
{
	struct kmq_effects fx;
	struct kmq_node *node;

	check_order(task, t);
	if (!t->count)
		return;
	if (now.putbacks && !random_below(&task->seed, 4)) {
		count(&nputback, t->count);
		kmq_effects_init(&fx);
		kmq_queue_putback(&world.q, &task->client->port, &t->nodes,
				  &fx);
		finish_all(&fx);
		return;
	}
	list_for_each_entry(node, &t->nodes, link)
		settle(node, FATE_RECEIVED, true);
	count(&nreceived, t->count);
	kmq_nodes_free(&t->nodes);
}

static int receive_once(struct task *task, bool *ended)
{
	u32 max = 1 + random_below(&task->seed, 12);
	u32 min = random_below(&task->seed, 3) ? 1 :
		1 + random_below(&task->seed, max);
	bool wait = random_below(&task->seed, 8);
	/* an insisting receiver must not wait for what never comes */
	long us = now.timeouts ? random_below(&task->seed, 100) :
		min > 1 ? 500 : FOREVER;
	struct kmq_effects fx;
	struct kmq_take t;
	bool more;
	int err;

	kmq_take_init(&t, &task->client->port, 1 << 20, max, false);
	t.w.task = task;
	t.min = min;
	err = random_below(&task->seed, 2) ? KMQ_OTHERWISE :
		kmq_queue_pop(&world.q, &t, wait, &more);
	if (err == KMQ_OTHERWISE) {
		kmq_effects_init(&fx);
		err = kmq_queue_receive(&world.q, &t, wait, &fx);
		finish_all(&fx);
	} else if (err == KMQ_WAITS) {
		err = -EINPROGRESS;
	}
	if (err == -EINPROGRESS)
		err = sleep_on(task, &t.w, us);
	check(!err || !t.count);
	*ended = !err && !t.count;
	consume(task, &t);
	return err;
}

static void *receiver(void *arg)
{
	struct task *task = arg;
	bool ended = false;
	int err = 0;

	while (!ended) {
		task->calls++;
		err = receive_once(task, &ended);
		if (err == -ECANCELED)
			reopen(task);
		else if (err == -EIDRM)
			break;
		check(!err || err == -EAGAIN || err == -ETIMEDOUT ||
		      err == -ECANCELED);
		if (err == -EAGAIN)
			sched_yield();
	}
	check(!ended || now.seal_at_end);
	return NULL;
}

static void purge_all(u64 upto)
{
	u32 level = KMQ_PRIORITY_MAX;
	struct kmq_effects fx;
	u64 purged = 0;
	bool more;

	do {
		struct kmq_node *node;

		kmq_effects_init(&fx);
		more = kmq_queue_purge(&world.q, upto, &level, &purged, &fx);
		if (now.overflow == KMQ_OVERFLOW_BLOCK)
			list_for_each_entry(node, &fx.dropped, link)
				check(node->seq <= upto);
		finish_all(&fx);
	} while (more);
}

static void shutdown_one(u64 *seed)
{
	struct task *task = random_below(seed, 2) ?
		&senders[random_below(seed, SENDERS)] :
		&receivers[random_below(seed, RECEIVERS)];
	struct kmq_effects fx;
	bool more;

	pthread_mutex_lock(&task->port_mutex);
	do {
		kmq_effects_init(&fx);
		more = kmq_queue_shutdown(&world.q, &task->client->port,
					  KMQ_OPEN_SEND | KMQ_OPEN_RECV, &fx);
		finish_all(&fx);
	} while (more);
	pthread_mutex_unlock(&task->port_mutex);
}

static void alter_some(u64 *seed)
{
	struct kmq_queue_config cfg = world.cfg;
	struct kmq_effects fx;

	cfg.max_messages = 4 + random_below(seed, 2 * now.messages);
	kmq_effects_init(&fx);
	kmq_queue_alter(&world.q, &cfg, &fx);
	finish_all(&fx);
}

/* Purges, shuts down and alters now and then, and looks at the counters. */
static void *meddler(void *arg)
{
	struct task *task = arg;

	while (!stopped()) {
		struct kmq_stat_args st = { 0 };

		if (now.purges && !random_below(&task->seed, 4))
			purge_all(kmq_queue_last_seq(&world.q));
		if (now.shutdowns && !random_below(&task->seed, 4))
			shutdown_one(&task->seed);
		if (now.alters)
			alter_some(&task->seed);
		kmq_queue_stat(&world.q, &st);
		check(st.ready + st.received + st.dropped_full +
		      st.dropped_purged == st.sent);
		check(st.next_seq == st.sent + 1);
		kmq_queue_poll(&world.q, &task->client->port);
		/* as object_delete() looks, without the lock */
		check(!READ_ONCE(world.q.dead) || stopped());
		usleep(300);
	}
	return NULL;
}

static void task_start(struct task *task, u32 index, u64 seed,
		       void *(*body)(void *))
{
	memset(task, 0, sizeof(*task));
	pthread_mutex_init(&task->mutex, NULL);
	pthread_mutex_init(&task->port_mutex, NULL);
	pthread_cond_init(&task->cond, NULL);
	task->index = index;
	task->seed = seed * 31 + index * 7919 + 1;
	task->client = client_open(&world);
	task->last_id = (u64)(index + 1) << 32;
	task->client->ids = &task->last_id;
	assert_int_equal(pthread_create(&task->thread, NULL, body, task), 0);
}

static void run_for(double seconds)
{
	const char *text = getenv("KMQ_UNIT_SECONDS");

	if (text)
		seconds = strtod(text, NULL);
	usleep(seconds * 1e6);
}

static void end_of_run(void)
{
	struct kmq_effects fx;

	kmq_effects_init(&fx);
	if (now.seal_at_end)
		kmq_queue_seal(&world.q, true, &fx);
	else
		kmq_queue_kill(&world.q, false, &fx);
	finish_all(&fx);
}

/* Every message has exactly one fate, and the senders know which. */
static void audit(void)
{
	u32 i, k;

	for (i = 0; i < SENDERS; i++) {
		struct ledger *l = &ledger[i];
		u64 last = 0;

		for (k = 1; k <= (u32)senders[i].last_id; k++) {
			assert_int_equal(l->accepted[k],
					 l->fate[k] != FATE_NONE);
			if (l->fate[k] != FATE_RECEIVED)
				continue;
			assert_true(l->seq[k] > last);
			last = l->seq[k];
		}
		assert_true(senders[i].calls > 10);
	}
	assert_int_equal(naccepted, nreceived + ndropped);
	assert_true(nreceived > 100);
}

static void run_scenario(const struct scenario *scenario)
{
	u64 seed = seed_from_environment(), timeouts = 0;
	struct task other;
	u32 i;

	now = *scenario;
	stopping = false;
	nreceived = 0;
	ndropped = 0;
	naccepted = 0;
	nputback = 0;
	ledger = calloc(SENDERS, sizeof(*ledger));
	assert_non_null(ledger);
	world_open(&world, now.messages, 1 << 20, now.overflow);
	for (i = 0; i < SENDERS; i++)
		task_start(&senders[i], i, seed, sender);
	for (i = 0; i < RECEIVERS; i++)
		task_start(&receivers[i], i, seed + 99, receiver);
	task_start(&other, 0, seed + 12345, meddler);
	run_for(1.2);
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	pthread_join(other.thread, NULL);
	end_of_run();
	for (i = 0; i < SENDERS; i++) {
		pthread_join(senders[i].thread, NULL);
		timeouts += senders[i].timeouts;
	}
	for (i = 0; i < RECEIVERS; i++) {
		pthread_join(receivers[i].thread, NULL);
		timeouts += receivers[i].timeouts;
	}
	purge_all(U64_MAX);
	print_message("# %s: accepted %" PRIu64 ", received %" PRIu64
		      ", dropped %" PRIu64 ", put back %" PRIu64
		      ", timed out %" PRIu64 "\n", now.name, naccepted,
		      nreceived, ndropped, nputback, timeouts);
	audit();
	if (now.seal_at_end)
		assert_int_equal(ndropped, 0);
	world_close(&world);
	free(ledger);
}

static void test_block(void **state)
{
	(void)state;
	run_scenario(&(struct scenario) {
		.name = "block", .messages = 16, .priorities = 1,
		.timeouts = true, .purges = true, .shutdowns = true,
		.alters = true,
	});
}

static void test_priorities(void **state)
{
	(void)state;
	run_scenario(&(struct scenario) {
		.name = "priorities", .messages = 40, .priorities = PRIORITIES,
		.timeouts = true, .putbacks = true, .purges = true,
	});
}

static void test_drop_head(void **state)
{
	(void)state;
	run_scenario(&(struct scenario) {
		.name = "drop-head", .overflow = KMQ_OVERFLOW_DROP_HEAD,
		.messages = 20, .priorities = PRIORITIES, .putbacks = true,
		.shutdowns = true,
	});
}

static void test_drain(void **state)
{
	(void)state;
	run_scenario(&(struct scenario) {
		.name = "drain", .messages = 12, .priorities = 1,
		.seal_at_end = true,
	});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_block, "stress: block, timeouts, purge, shutdown, alter"),
		TEST(test_priorities, "stress: priorities, putback, timeouts, purge"),
		TEST(test_drop_head, "stress: drop-head, putback, shutdown"),
		TEST(test_drain, "stress: seal, drain: sent is received"),
	};

	return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
