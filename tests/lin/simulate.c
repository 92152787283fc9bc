// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histories that are right by construction: the model does what was planned,
 * threads and moments drawn at random; and ways to spoil a history so that
 * nothing can explain it any more.
 */
#include <stdlib.h>
#include <string.h>

#include "simulate.h"

struct run {
	struct lin_model m;
	struct lin_state s;
	struct lin_history *h;
	uint64_t r;
	uint64_t clock;
	bool called[LIN_OPS];
	bool ended[LIN_OPS];
	bool returned[LIN_OPS];
};

static void has_ended(void *arg, struct lin_op *op)
{
	struct run *run = arg;

	run->ended[op - run->h->ops] = true;
	if (op->bad_buffer && op->done)
		op->done = 0;
}

static void add_call(struct run *run, enum lin_kind kind, unsigned int count)
{
	struct lin_op *op = lin_add(run->h, LIN_REFEREE, kind, count, NULL);

	if (!op)
		abort();
	run->m.ops[LIN_REFEREE][run->m.nops[LIN_REFEREE]++] = op - run->h->ops;
}

/* The oldest call of a thread that has not returned yet. */
static struct lin_op *open_call(struct run *run, unsigned int thread)
{
	unsigned int i;

	for (i = 0; i < run->m.nops[thread]; i++)
		if (!run->returned[run->m.ops[thread][i]])
			return &run->h->ops[run->m.ops[thread][i]];
	return NULL;
}

/* One thing of one thread; false: it has to wait, or is done. */
static bool one_thing(struct run *run, unsigned int thread)
{
	struct lin_op *op = open_call(run, thread);
	unsigned int nr;
	bool may;

	if (!op)
		return false;
	nr = op - run->h->ops;
	if (!run->called[nr]) {
		run->called[nr] = true;
		op->inv = run->clock++;
		return true;
	}
	if (run->ended[nr]) {
		run->returned[nr] = true;
		op->res = run->clock++;
		return true;
	}
	may = run->s.threads[thread].stage != LIN_WAITING ||
		(op->wait_us && !lin_below(&run->r, 6));
	return may && lin_step(&run->m, &run->s, thread, 0);
}

static bool all_returned(const struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->h->nops; i++)
		if (!run->returned[i])
			return false;
	return true;
}

static void referee(struct run *run, enum lin_kind kind, unsigned int count)
{
	struct lin_op *op;

	add_call(run, kind, count);
	op = &run->h->ops[run->h->nops - 1];
	while (one_thing(run, LIN_REFEREE))
		;
	if (!run->returned[op - run->h->ops])
		abort();
}

void lin_simulate(struct lin_plan *p)
{
	struct run *run = calloc(1, sizeof(*run));
	unsigned int quiet = 0, i;
	struct lin_op *op;

	run->h = p->h;
	run->r = p->seed * 0x9e3779b97f4a7c15ull + 77;
	run->clock = 1;
	/* two parts of one call are not simulated as one */
	for (i = 0; i < p->h->nops; i++)
		p->h->ops[i].after = false;
	lin_model_init(&run->m, p->h);
	run->m.obey = false;
	run->m.ended = has_ended;
	run->m.arg = run;
	lin_state_init(&run->m, &run->s);
	while (!all_returned(run)) {
		if (one_thing(run, lin_below(&run->r, p->threads))) {
			quiet = 0;
		} else if (++quiet > 200) {
			referee(run, LIN_SEAL, 0);
			referee(run, LIN_UNSEAL, 0);
			quiet = 0;
		}
	}
	referee(run, LIN_SEAL, 0);
	referee(run, LIN_STAT, 0);
	do {
		referee(run, LIN_RECV, LIN_BATCH);
		op = &run->h->ops[run->h->nops - 1];
	} while (op->done);
	referee(run, LIN_STAT, 0);
	for (i = 0; p->no_seq && i < p->h->nmessages; i++)
		p->h->messages[i].seq = 0;
	free(run);
}

/* ---- spoiling -------------------------------------------------------------- */

/* Every call counts its successors from here. */
static uint64_t latest(const struct lin_history *h)
{
	uint64_t t = 0;
	unsigned int i;

	for (i = 0; i < h->nops; i++)
		if (h->ops[i].res != LIN_NEVER && h->ops[i].res > t)
			t = h->ops[i].res;
	return t + 1;
}

