/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_MODEL_H
#define UNIT_MODEL_H

#include "fixture.h"

/*
 * What a queue is to do, written as plainly as can be: one array of messages,
 * searched from end to end each time; no lists, no trees, no runs, no budget.
 */

#define MODEL_MESSAGES	4096
#define MODEL_CALLS	16
#define CALL_MESSAGES	64

/* The memory that came with a message, shared with those of its run. */
struct model_run {
	u64 memory;
	u32 queued;
};

struct model_msg {
	u64 id;
	u64 seq;
	u32 size;
	u32 body;
	u16 priority;
	struct model_run *run;
};

enum call_state { CALL_FREE, CALL_WAITS, CALL_DONE, CALL_HELD };

/* A send or a receive, with what became of it. */
struct model_call {
	enum call_state state;
	bool sends;
	u32 client;
	int result;
	u64 since;
	/* a send: messages from @next on are not admitted yet */
	bool atomic;
	u32 next;
	/* a receive: what it takes, then what it took */
	u32 room;
	u32 max;
	u32 min;
	bool plain;
	u32 needed;
	struct model_msg msg[CALL_MESSAGES];
	u32 n;
};

struct model {
	struct kmq_queue_config cfg;
	struct model_msg msg[MODEL_MESSAGES];
	u32 count;
	u64 next_seq;
	u64 clock;
	bool sealed;
	bool dead;
	u32 shut[MAX_CLIENTS];
	u64 port_sent[MAX_CLIENTS];
	u64 port_received[MAX_CLIENTS];
	struct model_call call[MODEL_CALLS];
	u64 dropped[MODEL_MESSAGES];
	u32 ndropped;
	struct kmq_stat_args st;
};

void model_init(struct model *m, const struct kmq_queue_config *cfg);
u64 model_bytes(const struct model *m);
u64 model_memory(const struct model *m);
bool model_full(const struct model *m);
struct model_msg *model_first(struct model *m);
u32 model_waiting(const struct model *m, bool sends);
void model_send(struct model *m, struct model_call *c, bool wait);
void model_receive(struct model *m, struct model_call *c, bool wait);
void model_putback(struct model *m, struct model_call *c);
u32 model_purge(struct model *m, u64 upto);
void model_end_calls(struct model *m, u32 client, u32 what, int result);
void model_balance(struct model *m);
unsigned int model_poll(const struct model *m, u32 client);

#endif
