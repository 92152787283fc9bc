// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>

#include "handle.h"
#include "object.h"
#include "trace.h"
#include "wait.h"

static void wake_claimed(struct kmq_object *obj, struct kmq_effects *fx)
{
	struct kmq_waiter *w, *tmp;

	list_for_each_entry_safe(w, tmp, &fx->wake, link) {
		struct task_struct *task = w->task;

		trace_kmq_wake(obj->id, w->direction, w->result);
		get_task_struct(task);
		/*
		 * Pairs with smp_load_acquire() in sleep_until_done(): what was
		 * done on the waiter's behalf is visible before it goes on. Its
		 * memory must not be touched afterwards; the task is ours.
		 */
		smp_store_release(&w->state, KMQ_DONE);
		wake_up_process(task);
		put_task_struct(task);
	}
	INIT_LIST_HEAD(&fx->wake);
}

static void wake_pollers(wait_queue_head_t *wq, u32 n, __poll_t key)
{
	__wake_up(wq, TASK_NORMAL, min_t(u32, n, INT_MAX), poll_to_key(key));
}

/**
 * kmq_wake_readers() - pollers may receive
 * @obj: the object
 * @n: how many messages there are; as many exclusive waiters are woken
 */
void kmq_wake_readers(struct kmq_object *obj, u32 n)
{
	wake_pollers(&obj->readers, n, EPOLLIN | EPOLLRDNORM);
}

/**
 * kmq_wake_writers() - pollers may send
 * @obj: the object
 * @n: how many messages left
 */
void kmq_wake_writers(struct kmq_object *obj, u32 n)
{
	wake_pollers(&obj->writers, n, EPOLLOUT | EPOLLWRNORM);
}

static void finish_once(struct kmq_object *obj, struct kmq_effects *fx)
{
	wake_claimed(obj, fx);
	kmq_nodes_free(&fx->dropped);
	if (fx->ndropped)
		trace_kmq_drop(obj->id, fx->ndropped);
	if (fx->readable && wq_has_sleeper(&obj->readers))
		kmq_wake_readers(obj, fx->readable);
	if (fx->writable && wq_has_sleeper(&obj->writers))
		kmq_wake_writers(obj, fx->writable);
	if (fx->hangup) {
		/* 0: every exclusive waiter too */
		if (wq_has_sleeper(&obj->readers))
			wake_pollers(&obj->readers, 0, EPOLLIN | EPOLLRDNORM |
				     EPOLLRDHUP | EPOLLHUP | EPOLLERR);
		if (wq_has_sleeper(&obj->writers))
			wake_pollers(&obj->writers, 0, EPOLLOUT |
				     EPOLLWRNORM | EPOLLHUP | EPOLLERR);
	}
}

/**
 * kmq_finish_all() - kmq_finish() where there is more than pollers to tell
 * @obj: the object
 * @fx: the effects
 *
 * Goes on until the object is in balance: what the core did not do within its
 * budget is done here, with a chance to reschedule in between. That ends: every
 * round completes or feeds calls that wait.
 *
 * Context: process context, no lock of kmq but domain->lock held.
 */
void kmq_finish_all(struct kmq_object *obj, struct kmq_effects *fx)
{
	bool again = fx->again;

	finish_once(obj, fx);
	while (unlikely(again)) {
		struct kmq_effects more;

		cond_resched();
		kmq_effects_init(&more);
		kmq_queue_balance(&obj->queue, &more);
		again = more.again;
		finish_once(obj, &more);
	}
}

static bool is_done(struct kmq_waiter *w)
{
	/* pairs with smp_store_release() in wake_claimed() */
	return smp_load_acquire(&w->state) == KMQ_DONE;
}

/* The core has claimed the waiter: its end is a matter of moments. */
static void sleep_until_done(struct kmq_waiter *w)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (is_done(w))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/*
 * Sleep until the waiter is DONE: its result. Or leave it because of a signal
 * or the deadline (CLOCK_MONOTONIC ns): -ERESTARTSYS, -ETIMEDOUT.
 */
static int sleep_on(struct kmq_object *obj, struct kmq_waiter *w, u64 deadline)
{
	ktime_t until = min_t(u64, deadline, KTIME_MAX);
	struct kmq_effects fx;
	struct timespec64 now;
	int err;

	/* for people to look at: a tick is exact enough */
	ktime_get_coarse_real_ts64(&now);
	WRITE_ONCE(w->since, timespec64_to_ns(&now));
	trace_kmq_block(obj->id, w->direction);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (is_done(w)) {
			__set_current_state(TASK_RUNNING);
			return w->result;
		}
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		if (deadline == KMQ_FOREVER) {
			schedule();
		} else if (!schedule_hrtimeout_range_clock(&until,
				current->timer_slack_ns, HRTIMER_MODE_ABS,
				CLOCK_MONOTONIC)) {
			err = -ETIMEDOUT;
			break;
		}
	}
	__set_current_state(TASK_RUNNING);

	if (!kmq_queue_cancel(&obj->queue, w)) {
		sleep_until_done(w);
		return w->result;
	}
	/* whoever stood behind this one may be next now */
	kmq_effects_init(&fx);
	kmq_queue_balance(&obj->queue, &fx);
	kmq_finish(obj, &fx);
	return err;
}

