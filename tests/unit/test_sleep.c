// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmod/wait.c, unchanged, with real threads: who sleeps is woken. Senders wait
 * for room, receivers for messages, pollers for either; signals, deadlines and
 * kills get in the way. KMQ_UNIT_SECONDS: as in test_stress.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "edge.h"
#include "fixture.h"
#include "../../kmod/copy.h"
#include "../../kmod/handle.h"
#include "../../kmod/object.h"
#include "../../kmod/wait.h"

#define THREADS		3

/* In threads a failed check ends the program. */
#define check(condition) do {						\
	if (!(condition))						\
		shim_die("%s:%d: %s", __FILE__, __LINE__, #condition);	\
} while (0)

struct thread {
	pthread_t id;
	struct task_struct *task;
	struct client *client;
	struct kmq_handle h;
	u64 seed;
	u64 last_id;
	u64 sum;
	u64 messages;
	u64 interrupted;
};

static struct kmq_object object;
static struct thread senders[THREADS], receivers[THREADS];
static bool polling, meddling, stopping;

/* Bytes are not copied here. */
u32 kmq_copy_out(struct kmq_user_buf *to, struct list_head *nodes, u32 *count)
{
	(void)to;
	(void)nodes;
	(void)count;
	shim_die("copied");
}

u32 kmq_copy_short(struct kmq_user_buf *to, struct kmq_node *node)
{
	(void)to;
	(void)node;
	shim_die("copied");
}

/* No deadline, one that is near, or not to wait. */
static u64 some_deadline(struct thread *t)
{
	if (!meddling)
		return KMQ_FOREVER;
	switch (random_below(&t->seed, 4)) {
	case 0:
		return ktime_get_ns() + random_below(&t->seed, 100000);
	case 1:
		return 0;
	}
	return KMQ_FOREVER;
}

static bool passing(int err)
{
	return !err || err == -EAGAIN || err == -ETIMEDOUT ||
		err == -ERESTARTSYS || err == -EINTR;
}

static void note(struct thread *t, int err)
{
	if (err == -ERESTARTSYS || err == -EINTR) {
		t->interrupted++;
		__atomic_store_n(&t->task->signals, 0, __ATOMIC_RELAXED);
	}
}

/* As poll(2) with kmq_poll(). */
static void poll_for(struct thread *t, wait_queue_head_t *wq, unsigned int bits)
{
	struct edge_poller poller;

	edge_poll_add(wq, &poller);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kmq_queue_poll(&object.queue, &t->h.port) &
		    (bits | KMQ_POLL_DEAD) || signal_pending(current))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	edge_poll_remove(wq, &poller);
}

static int send_one(struct thread *t)
{
	u64 deadline = polling ? 0 : some_deadline(t), first = t->last_id + 1;
	u32 n = 1 + random_below(&t->seed, 4), i;
	struct spec spec[4] = { 0 };
	struct kmq_pushed pushed;
	struct kmq_send s;
	int err = 0;

	kmq_send_init(&s, &t->h.port);
	check(!batch_add(t->client, &s, spec, n));
	if (random_below(&t->seed, 2) &&
	    kmq_queue_push(&object.queue, &t->h.port, s.runs, &pushed)) {
		kmq_finish_push(&object, n, &pushed);
		s.left = 0;
		s.runs = NULL;
	} else {
		err = kmq_submit(&t->h, &s, deadline);
	}
	for (i = 0; i < n - s.left; i++)
		t->sum += first + i;
	t->messages += n - s.left;
	kmq_send_free(&s);
	return err;
}

static void *sender(void *arg)
{
	struct thread *t = arg;
	int err;

	current = t->task;
	do {
		if (polling)
			poll_for(t, &object.writers, KMQ_POLL_WRITE);
		err = send_one(t);
		note(t, err);
	} while (passing(err) && !__atomic_load_n(&stopping, __ATOMIC_RELAXED));
	check(passing(err));
	return NULL;
}

static void *receiver(void *arg)
{
	struct thread *t = arg;
	struct kmq_node *node;
	int err;

	current = t->task;
	for (;;) {
		u64 deadline = polling ? 0 : some_deadline(t), linger = 0;
		struct kmq_take take;

		if (polling)
			poll_for(t, &object.readers, KMQ_POLL_READ);
		kmq_take_init(&take, &t->h.port, 1 << 20,
			      1 + random_below(&t->seed, 8), false);
		if (meddling && take.max > 1 && !random_below(&t->seed, 4)) {
			take.min = take.max;
			linger = ktime_get_ns() + 50000;
		}
		err = kmq_fetch(&t->h, &take, deadline, linger);
		check(!err || !take.count);
		note(t, err);
		if (err == -EIDRM)
			break;
		check(passing(err));
		list_for_each_entry(node, &take.nodes, link)
			t->sum += node_id(node);
		t->messages += take.count;
		kmq_nodes_free(&take.nodes);
	}
	return NULL;
}

