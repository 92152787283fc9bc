/* SPDX-License-Identifier: GPL-2.0-only */
/* A round: some threads, each with a list of calls, on a queue of their own. */
#ifndef TESTS_LIN_ROUND_H
#define TESTS_LIN_ROUND_H

#include <sys/types.h>

#include "history.h"

#define LIN_REFEREE	(LIN_THREADS - 1)

/* op.how: how a call is made, where there are several ways. */
enum lin_how { LIN_PLAIN, LIN_RECORDS, LIN_XFER };

/* What a round is like; all of it follows from the seed. */
struct lin_plan {
	uint64_t seed;
	unsigned int threads;
	bool processes;
	bool kills;		/* processes may be killed */
	bool signals;		/* calls may be interrupted */
	bool no_seq;		/* do not tell the checker what seq says */
	struct lin_history *h;
};

/* What the driver of a kind of queue can do. */
#define LIN_CAN_FORK	1u
#define LIN_CAN_FAULT	2u
#define LIN_CAN_SIGNAL	4u

uint64_t lin_random(uint64_t *state);
uint32_t lin_below(uint64_t *state, uint32_t n);

void lin_plan(struct lin_plan *p, uint64_t seed, unsigned int can);

/**
 * struct lin_driver - how calls are made
 * @open: make the queue of a round, empty, as the plan says
 * @close: nobody uses it any more: take it away
 * @begin: in a thread, before its first call; NULL: nothing to do
 * @call: makes @op and fills in how it ended. @second: the receive that is part
 *	of the same call, or NULL.
 * @quiet_us: when nobody gets on for so long, all of them wait
 * @can: LIN_CAN_*
 */
struct lin_driver {
	void (*open)(const struct lin_plan *p);
	void (*close)(void);
	void (*begin)(unsigned int thread);
	void (*call)(struct lin_history *h, struct lin_op *op,
		     struct lin_op *second);
	unsigned int quiet_us;
	unsigned int can;
};

/* A receive has this message; @seq 0: not told. */
void lin_got(struct lin_history *h, struct lin_op *op, unsigned int message,
	     uint64_t seq);

/* What rounds have been through, together. */
struct lin_tally {
	uint64_t rounds;
	uint64_t calls;
	uint64_t undecided;
	uint64_t wrong;
	uint64_t steps;
	uint64_t most_steps;
	uint64_t killed;
	uint64_t by_kind[LIN_NR_KINDS];
	uint64_t overlapping;
	uint64_t waited;
	uint64_t refused;
	uint64_t timeouts;
	uint64_t interrupted;
	uint64_t given_back;
	uint64_t sealed;
	uint64_t deleted;
	uint64_t attempted;
	uint64_t sent;
	uint64_t received;
	uint64_t recovered;
	uint64_t dropped;
	uint64_t with_killed;
	uint64_t spoiled;
	uint64_t missed;
	uint64_t stuck;
};

/* False: somebody did not come back; nothing more can be done. */
bool lin_round(const struct lin_driver *d, const struct lin_plan *p,
	       double patience);
void lin_count(struct lin_tally *t, const struct lin_plan *p);
void lin_tell(const struct lin_tally *t, const char *name);

/**
 * lin_run() - rounds until the time is over, each judged
 * @name: for comments
 * @seed: of the first round; the others follow
 * @dump: where to write a history that is wrong, or NULL
 *
 * Return: nothing was wrong, little undecided.
 */
bool lin_run(const struct lin_driver *d, const char *name, uint64_t seed,
	     double seconds, double patience, const char *dump,
	     struct lin_tally *t);

#endif
