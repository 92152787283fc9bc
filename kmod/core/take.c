// SPDX-License-Identifier: GPL-2.0-only
/* Messages out of a queue: the one way they leave, and the way back. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>

#include "queue.h"

static void account_stretch(struct kmq_queue *q, struct kmq_run *run, u32 n)
{
	run->queued -= n;
	if (!run->queued)
		q->memory -= run->memory;
}

/*
 * Cut a stretch off the front of the only FIFO, up to @limit messages. Returns
 * how many; 0: the first one does not fit.
 */
static u32 take_stretch(struct kmq_queue *q, struct kmq_take *t, u32 limit)
{
	struct list_head *head = &q->ready.level0, *pos = head->next;
	struct list_head *first = pos, *last = head, *tail = t->nodes.prev;
	struct kmq_run *run = NULL;
	u32 n = 0, bytes = 0, of_run = 0;

	while (n < limit && pos != head) {
		struct kmq_node *node = list_entry(pos, struct kmq_node, link);
		u32 size = kmq_node_room(node, t->plain);

		if (size > t->room)
			break;
		t->room -= size;
		bytes += node->size;
		if (kmq_node_run(node) != run) {
			if (run)
				account_stretch(q, run, of_run);
			run = kmq_node_run(node);
			of_run = 0;
		}
		of_run++;
		n++;
		last = pos;
		pos = pos->next;
	}
	if (!n)
		return 0;
	account_stretch(q, run, of_run);

	head->next = pos;
	pos->prev = head;
	first->prev = tail;
	tail->next = first;
	last->next = &t->nodes;
	t->nodes.prev = last;

	q->count -= n;
	q->bytes -= bytes;
	q->received_bytes += bytes;
	return n;
}

static u32 take_one(struct kmq_queue *q, struct kmq_take *t)
{
	struct kmq_node *node = kmq_ready_first(&q->ready);
	u32 size = kmq_node_room(node, t->plain);

	if (size > t->room)
		return 0;
	t->room -= size;
	kmq_ready_remove(&q->ready, node);
	kmq_account_removed(q, node);
	q->received_bytes += node->size;
	list_add_tail(&node->link, &t->nodes);
	return 1;
}

/*
 * Move messages from the queue to the taker: what fits, at most @limit. The
 * only function that makes a message leave for a receiver. The queue is not
 * empty.
 */
static int take(struct kmq_queue *q, struct kmq_take *t, u32 limit,
		struct kmq_effects *fx)
{
	u32 n, total = 0;

	limit = min3(limit, t->max - t->count, fx->budget);
	while (total < limit && q->count) {
		n = kmq_ready_plain(&q->ready) ?
			take_stretch(q, t, limit - total) : take_one(q, t);
		if (unlikely(!n))
			break;
		total += n;
	}

	if (unlikely(!total)) {
		if (t->count || !limit)
			return t->count ? 0 : -EAGAIN;
		t->needed = kmq_node_room(kmq_ready_first(&q->ready), t->plain);
		return -EMSGSIZE;
	}
	t->count += total;
	fx->budget -= total;
	fx->writable += total;
	q->received += total;
	t->w.port->received += total;
	return 0;
}

/* The bounds may be such that the watermark is never reached. */
static bool worth_it(const struct kmq_queue *q, const struct kmq_take *t)
{
	return q->count >= t->min || q->sealed || kmq_queue_full(q);
}

static int may_receive(const struct kmq_queue *q, const struct kmq_port *port)
{
	if (q->dead)
		return -EIDRM;
	return port->shut & KMQ_OPEN_RECV ? -ECANCELED : 0;
}

/**
 * kmq_queue_pop() - kmq_queue_receive() for the ordinary case
 * @q: the queue
 * @t: the receive; has taken nothing yet
 * @wait: leave @t waiting when there is nothing for it
 * @more: set when one was taken: messages are left
 *
 * One message is wanted or there is only one; it is of the only priority, it
 * fits, and nobody waits whom it would concern: then there are no effects but
 * that pollers must be told. Or there is none and @t waits for the next.
 *
 * Context: takes the queue's lock.
 * Return: KMQ_POPPED, KMQ_WAITS (as -EINPROGRESS of kmq_queue_receive()), or
 * KMQ_OTHERWISE: nothing was done.
 */
int kmq_queue_pop(struct kmq_queue *q, struct kmq_take *t, bool wait,
		  bool *more)
{
	struct list_head *head = &q->ready.level0, *nodes = &t->nodes;
	struct kmq_port *port = t->w.port;
	int ret = KMQ_OTHERWISE;
	struct kmq_node *node;
	u32 size;

	spin_lock(&q->lock);
	if (unlikely(q->dead || q->sealed || port->shut))
		goto out;
	if (!q->count) {
		if (!wait)
			goto out;
		if (unlikely(t->min > 1)) {
			kmq_enqueue_waiter(q, &t->w);
		} else {
			/* as that does, for the ordinary receiver */
			WRITE_ONCE(t->w.state, KMQ_WAITING);
			hlist_add_head(&t->w.peers, &port->waiters);
			kmq_waiter_append(&t->w.link, &q->receivers);
			q->nreceivers++;
			port->nreceiving++;
		}
		ret = KMQ_WAITS;
		goto out;
	}
	if (unlikely((q->count > 1 && t->max > 1) || t->min > q->count ||
		     kmq_anybody_waits(q) || !kmq_ready_plain(&q->ready)))
		goto out;

	node = list_first_entry(head, struct kmq_node, link);
	size = kmq_node_room(node, t->plain);
	if (unlikely(size > t->room))
		goto out;
	head->next = node->link.next;
	head->next->prev = head;
	nodes->next = &node->link;
	nodes->prev = &node->link;
	node->link.next = nodes;
	node->link.prev = nodes;
	t->room -= size;
	t->count = 1;
	kmq_account_removed(q, node);
	q->received++;
	q->received_bytes += node->size;
	port->received++;
	*more = q->count;
	ret = KMQ_POPPED;
out:
	spin_unlock(&q->lock);
	return ret;
}

