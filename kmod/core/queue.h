/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_CORE_QUEUE_H
#define KMQ_CORE_QUEUE_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/kmq.h>

#include "account.h"
#include "ready.h"
#include "run.h"

/**
 * DOC: point-to-point queues
 *
 * One spinlock, queue->lock, guards everything in struct kmq_queue, the nodes
 * that are queued, every struct kmq_port of the queue, and the state of every
 * struct kmq_waiter that waits in it. It is taken in process context only,
 * never together with another lock of kmq, and nothing is allocated, freed,
 * copied to users, woken or charged under it. What has to be done after the
 * unlock is collected in struct kmq_effects.
 *
 * No more than KMQ_BUDGET messages are moved in one hold of the lock (an
 * atomic batch: KMQ_ATOMIC_MAX). Work beyond that is reported back: the caller
 * drops the lock, finishes the effects and comes again.
 *
 * Waiting
 *   A send or receive that cannot go on leaves a struct kmq_waiter, on the
 *   caller's stack, in queue->senders or queue->receivers, in order of arrival.
 *   Receivers that want more than one message wait in queue->lingering instead,
 *   in order of how many, and come after the others.
 *   Others complete it on its behalf: whoever frees room admits the records of
 *   waiting senders, whoever adds messages hands them to waiting receivers,
 *   under the same hold of the lock. States:
 *
 *     WAITING   in a list of the queue. The owner may leave: it takes the
 *               lock, sees WAITING, and unlinks itself (kmq_queue_cancel()).
 *     CLAIMED   complete, in the effects of another task. The owner must not
 *               leave any more; kmq_queue_cancel() says so.
 *     DONE      the owner may go on. Set after the unlock, by the other task's
 *               edge, with release semantics, as its last access: from then on
 *               the memory is the owner's stack again.
 *
 *   The edge supplies the sleeping and waking; see kmod/wait.c.
 *
 * Lifetime
 *   The caller of every function holds a reference on what contains the queue.
 *   A port must be idle (no waiter) before it goes.
 */

#define KMQ_BUDGET	256u

enum kmq_waiter_state {
	KMQ_IDLE,
	KMQ_WAITING,
	KMQ_CLAIMED,
	KMQ_DONE,
};

/**
 * struct kmq_port - one handle's side of a queue
 * @waiters: its calls that wait, by kmq_waiter.peers
 * @nsending: how many of them send
 * @nreceiving: how many receive
 * @shut: KMQ_OPEN_SEND, KMQ_OPEN_RECV: shut down for that direction
 * @sent: messages sent through it
 * @received: messages received through it
 *
 * Guarded by the queue's lock.
 */
struct kmq_port {
	struct hlist_head waiters;
	u32 nsending;
	u32 nreceiving;
	u32 shut;
	u64 sent;
	u64 received;
};

/**
 * struct kmq_waiter - a call that waits
 * @link: in queue->senders or queue->receivers
 * @rb: in queue->lingering instead
 * @next: when CLAIMED, the one behind it in effects->wake
 * @peers: in port->waiters
 * @port: the handle it came through
 * @task: whom to wake; the edge's
 * @since: when it came, in the edge's time, never 0
 * @direction: KMQ_OPEN_SEND or KMQ_OPEN_RECV
 * @lingers: waits in queue->lingering
 * @result: when CLAIMED or DONE: 0 or the negative errno that ended it
 * @state: enum kmq_waiter_state
 */
struct kmq_waiter {
	union {
		struct list_head link;
		struct rb_node rb;
		struct kmq_waiter *next;
	};
	struct hlist_node peers;
	struct kmq_port *port;
	void *task;
	u64 since;
	u32 direction;
	bool lingers;
	int result;
	int state;
};

/**
 * struct kmq_send - a batch on its way into a queue
 * @w: where it waits
 * @runs: runs not yet admitted whole, in order; the send owns their nodes
 *	from @next on
 * @tail: where the next run is chained to
 * @next: first node of the first run that was not admitted yet
 * @count: messages in all
 * @bytes: record bytes in all
 * @left: messages not yet admitted
 * @left_bytes: their record bytes
 * @memory: kernel memory of all runs
 * @atomic: all or none
 * @last_seq: seq of the last message admitted
 */
struct kmq_send {
	struct kmq_waiter w;
	struct kmq_run *runs;
	struct kmq_run **tail;
	u32 next;
	u32 count;
	u32 bytes;
	u32 left;
	u32 left_bytes;
	bool atomic;
	u64 memory;
	u64 last_seq;
};

