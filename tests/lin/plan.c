// SPDX-License-Identifier: GPL-2.0-only
/* What the threads of a round are to do: drawn from its seed, all of it. */
#include <string.h>

#include "round.h"

/* Leaves room for the referee's. */
#define CALLS_MOST	300

uint64_t lin_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

uint32_t lin_below(uint64_t *state, uint32_t n)
{
	return n ? (lin_random(state) >> 20) % n : 0;
}

/* Of a hundred calls. */
struct mixture {
	unsigned int sends;
	unsigned int receives;
	unsigned int stats;
	unsigned int purges;
	unsigned int seals;
	unsigned int alters;
	unsigned int batches;	/* of a hundred sends and receives */
	unsigned int waits;
	unsigned int priorities;
};

static const struct mixture mixtures[] = {
	{ 46, 44, 10, 0, 0, 0, 0, 50, 1 },	/* one by one */
	{ 45, 40, 15, 0, 0, 0, 40, 40, 3 },	/* batches, priorities */
	{ 50, 40, 10, 0, 0, 0, 50, 80, 2 },	/* those who wait */
	{ 44, 34, 12, 4, 3, 3, 40, 40, 3 },	/* its owner interferes */
	{ 40, 46, 10, 2, 1, 1, 60, 70, 2 },	/* more who receive */
	{ 60, 26, 14, 0, 0, 0, 50, 30, 3 },	/* full most of the time */
};

static void plan_waiting(uint64_t *r, struct lin_op *op,
			 const struct mixture *m)
{
	op->wait = lin_below(r, 100) < m->waits;
	if (op->how == LIN_XFER && op->wait && lin_below(r, 4))
		op->wait_us = 1 + lin_below(r, 2000);
}

static struct lin_op *plan_send(struct lin_plan *p, uint64_t *r,
				unsigned int thread, const struct mixture *m)
{
	bool batch = lin_below(r, 100) < m->batches;
	unsigned int how = lin_below(r, 3), n = 1, i;
	uint16_t priorities[LIN_BATCH] = {};
	struct lin_op *op;

	if (batch && how == LIN_PLAIN)
		how = LIN_XFER;
	if (batch)
		n = 2 + lin_below(r, LIN_BATCH - 1);
	for (i = 0; how != LIN_PLAIN && i < n; i++)
		priorities[i] = lin_below(r, m->priorities);
	op = lin_add(p->h, thread, LIN_SEND, n, priorities);
	if (!op)
		return NULL;
	op->how = how;
	op->atomic = how == LIN_XFER && batch && !lin_below(r, 3);
	plan_waiting(r, op, m);
	return op;
}

static struct lin_op *plan_receive(struct lin_plan *p, uint64_t *r,
				   unsigned int thread,
				   const struct mixture *m, unsigned int can)
{
	bool batch = lin_below(r, 100) < m->batches;
	struct lin_op *op = lin_add(p->h, thread, LIN_RECV, 1, NULL);

	if (!op)
		return NULL;
	op->how = lin_below(r, 3);
	if (batch && op->how == LIN_PLAIN)
		op->how = LIN_XFER;
	if (batch)
		op->count = 2 + lin_below(r, LIN_BATCH - 1);
	plan_waiting(r, op, m);
	if (op->how == LIN_XFER && batch && op->wait && op->wait_us &&
	    lin_below(r, 2))
		op->min = 2 + lin_below(r, op->count - 1);
	if (can & LIN_CAN_FAULT && op->min < 2 && !lin_below(r, 12))
		op->bad_buffer = true;
	return op;
}

static void plan_call(struct lin_plan *p, uint64_t *r, unsigned int thread,
		      const struct mixture *m, unsigned int can)
{
	unsigned int k = lin_below(r, 100);
	struct lin_op *op, *second;

	if (k < m->sends) {
		op = plan_send(p, r, thread, m);
		if (!op || op->how != LIN_XFER || lin_below(r, 6))
			return;
		second = plan_receive(p, r, thread, m, 0);
		if (!second)
			return;
		second->how = LIN_XFER;
		second->after = true;
		second->min = 0;
		second->wait = op->wait;
		second->wait_us = op->wait_us;
		return;
	}
	k -= m->sends;
	if (k < m->receives) {
		plan_receive(p, r, thread, m, can);
		return;
	}
	k -= m->receives;
	if (k < m->stats) {
		lin_add(p->h, thread, LIN_STAT, 0, NULL);
		return;
	}
	k -= m->stats;
	if (k < m->purges) {
		lin_add(p->h, thread, LIN_PURGE, 0, NULL);
		return;
	}
	k -= m->purges;
	if (k < m->seals)
		lin_add(p->h, thread, lin_below(r, 2) ? LIN_SEAL : LIN_UNSEAL,
			0, NULL);
	else
		lin_add(p->h, thread, LIN_ALTER, 1 + lin_below(r, 8), NULL);
}

void lin_plan(struct lin_plan *p, uint64_t seed, unsigned int can)
{
	uint64_t r = seed * 0x9e3779b97f4a7c15ull + 0x7f4a7c15;
	const struct mixture *m;
	unsigned int t, i, calls;
	struct lin_history *h = p->h;

	r = r ? r : 1;
	for (i = 0; i < 4; i++)
		lin_random(&r);
	memset(h, 0, sizeof(*h));
	p->seed = seed;
	h->bound = 1 + lin_below(&r, lin_below(&r, 2) ? 3 : 9);
	h->overflow = lin_below(&r, 5) < 3 ? LIN_BLOCK :
		lin_below(&r, 2) ? LIN_REJECT : LIN_DROP;
	m = &mixtures[lin_below(&r, sizeof(mixtures) / sizeof(mixtures[0]))];
	p->threads = 2 + lin_below(&r, 5);
	p->processes = can & LIN_CAN_FORK && lin_below(&r, 2);
	p->kills = p->processes && lin_below(&r, 2);
	p->signals = can & LIN_CAN_SIGNAL && !lin_below(&r, 3);
	p->no_seq = !lin_below(&r, 4);
	/* the longer, the more often all are at it at once */
	calls = 8 + lin_below(&r, 40);
	for (t = 0; t < p->threads; t++)
		for (i = 0; i < calls && h->nops < CALLS_MOST; i++)
			plan_call(p, &r, t, m, can);
	/* sometimes one of them ends the queue for all */
	if (!lin_below(&r, 6))
		lin_add(h, lin_below(&r, p->threads), LIN_DELETE, 0, NULL);
}
