// SPDX-License-Identifier: GPL-2.0-only
/* The life of a queue and of those who wait in it. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "queue.h"

/**
 * kmq_queue_init() - an empty queue
 * @q: the queue
 * @cfg: its bounds, already checked
 * @payer: pays for memory of the queue itself; must outlive it
 */
void kmq_queue_init(struct kmq_queue *q, const struct kmq_queue_config *cfg,
		    const struct kmq_payer *payer)
{
	memset(q, 0, sizeof(*q));
	spin_lock_init(&q->lock);
	q->cfg = *cfg;
	q->payer = payer;
	q->next_seq = 1;
	kmq_ready_init(&q->ready);
	INIT_LIST_HEAD(&q->senders);
	INIT_LIST_HEAD(&q->receivers);
	q->lingering = RB_ROOT_CACHED;
}

/**
 * kmq_queue_destroy() - free what the queue itself holds
 * @q: a dead queue, purged, that nobody uses any more
 */
void kmq_queue_destroy(struct kmq_queue *q)
{
	WARN_ON_ONCE(q->count || q->memory);
	WARN_ON_ONCE(kmq_anybody_waits(q));
	kmq_ready_destroy(&q->ready);
	kmq_uncharge(q->payer, KMQ_R_BYTES, q->level_bytes);
}

/**
 * kmq_port_init() - a handle's side of a queue, nothing waiting
 * @port: the port
 */
void kmq_port_init(struct kmq_port *port)
{
	INIT_HLIST_HEAD(&port->waiters);
	port->nsending = 0;
	port->nreceiving = 0;
	port->shut = 0;
	port->sent = 0;
	port->received = 0;
}

static void enqueue_lingering(struct kmq_queue *q, struct kmq_take *t)
{
	struct rb_node **pos = &q->lingering.rb_root.rb_node;
	struct rb_node *parent = NULL;
	bool leftmost = true;

	while (*pos) {
		parent = *pos;
		/* equal ones stay in order of arrival */
		if (t->min < rb_entry(parent, struct kmq_take, w.rb)->min) {
			pos = &parent->rb_left;
		} else {
			pos = &parent->rb_right;
			leftmost = false;
		}
	}
	rb_link_node(&t->w.rb, parent, pos);
	rb_insert_color_cached(&t->w.rb, &q->lingering, leftmost);
}

/**
 * kmq_enqueue_waiter() - a call begins to wait, behind those already there
 * @q: the queue, its lock held
 * @w: the call's waiter; its task and since are set
 */
void kmq_enqueue_waiter(struct kmq_queue *q, struct kmq_waiter *w)
{
	struct kmq_take *t;

	lockdep_assert_held(&q->lock);
	WRITE_ONCE(w->state, KMQ_WAITING);
	hlist_add_head(&w->peers, &w->port->waiters);
	if (w->direction == KMQ_OPEN_SEND) {
		kmq_waiter_append(&w->link, &q->senders);
		q->nsenders++;
		w->port->nsending++;
		return;
	}

	t = container_of(w, struct kmq_take, w);
	w->lingers = t->min > 1;
	if (w->lingers)
		enqueue_lingering(q, t);
	else
		kmq_waiter_append(&w->link, &q->receivers);
	q->nreceivers++;
	w->port->nreceiving++;
}

/**
 * kmq_claim() - a waiter is complete, and woken through the effects
 * @q: the queue, its lock held
 * @w: a waiter in WAITING
 * @result: 0 or a negative errno
 * @fx: the effects
 */
void kmq_claim(struct kmq_queue *q, struct kmq_waiter *w, int result,
	       struct kmq_effects *fx)
{
	lockdep_assert_held(&q->lock);
	kmq_complete(q, w, result);
	*fx->wake_tail = w;
	fx->wake_tail = &w->next;
	fx->slow = true;
}

/**
 * kmq_queue_cancel() - a waiting call wants to leave
 * @q: the queue
 * @w: its waiter, once in WAITING
 *
 * Context: takes the queue's lock.
 * Return: true: it left; false: it was claimed and must wait until DONE.
 */
