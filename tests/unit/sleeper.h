/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SLEEPER_H
#define UNIT_SLEEPER_H

#include <pthread.h>

#include "fixture.h"

/* Real threads that sleep in a queue: what kmod/wait.c does with tasks. */

#define SLEEP_FOREVER	(-1)

/* Whom to wake; lives as long as its thread. */
struct sleeper {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool kicked;
};

void sleeper_init(struct sleeper *s);

/* From the moment it is DONE the waiter is its owner's. */
void sleeper_wake(struct kmq_waiter *waiter);

/* As kmq_finish(); @dropped is told of each message that goes, or NULL. */
void sleeper_finish(struct kmq_queue *q, struct kmq_effects *fx,
		    void (*dropped)(struct kmq_node *node));

/* As sleep_on() in kmod/wait.c: its result, or -ETIMEDOUT after @us. */
int sleeper_sleep(struct kmq_queue *q, struct kmq_waiter *waiter, long us,
		  void (*dropped)(struct kmq_node *node));

#endif