/**
 * struct kmq_take - a receive: what fits and what was taken
 * @w: where it waits
 * @nodes: messages taken, in order; the taker owns their references
 * @count: how many
 * @max: most it may be
 * @room: bytes still free in the caller's buffer
 * @plain: bodies count, not records
 * @min: not worth being woken for less
 * @needed: with -EMSGSIZE, what the next message takes
 */
struct kmq_take {
	struct kmq_waiter w;
	struct list_head nodes;
	u32 count;
	u32 max;
	u32 room;
	u32 min;
	u32 needed;
	bool plain;
};

/**
 * struct kmq_effects - what to do once the lock is dropped
 * @wake: waiters CLAIMED, to be set DONE and woken, chained by next
 * @wake_tail: where the next one is chained to
 * @dropped: nodes to free
 * @budget: messages that may still be moved in this hold of the lock
 * @readable: messages that became available to pollers
 * @writable: messages that left and made room
 * @hangup: pollers must look again
 * @again: more could be done: call kmq_queue_balance()
 * @retry: a send used up the budget itself: call kmq_queue_send() again
 * @slow: there is more to it than telling pollers
 * @ndropped: messages lost to drop-head
 */
struct kmq_effects {
	struct kmq_waiter *wake;
	struct kmq_waiter **wake_tail;
	struct list_head dropped;
	u32 budget;
	u32 readable;
	u32 writable;
	bool hangup;
	bool again;
	bool retry;
	bool slow;
	u32 ndropped;
};

/**
 * struct kmq_pushed - what became of a run that was pushed
 * @woken: the receiver that has it, CLAIMED, to be set DONE and woken; or NULL:
 *	it is queued and pollers must be told
 * @seq: of its last message
 */
struct kmq_pushed {
	struct kmq_waiter *woken;
	u64 seq;
};

/**
 * struct kmq_queue_config - what can be altered
 * @max_messages: bound in messages
 * @max_bytes: bound in record bytes
 * @max_message_size: bound of a body
 * @overflow: KMQ_OVERFLOW_*
 */
struct kmq_queue_config {
	u64 max_messages;
	u64 max_bytes;
	u32 max_message_size;
	u32 overflow;
};

/**
 * struct kmq_queue - a queue
 * @lock: guards all of it, see above
 * @dead: deleted, or its domain ended
 * @sealed: end of stream
 * @cfg: bounds; max_message_size is also read without the lock
 * @ready: messages
 * @count: how many
 * @bytes: their record bytes
 * @memory: kernel memory they pin
 * @next_seq: for the next message
 * @senders: struct kmq_send, waiting for room
 * @receivers: struct kmq_take, waiting for a message
 * @lingering: struct kmq_take, waiting for more than one; by kmq_take.min
 * @nsenders: how many
 * @nreceivers: how many in @receivers and @lingering
 * @payer: pays for the levels of @ready
 * @level_bytes: what it paid
 * @sent: messages admitted
 * @sent_bytes: their record bytes
 * @received: messages handed over
 * @received_bytes: their record bytes
 * @dropped_full: messages lost to drop-head
 * @dropped_purged: messages purged
 * @refused_full: sends that ended with EAGAIN because it was full
 * @blocked: sends that waited
 * @blocked_ns: how long
 */
struct kmq_queue {
	spinlock_t lock; /* see above */
	bool dead;
	bool sealed;
	struct kmq_queue_config cfg;
	struct kmq_ready ready;
	u64 count;
	u64 bytes;
	u64 memory;
	u64 next_seq;
	struct list_head senders;
	struct list_head receivers;
	struct rb_root_cached lingering;
	u32 nsenders;
	u32 nreceivers;
	const struct kmq_payer *payer;
	long level_bytes;
	u64 sent;
	u64 sent_bytes;
	u64 received;
	u64 received_bytes;
	u64 dropped_full;
	u64 dropped_purged;
	u64 refused_full;
	u64 blocked;
	u64 blocked_ns;
};

/* What kmq_queue_pop() did. */
#define KMQ_POPPED	0
#define KMQ_WAITS	1
#define KMQ_OTHERWISE	2

/* What a port's poller may do now; see kmq_queue_poll(). */
#define KMQ_POLL_READ	0x1
#define KMQ_POLL_WRITE	0x2
#define KMQ_POLL_SEALED	0x4
#define KMQ_POLL_EOF	0x8
#define KMQ_POLL_DEAD	0x10
#define KMQ_POLL_SHUT_SEND 0x20
#define KMQ_POLL_SHUT_RECV 0x40

