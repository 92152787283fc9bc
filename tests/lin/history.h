/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What several threads did to one queue, and when.
 *
 *   history.c   making, reading and writing one
 *   model.c     what a queue may do: every step of a call, one by one
 *   search.c    is there an order of steps that explains a history?
 *   explain.c   the part of it that nothing explains, for people
 *   plan.c      what the threads of a round are to do, from a seed
 *   round.c     a round: plan, threads or processes, history, verdict
 *   simulate.c  histories that the model itself made, and ways to spoil them
 *   check.c     program: tests all that
 *   live.c      program: the queues of /dev/kmq
 *
 * tests/unit/test_lin.c does the same with the core in user space.
 */
#ifndef TESTS_LIN_HISTORY_H
#define TESTS_LIN_HISTORY_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LIN_THREADS	9	/* the last one is the referee's */
#define LIN_OPS		440	/* in a round */
#define LIN_MESSAGES	640
#define LIN_BATCH	6
#define LIN_NEVER	UINT64_MAX
#define LIN_HIDDEN	1	/* as op.err: some error or none */
#define LIN_ALIEN	0xffff	/* a message that nobody sent */

enum lin_kind {
	LIN_SEND,
	LIN_RECV,
	LIN_STAT,
	LIN_PURGE,
	LIN_SEAL,
	LIN_UNSEAL,
	LIN_ALTER,
	LIN_DELETE,
	LIN_NR_KINDS,
};

enum lin_overflow { LIN_BLOCK, LIN_REJECT, LIN_DROP };

/* What STAT tells, counted from the start of the history. */
struct lin_stat {
	uint16_t ready;
	uint16_t waiting_senders;
	uint16_t waiting_receivers;
	uint16_t sent;
	uint16_t received;
	uint16_t dropped;
	uint16_t purged;
	uint16_t refused;
	uint16_t blocked;
	uint16_t sealed;
};

/**
 * struct lin_op - one call
 * @wait: may wait
 * @atomic: a batch that goes in whole or not at all
 * @bad_buffer: what it is handed cannot be delivered and goes back
 * @after: it is the second part of the thread's call before it
 * @unknown: its thread was killed: @res is when it was gone for sure, and
 *	what it did is not known
 * @how: for those who do it
 * @count: SEND: messages; RECV: most it takes; ALTER: the new bound
 * @min: RECV: waits until so many are there
 * @first: SEND: its first message, the others follow
 * @inv: when it was called
 * @res: when it returned
 * @err: 0, the negative errno that ended it, or LIN_HIDDEN
 * @done: messages accepted, received or purged
 * @got: RECV: which
 * @wait_us: for those who do it
 */
struct lin_op {
	uint8_t kind;
	uint8_t thread;
	uint8_t wait;
	uint8_t atomic;
	uint8_t bad_buffer;
	uint8_t after;
	uint8_t unknown;
	uint8_t how;
	uint16_t count;
	uint16_t min;
	uint16_t first;
	uint16_t done;
	int32_t err;
	uint32_t wait_us;
	uint64_t inv;
	uint64_t res;
	uint16_t got[LIN_BATCH];
	struct lin_stat st;
};

/* @seq: its number as its receiver saw it, from 1; 0: not told */
struct lin_message {
	uint16_t op;
	uint16_t priority;
	uint32_t seq;
};

struct lin_history {
	uint16_t bound;
	uint16_t overflow;
	uint16_t nthreads;
	uint16_t nops;
	uint16_t nmessages;
	struct lin_op ops[LIN_OPS];
	struct lin_message messages[LIN_MESSAGES];
};

extern const char *const lin_kind_names[LIN_NR_KINDS];

struct lin_history *lin_new(unsigned int bound, unsigned int overflow);
/* Appends a call; a send has @count messages with these priorities. */
struct lin_op *lin_add(struct lin_history *h, unsigned int thread,
		       enum lin_kind kind, unsigned int count,
		       const uint16_t *priorities);
void lin_remove(struct lin_history *h, unsigned int op);

/* As text, a line a call; what is read back is the same. */
void lin_write(FILE *f, const struct lin_history *h);
void lin_write_op(FILE *f, const struct lin_history *h,
		  const struct lin_op *op);
/* NULL: *line is the one that is wrong. */
struct lin_history *lin_read(FILE *f, unsigned int *line);
struct lin_history *lin_read_text(const char *text);

enum lin_verdict { LIN_GOOD, LIN_WRONG, LIN_UNDECIDED };

struct lin_result {
	enum lin_verdict verdict;
	uint64_t steps;		/* tried */
	unsigned int event;	/* WRONG: the first return nothing explains */
};

#define LIN_STEPS	2000000u

/* search.c */
struct lin_result lin_search(const struct lin_history *h, uint64_t steps);
/* The same question the plain way: no memory, no just-in-time. */
struct lin_result lin_search_plain(const struct lin_history *h,
				   uint64_t steps);

/* explain.c: why it is wrong; @why is one line in front. */
void lin_explain(FILE *f, const struct lin_history *h,
		 const struct lin_result *r, const char *why);

#endif
