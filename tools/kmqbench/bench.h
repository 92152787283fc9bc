/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmqbench: what is measured, one case at a time.
 *
 * A case is one point of the matrix scenario x transport x size x batch (x
 * depth or names). The main process opens what the case needs, forks one
 * worker a party, waits for them and closes everything again, so that a
 * worker that fails or hangs leaves nothing behind.
 */
#ifndef KMQBENCH_BENCH_H
#define KMQBENCH_BENCH_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define SIZE_LEAST	24u		/* seq, checksum, tail */
#define SIZE_MOST	65536u
#define BATCH_MOST	1024u

struct scenario;

struct bench_case {
	const struct scenario *scenario;
	const struct transport *transport;
	unsigned int size;
	unsigned int batch;
	uint64_t depth;
	uint64_t names;
	uint64_t count;		/* messages (names: opens) to measure */
};

enum pinning { PIN_SAME, PIN_APART, PIN_NONE };

/* What the workers tell the main process; shared memory. */
struct report {
	sem_t party[2];
	uint64_t begin;
	uint64_t end;
	uint64_t units;		/* what the time is divided by */
	uint64_t switches[2];
	uint64_t cpu[2];	/* ns the parties ran */
	double mem_stat;	/* bytes per message or queue, < 0: unknown */
	double mem_kernel;
	double mem_free;
	char error[256];
};

struct run {
	const struct bench_case *what;
	struct report *report;
	struct channel channel[2];
	void *data;		/* the scenario's own */
};

struct scenario {
	const char *name;
	const char *about;
	const char *per;	/* what one value is the cost of */
	unsigned int parties;
	uint64_t count;		/* default */
	bool per_message;	/* unit is instructions/msg */
	/* Why the case makes no sense, or NULL */
	const char *(*unfit)(const struct bench_case *c);
	int (*setup)(struct run *r);
	int (*party)(struct run *r, unsigned int who);
	void (*teardown)(struct run *r);
};

extern const struct scenario scenario_self;
extern const struct scenario scenario_pingpong;
extern const struct scenario scenario_oneway;
extern const struct scenario scenario_depth;
extern const struct scenario scenario_names;
extern const struct scenario *const scenarios[];

/* One tenth of the messages goes through first, every byte of them checked. */
static inline uint64_t warm_up_count(const struct bench_case *c)
{
	uint64_t n = c->count / 10;

	n -= n % c->batch;
	return n > c->batch ? n : c->batch;
}

/* party.c: what the worker processes of a run share */
uint64_t now_ns(void);
void rendezvous(struct run *r, unsigned int who);
void party_begins(struct run *r, unsigned int who);
void party_ends(struct run *r, unsigned int who);
int run_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* s_self.c: also what depth measures */
int self_loop(struct channel *c, uint64_t count, uint64_t *sent,
	      uint64_t *received, bool whole);

/* runner.c */
struct measured {
	double value;		/* time per unit */
	double switches;	/* per unit, both parties */
	double foreign;		/* share of the time others had the CPU */
	double mem_stat;
	double mem_kernel;
	double mem_free;
	unsigned int room;
};

int runner_init(enum pinning pinning, unsigned int timeout_s);
/* 0, -1 (error holds why) or the number of the signal that ended it */
int run_case(const struct bench_case *c, struct measured *m, char *error,
	     size_t error_len);

/* memory.c: bytes of kernel memory in use, from /proc/meminfo */
struct memory {
	int64_t kernel;		/* slab, per-CPU, vmalloc */
	int64_t free;
};

int memory_read(struct memory *m);
int memory_read_settled(struct memory *m);

#endif /* KMQBENCH_BENCH_H */