bool kmq_queue_cancel(struct kmq_queue *q, struct kmq_waiter *w)
{
	bool left;

	spin_lock(&q->lock);
	left = READ_ONCE(w->state) == KMQ_WAITING;
	if (left) {
		kmq_unlink_waiter(q, w);
		WRITE_ONCE(w->state, KMQ_IDLE);
	}
	spin_unlock(&q->lock);
	return left;
}

/* End waiting senders, as far as the budget goes. */
static void end_senders(struct kmq_queue *q, int result,
			struct kmq_effects *fx)
{
	while (q->nsenders && fx->budget) {
		fx->budget--;
		kmq_claim(q, list_first_entry(&q->senders, struct kmq_waiter,
					      link), result, fx);
	}
}

/* End waiting receivers, as far as the budget goes. */
static void end_receivers(struct kmq_queue *q, int result,
			  struct kmq_effects *fx)
{
	while (q->nreceivers && fx->budget) {
		struct kmq_waiter *w;

		w = list_first_entry_or_null(&q->receivers, struct kmq_waiter,
					     link);
		if (!w)
			w = &kmq_first_lingering(q)->w;
		fx->budget--;
		kmq_claim(q, w, result, fx);
	}
}

/**
 * kmq_balance_locked() - let waiting senders and receivers make progress
 * @q: the queue, its lock held
 * @fx: collects who is to be woken; again is set when the budget ran out
 *
 * Afterwards nobody waits for what the queue has, or in a queue that has ended.
 * Pollers are told of what waiting senders brought, whoever let them: a look at
 * the queue between two slices may have shown neither messages nor room.
 */
void kmq_balance_locked(struct kmq_queue *q, struct kmq_effects *fx)
{
	u32 nsenders = q->nsenders, ready;
	u64 sent = q->sent;
	bool progress;

	lockdep_assert_held(&q->lock);
	if (unlikely(q->dead)) {
		end_senders(q, -EIDRM, fx);
		end_receivers(q, -EIDRM, fx);
		goto out;
	}
	if (unlikely(q->sealed))
		end_senders(q, -EPIPE, fx);
	do {
		progress = false;
		if (!q->sealed)
			progress = kmq_admit_waiting(q, fx);
		progress |= kmq_serve_waiting(q, fx);
	} while (progress && fx->budget);
	if (q->sent != sent) {
		ready = min_t(u64, q->count, U32_MAX);
		fx->readable = max(fx->readable, ready);
	}
	/* there is no room for others while somebody waits for it */
	if (nsenders && !q->nsenders)
		fx->writable = U32_MAX;
	/* the end of the stream */
	if (unlikely(q->sealed && !q->count))
		end_receivers(q, 0, fx);
out:
	if (!fx->budget && kmq_anybody_waits(q)) {
		fx->again = true;
		fx->slow = true;
	}
}

