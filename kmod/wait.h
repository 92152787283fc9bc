/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_WAIT_H
#define KMQ_WAIT_H

#include <linux/types.h>

struct kmq_effects;
struct kmq_handle;
struct kmq_object;
struct kmq_send;
struct kmq_take;

/**
 * DOC: sleeping and waking
 *
 * The edge's half of the waiting protocol of core/queue.h: who calls the core,
 * carries out the effects after the unlock, and sleeps when told to. The only
 * file with memory barriers between sleepers and wakers.
 *
 * Pollers sleep on the two wait queue heads of the object, which live as long
 * as any handle does. They are woken after every send (as many as there are
 * records), whatever was queued before: who polls edge-triggered relies on it.
 */

void kmq_finish(struct kmq_object *obj, struct kmq_effects *fx);
int kmq_submit(struct kmq_handle *h, struct kmq_send *s, u64 deadline);
int kmq_fetch(struct kmq_handle *h, struct kmq_take *t, u64 deadline,
	      u64 linger_until);
void kmq_putback(struct kmq_handle *h, struct list_head *nodes);

#endif
