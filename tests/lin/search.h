/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of search.c, for explain.c. */
#ifndef TESTS_LIN_SEARCH_H
#define TESTS_LIN_SEARCH_H

#include "model.h"

struct lin_event {
	uint64_t time;
	uint16_t op;
	bool returns;
};

struct lin_set;

struct lin_search {
	struct lin_model model;
	struct lin_event events[2 * LIN_OPS];
	unsigned int nevents;
	uint16_t begins[LIN_OPS];	/* event of its call */
	unsigned int until;		/* explained so far: enough */
	unsigned int furthest;
	uint64_t steps;
	uint64_t most;
	struct lin_set *seen;
	/* told of every state in front of event @until; true: go on */
	bool (*found)(void *arg, const struct lin_state *s);
	void *arg;
};

struct lin_search *lin_search_new(const struct lin_history *h, uint64_t steps);
void lin_search_free(struct lin_search *x);
/* Whether the events before @until can be explained (and @found is content). */
bool lin_search_run(struct lin_search *x);

#endif
