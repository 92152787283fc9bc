// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is there an order of all steps, each between the call and the return of its
 * operation, that the model explains?
 *
 * J. M. Wing, C. Gong: Testing and verifying concurrent objects. Journal of
 * Parallel and Distributed Computing 17 (1993): a search through the orders
 * that real time allows, with backtracking.
 * G. Lowe: Testing for linearizability. Concurrency and Computation: Practice
 * and Experience 29 (2017): just in time, nothing is put in order before a
 * return demands it; and what was tried in vain from a state, with the same
 * calls done, is not tried again.
 *
 * An operation has several steps here (see model.h), so "done" is how far each
 * thread has come; that is part of the state.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

/* ---- what was tried -------------------------------------------------------- */

struct lin_set {
	uint64_t (*slots)[2];
	size_t size;
	size_t used;
};

static struct lin_set *set_new(void)
{
	struct lin_set *set = calloc(1, sizeof(*set));

	set->size = 1 << 12;
	set->slots = calloc(set->size, sizeof(set->slots[0]));
	return set;
}

static void set_free(struct lin_set *set)
{
	free(set->slots);
	free(set);
}

/* False: it was there. */
static bool set_put(struct lin_set *set, const uint64_t key[2])
{
	size_t i = key[0] & (set->size - 1);

	for (; set->slots[i][0] | set->slots[i][1];
	     i = (i + 1) & (set->size - 1))
		if (set->slots[i][0] == key[0] && set->slots[i][1] == key[1])
			return false;
	set->slots[i][0] = key[0];
	set->slots[i][1] = key[1];
	set->used++;
	return true;
}

static bool set_add(struct lin_set *set, const uint64_t key[2])
{
	struct lin_set old = *set;
	size_t i;

	if (set->used * 2 > set->size) {
		set->size *= 4;
		set->used = 0;
		set->slots = calloc(set->size, sizeof(set->slots[0]));
		for (i = 0; i < old.size; i++)
			if (old.slots[i][0] | old.slots[i][1])
				set_put(set, old.slots[i]);
		free(old.slots);
	}
	return set_put(set, key);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ull;
	x ^= x >> 29;
	return x;
}

/* 128 bits of state and event: two that differ are as good as never taken for
 * the same.
 */
static void key_of(const struct lin_state *s, unsigned int event,
		   uint64_t key[2])
{
	size_t bytes = offsetof(struct lin_state, ready) +
		s->nready * sizeof(s->ready[0]), i;
	uint64_t a = mix(event + 1), b = mix(~(uint64_t)event), word;

	for (i = 0; i < bytes; i += sizeof(word)) {
		size_t n = bytes - i < sizeof(word) ? bytes - i : sizeof(word);

		word = 0;
		memcpy(&word, (const char *)s + i, n);
		a = mix(a + word) * 0x9e3779b97f4a7c15ull;
		b = (b ^ mix(word + i)) * 0xc2b2ae3d27d4eb4full;
		b ^= b >> 31;
	}
	key[0] = a | 1;
	key[1] = b;
}

/* ---- the search -------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct lin_event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	/* at the same time: at once */
	if (x->returns != y->returns)
		return x->returns - y->returns;
	return (int)x->op - (int)y->op;
}

struct lin_search *lin_search_new(const struct lin_history *h, uint64_t steps)
{
	struct lin_search *x = calloc(1, sizeof(*x));
	unsigned int i;

	/* with obey the model does not write to it */
	lin_model_init(&x->model, (struct lin_history *)h);
	for (i = 0; i < h->nops; i++) {
		x->events[x->nevents++] = (struct lin_event){
			h->ops[i].inv, i, false };
		if (h->ops[i].res != LIN_NEVER)
			x->events[x->nevents++] = (struct lin_event){
				h->ops[i].res, i, true };
	}
	qsort(x->events, x->nevents, sizeof(x->events[0]), by_time);
	for (i = 0; i < x->nevents; i++)
		if (!x->events[i].returns)
			x->begins[x->events[i].op] = i;
	x->until = x->nevents;
	x->most = steps;
	x->seen = set_new();
	return x;
}

void lin_search_free(struct lin_search *x)
{
	set_free(x->seen);
	free(x);
}

static bool has_ended(const struct lin_search *x, const struct lin_state *s,
		      unsigned int op)
{
	unsigned int t = x->model.h->ops[op].thread;
	unsigned int n = s->threads[t].next;

	return n == x->model.nops[t] || x->model.ops[t][n] > op;
}

static bool go_on(struct lin_search *x, const struct lin_state *s,
		  unsigned int event)
{
	unsigned int i, way, first;
	struct lin_state next;
	uint64_t key[2];

	for (; event < x->until; event++)
		if (x->events[event].returns &&
		    !has_ended(x, s, x->events[event].op))
			break;
	if (event > x->furthest)
		x->furthest = event;
	key_of(s, event, key);
	if (!set_add(x->seen, key))
		return false;
	if (event == x->until && (!x->found || !x->found(x->arg, s)))
		return true;
	/* whoever collects states wants those with more done, too */
	first = event < x->nevents ?
		x->model.h->ops[x->events[event].op].thread : 0;
	for (i = 0; i < LIN_THREADS; i++) {
		unsigned int t = (first + i) % LIN_THREADS;
		struct lin_op *op = lin_present(&x->model, s, t);

		if (!op || x->begins[op - x->model.h->ops] >= event)
			continue;
		for (way = 0; way < LIN_WAYS; way++) {
			if (++x->steps > x->most)
				return false;
			next = *s;
			if (lin_step(&x->model, &next, t, way) &&
			    go_on(x, &next, event))
				return true;
		}
	}
	return false;
}

bool lin_search_run(struct lin_search *x)
{
	struct lin_state s;

	lin_state_init(&x->model, &s);
	return go_on(x, &s, 0);
}

struct lin_result lin_search(const struct lin_history *h, uint64_t steps)
{
	struct lin_search *x = lin_search_new(h, steps);
	struct lin_result r = { .verdict = LIN_GOOD };

	if (!lin_search_run(x))
		r.verdict = x->steps > x->most ? LIN_UNDECIDED : LIN_WRONG;
	r.steps = x->steps;
	r.event = x->furthest;
	lin_search_free(x);
	return r;
}

/* ---- the plain way ------------------------------------------------------------ */

static bool plain(struct lin_search *x, const struct lin_state *s)
{
	const struct lin_history *h = x->model.h;
	uint64_t first = LIN_NEVER;
	struct lin_state next;
	unsigned int i, t, way;

	for (i = 0; i < h->nops; i++)
		if (!has_ended(x, s, i) && h->ops[i].res < first)
			first = h->ops[i].res;
	if (first == LIN_NEVER)
		return true;
	for (t = 0; t < LIN_THREADS; t++) {
		struct lin_op *op = lin_present(&x->model, s, t);

		if (!op || op->inv > first)
			continue;
		for (way = 0; way < LIN_WAYS; way++) {
			if (++x->steps > x->most)
				return false;
			next = *s;
			if (lin_step(&x->model, &next, t, way) &&
			    plain(x, &next))
				return true;
		}
	}
	return false;
}

struct lin_result lin_search_plain(const struct lin_history *h, uint64_t steps)
{
	struct lin_search *x = lin_search_new(h, steps);
	struct lin_result r = { .verdict = LIN_GOOD };
	struct lin_state s;

	lin_state_init(&x->model, &s);
	if (!plain(x, &s))
		r.verdict = x->steps > x->most ? LIN_UNDECIDED : LIN_WRONG;
	r.steps = x->steps;
	lin_search_free(x);
	return r;
}
