/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_WAIT_H
#define KMQ_WAIT_H

#include <linux/types.h>
#include <linux/wait.h>

#include "core/queue.h"
#include "object.h"

struct kmq_handle;

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

void kmq_finish_all(struct kmq_object *obj, struct kmq_effects *fx);
void kmq_wake_readers(struct kmq_object *obj, u32 n);
void kmq_wake_writers(struct kmq_object *obj, u32 n);
int kmq_submit(struct kmq_handle *h, struct kmq_send *s, u64 deadline);
int kmq_fetch(struct kmq_handle *h, struct kmq_take *t, u64 deadline,
	      u64 linger_until);
void kmq_putback(struct kmq_handle *h, struct list_head *nodes);

/**
 * kmq_finish() - carry out what the core left to be done after its unlock
 * @obj: the object it concerns; the caller holds a reference
 * @fx: the effects
 *
 * Context: process context, no lock of kmq but domain->lock held.
 */
static inline void kmq_finish(struct kmq_object *obj, struct kmq_effects *fx)
{
	if (unlikely(fx->slow)) {
		kmq_finish_all(obj, fx);
		return;
	}
	/* wq_has_sleeper() has a full barrier: pairs with that in poll_wait() */
	if (fx->readable && unlikely(wq_has_sleeper(&obj->readers)))
		kmq_wake_readers(obj, fx->readable);
	if (fx->writable && unlikely(wq_has_sleeper(&obj->writers)))
		kmq_wake_writers(obj, fx->writable);
}

#endif