/* A call of the referee's behind all others: nothing runs beside it. */
static struct lin_op *last_call(struct lin_history *h, enum lin_kind kind,
				unsigned int count)
{
	uint64_t now = latest(h);
	struct lin_op *op = lin_add(h, LIN_REFEREE, kind, count, NULL);

	if (op) {
		op->inv = now;
		op->res = now + 1;
	}
	return op;
}

static struct lin_op *some(struct lin_history *h, uint64_t *r,
			   bool (*which)(const struct lin_history *h,
					 const struct lin_op *op))
{
	unsigned int k = lin_below(r, h->nops), i;

	for (i = 0; i < h->nops; i++) {
		struct lin_op *op = &h->ops[(i + k) % h->nops];

		if (!op->unknown && which(h, op))
			return op;
	}
	return NULL;
}

static bool received(const struct lin_history *h, const struct lin_op *op)
{
	(void)h;
	return op->kind == LIN_RECV && op->done;
}

static bool received_several(const struct lin_history *h,
			     const struct lin_op *op)
{
	(void)h;
	return op->kind == LIN_RECV && op->done > 1;
}

static bool sent(const struct lin_history *h, const struct lin_op *op)
{
	(void)h;
	return op->kind == LIN_SEND && op->done;
}

static bool is_stat(const struct lin_history *h, const struct lin_op *op)
{
	(void)h;
	return op->kind == LIN_STAT;
}

static bool purged(const struct lin_history *h, const struct lin_op *op)
{
	(void)h;
	return op->kind == LIN_PURGE && !op->err;
}

/* Was sent to the end before the receive was called: nothing is open. */
static bool came_late(const struct lin_history *h, const struct lin_op *op)
{
	return received(h, op) && op->got[0] < h->nmessages &&
		h->ops[h->messages[op->got[0]].op].res < op->inv;
}

static bool spoil_twice(struct lin_history *h, uint64_t *r)
{
	struct lin_op *from = some(h, r, received);
	struct lin_op *op = from ? last_call(h, LIN_RECV, 1) : NULL;

	if (!op)
		return false;
	op->got[op->done++] = from->got[0];
	return true;
}

static bool spoil_invent(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = some(h, r, received);

	if (op)
		op->got[0] = LIN_ALIEN;
	return op;
}

/* Nobody got it, and yet the counters at the end say that nothing is left. */
static bool spoil_lose(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = some(h, r, received);

	if (!op)
		return false;
	h->messages[op->got[op->done - 1]].seq = 0;
	op->done--;
	return true;
}

/* Two of one receive, certainly not in this order: of different priority, or of
 * one sender.
 */
static bool spoil_order(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = some(h, r, received_several);
	const struct lin_message *a, *b;
	uint16_t first;
	unsigned int i;

	for (i = 0; op && i + 1u < op->done; i++) {
		a = &h->messages[op->got[i]];
		b = &h->messages[op->got[i + 1]];
		if (a->priority == b->priority &&
		    h->ops[a->op].thread != h->ops[b->op].thread)
			continue;
		first = op->got[i];
		op->got[i] = op->got[i + 1];
		op->got[i + 1] = first;
		return true;
	}
	return false;
}

static bool spoil_early(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = some(h, r, came_late), *s;
	uint64_t time;

	if (!op)
		return false;
	/* the send is called when the receive has returned already */
	s = &h->ops[h->messages[op->got[0]].op];
	time = latest(h);
	s->thread = LIN_REFEREE - 1;
	s->inv = time;
	s->res = time + 1;
	return true;
}

static bool spoil_empty(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = last_call(h, LIN_UNSEAL, 0);

	(void)r;
	if (op)
		op = last_call(h, LIN_SEND, 1);
	if (op)
		op->done = 1;
	if (op)
		op = last_call(h, LIN_RECV, 1);
	if (op)
		op->err = -EAGAIN;
	return op;
}

static bool spoil_full(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = last_call(h, LIN_UNSEAL, 0);

	(void)r;
	if (op)
		op = last_call(h, LIN_SEND, 1);
	if (op)
		op->err = -EAGAIN;
	return op;
}

