// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest part of a history that nothing explains: calls without which the
 * rest is just as wrong are left out, then what is long past: it ends with a
 * return that fits none of the states the queue can be in, and begins where
 * these can still be listed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

#define FEW 6

struct collected {
	struct lin_state states[FEW];
	unsigned int n;
};

static bool collect(void *arg, const struct lin_state *s)
{
	struct collected *c = arg;

	if (c->n < FEW)
		c->states[c->n] = *s;
	c->n++;
	return c->n <= FEW;
}

/* Calls that change nothing: taking them away makes nothing wrong. */
static bool changes_nothing(const struct lin_op *op)
{
	if (op->unknown || op->wait || op->bad_buffer || op->after)
		return false;
	if (op->kind == LIN_STAT)
		return true;
	/* a refused one is counted */
	return op->kind == LIN_RECV && op->err && !op->done;
}

static void leave_out(struct lin_history *h)
{
	unsigned int i;

	for (i = h->nops; i-- > 0;) {
		struct lin_history *less;
		struct lin_result r;

		if (!changes_nothing(&h->ops[i]))
			continue;
		less = malloc(sizeof(*less));
		*less = *h;
		lin_remove(less, i);
		r = lin_search(less, LIN_STEPS / 20);
		if (r.verdict == LIN_WRONG)
			*h = *less;
		free(less);
	}
}

/* The states in front of an event. */
static void states_at(const struct lin_history *h, unsigned int event,
		      struct collected *c)
{
	struct lin_search *x = lin_search_new(h, LIN_STEPS);

	memset(c, 0, sizeof(*c));
	x->until = event;
	x->found = collect;
	x->arg = c;
	lin_search_run(x);
	/* not all of them are known then */
	if (x->steps > x->most)
		c->n = FEW + 1;
	lin_search_free(x);
}

static void write_states(FILE *f, const struct collected *c)
{
	unsigned int i;

	for (i = 0; i < c->n && i < FEW; i++) {
		fprintf(f, "#   %s ", i ? "or" : "before:");
		lin_state_write(f, &c->states[i]);
	}
}

void lin_explain(FILE *f, const struct lin_history *whole,
		 const struct lin_result *r, const char *why)
{
	struct lin_history *h = malloc(sizeof(*h));
	struct lin_result now = *r;
	struct lin_search *x;
	struct collected *c = malloc(sizeof(*c));
	unsigned int event, i;
	uint64_t from;

	*h = *whole;
	leave_out(h);
	now = lin_search(h, LIN_STEPS);
	x = lin_search_new(h, LIN_STEPS);
	event = now.event;
	if (event >= x->nevents)
		event = x->nevents - 1;
	/* not later than the call that does not fit, where states are few */
	for (i = x->begins[x->events[event].op];; i--) {
		states_at(h, i, c);
		if (!i || c->n <= FEW)
			break;
	}
	from = i ? x->events[i].time : 0;
	fprintf(f, "# %s: no order of steps explains this (%u of %u calls; bound %u)\n",
		why, h->nops, whole->nops, h->bound);
	write_states(f, c);
	for (i = 0; i < h->nops; i++) {
		const struct lin_op *op = &h->ops[i];

		if (op->res < from || op->inv > x->events[event].time)
			continue;
		fprintf(f, "#   %c ", i == x->events[event].op ? '>' : ' ');
		lin_write_op(f, h, op);
	}
	fprintf(f, "# what returns at %" PRIu64 " (>) cannot have done so\n",
		x->events[event].time);
	fflush(f);
	lin_search_free(x);
	free(c);
	free(h);
}
