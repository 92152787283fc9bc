// SPDX-License-Identifier: GPL-2.0-only
/* Messages into a queue: admission, its order, and what gives way. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "queue.h"

/**
 * kmq_send_free() - free what was not admitted
 * @s: the batch; not waiting
 *
 * Context: process context; no lock of the core held.
 */
void kmq_send_free(struct kmq_send *s)
{
	struct kmq_run *run = s->runs, *next;

	for (; run; run = next) {
		u32 n = run->count - s->next;

		next = run->next;
		s->next = 0;
		if (refcount_sub_and_test(n, &run->refs))
			kmq_run_free(run);
	}
	s->runs = NULL;
	s->tail = &s->runs;
	s->left = 0;
	s->left_bytes = 0;
}

static int reserve_level(struct kmq_queue *q, u16 priority, long missing)
{
	struct kmq_level_table *table;
	struct kmq_level_group *group;
	long used = 0;
	int err;

	err = kmq_charge(q->payer, KMQ_R_BYTES, missing);
	if (err)
		return err;

	table = kmq_level_table_alloc();
	group = kmq_level_group_alloc();
	if (table && group) {
		spin_lock(&q->lock);
		used = kmq_ready_install(&q->ready, priority, &table, &group);
		q->level_bytes += used;
		spin_unlock(&q->lock);
	} else {
		err = -ENOMEM;
	}
	kmq_uncharge(q->payer, KMQ_R_BYTES, missing - used);
	kfree(table);
	kfree(group);
	return err;
}

/**
 * kmq_queue_reserve_levels() - the part of kmq_queue_reserve() that allocates
 * @q: the queue
 * @run: a run not yet queued
 *
 * Context: process context, may sleep; takes the queue's lock.
 * Return: 0, -ENOMEM, or -EDQUOT or -ENOBUFS for the owner of the queue.
 */
int kmq_queue_reserve_levels(struct kmq_queue *q, const struct kmq_run *run)
{
	u32 i, n = run->mixed ? run->count : 1;

	for (i = 0; i < n; i++) {
		u16 priority = run->nodes[i].priority;
		long missing;
		int err;

		while ((missing = kmq_ready_missing(&q->ready, priority))) {
			err = reserve_level(q, priority, missing);
			if (err)
				return err;
		}
	}
	return 0;
}

static bool fits(const struct kmq_queue *q, u32 n, u32 bytes)
{
	return q->count + n <= q->cfg.max_messages &&
		q->bytes + bytes <= q->cfg.max_bytes;
}

/*
 * A small record may pin the large chunk it came in, so memory has a bound of
 * its own: twice the bytes and two chunks.
 */
static bool memory_fits(const struct kmq_queue *q, u64 memory)
{
	return !q->count || q->memory + memory <=
		2 * q->cfg.max_bytes + 2 * KMQ_CHUNK_BYTES;
}

static bool run_fits(const struct kmq_queue *q, const struct kmq_send *s,
		     const struct kmq_run *run)
{
	return run->queued || s->atomic || memory_fits(q, run->memory);
}

/**
 * kmq_queue_full() - could a message of the largest size not be admitted?
 * @q: the queue, its lock held
 *
 * Whatever the overflow policy does about it.
 */
bool kmq_queue_full(const struct kmq_queue *q)
{
	u32 most = kmq_record_size(0, q->cfg.max_message_size);

	/* a record takes whole chunks when it is larger than one */
	return q->nsenders || !fits(q, 1, most) ||
		!memory_fits(q, most + 2 * KMQ_CHUNK_BYTES);
}

/* Queue nodes [at, at + n) of @run, of @bytes together. */
static __always_inline void enqueue(struct kmq_queue *q, struct kmq_port *port,
				    struct kmq_run *run, u32 at, u32 n,
				    u32 bytes)
{
	struct kmq_node *first = &run->nodes[at];
	struct kmq_node *end = first + n, *node;
	u64 seq = q->next_seq;

	if (!run->queued)
		q->memory += run->memory;
	run->queued += n;

	for (node = first; node < end; node++)
		node->seq = seq++;
	if (likely(!run->mixed)) {
		kmq_ready_append_chain(&q->ready, first, end - 1);
	} else {
		for (node = first; node < end; node++)
			kmq_ready_append_chain(&q->ready, node, node);
	}

	port->sent += n;
	q->next_seq = seq;
	q->count += n;
	q->bytes += bytes;
	q->sent += n;
	q->sent_bytes += bytes;
}

/* The first @n nodes of what is left of a batch, all in @run, were admitted. */
static void admitted(struct kmq_send *s, struct kmq_run *run, u32 n, u32 bytes)
{
	s->left -= n;
	s->left_bytes -= bytes;
	s->next += n;
	if (s->next < run->count)
		return;
	s->runs = run->next;
	if (!s->runs)
		s->tail = &s->runs;
	s->next = 0;
}