static bool spoil_bound(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = last_call(h, LIN_UNSEAL, 0);
	unsigned int i;

	(void)r;
	/* no call may have altered it, and to drop is to have room */
	for (i = 0; i < h->nops; i++)
		if (h->ops[i].kind == LIN_ALTER)
			return false;
	if (h->overflow == LIN_DROP)
		return false;
	for (i = 0; op && i <= h->bound; i++) {
		op = last_call(h, LIN_SEND, 1);
		if (op)
			op->done = 1;
	}
	return op;
}

static bool spoil_sealed(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = last_call(h, LIN_SEAL, 0);

	(void)r;
	if (op)
		op = last_call(h, LIN_SEND, 1);
	if (op)
		op->done = 1;
	return op;
}

static bool spoil_deleted(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = last_call(h, LIN_DELETE, 0);

	(void)r;
	if (op)
		op = last_call(h, LIN_RECV, 1);
	if (op)
		op->err = -EAGAIN;
	return op;
}

/* What was true at the beginning, told at the end. */
static bool spoil_stale(struct lin_history *h, uint64_t *r)
{
	struct lin_op *first = some(h, r, is_stat);
	struct lin_op *op = first ? last_call(h, LIN_STAT, 0) : NULL;

	if (!op)
		return false;
	op->st = first->st;
	return memcmp(&first->st, &op[-1].st, sizeof(op->st)) &&
		op[-1].kind == LIN_STAT;
}

static bool spoil_count(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = some(h, r, purged);
	unsigned int i;

	/* nobody else purges uncounted */
	for (i = 0; i < h->nops; i++)
		if (h->ops[i].kind == LIN_DELETE)
			return false;

	if (op)
		op->done++;
	return op;
}

/* Accepted one more than the next ones' numbers say. */
static bool spoil_refused(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op = some(h, r, sent);

	if (!op)
		return false;
	op->done--;
	op->err = -EAGAIN;
	return true;
}

static struct lin_op *last_send(struct lin_history *h, unsigned int count,
				uint16_t priority)
{
	struct lin_op *op = last_call(h, LIN_SEND, count);

	if (op) {
		op->done = count;
		h->messages[op->first].priority = priority;
	}
	return op;
}

/* Two in the queue, and the wrong one of them received. */
static bool spoil_choice(struct lin_history *h, uint16_t first, uint16_t second)
{
	struct lin_op *op, *one, *two;

	last_call(h, LIN_UNSEAL, 0);
	last_call(h, LIN_ALTER, 2);
	one = last_send(h, 1, first);
	two = last_send(h, 1, second);
	op = last_call(h, LIN_RECV, 1);
	if (!op || !one || !two)
		return false;
	op->got[op->done++] = second > first ? one->first : two->first;
	return true;
}

static bool spoil_priority(struct lin_history *h, uint64_t *r)
{
	(void)r;
	return spoil_choice(h, 0, 1);
}

static bool spoil_newer(struct lin_history *h, uint64_t *r)
{
	(void)r;
	return spoil_choice(h, 1, 1);
}

static bool spoil_atomic(struct lin_history *h, uint64_t *r)
{
	struct lin_op *op;

	(void)r;
	last_call(h, LIN_UNSEAL, 0);
	last_call(h, LIN_ALTER, 2);
	last_send(h, 1, 0);
	op = last_send(h, 2, 0);
	if (!op)
		return false;
	op->atomic = true;
	op->done = 1;
	op->err = -EAGAIN;
	return true;
}

const struct lin_spoil lin_spoils[] = {
	{ "received_twice", spoil_twice },
	{ "received_but_never_sent", spoil_invent },
	{ "lost", spoil_lose },
	{ "out_of_order", spoil_order },
	{ "received_before_it_was_sent", spoil_early },
	{ "empty_though_it_is_not", spoil_empty },
	{ "full_though_it_is_not", spoil_full },
	{ "more_than_the_bound", spoil_bound },
	{ "accepted_though_sealed", spoil_sealed },
	{ "alive_after_delete", spoil_deleted },
	{ "stale_counters", spoil_stale },
	{ "purged_one_more", spoil_count },
	{ "accepted_but_refused", spoil_refused },
	{ "lower_priority_first", spoil_priority },
	{ "newer_first", spoil_newer },
	{ "atomic_batch_in_part", spoil_atomic },
};

const unsigned int lin_nspoils = sizeof(lin_spoils) / sizeof(lin_spoils[0]);