/* The budget was used up or the batch waits now. */
static noinline int submit_slow(struct kmq_handle *h, struct kmq_send *s,
				u64 deadline, struct kmq_effects *fx, int err)
{
	struct kmq_object *obj = h->obj;
	u64 began;

	while (err == -EAGAIN && fx->again) {
		kmq_finish(obj, fx);
		if (fatal_signal_pending(current))
			return -EINTR;
		kmq_effects_init(fx);
		err = kmq_queue_send(&obj->queue, s, deadline, fx);
	}
	kmq_finish(obj, fx);
	if (err != -EINPROGRESS)
		return err;

	began = ktime_get_ns();
	err = sleep_on(obj, &s->w, deadline);
	kmq_queue_blocked(&obj->queue, ktime_get_ns() - began);
	return err;
}

/**
 * kmq_submit() - send a batch, waiting for room if need be
 * @h: the handle
 * @s: the batch, charged and reserved; s->left tells what was not accepted
 * @deadline: CLOCK_MONOTONIC ns; 0: do not wait; KMQ_FOREVER: no end
 *
 * Context: process context, may sleep.
 * Return: 0 when all were accepted, else what ended it: -EAGAIN, -ETIMEDOUT,
 * -ERESTARTSYS, -EMSGSIZE, -EPIPE, -EIDRM, -ECANCELED.
 */
int kmq_submit(struct kmq_handle *h, struct kmq_send *s, u64 deadline)
{
	struct kmq_object *obj = h->obj;
	struct kmq_effects fx;
	int err;

	s->w.task = current;
	kmq_effects_init(&fx);
	err = kmq_queue_send(&obj->queue, s, deadline, &fx);
	if (unlikely(err))
		err = submit_slow(h, s, deadline, &fx, err);
	else
		kmq_finish(obj, &fx);
	trace_kmq_send(obj->id, s->count - s->left,
		       READ_ONCE(obj->queue.count));
	return err;
}

/* The receive waits now. */
static noinline int fetch_slow(struct kmq_handle *h, struct kmq_take *t,
			       u64 deadline, u64 linger_until)
{
	struct kmq_object *obj = h->obj;
	u64 insist = deadline;
	struct kmq_effects fx;
	int err;

	if (t->min > 1 && linger_until)
		insist = min(deadline, linger_until);
	err = sleep_on(obj, &t->w, insist);
	if (err == -ETIMEDOUT && t->min > 1) {
		/* whatever there is will do now */
		t->min = 1;
		kmq_effects_init(&fx);
		err = kmq_queue_receive(&obj->queue, t, insist < deadline,
					&fx);
		kmq_finish(obj, &fx);
		if (err == -EAGAIN)
			err = -ETIMEDOUT;
		else if (err == -EINPROGRESS)
			err = sleep_on(obj, &t->w, deadline);
	}
	/* a task that is being killed cannot use what it was handed */
	if (unlikely(t->count && fatal_signal_pending(current))) {
		kmq_putback(h, &t->nodes);
		t->count = 0;
		err = -EINTR;
	}
	return err;
}

/**
 * kmq_fetch() - receive, waiting for messages if need be
 * @h: the handle
 * @t: the receive
 * @deadline: CLOCK_MONOTONIC ns; 0: do not wait; KMQ_FOREVER: no end
 * @linger_until: CLOCK_MONOTONIC ns until which t->min holds; 0: to the end
 *
 * Context: process context, may sleep.
 * Return: 0 with t->nodes (none: end of stream), else -EAGAIN, -ETIMEDOUT,
 * -ERESTARTSYS, -EMSGSIZE, -EIDRM, -ECANCELED.
 */
int kmq_fetch(struct kmq_handle *h, struct kmq_take *t, u64 deadline,
	      u64 linger_until)
{
	struct kmq_object *obj = h->obj;
	struct kmq_effects fx;
	int err;

	t->w.task = current;
	kmq_effects_init(&fx);
	err = kmq_queue_receive(&obj->queue, t, deadline, &fx);
	kmq_finish(obj, &fx);
	if (unlikely(err == -EINPROGRESS))
		err = fetch_slow(h, t, deadline, linger_until);
	if (t->count)
		trace_kmq_receive(obj->id, t->count,
				  READ_ONCE(obj->queue.count));
	return err;
}

/**
 * kmq_putback() - give back messages that could not be delivered
 * @h: the handle they were taken through
 * @nodes: the messages, at most KMQ_BUDGET; empty afterwards
 *
 * Context: process context, may sleep.
 */
void kmq_putback(struct kmq_handle *h, struct list_head *nodes)
{
	struct kmq_effects fx;

	kmq_effects_init(&fx);
	kmq_queue_putback(&h->obj->queue, &h->port, nodes, &fx);
	kmq_finish(h->obj, &fx);
}
