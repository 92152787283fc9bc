// SPDX-License-Identifier: GPL-2.0-only
/* Messages into a queue: admission, its order, and what gives way. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "queue.h"

/**
 * kmq_send_init() - an empty batch
 * @s: the batch
 * @port: the handle it comes through
 */
void kmq_send_init(struct kmq_send *s, struct kmq_port *port)
{
	s->w.port = port;
	s->w.direction = KMQ_OPEN_SEND;
	s->w.result = 0;
	s->w.state = KMQ_IDLE;
	INIT_LIST_HEAD(&s->runs);
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
void kmq_send_add(struct kmq_send *s, struct kmq_run *run)
{
	list_add_tail(&run->link, &s->runs);
	s->count += run->count;
	s->left += run->count;
	s->bytes += run->bytes;
	s->left_bytes += run->bytes;
	s->memory += run->memory;
}

/**
 * kmq_send_free() - free what was not admitted
 * @s: the batch; not waiting
 *
 * Context: process context; no lock of the core held.
 */
void kmq_send_free(struct kmq_send *s)
{
	struct kmq_run *run, *tmp;

	list_for_each_entry_safe(run, tmp, &s->runs, link) {
		u32 n = run->count - s->next;

		list_del(&run->link);
		s->next = 0;
		if (refcount_sub_and_test(n, &run->refs))
			kmq_run_free(run);
	}
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
 * kmq_queue_reserve() - make sure the priorities of a run can be queued
 * @q: the queue
 * @run: a run not yet queued
 *
 * Context: process context, may sleep; takes the queue's lock.
 * Return: 0, -ENOMEM, or -EDQUOT or -ENOBUFS for the owner of the queue.
 */
int kmq_queue_reserve(struct kmq_queue *q, const struct kmq_run *run)
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
 * its own: twice the bytes and a chunk.
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
 * kmq_queue_has_room() - would a message of any allowed size be admitted?
 * @q: the queue, its lock held
 */
bool kmq_queue_has_room(const struct kmq_queue *q)
{
	if (q->cfg.overflow == KMQ_OVERFLOW_DROP_HEAD)
		return true;
	return list_empty(&q->senders) &&
		fits(q, 1, kmq_record_size(0, q->cfg.max_message_size)) &&
		(!q->count ||
		 q->memory <= 2 * q->cfg.max_bytes + KMQ_CHUNK_BYTES);
}

/* Queue nodes [s->next, s->next + n) of @run, of @bytes together. */
static void enqueue(struct kmq_queue *q, struct kmq_send *s,
		    struct kmq_run *run, u32 n, u32 bytes)
{
	struct kmq_node *first = &run->nodes[s->next];
	struct kmq_node *end = first + n, *node;
	u64 seq = q->next_seq;

	if (!run->queued)
		q->memory += run->memory;
	run->queued += n;
	s->next += n;
	/* before the nodes are queued: afterwards the run may be gone */
	if (s->next == run->count) {
		list_del(&run->link);
		s->next = 0;
	}

	for (node = first; node < end; node++)
		node->seq = seq++;
	if (likely(!run->mixed)) {
		kmq_ready_append_chain(&q->ready, first, end - 1);
	} else {
		for (node = first; node < end; node++)
			kmq_ready_append(&q->ready, node);
	}

	s->last_seq = seq - 1;
	s->left -= n;
	s->left_bytes -= bytes;
	s->w.port->sent += n;
	q->next_seq = seq;
	q->count += n;
	q->bytes += bytes;
	q->sent += n;
	q->sent_bytes += bytes;
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
	if (likely(n <= budget && fits(q, n, *bytes)))
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
		q->dropped_full++;
		if (victim->priority > node->priority) {
			s->last_seq = q->next_seq++;
			s->w.port->sent++;
			s->left--;
			s->left_bytes -= node->size;
			q->sent++;
			q->sent_bytes += node->size;
			if (++s->next == run->count) {
				list_del(&run->link);
				s->next = 0;
			}
			list_add_tail(&node->link, &fx->dropped);
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

	if (s->atomic && !drop) {
		if (!fits(q, s->left, s->left_bytes) ||
		    !memory_fits(q, s->memory))
			return false;
		fx->budget = max(fx->budget, s->left);
	}

	while (s->left) {
		struct kmq_run *run = list_first_entry(&s->runs,
						       struct kmq_run, link);
		u32 bytes, n;

		if (!fx->budget || run->nodes[s->next].size > q->cfg.max_bytes)
			return false;
		n = admissible(q, s, run, fx->budget, &bytes);
		if (n) {
			fx->budget -= n;
			enqueue(q, s, run, n, bytes);
		} else if (!drop || !make_room(q, s, run, fx)) {
			return false;
		}
	}
	return true;
}

static int may_send(const struct kmq_queue *q, const struct kmq_port *port)
{
	if (q->dead)
		return -EIDRM;
	if (port->shut & KMQ_OPEN_SEND)
		return -ECANCELED;
	return q->sealed ? -EPIPE : 0;
}

/* Can what is left ever be admitted? */
static bool hopeless(const struct kmq_queue *q, const struct kmq_send *s)
{
	const struct kmq_run *run = list_first_entry(&s->runs, struct kmq_run,
						     link);

	if (run->nodes[s->next].size > q->cfg.max_bytes)
		return true;
	return s->atomic && (s->left > q->cfg.max_messages ||
			     s->left_bytes > q->cfg.max_bytes);
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
 * -EAGAIN when the rest does not fit (or, with fx->again, when the budget was
 * used up: finish the effects and call again);
 * -EMSGSIZE when the rest can never fit; -EPIPE, -EIDRM, -ECANCELED.
 */
int kmq_queue_send(struct kmq_queue *q, struct kmq_send *s, bool wait,
		   struct kmq_effects *fx)
{
	u32 before = s->left;
	int err;

	spin_lock(&q->lock);
	err = may_send(q, s->w.port);
	if (unlikely(err))
		goto out;

	if (unlikely(hopeless(q, s))) {
		err = -EMSGSIZE;
	} else if (unlikely(!list_empty(&q->senders) &&
			    q->cfg.overflow != KMQ_OVERFLOW_DROP_HEAD)) {
		/* those who wait go first */
		err = -EAGAIN;
	} else if (unlikely(!admit(q, s, fx))) {
		err = hopeless(q, s) ? -EMSGSIZE : -EAGAIN;
		fx->again = !fx->budget;
	}

	if (unlikely(err == -EAGAIN && !fx->again)) {
		if (wait && q->cfg.overflow == KMQ_OVERFLOW_BLOCK) {
			kmq_enqueue_waiter(q, &s->w);
			q->blocked++;
			err = -EINPROGRESS;
		} else {
			q->refused_full++;
		}
	}
	if (s->left != before) {
		kmq_balance_locked(q, fx);
		/* fewer remain when some went straight to receivers */
		fx->readable = min_t(u64, before - s->left, q->count);
	}
out:
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
	while (!list_empty(&q->senders) && fx->budget) {
		struct kmq_send *s = list_first_entry(&q->senders,
						      struct kmq_send, w.link);
		u32 before = s->left;
		bool through;

		through = admit(q, s, fx);
		any |= s->left != before;
		/* hopeless: a bound was lowered since it began to wait */
		if (!through && !hopeless(q, s))
			break;
		kmq_claim(q, &s->w, through ? 0 : -EMSGSIZE, fx);
	}
	return any;
}