void kmq_queue_init(struct kmq_queue *q, const struct kmq_queue_config *cfg,
		    const struct kmq_payer *payer);
void kmq_queue_destroy(struct kmq_queue *q);
void kmq_port_init(struct kmq_port *port);

/* send.c */
void kmq_send_free(struct kmq_send *s);
int kmq_queue_reserve_levels(struct kmq_queue *q, const struct kmq_run *run);
bool kmq_queue_push(struct kmq_queue *q, struct kmq_port *port,
		    struct kmq_run *run, struct kmq_pushed *pushed);
int kmq_queue_send(struct kmq_queue *q, struct kmq_send *s, bool wait,
		   struct kmq_effects *fx);
bool kmq_admit_waiting(struct kmq_queue *q, struct kmq_effects *fx);
bool kmq_queue_full(const struct kmq_queue *q);

/* take.c */
int kmq_queue_pop(struct kmq_queue *q, struct kmq_take *t, bool wait,
		  bool *more);
int kmq_queue_receive(struct kmq_queue *q, struct kmq_take *t, bool wait,
		      struct kmq_effects *fx);
void kmq_queue_putback(struct kmq_queue *q, struct kmq_port *port,
		       struct list_head *nodes, struct kmq_effects *fx);
u32 kmq_queue_next_size(struct kmq_queue *q, bool plain);
bool kmq_serve_waiting(struct kmq_queue *q, struct kmq_effects *fx);
struct kmq_take *kmq_first_lingering(struct kmq_queue *q);

/* queue.c */
void kmq_queue_balance(struct kmq_queue *q, struct kmq_effects *fx);
bool kmq_queue_cancel(struct kmq_queue *q, struct kmq_waiter *w);
void kmq_queue_blocked(struct kmq_queue *q, u64 ns);
void kmq_queue_alter(struct kmq_queue *q, const struct kmq_queue_config *cfg,
		     struct kmq_effects *fx);
void kmq_queue_get_config(struct kmq_queue *q, struct kmq_queue_config *cfg);
void kmq_queue_seal(struct kmq_queue *q, bool sealed, struct kmq_effects *fx);
bool kmq_queue_shutdown(struct kmq_queue *q, struct kmq_port *port, u32 what,
			struct kmq_effects *fx);
int kmq_queue_kill(struct kmq_queue *q, bool if_empty, struct kmq_effects *fx);
u64 kmq_queue_last_seq(struct kmq_queue *q);
bool kmq_queue_purge(struct kmq_queue *q, u64 upto, u32 *level, u64 *purged,
		     struct kmq_effects *fx);
unsigned int kmq_queue_poll(struct kmq_queue *q, struct kmq_port *port);
void kmq_port_stat(struct kmq_queue *q, struct kmq_port *port,
		   struct kmq_handle_row *row);
void kmq_queue_stat(struct kmq_queue *q, struct kmq_stat_args *st);

/* For send.c, take.c and queue.c; the lock is held. */
void kmq_balance_locked(struct kmq_queue *q, struct kmq_effects *fx);
void kmq_enqueue_waiter(struct kmq_queue *q, struct kmq_waiter *w);
void kmq_claim(struct kmq_queue *q, struct kmq_waiter *w, int result,
	       struct kmq_effects *fx);

/*
 * Waiters come and go with every message of a round trip; the lists they stand
 * in hold nothing but them and are never walked without the lock. The checked
 * list_add() and list_del() of hardened kernels would cost more than the rest.
 */
static inline void kmq_waiter_append(struct list_head *entry,
				     struct list_head *head)
{
	struct list_head *tail = head->prev;

	entry->next = head;
	entry->prev = tail;
	tail->next = entry;
	head->prev = entry;
}

static inline void kmq_waiter_remove(struct list_head *entry)
{
	struct list_head *next = entry->next, *prev = entry->prev;

	next->prev = prev;
	prev->next = next;
}

/**
 * kmq_unlink_waiter() - a call waits no more
 * @q: the queue, its lock held
 * @w: a waiter in WAITING
 */