/**
 * kmq_queue_receive() - take messages out of a queue
 * @q: the queue
 * @t: the receive; may be called again to take more
 * @wait: leave @t waiting when there is nothing for it
 * @fx: initialised; to be finished after the call
 *
 * Context: takes the queue's lock.
 * Return: 0 with t->count; 0 with t->count 0 at the end of the stream;
 * -EINPROGRESS when @t waits now: it belongs to the queue until it is DONE or
 * cancelled;
 * -EAGAIN; -EMSGSIZE with t->needed; -EIDRM, -ECANCELED.
 */
int kmq_queue_receive(struct kmq_queue *q, struct kmq_take *t, bool wait,
		      struct kmq_effects *fx)
{
	int err;

	spin_lock(&q->lock);
	if (unlikely(q->dead || t->w.port->shut)) {
		err = may_receive(q, t->w.port);
		if (err)
			goto out;
	}

	if (likely(q->count && (!wait || worth_it(q, t)))) {
		err = take(q, t, U32_MAX, fx);
	} else if (!q->count && q->sealed) {
		err = 0;
		goto out;
	} else {
		err = -EAGAIN;
	}

	if (err == -EAGAIN && wait) {
		kmq_enqueue_waiter(q, &t->w);
		err = -EINPROGRESS;
	}
	if (likely(fx->writable)) {
		if (unlikely(kmq_anybody_waits(q)))
			kmq_balance_locked(q, fx);
		/* whoever was passed over for this message has the next one */
		fx->readable = !!q->count;
		if (unlikely(q->sealed && !q->count)) {
			fx->hangup = true;
			fx->slow = true;
		}
	}
out:
	spin_unlock(&q->lock);
	return err;
}

/**
 * kmq_first_lingering() - the receiver that waits for the fewest messages
 * @q: the queue, its lock held
 *
 * Return: the receive, or NULL if none waits for more than one message.
 */
struct kmq_take *kmq_first_lingering(struct kmq_queue *q)
{
	struct rb_node *rb = rb_first_cached(&q->lingering);

	return rb ? rb_entry(rb, struct kmq_take, w.rb) : NULL;
}

/**
 * kmq_serve_waiting() - hand messages to waiting receivers, in their order
 * @q: the queue, its lock held
 * @fx: collects who is to be woken
 *
 * Each gets its share of what is there, so that one with a large buffer does
 * not starve the others.
 *
 * Return: whether any message left.
 */
bool kmq_serve_waiting(struct kmq_queue *q, struct kmq_effects *fx)
{
	bool any = false;

	lockdep_assert_held(&q->lock);
	while (q->nreceivers && q->count && fx->budget) {
		u32 ready = min_t(u64, q->count, U32_MAX - q->nreceivers);
		u32 share = DIV_ROUND_UP(ready, q->nreceivers);
		struct kmq_take *t;
		int err;

		t = list_first_entry_or_null(&q->receivers, struct kmq_take,
					     w.link);
		if (!t) {
			t = kmq_first_lingering(q);
			if (!worth_it(q, t))
				break;
			share = max(share, t->min);
		}
		err = take(q, t, share, fx);
		/* one that gets nothing costs time too */
		if (err)
			fx->budget--;
		kmq_claim(q, &t->w, err, fx);
		any |= t->count;
	}
	return any;
}

/**
 * kmq_queue_putback() - messages that could not be delivered go back
 * @q: the queue
 * @port: the handle they were taken through
 * @nodes: the messages, at most KMQ_BUDGET; empty afterwards
 * @fx: initialised; to be finished after the call
 *
 * Each goes to its old place, even above the bounds, and does not count as
 * received.
 *
 * Context: takes the queue's lock.
 */
void kmq_queue_putback(struct kmq_queue *q, struct kmq_port *port,
		       struct list_head *nodes, struct kmq_effects *fx)
{
	struct kmq_node *node, *tmp;

	spin_lock(&q->lock);
	list_for_each_entry_safe(node, tmp, nodes, link) {
		struct kmq_run *run = kmq_node_run(node);

		q->received--;
		q->received_bytes -= node->size;
		port->received--;
		if (q->dead) {
			list_move_tail(&node->link, &fx->dropped);
			fx->slow = true;
			q->dropped_purged++;
			continue;
		}
		list_del(&node->link);
		q->count++;
		q->bytes += node->size;
		if (!run->queued++)
			q->memory += run->memory;
		kmq_ready_return(&q->ready, node);
		fx->readable++;
	}
	if (kmq_anybody_waits(q))
		kmq_balance_locked(q, fx);
	spin_unlock(&q->lock);
}

/**
 * kmq_queue_next_size() - how large is the next message?
 * @q: the queue
 * @plain: its body, else its record
 *
 * Context: takes the queue's lock.
 * Return: bytes; 0 also when there is none.
 */
u32 kmq_queue_next_size(struct kmq_queue *q, bool plain)
{
	struct kmq_node *node;
	u32 size = 0;

	spin_lock(&q->lock);
	node = kmq_ready_first(&q->ready);
	if (node)
		size = kmq_node_room(node, plain);
	spin_unlock(&q->lock);
	return size;
}
