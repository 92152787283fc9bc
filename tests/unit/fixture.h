/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_FIXTURE_H
#define UNIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/errno.h>

#include "core/queue.h"
#include "shim.h"

#include <cmocka.h>

/*
 * A queue with its accounts and handles, and the edge's part of the work done
 * by hand. Each message carries a number of its own in its cookie, from 1 in the
 * order of making; tests name messages by it.
 */

#define MAX_CLIENTS	32
#define MAX_IDS		2048

struct client {
	struct world *world;
	struct kmq_port port;
	struct kmq_credit *credit;
	struct kmq_sender *sender;
	u64 *ids;
};

/**
 * struct seen - what was done by effects since world_forget()
 * @dropped: numbers of the messages freed
 */
struct seen {
	u64 dropped[MAX_IDS];
	u32 ndropped;
	u32 nwoken;
	u32 readable;
	u32 writable;
	u32 lost;
	bool hangup;
	bool again;
};

struct world {
	unsigned long limits[KMQ_R_COUNT];
	struct kmq_account user;
	struct kmq_account domain;
	struct kmq_account module;
	struct kmq_payer payer;
	struct kmq_queue q;
	struct kmq_queue_config cfg;
	struct client *clients[MAX_CLIENTS];
	u32 nclients;
	u64 last_id;
	long live_before;
	struct seen seen;
};

/* One message to be made. */
struct spec {
	u16 priority;
	u32 body;
};

#define PLENTY	(1ull << 30)

/* What most tests work on. */
extern struct world world;
extern struct client *a, *b, *c;

void open_queue(u64 messages, u64 bytes, u32 overflow);
int close_queue(void **state);

void world_open(struct world *w, u64 messages, u64 bytes, u32 overflow);
void world_close(struct world *w);
void world_forget(struct world *w);

struct client *client_open(struct world *w);
void client_close(struct client *c);

u32 record_put(void *at, u64 id, u16 priority, u32 body_len);
bool body_intact(struct kmq_node *node);
u64 node_id(struct kmq_node *node);

struct kmq_run *run_make(struct client *c, const struct spec *spec, u32 n);
int batch_add(struct client *c, struct kmq_send *s, const struct spec *spec,
	      u32 n);
void batch_make(struct client *c, struct kmq_send *s, u16 priority, u32 body,
		u32 n);

struct kmq_waiter *next_claimed(struct kmq_effects *fx);
void finish_once(struct world *w, struct kmq_effects *fx);
void finish(struct world *w, struct kmq_effects *fx);

int send_batch(struct client *c, struct kmq_send *s, bool wait);
bool push(struct client *c, struct kmq_run *run);
int send_some(struct client *c, u16 priority, u32 body, u32 n);
int send_wait(struct client *c, struct kmq_send *s, u16 priority, u32 body,
	      u32 n);
int take(struct client *c, struct kmq_take *t, u32 max, bool wait);
void putback(struct client *c, struct kmq_take *t);
u64 drop_taken(struct kmq_take *t);
void expect_taken(struct kmq_take *t, const u64 *ids, u32 n);
void expect_range(struct kmq_take *t, u64 first, u32 n);
u64 receive_one(struct client *c);

void alter(struct world *w, u64 messages, u64 bytes, u32 overflow);
void seal(struct world *w, bool sealed);
void shut(struct client *c, u32 what);
int kill_queue(struct world *w, bool if_empty);
u64 purge(struct world *w, u64 upto);
bool cancel(struct world *w, struct kmq_waiter *waiter);
struct kmq_stat_args stat_of(struct world *w);

/* Bytes the record of a body of @body bytes takes. */
static inline u64 record_bytes(u32 body)
{
	return kmq_record_size(0, body);
}

/* The waiter was completed and its owner may go on, with that result. */
#define assert_done(waiter, value) do {					\
	assert_int_equal((waiter)->state, KMQ_DONE);			\
	assert_int_equal((waiter)->result, (value));			\
} while (0)

#define assert_waiting(waiter)						\
	assert_int_equal((waiter)->state, KMQ_WAITING)

#define TEST(function, text)						\
	{ .name = text, .test_func = function }

/* Numbers that a seed fixes; never 0. */
static inline u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline u32 random_below(u64 *state, u32 limit)
{
	return (random_next(state) >> 20) % limit;
}

u64 seed_from_environment(void);

#endif