/**
 * kmq_queue_balance() - go on where the budget ran out
 * @q: the queue
 * @fx: initialised; to be finished after the call
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_balance(struct kmq_queue *q, struct kmq_effects *fx)
{
	spin_lock(&q->lock);
	if (kmq_anybody_waits(q))
		kmq_balance_locked(q, fx);
	if (q->sealed && !q->count) {
		fx->hangup = true;
		fx->slow = true;
	}
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_blocked() - count the time a sender waited
 * @q: the queue
 * @ns: how long
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_blocked(struct kmq_queue *q, u64 ns)
{
	spin_lock(&q->lock);
	q->blocked_ns += ns;
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_get_config() - the bounds in force
 * @q: the queue
 * @cfg: filled in
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_get_config(struct kmq_queue *q, struct kmq_queue_config *cfg)
{
	spin_lock(&q->lock);
	*cfg = q->cfg;
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_alter() - change the bounds
 * @q: the queue
 * @cfg: new bounds, already checked
 * @fx: initialised; to be finished after the call
 *
 * What is queued stays, even above a lowered bound.
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_alter(struct kmq_queue *q, const struct kmq_queue_config *cfg,
		     struct kmq_effects *fx)
{
	spin_lock(&q->lock);
	q->cfg.max_messages = cfg->max_messages;
	q->cfg.max_bytes = cfg->max_bytes;
	q->cfg.overflow = cfg->overflow;
	/* read without the lock by senders who check their buffers */
	WRITE_ONCE(q->cfg.max_message_size, cfg->max_message_size);
	kmq_balance_locked(q, fx);
	fx->writable = U32_MAX;
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_seal() - end the stream, or open it again
 * @q: the queue
 * @sealed: which
 * @fx: initialised; to be finished after the call
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_seal(struct kmq_queue *q, bool sealed, struct kmq_effects *fx)
{
	spin_lock(&q->lock);
	q->sealed = sealed;
	kmq_balance_locked(q, fx);
	fx->hangup = true;
	fx->slow = true;
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_shutdown() - end a direction of one handle
 * @q: the queue
 * @port: the handle's side
 * @what: KMQ_OPEN_SEND, KMQ_OPEN_RECV, or both
 * @fx: initialised; to be finished after the call
 *
 * Context: takes the queue's lock.
 * Return: whether to call again.
 */
bool kmq_queue_shutdown(struct kmq_queue *q, struct kmq_port *port, u32 what,
			struct kmq_effects *fx)
{
	struct kmq_waiter *w;
	struct hlist_node *tmp;
	bool more = false;

	spin_lock(&q->lock);
	port->shut |= what;
	hlist_for_each_entry_safe(w, tmp, &port->waiters, peers) {
		if (!(w->direction & what))
			continue;
		if (!fx->budget) {
			more = true;
			break;
		}
		fx->budget--;
		kmq_claim(q, w, -ECANCELED, fx);
	}
	/* whoever stood behind them may be next now */
	kmq_balance_locked(q, fx);
	fx->hangup = true;
	fx->slow = true;
	spin_unlock(&q->lock);
	return more;
}

/**
 * kmq_queue_kill() - delete: nothing goes in or out any more
 * @q: the queue
 * @if_empty: only if no message is queued and no sender waits
 * @fx: initialised; to be finished after the call
 *
 * Context: takes the queue's lock.
 * Return: 0 or -ENOTEMPTY.
 */
int kmq_queue_kill(struct kmq_queue *q, bool if_empty, struct kmq_effects *fx)
{
	spin_lock(&q->lock);
	if (!q->dead && if_empty && (q->count || q->nsenders)) {
		spin_unlock(&q->lock);
		return -ENOTEMPTY;
	}
	/* RESET looks without the lock whether it was alive */
	WRITE_ONCE(q->dead, true);
	kmq_balance_locked(q, fx);
	fx->hangup = true;
	fx->slow = true;
	spin_unlock(&q->lock);
	return 0;
}

/**
 * kmq_queue_last_seq() - seq of the newest message
 * @q: the queue
 *
 * Context: takes the queue's lock.
 */
u64 kmq_queue_last_seq(struct kmq_queue *q)
{
	u64 seq;

	spin_lock(&q->lock);
	seq = q->next_seq - 1;
	spin_unlock(&q->lock);
	return seq;
}

/**
 * kmq_queue_purge() - drop messages, a budget at a time
 * @q: the queue
 * @upto: only those up to this seq
 * @level: where the search goes on; KMQ_PRIORITY_MAX to begin
 * @purged: how many went so far
 * @fx: initialised; to be finished after the call
 *
 * Context: takes the queue's lock.
 * Return: whether to call again.
 */
bool kmq_queue_purge(struct kmq_queue *q, u64 upto, u32 *level, u64 *purged,
		     struct kmq_effects *fx)
{
	struct kmq_node *node = NULL;
	bool any = false;

	spin_lock(&q->lock);
	while (fx->budget &&
	       (node = kmq_ready_older(&q->ready, level, upto)) != NULL) {
		fx->budget--;
		kmq_ready_remove(&q->ready, node);
		kmq_account_removed(q, node);
		list_add_tail(&node->link, &fx->dropped);
		q->dropped_purged++;
		(*purged)++;
		any = true;
	}
	if (any) {
		fx->writable = KMQ_BUDGET - fx->budget;
		fx->slow = true;
		fx->hangup |= q->sealed && !q->count;
		kmq_balance_locked(q, fx);
	}
	spin_unlock(&q->lock);
	return node;
}

/**
 * kmq_queue_poll() - what can be done now without waiting
 * @q: the queue
 * @port: by whom
 *
 * Context: takes the queue's lock.
 * Return: KMQ_POLL_* bits.
 */
unsigned int kmq_queue_poll(struct kmq_queue *q, struct kmq_port *port)
{
	unsigned int bits = 0;

	spin_lock(&q->lock);
	if (q->count)
		bits |= KMQ_POLL_READ;
	if (q->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD || !kmq_queue_full(q))
		bits |= KMQ_POLL_WRITE;
	if (q->sealed)
		bits |= KMQ_POLL_SEALED;
	if (q->sealed && !q->count)
		bits |= KMQ_POLL_EOF;
	if (q->dead)
		bits |= KMQ_POLL_DEAD;
	if (port->shut & KMQ_OPEN_SEND)
		bits |= KMQ_POLL_SHUT_SEND;
	if (port->shut & KMQ_OPEN_RECV)
		bits |= KMQ_POLL_SHUT_RECV;
	spin_unlock(&q->lock);
	return bits;
}

/**
 * kmq_port_stat() - the queue's part of a handle's row
 * @q: the queue
 * @port: the handle's side
 * @row: its state, counters and waiting_since are filled in
 *
 * Context: takes the queue's lock.
 */
void kmq_port_stat(struct kmq_queue *q, struct kmq_port *port,
		   struct kmq_handle_row *row)
{
	struct kmq_waiter *w;
	u32 seen = 0;

	spin_lock(&q->lock);
	if (port->nsending)
		row->state |= KMQ_HANDLE_SENDING;
	if (port->nreceiving)
		row->state |= KMQ_HANDLE_RECEIVING;
	if (port->shut & KMQ_OPEN_SEND)
		row->state |= KMQ_HANDLE_SHUT_SEND;
	if (port->shut & KMQ_OPEN_RECV)
		row->state |= KMQ_HANDLE_SHUT_RECV;
	/* the oldest of them; of the newest, where there are very many */
	hlist_for_each_entry(w, &port->waiters, peers) {
		if (!row->waiting_since || w->since < row->waiting_since)
			row->waiting_since = w->since;
		if (++seen == KMQ_BUDGET)
			break;
	}
	row->sent = port->sent;
	row->received = port->received;
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_stat() - the queue's part of a STAT
 * @q: the queue
 * @st: its counters are filled in
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_stat(struct kmq_queue *q, struct kmq_stat_args *st)
{
	struct kmq_node *node;

	spin_lock(&q->lock);
	node = kmq_ready_first(&q->ready);
	if (q->sealed)
		st->state |= KMQ_STATE_SEALED;
	st->next_seq = q->next_seq;
	st->ready = q->count;
	st->bytes = q->bytes;
	st->memory = q->memory;
	if (node)
		st->head_time = kmq_run_record(kmq_node_run(node), node)->time;
	st->waiting_senders = q->nsenders;
	st->waiting_receivers = q->nreceivers;
	st->sent = q->sent;
	st->sent_bytes = q->sent_bytes;
	st->received = q->received;
	st->received_bytes = q->received_bytes;
	st->dropped_full = q->dropped_full;
	st->dropped_purged = q->dropped_purged;
	st->refused_full = q->refused_full;
	st->blocked = q->blocked;
	st->blocked_ns = q->blocked_ns;
	spin_unlock(&q->lock);
}