/* How many records of the first run go in now, by the bounds and the budget. */
static u32 admissible(const struct kmq_queue *q, const struct kmq_send *s,
		      const struct kmq_run *run, u32 budget, u32 *bytes)
{
	const struct kmq_node *node = &run->nodes[s->next];
	u32 n = run->count - s->next;
	u32 i;

	if (!run_fits(q, s, run))
		return 0;

	*bytes = run->bytes - node->off;
	if (n <= budget && fits(q, n, *bytes))
		return n;

	*bytes = 0;
	n = min(n, budget);
	for (i = 0; i < n; i++, node++) {
		if (!fits(q, i + 1, *bytes + node->size))
			break;
		*bytes += node->size;
	}
	return i;
}

/* drop-head, and nothing is of lower priority: the new message goes itself. */
static void drop_new(struct kmq_queue *q, struct kmq_send *s,
		     struct kmq_run *run, struct kmq_effects *fx)
{
	struct kmq_node *node = &run->nodes[s->next];

	s->last_seq = q->next_seq++;
	s->w.port->sent++;
	q->sent++;
	q->sent_bytes += node->size;
	admitted(s, run, 1, node->size);
	list_add_tail(&node->link, &fx->dropped);
}

/*
 * drop-head: the oldest of the lowest priority gives way, which may be the new
 * message itself. Returns whether the first record of the batch was dealt with
 * or now fits; false: the budget is used up.
 */
static bool make_room(struct kmq_queue *q, struct kmq_send *s,
		      struct kmq_run *run, struct kmq_effects *fx)
{
	struct kmq_node *node = &run->nodes[s->next];

	while (!fits(q, 1, node->size) || !run_fits(q, s, run)) {
		struct kmq_node *victim = kmq_ready_least(&q->ready);

		if (!fx->budget)
			return false;
		fx->budget--;
		fx->ndropped++;
		fx->slow = true;
		q->dropped_full++;
		if (victim->priority > node->priority) {
			drop_new(q, s, run, fx);
			return true;
		}
		kmq_ready_remove(&q->ready, victim);
		kmq_account_removed(q, victim);
		list_add_tail(&victim->link, &fx->dropped);
	}
	return true;
}

/* Admit what can be admitted. Returns whether the batch is through. */
static bool admit(struct kmq_queue *q, struct kmq_send *s,
		  struct kmq_effects *fx)
{
	bool drop = q->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD;

	if (s->atomic) {
		if (!fits(q, s->left, s->left_bytes) ||
		    !memory_fits(q, s->memory))
			return false;
		fx->budget = max(fx->budget, s->left);
	}

	while (s->left) {
		struct kmq_run *run = s->runs;
		u32 bytes, n;

		if (!fx->budget || run->nodes[s->next].size > q->cfg.max_bytes)
			return false;
		n = admissible(q, s, run, fx->budget, &bytes);
		if (n) {
			fx->budget -= n;
			enqueue(q, s->w.port, run, s->next, n, bytes);
			s->last_seq = q->next_seq - 1;
			admitted(s, run, n, bytes);
		} else if (!drop || !make_room(q, s, run, fx)) {
			return false;
		}
	}
	return true;
}

/* Can what is left never be admitted? */
static bool hopeless(const struct kmq_queue *q, const struct kmq_send *s)
{
	if (s->runs->nodes[s->next].size > q->cfg.max_bytes)
		return true;
	return s->atomic && (s->left > q->cfg.max_messages ||
			     s->left_bytes > q->cfg.max_bytes);
}

/*
 * The queue is empty and a receiver waits: the message goes straight to it,
 * without having been in the queue. Only as many as one, for a fair share.
 */
static bool hand_over(struct kmq_queue *q, struct kmq_port *port,
		      struct kmq_run *run, struct kmq_pushed *pushed)
{
	struct kmq_node *node = &run->nodes[0];
	struct list_head *nodes;
	struct kmq_take *t;
	u32 size;

	if (q->count || q->nsenders || run->count != 1)
		return false;
	t = list_first_entry_or_null(&q->receivers, struct kmq_take, w.link);
	if (!t)
		return false;
	size = kmq_node_room(node, t->plain);
	if (size > t->room || node->size > q->cfg.max_bytes)
		return false;

	node->seq = q->next_seq++;
	nodes = &t->nodes;
	nodes->next = &node->link;
	nodes->prev = &node->link;
	node->link.next = nodes;
	node->link.prev = nodes;
	t->room -= size;
	t->count = 1;
	port->sent++;
	q->sent++;
	q->sent_bytes += node->size;
	t->w.port->received++;
	q->received++;
	q->received_bytes += node->size;
	kmq_complete(q, &t->w, 0);
	pushed->woken = &t->w;
	return true;
}

