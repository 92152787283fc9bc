/* SPDX-License-Identifier: GPL-2.0-only */
/* kmqbench: which cases to run, in which order */
#ifndef KMQBENCH_PLAN_H
#define KMQBENCH_PLAN_H

#include "output.h"

#define LIST_MOST	16u

struct number_list {
	uint64_t v[LIST_MOST];
	unsigned int n;
};

struct wishes {
	const struct scenario *scenario[LIST_MOST];
	uint64_t count[LIST_MOST];	/* per scenario; 0: its default */
	unsigned int n_scenarios;
	const struct transport *transport[LIST_MOST];
	unsigned int n_transports;
	bool transports_chosen;		/* not just all there are */
	struct number_list size, batch, depth, names;
	unsigned int rounds;
	unsigned int foreign;	/* percent of CPU time others may have */
	uint64_t seed;
};

/* All cases that make sense, in the order they are to be shown */
int plan_make(const struct wishes *w, struct results *all);
void plan_free(struct results *all);
/*
 * Runs every case once a round, each round in another order that only the
 * seed decides. 0, 1 if a case failed, or 128 + the signal that came.
 */
int plan_run(const struct wishes *w, struct results *all);

#endif /* KMQBENCH_PLAN_H */
