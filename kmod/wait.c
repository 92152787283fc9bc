// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>

#include "copy.h"
#include "handle.h"
#include "object.h"
#include "trace.h"
#include "wait.h"

/**
 * kmq_wake_waiter() - a claimed waiter may go on
 * @obj: the object
 * @w: the waiter; must not be touched afterwards
 */
void kmq_wake_waiter(struct kmq_object *obj, struct kmq_waiter *w)
{
	struct task_struct *task = w->task;

	trace_kmq_wake(obj->id, w->direction, w->result);
	get_task_struct(task);
	/*
	 * Pairs with smp_load_acquire() in is_done(): what was done on the
	 * waiter's behalf is visible before it goes on. Its memory is its own
	 * again with this store; the task is held.
	 */
	smp_store_release(&w->state, KMQ_DONE);
	wake_up_process(task);
	put_task_struct(task);
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
	struct kmq_waiter *w, *next;

	for (w = fx->wake; w; w = next) {
		next = w->next;
		kmq_wake_waiter(obj, w);
	}
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
		struct kmq_effects more __kmq_uninit;

		cond_resched();
		kmq_effects_init(&more);
		kmq_queue_balance(&obj->queue, &more);
		again = more.again;
		finish_once(obj, &more);
	}
}

static bool is_done(struct kmq_waiter *w)
{
	/* pairs with smp_store_release() in kmq_wake_waiter() */
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

/* Leave a waiter, unless somebody was faster: then it has a result. */
static noinline int leave(struct kmq_object *obj, struct kmq_waiter *w, int err)
{
	struct kmq_effects fx __kmq_uninit;

	if (!kmq_queue_cancel(&obj->queue, w)) {
		sleep_until_done(w);
		return w->result;
	}
	/* whoever stood behind this one may be next now */
	kmq_effects_init(&fx);
	kmq_queue_balance(&obj->queue, &fx);
	/* pollers had no room while this one waited for it */
	if (w->direction == KMQ_OPEN_SEND)
		fx.writable = U32_MAX;
	kmq_finish(obj, &fx);
	return err;
}

/* Whether it is still before the deadline (CLOCK_MONOTONIC ns). */
static noinline bool sleep_until(u64 deadline)
{
	ktime_t until = min_t(u64, deadline, KTIME_MAX);

	return schedule_hrtimeout_range_clock(&until, current->timer_slack_ns,
					      HRTIMER_MODE_ABS,
					      CLOCK_MONOTONIC);
}

/*
 * Sleep until the waiter is DONE: its result. Or leave it because of a signal
 * or the deadline: -ERESTARTSYS, -ETIMEDOUT.
 */
static int sleep_on(struct kmq_object *obj, struct kmq_waiter *w, u64 deadline)
{
	trace_kmq_block(obj->id, w->direction);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (is_done(w)) {
			__set_current_state(TASK_RUNNING);
			return w->result;
		}
		if (signal_pending(current)) {
			__set_current_state(TASK_RUNNING);
			return leave(obj, w, -ERESTARTSYS);
		}
		if (likely(deadline == KMQ_FOREVER)) {
			schedule();
		} else if (!sleep_until(deadline)) {
			__set_current_state(TASK_RUNNING);
			return leave(obj, w, -ETIMEDOUT);
		}
	}
}

/* Before the waiter can be seen by others. */
static void will_wait(struct kmq_waiter *w)
{
	w->task = current;
	/* for people to look at: a tick is exact enough */
	w->since = get_jiffies_64();
}

