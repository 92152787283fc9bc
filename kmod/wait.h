/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_WAIT_H
#define KMQ_WAIT_H

#include <linux/types.h>
#include <linux/wait.h>

#include "core/queue.h"
#include "object.h"
#include "trace.h"

struct kmq_handle;
struct kmq_user_buf;

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

void kmq_wake_waiter(struct kmq_object *obj, struct kmq_waiter *w);
void kmq_finish_all(struct kmq_object *obj, struct kmq_effects *fx);
void kmq_wake_readers(struct kmq_object *obj, u32 n);
void kmq_wake_writers(struct kmq_object *obj, u32 n);
int kmq_submit(struct kmq_handle *h, struct kmq_send *s, u64 deadline);
int kmq_fetch(struct kmq_handle *h, struct kmq_take *t, u64 deadline,
	      u64 linger_until);
int kmq_receive_into(struct kmq_handle *h, struct kmq_take *t,
		     struct kmq_user_buf *to, u64 deadline, u64 linger_until,
		     u32 *bytes, u32 *count);
void kmq_putback(struct kmq_handle *h, struct list_head *nodes);

/**
 * kmq_depth() - how many messages are queued, more or less
 * @obj: the object
 *
 * For people to look at.
 */
static inline u64 kmq_depth(struct kmq_object *obj)
{
	/* any recent value will do */
	return data_race(obj->queue.count);
}

/**
 * kmq_trace_send() - tell tracers of messages accepted
 * @obj: the object
 * @n: how many
 */
static inline void kmq_trace_send(struct kmq_object *obj, u32 n)
{
	if (trace_kmq_send_enabled())
		trace_kmq_send(obj->id, n, kmq_depth(obj));
}

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

/**
 * kmq_finish_push() - kmq_finish() after kmq_queue_push()
 * @obj: the object it concerns; the caller holds a reference
 * @n: messages pushed
 * @pushed: what became of them
 *
 * Context: as kmq_finish().
 */
static inline void kmq_finish_push(struct kmq_object *obj, u32 n,
				   struct kmq_pushed *pushed)
{
	if (pushed->woken)
		kmq_wake_waiter(obj, pushed->woken);
	else if (unlikely(wq_has_sleeper(&obj->readers)))
		kmq_wake_readers(obj, n);
}

/**
 * kmq_finish_pop() - kmq_finish() after kmq_queue_pop()
 * @obj: the object it concerns; the caller holds a reference
 * @more: messages are left
 *
 * Context: as kmq_finish().
 */
static inline void kmq_finish_pop(struct kmq_object *obj, bool more)
{
	if (unlikely(wq_has_sleeper(&obj->writers)))
		kmq_wake_writers(obj, 1);
	/* whoever was passed over for this message has the next one */
	if (more && unlikely(wq_has_sleeper(&obj->readers)))
		kmq_wake_readers(obj, 1);
}

#endif
