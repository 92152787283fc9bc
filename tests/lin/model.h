/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of Documentation/guarantees.md as a state machine. A call is one or
 * several steps, each of which happens at one moment. Between two steps others
 * may come in. Each step of a call that waits says what it means for the others
 * that wait.
 */
#ifndef TESTS_LIN_MODEL_H
#define TESTS_LIN_MODEL_H

#include "history.h"

#define LIN_READY	96

/* Where a thread's present call stands. */
enum lin_stage {
	LIN_IDLE,	/* not begun */
	LIN_WAITING,	/* in line */
	LIN_LEFT,	/* out of the line; those behind it not served yet */
	LIN_AGAIN,	/* a receiver that waited for several tries for any */
	LIN_HOLDS,	/* has messages that it cannot deliver */
	LIN_MARKED,	/* PURGE, DELETE: the messages still have to go */
};

struct lin_queued {
	uint16_t message;
	uint16_t seq;
};

struct lin_thread {
	uint16_t next;		/* of its calls, the present one */
	uint16_t done;		/* a send: accepted so far */
	uint16_t upto;		/* a purge: last seq */
	uint8_t stage;
	uint8_t nheld;
	struct lin_queued held[LIN_BATCH];
};

struct lin_state {
	struct lin_thread threads[LIN_THREADS];
	uint8_t sealed;
	uint8_t dead;
	uint8_t nsenders;
	uint8_t nreceivers;
	uint8_t nlingering;
	uint8_t senders[LIN_THREADS];
	uint8_t receivers[LIN_THREADS];
	uint8_t lingering[LIN_THREADS];
	uint16_t bound;
	uint16_t nready;
	uint16_t next_seq;
	uint16_t received;
	uint16_t dropped;
	uint16_t purged;
	uint16_t refused;
	uint16_t blocked;
	struct lin_queued ready[LIN_READY];
};

/**
 * struct lin_model - a history, its calls by thread, and what is known of it
 * @ops: indices of a thread's calls, in order
 * @obey: calls must end as recorded; else (simulation) @ended is told
 */
struct lin_model {
	struct lin_history *h;
	uint16_t ops[LIN_THREADS][LIN_OPS];
	uint16_t nops[LIN_THREADS];
	bool obey;
	void (*ended)(void *arg, struct lin_op *op);
	void *arg;
};

/* Ways a call can go on from where it stands. */
#define LIN_WAYS	2

void lin_model_init(struct lin_model *m, struct lin_history *h);
void lin_state_init(const struct lin_model *m, struct lin_state *s);
/* The thread's present call, NULL: it has made all of them. */
struct lin_op *lin_present(const struct lin_model *m,
			   const struct lin_state *s, unsigned int thread);
/* One step of a thread's present call; false: it cannot go this way. */
bool lin_step(const struct lin_model *m, struct lin_state *s,
	      unsigned int thread, unsigned int way);
/* For people. */
void lin_state_write(FILE *f, const struct lin_state *s);

#endif