/* The budget was used up or the batch waits now. */
static noinline int submit_slow(struct kmq_handle *h, struct kmq_send *s,
				u64 deadline, struct kmq_effects *fx, int err)
{
	struct kmq_object *obj = h->obj;
	u64 began;

	while (err == -EAGAIN && fx->retry) {
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
	struct kmq_effects fx __kmq_uninit;
	int err;

	will_wait(&s->w);
	kmq_effects_init(&fx);
	err = kmq_queue_send(&obj->queue, s, deadline, &fx);
	if (unlikely(err))
		err = submit_slow(h, s, deadline, &fx, err);
	else
		kmq_finish(obj, &fx);
	kmq_trace_send(obj, s->count - s->left);
	return err;
}

/* The receive waits now, for more than one message. */
static noinline int sleep_lingering(struct kmq_object *obj, struct kmq_take *t,
				    u64 deadline, u64 linger_until)
{
	struct kmq_effects fx __kmq_uninit;
	u64 insist = deadline;
	int err;

	if (linger_until)
		insist = min(deadline, linger_until);
	err = sleep_on(obj, &t->w, insist);
	if (err != -ETIMEDOUT)
		return err;

	/* whatever there is will do now */
	t->min = 1;
	kmq_effects_init(&fx);
	err = kmq_queue_receive(&obj->queue, t, insist < deadline, &fx);
	kmq_finish(obj, &fx);
	if (err == -EAGAIN)
		return -ETIMEDOUT;
	if (err == -EINPROGRESS)
		return sleep_on(obj, &t->w, deadline);
	return err;
}

/* The receive waits now. */
static __always_inline int fetch_sleep(struct kmq_handle *h, struct kmq_take *t,
				       u64 deadline, u64 linger_until)
{
	int err;

	if (likely(t->min <= 1))
		err = sleep_on(h->obj, &t->w, deadline);
	else
		err = sleep_lingering(h->obj, t, deadline, linger_until);
	/* a task that is being killed cannot use what it was handed */
	if (unlikely(fatal_signal_pending(current)) && t->count) {
		kmq_putback(h, &t->nodes);
		t->count = 0;
		err = -EINTR;
	}
	return err;
}

/* It is not as simple as kmq_queue_pop() would have it. */
static noinline int fetch_otherwise(struct kmq_handle *h, struct kmq_take *t,
				    u64 deadline, u64 linger_until)
{
	struct kmq_object *obj = h->obj;
	struct kmq_effects fx __kmq_uninit;
	int err;

	kmq_effects_init(&fx);
	err = kmq_queue_receive(&obj->queue, t, deadline, &fx);
	kmq_finish(obj, &fx);
	if (err == -EINPROGRESS)
		err = fetch_sleep(h, t, deadline, linger_until);
	return err;
}

static __always_inline int fetch(struct kmq_handle *h, struct kmq_take *t,
				 u64 deadline, u64 linger_until)
{
	struct kmq_object *obj = h->obj;
	bool more;
	int err;

	will_wait(&t->w);
	switch (kmq_queue_pop(&obj->queue, t, deadline, &more)) {
	case KMQ_POPPED:
		kmq_finish_pop(obj, more);
		err = 0;
		break;
	case KMQ_WAITS:
		err = fetch_sleep(h, t, deadline, linger_until);
		break;
	default:
		err = fetch_otherwise(h, t, deadline, linger_until);
	}
	if (trace_kmq_receive_enabled() && t->count)
		trace_kmq_receive(obj->id, t->count, kmq_depth(obj));
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
	return fetch(h, t, deadline, linger_until);
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
	struct kmq_effects fx __kmq_uninit;

	kmq_effects_init(&fx);
	kmq_queue_putback(&h->obj->queue, &h->port, nodes, &fx);
	kmq_finish(h->obj, &fx);
}

/**
 * kmq_receive_into() - receive records into a buffer until it is full
 * @h: the handle
 * @t: initialised; max and room say how much
 * @to: the buffer
 * @deadline: as for kmq_fetch(), for the first message only
 * @linger_until: as for kmq_fetch()
 * @bytes: bytes of the records delivered
 * @count: records delivered
 *
 * Context: process context, may sleep.
 * Return: 0, or what ended it: nothing was delivered if @bytes is 0.
 */
int kmq_receive_into(struct kmq_handle *h, struct kmq_take *t,
		     struct kmq_user_buf *to, u64 deadline, u64 linger_until,
		     u32 *bytes, u32 *count)
{
	int err;

	err = fetch(h, t, deadline, linger_until);
	if (t->count == 1) {
		struct kmq_node *node = list_first_entry(&t->nodes,
							 struct kmq_node, link);

		*bytes = kmq_copy_short(to, node);
		if (likely(*bytes)) {
			*count = 1;
			return 0;
		}
	}
	while (!err && t->count) {
		u32 before = *count;

		*bytes += kmq_copy_out(to, &t->nodes, count);
		if (unlikely(!list_empty(&t->nodes))) {
			kmq_putback(h, &t->nodes);
			return -EFAULT;
		}
		t->max -= *count - before;
		/* a full budget: there may be more that fits */
		if (likely(t->count < KMQ_BUDGET || !t->max ||
			   t->room < sizeof(struct kmq_record)))
			break;
		t->count = 0;
		t->min = 1;
		err = kmq_fetch(h, t, 0, 0);
	}
	return *bytes ? 0 : err;
}