/**
 * kmq_queue_push() - kmq_queue_send() for the ordinary case
 * @q: the queue
 * @port: the handle it comes through
 * @run: the only run of a batch, charged and reserved
 * @pushed: set when the run was accepted
 *
 * One run, all of it fits, and nobody waits whom it would concern but one
 * receiver: then there are no effects but to wake that or to tell pollers.
 *
 * Context: takes the queue's lock.
 * Return: whether the run was accepted; else nothing was done.
 */
bool kmq_queue_push(struct kmq_queue *q, struct kmq_port *port,
		    struct kmq_run *run, struct kmq_pushed *pushed)
{
	bool ok;

	pushed->woken = NULL;
	spin_lock(&q->lock);
	ok = !q->dead && !q->sealed && !port->shut;
	if (unlikely(!ok)) {
		/* the long way says why */
	} else if (likely(!kmq_anybody_waits(q))) {
		ok = fits(q, run->count, run->bytes) &&
			memory_fits(q, run->memory);
		if (likely(ok))
			enqueue(q, port, run, 0, run->count, run->bytes);
	} else {
		ok = hand_over(q, port, run, pushed);
	}
	pushed->seq = q->next_seq - 1;
	spin_unlock(&q->lock);
	return ok;
}

static int send(struct kmq_queue *q, struct kmq_send *s, bool wait,
		struct kmq_effects *fx)
{
	int err;

	if (q->dead)
		return -EIDRM;
	if (s->w.port->shut & KMQ_OPEN_SEND)
		return -ECANCELED;
	if (q->sealed)
		return -EPIPE;
	if (hopeless(q, s))
		return -EMSGSIZE;
	if (s->atomic && q->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD)
		return -EOPNOTSUPP;

	err = -EAGAIN;
	/* those who wait go first; on drop-head they only wait for a slice */
	if (!q->nsenders && admit(q, s, fx))
		return 0;
	if (!fx->budget ||
	    (q->nsenders && q->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD)) {
		fx->retry = true;
		fx->again = true;
		fx->slow = true;
		return err;
	}
	if (hopeless(q, s))
		return -EMSGSIZE;
	if (wait && q->cfg.overflow == KMQ_OVERFLOW_BLOCK) {
		kmq_enqueue_waiter(q, &s->w);
		q->blocked++;
		return -EINPROGRESS;
	}
	q->refused_full++;
	return err;
}

/**
 * kmq_queue_send() - put a batch into a queue
 * @q: the queue
 * @s: the batch; runs charged and reserved
 * @wait: leave @s waiting when it does not fit
 * @fx: initialised; to be finished after the call
 *
 * Records are admitted in order. s->left tells how many were not.
 *
 * Context: takes the queue's lock.
 * Return: 0 when all were admitted;
 * -EINPROGRESS when @s waits now: it belongs to the queue until it is DONE or
 * cancelled;
 * -EAGAIN when the rest does not fit (or, with fx->retry, when the budget was
 * used up: finish the effects and call again);
 * -EMSGSIZE when the rest can never fit; -EOPNOTSUPP for an atomic batch on a
 * drop-head queue; -EPIPE, -EIDRM, -ECANCELED.
 */
int kmq_queue_send(struct kmq_queue *q, struct kmq_send *s, bool wait,
		   struct kmq_effects *fx)
{
	u32 before = s->left;
	int err;

	spin_lock(&q->lock);
	err = send(q, s, wait, fx);
	fx->readable = before - s->left;
	/* one that begins to wait makes the queue full for those who linger */
	if (kmq_anybody_waits(q)) {
		kmq_balance_locked(q, fx);
		/* fewer remain when some went straight to receivers */
		fx->readable = min_t(u64, fx->readable, q->count);
	}
	spin_unlock(&q->lock);
	return err;
}

/**
 * kmq_admit_waiting() - admit records of waiting senders, in their order
 * @q: the queue, its lock held
 * @fx: collects who is to be woken
 *
 * Return: whether any was admitted.
 */
bool kmq_admit_waiting(struct kmq_queue *q, struct kmq_effects *fx)
{
	bool any = false;

	lockdep_assert_held(&q->lock);
	while (q->nsenders && fx->budget) {
		struct kmq_send *s = list_first_entry(&q->senders,
						      struct kmq_send, w.link);
		u32 before = s->left;
		int err = 0;

		/* bounds and policy may have changed since it began to wait */
		if (s->atomic && q->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD)
			err = -EOPNOTSUPP;
		else if (!admit(q, s, fx))
			err = hopeless(q, s) ? -EMSGSIZE : -EAGAIN;
		any |= s->left != before;
		if (err == -EAGAIN)
			break;
		/* one that gets nothing costs time too */
		if (err && fx->budget)
			fx->budget--;
		kmq_claim(q, &s->w, err, fx);
	}
	return any;
}