static inline void kmq_unlink_waiter(struct kmq_queue *q, struct kmq_waiter *w)
{
	__hlist_del(&w->peers);
	if (unlikely(w->lingers))
		rb_erase_cached(&w->rb, &q->lingering);
	else
		kmq_waiter_remove(&w->link);
	if (w->direction == KMQ_OPEN_SEND) {
		q->nsenders--;
		w->port->nsending--;
	} else {
		q->nreceivers--;
		w->port->nreceiving--;
	}
}

/**
 * kmq_complete() - a waiter is complete; the caller sees to its being woken
 * @q: the queue, its lock held
 * @w: a waiter in WAITING
 * @result: 0 or a negative errno
 */
static inline void kmq_complete(struct kmq_queue *q, struct kmq_waiter *w,
				int result)
{
	kmq_unlink_waiter(q, w);
	w->next = NULL;
	w->result = result;
	/* the owner may look without the lock */
	WRITE_ONCE(w->state, KMQ_CLAIMED);
}

/**
 * kmq_anybody_waits() - is there a call that another's work may complete?
 * @q: the queue, its lock held
 */
static inline bool kmq_anybody_waits(const struct kmq_queue *q)
{
	return q->nsenders | q->nreceivers;
}

/**
 * kmq_account_removed() - a node was unlinked from the ready set
 * @q: the queue, its lock held
 * @node: the node
 */
static inline void kmq_account_removed(struct kmq_queue *q,
				       struct kmq_node *node)
{
	struct kmq_run *run = kmq_node_run(node);

	q->count--;
	q->bytes -= node->size;
	if (!--run->queued)
		q->memory -= run->memory;
}

/**
 * kmq_effects_init() - nothing to do yet, and a full budget
 * @fx: the effects
 */
static inline void kmq_effects_init(struct kmq_effects *fx)
{
	fx->wake = NULL;
	fx->wake_tail = &fx->wake;
	INIT_LIST_HEAD(&fx->dropped);
	fx->budget = KMQ_BUDGET;
	fx->readable = 0;
	fx->writable = 0;
	fx->hangup = false;
	fx->again = false;
	fx->retry = false;
	fx->slow = false;
	fx->ndropped = 0;
}

/**
 * kmq_send_init() - an empty batch
 * @s: the batch; must not be moved
 * @port: the handle it comes through
 */
static inline void kmq_send_init(struct kmq_send *s, struct kmq_port *port)
{
	s->w.port = port;
	s->w.direction = KMQ_OPEN_SEND;
	s->w.lingers = false;
	s->w.result = 0;
	s->w.state = KMQ_IDLE;
	s->runs = NULL;
	s->tail = &s->runs;
	s->next = 0;
	s->count = 0;
	s->bytes = 0;
	s->left = 0;
	s->left_bytes = 0;
	s->memory = 0;
	s->atomic = false;
	s->last_seq = 0;
}

/**
 * kmq_send_add() - append a run to a batch
 * @s: the batch
 * @run: a charged run; the batch owns it now
 */
static inline void kmq_send_add(struct kmq_send *s, struct kmq_run *run)
{
	*s->tail = run;
	s->tail = &run->next;
	s->count += run->count;
	s->left += run->count;
	s->bytes += run->bytes;
	s->left_bytes += run->bytes;
	s->memory += run->memory;
}

/**
 * kmq_queue_reserve() - make sure the priorities of a run can be queued
 * @q: the queue
 * @run: a run not yet queued
 *
 * Context: process context, may sleep; takes the queue's lock.
 * Return: 0, -ENOMEM, or -EDQUOT or -ENOBUFS for the owner of the queue.
 */
static inline int kmq_queue_reserve(struct kmq_queue *q,
				    const struct kmq_run *run)
{
	if (likely(!run->mixed && !run->nodes[0].priority))
		return 0;
	return kmq_queue_reserve_levels(q, run);
}

/**
 * kmq_take_init() - a receive that has taken nothing yet
 * @t: the receive
 * @port: the handle it comes through
 * @room: bytes in the caller's buffer
 * @max: most messages to take
 * @plain: bodies count against @room, not records
 */
static inline void kmq_take_init(struct kmq_take *t, struct kmq_port *port,
				 u32 room, u32 max, bool plain)
{
	t->w.port = port;
	t->w.direction = KMQ_OPEN_RECV;
	t->w.lingers = false;
	t->w.result = 0;
	t->w.state = KMQ_IDLE;
	INIT_LIST_HEAD(&t->nodes);
	t->count = 0;
	t->max = max;
	t->room = room;
	t->min = 1;
	t->needed = 0;
	t->plain = plain;
}

#endif
