/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <stdatomic.h>
#include <semaphore.h>
#include <sys/types.h>

#include "memory.h"

/* The program under way. */
struct program {
	const struct op *ops;
	unsigned int n;
	unsigned int serial;	/* the first of these, before all threads run */
	bool shared;		/* threads write into each other's buffers */
	bool bounded;		/* no queue may exceed its bounds */
	atomic_bool ctl_changed;
	atomic_bool misc_changed;
	atomic_bool limits_changed;
	atomic_bool netns_made;
};

struct thread {
	unsigned int nr;
	pid_t tid;
	int fail_nth;
	bool became;
	atomic_bool busy;
	sem_t go;
	uint64_t *kcov;
};

extern struct program program;
extern atomic_int slots[SLOTS];
extern struct thread threads[NR_THREADS];

/* exec.c, xfer.c, calls.c; return what the call did or a negative errno. */
long op_execute(struct thread *t, const struct op *op);
long op_xfer(struct thread *t, const struct op *op);
long op_transfer(struct thread *t, const struct op *op);
long op_other(struct thread *t, const struct op *op);

int slot_fd(unsigned int slot);
void slot_put(unsigned int slot, int fd);

static inline long result(long ret, int err)
{
	return ret < 0 ? -err : ret;
}

#define CALL(expr) ({ long __ret = (expr); result(__ret, errno); })

/* run.c */
void run_init(void);
void run_program(const uint8_t *data, size_t size);

/* watch.c */
void watch_init(void);
void watch_thread(struct thread *t);
void watch_before(struct thread *t);
void watch_after(struct thread *t, unsigned int code, long ret);
void watch_log(void);
void watch_dump(const char *path);

/* Give up: the program at hand has shown a bug. */
void __attribute__((noreturn, format(printf, 1, 2)))
found(const char *format, ...);

#endif
