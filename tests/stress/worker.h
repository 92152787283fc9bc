/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread that sends or receives. */
#ifndef TESTS_STRESS_WORKER_H
#define TESTS_STRESS_WORKER_H

#include "stress.h"

struct worker {
	struct crew *crew;
	struct ledger *l;
	const struct scenario *sc;
	const struct role *role;
	unsigned int queue;
	unsigned int thread;
	int fd;
	int poller;
	uint64_t life;
	uint32_t generation;
	uint32_t opener_uid;
	int producer;
	int consumer;
	bool full;		/* the last call had to be refused */
	bool over;
	unsigned int children;
	uint64_t child_until;
	struct order *order;
	char *buf;		/* as the kernel sees it */
	char *text;		/* where it is built */
	size_t buf_size;
};

/* worker.c */
void worker_loop(struct worker *w);
/* Uses @fd under the worker's own number; it is closed. */
void worker_take_fd(struct worker *w, int fd);
/* Opens the queue, however long that takes. */
void worker_open(struct worker *w);

#endif
