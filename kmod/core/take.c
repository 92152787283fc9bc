// SPDX-License-Identifier: GPL-2.0-only
/* Messages out of a queue: the one way they leave, and the way back. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>

#include "queue.h"

/**
 * kmq_take_init() - a receive that has taken nothing yet
 * @t: the receive
 * @port: the handle it comes through
 * @room: bytes in the caller's buffer
 * @max: most messages to take
 * @plain: bodies count against @room, not records
 */
void kmq_take_init(struct kmq_take *t, struct kmq_port *port, u32 room,
		   u32 max, bool plain)
{
	t->w.port = port;
	t->w.direction = KMQ_OPEN_RECV;
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

static u32 size_for(struct kmq_node *node, bool plain)
{
	if (plain)
		return kmq_run_record(kmq_node_run(node), node)->body_len;
	return node->size;
}

/**
 * kmq_account_removed() - a node was unlinked from the ready set
 * @q: the queue, its lock held
 * @node: the node
 */
void kmq_account_removed(struct kmq_queue *q, struct kmq_node *node)
{
	struct kmq_run *run = kmq_node_run(node);

	q->count--;
	q->bytes -= node->size;
	if (!--run->queued)
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
		u32 size = size_for(node, t->plain);

		if (size > t->room)
			break;
		t->room -= size;
		bytes += node->size;
		if (kmq_node_run(node) != run) {
			if (run && !(run->queued -= of_run))
				q->memory -= run->memory;
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
	run->queued -= of_run;
	if (!run->queued)
		q->memory -= run->memory;

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
	u32 size = size_for(node, t->plain);

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
 * only function that makes a message leave for a receiver.
 */
static int take(struct kmq_queue *q, struct kmq_take *t, u32 limit,
		struct kmq_effects *fx)
{
	u32 before = t->count;

	limit = min3(limit, t->max - t->count, fx->budget);
	while (limit && q->count) {
		u32 n = kmq_ready_plain(&q->ready) ?
			take_stretch(q, t, limit) : take_one(q, t);

		if (!n)
			break;
		t->count += n;
		limit -= n;
	}

	if (t->count == before) {
		struct kmq_node *node = kmq_ready_first(&q->ready);

		if (t->count || !limit || !node)
			return t->count ? 0 : -EAGAIN;
		t->needed = size_for(node, t->plain);
		return -EMSGSIZE;
	}

	before = t->count - before;
	fx->budget -= before;
	q->received += before;
	t->w.port->received += before;
	return 0;
}

static bool worth_it(const struct kmq_queue *q, const struct kmq_take *t)
{
	/* the bounds may be such that the watermark is never reached */
	return q->count >= t->min || q->count >= t->max ||
		q->bytes >= t->room || !kmq_queue_has_room(q) || q->sealed;
}

static int may_receive(const struct kmq_queue *q, const struct kmq_port *port)
{
	if (q->dead)
		return -EIDRM;
	return port->shut & KMQ_OPEN_RECV ? -ECANCELED : 0;
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
	u32 before = t->count;
	int err;

	spin_lock(&q->lock);
	err = may_receive(q, t->w.port);
	if (unlikely(err))
		goto out;

	if (q->count && (!wait || worth_it(q, t)))
		err = take(q, t, U32_MAX, fx);
	else if (!q->count && q->sealed)
		goto out;
	else
		err = -EAGAIN;

	if (err == -EAGAIN && wait) {
		kmq_enqueue_waiter(q, &t->w);
		err = -EINPROGRESS;
	}
	if (t->count != before) {
		kmq_balance_locked(q, fx);
		if (kmq_queue_has_room(q))
			fx->writable = t->count - before;
		/* whoever was passed over for this message has the next one */
		fx->readable = !!q->count;
		fx->hangup |= q->sealed && !q->count;
	}
out:
	spin_unlock(&q->lock);
	return err;
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
	struct list_head *pos = q->receivers.next;
	u32 passed = 0;
	bool any = false;

	lockdep_assert_held(&q->lock);
	while (pos != &q->receivers && q->count && fx->budget &&
	       passed < KMQ_WATERMARK_SCAN) {
		struct kmq_take *t = list_entry(pos, struct kmq_take, w.link);
		u64 share = DIV_ROUND_UP(q->count, q->nreceivers);

		pos = pos->next;
		if (!worth_it(q, t)) {
			passed++;
			continue;
		}
		share = max_t(u64, share, t->min);
		kmq_claim(q, &t->w,
			  take(q, t, min_t(u64, share, U32_MAX), fx), fx);
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
		size = size_for(node, plain);
	spin_unlock(&q->lock);
	return size;
}
