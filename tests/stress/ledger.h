/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The account of every message.
 *
 * A message is (producer, number): a producer is one thread of one process, its
 * numbers count from 0. Before a call the producer writes down how far it will
 * have come if all is accepted (attempted), afterwards how far it has come
 * (next). If it is killed in between, these few are unknown. A consumer writes
 * down before a call how many it may get at most, after it how many it got, and
 * counts down while it writes down which (taking); if it is killed in between,
 * so many may have gone with it.
 *
 * This part knows nothing of the module: what the kernel counted is handed in.
 */
#ifndef TESTS_STRESS_LEDGER_H
#define TESTS_STRESS_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LEDGER_PRODUCERS	512u
#define LEDGER_CONSUMERS	512u
#define LEDGER_QUEUES		8u
#define LEDGER_MESSAGES		(1u << 16)	/* of one producer */
#define LEDGER_LEVELS		8u

/* What can be wrong. */
enum fault {
	F_TWICE,	/* received again */
	F_UNSENT,	/* received though not sent, or though refused */
	F_CONTENT,	/* not the bytes, priority or queue that were sent */
	F_SENDER,	/* not stamped with who sent it */
	F_ORDER,	/* overtaken by a later one of its producer */
	F_LOST,		/* accepted, and neither received nor dropped */
	F_COUNTERS,	/* the kernel's own counters do not add up */
	F_BOUND,	/* more queued than allowed */
	F_ERRNO,	/* an error that this situation does not give */
	F_STUCK,	/* did not come back */
	F_IDLE,		/* what the test is about did not happen */
	NR_FAULTS,
};

/* What happened, for people and for scenario.needs. */
enum event {
	E_INTR,
	E_AGAIN,
	E_TIMEOUT,
	E_PIPE,
	E_IDRM,
	E_CANCELED,
	E_BADF,
	E_LIMIT,
	E_NOMEM,
	E_FAULT,
	E_TOO_SMALL,
	E_KILL,
	E_STOP,
	E_FORK,
	E_CHAOS,
	E_STALL,
	NR_EVENTS,
};

struct producer_log {
	_Atomic uint64_t next;
	_Atomic uint64_t attempted;
	uint32_t queue;
	int32_t pid;
	uint32_t uid;
	bool opener;		/* stamped as the handle's opener */
	bool flat;		/* sends without a priority */
	bool killed;
};

struct consumer_log {
	_Atomic uint32_t taking;
	_Atomic bool returned;	/* from the call: taking is exact */
	uint32_t queue;
	int32_t pid;
	bool killed;
};

/* What the kernel counted for all queues of one name together. */
struct totals {
	uint64_t sent;
	uint64_t received;
	uint64_t dropped;	/* purged or pushed out */
	uint64_t ready;		/* still there */
};

/* All of it, in words that are used elsewhere for such an account. */
struct tally {
	uint64_t attempted;
	uint64_t sent;		/* and their senders know it */
	uint64_t received;
	uint64_t recovered;	/* received, of those of which no sender knows */
	uint64_t lost;
	uint64_t doubled;
	uint64_t dropped;	/* purged, pushed out, or gone with the queue */
	uint64_t killed;	/* gone with a receiver that was killed */
};

/* One message as received. */
struct seen {
	uint32_t producer;
	uint64_t number;
	uint64_t seq;		/* 0: not told */
	uint32_t priority;
	uint32_t pid;
	uint32_t uid;
	bool opener;
	bool stamped;		/* priority, pid, uid and opener are told */
	bool intact;		/* the body is as sent */
};

struct ledger {
	/* For the workers. */
	_Atomic bool stop;	/* send no more */
	_Atomic bool closing;	/* the end of the stream is the end */
	_Atomic uint32_t generation[LEDGER_QUEUES];
	_Atomic uint64_t most_messages;
	_Atomic uint64_t most_bytes;
	unsigned int levels;
	bool repeats;		/* messages may be given back */

	_Atomic uint32_t nproducers;
	_Atomic uint32_t nconsumers;
	_Atomic uint32_t faults[NR_FAULTS];
	_Atomic uint32_t events[NR_EVENTS];
	struct tally tally;
	struct producer_log producers[LEDGER_PRODUCERS];
	struct consumer_log consumers[LEDGER_CONSUMERS];
	/* 0: not received; else GOT | seq */
	_Atomic uint64_t entries[LEDGER_PRODUCERS][LEDGER_MESSAGES];
};

#define LEDGER_GOT	(1ull << 63)
#define LEDGER_SEQ	(LEDGER_GOT - 1)

/* What a consumer remembers of the order: newest number + 1, by priority. */
struct order {
	uint64_t last[LEDGER_PRODUCERS][LEDGER_LEVELS];
};

/* Shared between this process and those it forks. */
struct ledger *ledger_new(void);
void ledger_free(struct ledger *l);
/* -1: no more room. */
int ledger_producer(struct ledger *l, uint32_t queue, int32_t pid,
		    uint32_t uid, bool opener, bool flat);
int ledger_consumer(struct ledger *l, uint32_t queue, int32_t pid);
/* A level, 0 to levels - 1; its priority is level * LEVEL_STEP. */
unsigned int level_of(const struct ledger *l, uint32_t producer,
		      uint64_t number);
#define LEVEL_STEP	97u

void ledger_log(struct ledger *l, uint32_t queue, struct order *order,
		const struct seen *seen);
void ledger_killed(struct ledger *l, int32_t pid);
void ledger_fault(struct ledger *l, enum fault what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void ledger_event(struct ledger *l, enum event event);

/* The final account of one queue. */
void ledger_settle(struct ledger *l, uint32_t queue,
		   const struct totals *kernel);
/* What was accepted for sure, and what was received. */
uint64_t ledger_accepted(struct ledger *l, uint32_t queue);
uint64_t ledger_got(struct ledger *l, uint32_t queue);
/* No fault so far. */
bool ledger_good(struct ledger *l);
/* Says what happened, and which faults there were. */
void ledger_tell(struct ledger *l, const char *name);

/* Doctors the ledger as if the module had failed; false: no such way. */
bool ledger_tamper(struct ledger *l, const char *what);

#endif
