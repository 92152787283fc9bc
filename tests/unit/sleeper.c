// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <time.h>

#include "sleeper.h"

void sleeper_init(struct sleeper *s)
{
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->cond, NULL);
	s->kicked = false;
}

void sleeper_wake(struct kmq_waiter *waiter)
{
	struct sleeper *s = waiter->task;

	/* pairs with the acquire in is_done() */
	smp_store_release(&waiter->state, KMQ_DONE);
	pthread_mutex_lock(&s->mutex);
	s->kicked = true;
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->mutex);
}

static void finish_round(struct kmq_effects *fx,
			 void (*dropped)(struct kmq_node *node))
{
	struct kmq_waiter *waiter;
	struct kmq_node *node;

	while ((waiter = next_claimed(fx)) != NULL)
		sleeper_wake(waiter);
	if (dropped)
		list_for_each_entry(node, &fx->dropped, link)
			dropped(node);
	if (!list_empty(&fx->dropped))
		kmq_nodes_free(&fx->dropped);
}

void sleeper_finish(struct kmq_queue *q, struct kmq_effects *fx,
		    void (*dropped)(struct kmq_node *node))
{
	bool again = fx->again;

	finish_round(fx, dropped);
	while (again) {
		struct kmq_effects more;

		kmq_effects_init(&more);
		kmq_queue_balance(q, &more);
		again = more.again;
		finish_round(&more, dropped);
	}
}

static bool is_done(struct kmq_waiter *waiter)
{
	/* pairs with the release in sleeper_wake() */
	return smp_load_acquire(&waiter->state) == KMQ_DONE;
}

/* Sleep until kicked or @us have passed; whether it was in time. */
static bool sleep_once(struct sleeper *s, long us)
{
	struct timespec until;
	bool kicked;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += us % 1000000 * 1000;
	until.tv_sec += us / 1000000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&s->mutex);
	while (!s->kicked && !err) {
		if (us == SLEEP_FOREVER)
			pthread_cond_wait(&s->cond, &s->mutex);
		else
			err = pthread_cond_timedwait(&s->cond, &s->mutex,
						     &until);
	}
	kicked = s->kicked;
	s->kicked = false;
	pthread_mutex_unlock(&s->mutex);
	return kicked;
}

int sleeper_sleep(struct kmq_queue *q, struct kmq_waiter *waiter, long us,
		  void (*dropped)(struct kmq_node *node))
{
	struct sleeper *s = waiter->task;
	struct kmq_effects fx;

	while (!is_done(waiter)) {
		if (sleep_once(s, us))
			continue;
		if (!kmq_queue_cancel(q, waiter)) {
			while (!is_done(waiter))
				sleep_once(s, SLEEP_FOREVER);
			break;
		}
		kmq_effects_init(&fx);
		kmq_queue_balance(q, &fx);
		sleeper_finish(q, &fx, dropped);
		return -ETIMEDOUT;
	}
	return waiter->result;
}