static void thread_start(struct thread *t, u32 index, u64 seed,
			 void *(*body)(void *))
{
	struct task_struct *self = current;

	memset(t, 0, sizeof(*t));
	t->client = client_open(&world);
	t->client->ids = &t->last_id;
	t->last_id = (u64)(index + 1) << 32;
	t->seed = seed + index * 7919 + 1;
	t->h.obj = &object;
	kmq_port_init(&t->h.port);
	t->task = edge_task_start();
	current = self;
	assert_int_equal(pthread_create(&t->id, NULL, body, t), 0);
}

static void thread_join(struct thread *t)
{
	struct task_struct *self = current;

	pthread_join(t->id, NULL);
	current = t->task;
	edge_task_end();
	current = self;
}

static bool all_received(struct kmq_queue *q)
{
	bool all;

	spin_lock(&q->lock);
	all = q->received == q->sent;
	spin_unlock(&q->lock);
	return all;
}

/* Every message that was accepted is received, and all are told of the end. */
static void run_for(const char *name, u64 messages, double seconds)
{
	const char *text = getenv("KMQ_UNIT_SECONDS");
	u64 seed = seed_from_environment(), end, sum = 0, all = 0, signals = 0;
	struct kmq_effects fx;
	u32 i;

	if (text)
		seconds = strtod(text, NULL);
	stopping = false;
	world_open(&world, messages, 1 << 20, KMQ_OVERFLOW_BLOCK);
	memset(&object, 0, sizeof(object));
	kmq_queue_init(&object.queue, &world.cfg, &world.payer);
	edge_wait_queue_init(&object.readers);
	edge_wait_queue_init(&object.writers);
	edge_task_start();
	for (i = 0; i < THREADS; i++)
		thread_start(&receivers[i], THREADS + i, seed, receiver);
	for (i = 0; i < THREADS; i++)
		thread_start(&senders[i], i, seed, sender);
	for (end = ktime_get_ns() + seconds * 1e9; ktime_get_ns() < end;) {
		usleep(100);
		if (meddling)
			edge_signal((random_below(&seed, 2) ? senders :
				     receivers)[random_below(&seed, THREADS)].task,
				    1 + random_below(&seed, 2));
	}
	__atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		thread_join(&senders[i]);
	/* receivers, too, are through with what there is */
	while (!all_received(&object.queue) &&
	       ktime_get_ns() < end + EDGE_HANG * 1000000000ull)
		usleep(1000);
	kmq_effects_init(&fx);
	kmq_queue_kill(&object.queue, false, &fx);
	kmq_finish(&object, &fx);
	for (i = 0; i < THREADS; i++)
		thread_join(&receivers[i]);
	for (i = 0; i < THREADS; i++) {
		sum += senders[i].sum - receivers[i].sum;
		all += senders[i].messages - receivers[i].messages;
		signals += senders[i].interrupted + receivers[i].interrupted;
	}
	print_message("# %s: %" PRIu64 " messages, %" PRIu64 " interrupted\n",
		      name, object.queue.received, signals);
	edge_task_end();
	assert_int_equal(all, 0);
	assert_int_equal(sum, 0);
	assert_true(object.queue.received > 100);
	assert_true(!meddling || signals);
	kmq_queue_destroy(&object.queue);
	world_close(&world);
}

static void test_wait(void **state)
{
	(void)state;
	polling = false;
	meddling = false;
	run_for("wait", 2, 1);
}

static void test_signals(void **state)
{
	(void)state;
	polling = false;
	meddling = true;
	run_for("signals", 4, 1);
}

static void test_poll(void **state)
{
	(void)state;
	polling = true;
	meddling = false;
	run_for("poll", 4, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wait, "sleep: senders and receivers wake each other"),
		TEST(test_signals, "sleep: signals, kills, deadlines, watermarks"),
		TEST(test_poll, "sleep: pollers are told"),
	};

	return cmocka_run_group_tests_name("sleep", tests, NULL, NULL);
}
