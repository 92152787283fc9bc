// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdlib.h>

#include "edge.h"

__thread struct task_struct *current;

struct task_struct *edge_task_start(void)
{
	struct task_struct *task = calloc(1, sizeof(*task));
	pthread_condattr_t attr;

	if (!task)
		shim_die("out of memory");
	task->usage = 1;
	pthread_mutex_init(&task->pi_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&task->woken, &attr);
	current = task;
	return task;
}

void edge_task_end(void)
{
	put_task_struct(current);
	current = NULL;
}

void get_task_struct(struct task_struct *task)
{
	if (__atomic_fetch_add(&task->usage, 1, __ATOMIC_RELAXED) <= 0)
		shim_die("a task that is gone is taken");
}

void put_task_struct(struct task_struct *task)
{
	if (__atomic_fetch_sub(&task->usage, 1, __ATOMIC_ACQ_REL) == 1)
		free(task);
}

/* Now and then others get a chance to come in between. */
void set_current_state(int state)
{
	static __thread unsigned int calls;

	if (++calls % 16 == 0)
		sched_yield();
	__atomic_exchange_n(&current->state, state, __ATOMIC_SEQ_CST);
}

static int wake_up(struct task_struct *task, int states)
{
	int woken = 0;

	pthread_mutex_lock(&task->pi_lock);
	edge_mb();
	if (__atomic_load_n(&task->state, __ATOMIC_RELAXED) & states) {
		__atomic_store_n(&task->state, TASK_RUNNING, __ATOMIC_RELEASE);
		pthread_cond_signal(&task->woken);
		woken = 1;
	}
	pthread_mutex_unlock(&task->pi_lock);
	return woken;
}

int wake_up_process(struct task_struct *task)
{
	return wake_up(task, TASK_NORMAL);
}

void edge_signal(struct task_struct *task, int signals)
{
	__atomic_store_n(&task->signals, signals, __ATOMIC_SEQ_CST);
	wake_up(task, TASK_INTERRUPTIBLE);
}

/* Whether it was woken, or did not sleep, before @until. */
static bool sleep_until(u64 until)
{
	const struct timespec ts = {
		.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000,
	};
	int err = 0;

	if (shim_spinning)
		shim_die("sleep under a spinlock");
	pthread_mutex_lock(&current->pi_lock);
	/* as the scheduler: who has a signal does not go to sleep */
	if (current->state == TASK_INTERRUPTIBLE && signal_pending(current))
		__set_current_state(TASK_RUNNING);
	while (__atomic_load_n(&current->state, __ATOMIC_ACQUIRE) && !err)
		err = pthread_cond_timedwait(&current->woken,
					     &current->pi_lock, &ts);
	__set_current_state(TASK_RUNNING);
	pthread_mutex_unlock(&current->pi_lock);
	return !err;
}

void schedule(void)
{
	if (!sleep_until(ktime_get_ns() + EDGE_HANG * 1000000000ull))
		shim_die("a wake-up was lost");
}

int schedule_hrtimeout_range_clock(ktime_t *until, u64 slack, int mode,
				   int clock)
{
	(void)slack;
	if (mode != HRTIMER_MODE_ABS || clock != CLOCK_MONOTONIC)
		shim_die("an unknown timer");
	return sleep_until(*until) ? -EINTR : 0;
}

u64 ktime_get_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void edge_wait_queue_init(wait_queue_head_t *wq)
{
	pthread_mutex_init(&wq->lock, NULL);
	INIT_LIST_HEAD(&wq->head);
	wq->sleepers = 0;
}

static void count_sleepers(wait_queue_head_t *wq, int change)
{
	__atomic_store_n(&wq->sleepers, wq->sleepers + change,
			 __ATOMIC_RELAXED);
}

void edge_poll_add(wait_queue_head_t *wq, struct edge_poller *poller)
{
	poller->task = current;
	pthread_mutex_lock(&wq->lock);
	list_add(&poller->link, &wq->head);
	count_sleepers(wq, 1);
	pthread_mutex_unlock(&wq->lock);
}

void edge_poll_remove(wait_queue_head_t *wq, struct edge_poller *poller)
{
	pthread_mutex_lock(&wq->lock);
	list_del(&poller->link);
	count_sleepers(wq, -1);
	pthread_mutex_unlock(&wq->lock);
}

/* No entry is exclusive. */
void __wake_up(wait_queue_head_t *wq, unsigned int mode, int nr, void *key)
{
	struct edge_poller *poller;

	(void)nr;
	(void)key;
	pthread_mutex_lock(&wq->lock);
	list_for_each_entry(poller, &wq->head, link)
		wake_up(poller->task, mode);
	pthread_mutex_unlock(&wq->lock);
}
