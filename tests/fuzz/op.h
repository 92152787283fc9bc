/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_OP_H
#define FUZZ_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kmq.h>

/*
 * An input of the fuzzer is a program: operations of fixed size, one behind the
 * other. Every value of every byte means something, so that any mutation is a
 * program; mutate.c sees to it that most make sense.
 */

#define OPS_MAX		64
#define NR_THREADS	3
#define OP_END		0xff	/* in all bytes: a program in a file ends before */

enum op_code {
	OP_OPEN, OP_XFER, OP_READ, OP_WRITE, OP_READV, OP_WRITEV, OP_ALTER,
	OP_DELETE, OP_STAT, OP_LIST, OP_LIMITS, OP_ADMIN, OP_INFO, OP_SHUTDOWN,
	OP_JOIN, OP_POLL, OP_EPOLL, OP_NEXT, OP_FCNTL, OP_DUP, OP_CLOSE,
	OP_IOCTL, OP_MMAP, OP_FDINFO, OP_SPLICE, OP_SEEK, OP_NETNS, OP_BECOME,
	OP_REOPEN, OP_FAIL, OP_YIELD, OP_COUNT
};

/**
 * struct op - one operation
 * @code: enum op_code, modulo OP_COUNT
 * @thread: who executes it, modulo NR_THREADS. From the first operation on that
 *	is not thread 0's all threads run at the same time.
 * @fd: slot of the file it works on, modulo SLOTS
 * @fd2: a second slot: where OPEN and DUP put theirs, send_fd, JOIN
 * @name: which name, modulo NAMES
 * @at: low half: where the data lies, high half: where the structure lies;
 *	see memory.h
 * @size: what the structure says of its size; see memory.h
 * @shape: low half: what is wrong with the records; next two bits: their
 *	attributes; top bits: which record is the wrong one
 * @flags: the request's flags, as they are
 * @len: bytes of a body, of a buffer, of a limit
 * @priority: of records; of an attribute
 * @n: how many records, pieces, rows; which ADMIN
 * @mask: KMQ_A_*; bits that choose between forms
 * @recv: bytes to receive
 * @value: a number, as it is; what a wrong record is wrong by
 * @max: XFER instead: max_records
 * @min: XFER instead: min_records
 * @deadline: XFER instead: which deadline
 * @linger: XFER instead: which linger_until
 * @skew: XFER instead: what a wrong record is wrong by
 */
struct op {
	uint8_t code;
	uint8_t thread;
	uint8_t fd;
	uint8_t fd2;
	uint8_t name;
	uint8_t at;
	uint8_t size;
	uint8_t shape;
	uint32_t flags;
	uint32_t len;
	uint16_t priority;
	uint8_t n;
	uint8_t mask;
	uint32_t recv;
	union {
		uint64_t value;
		struct {
			uint8_t max;
			uint8_t min;
			uint8_t deadline;
			uint8_t linger;
			uint32_t skew;
		};
	};
};

_Static_assert(sizeof(struct op) == 32, "the corpus is made of them");

/* Slots of file descriptors. */
enum {
	SLOT_CTL,		/* a control fd */
	SLOT_CTL2,		/* another, which JOIN and NETNS change */
	SLOT_FIRST,		/* the program's own, closed at first */
	SLOT_LAST = 9,
	SLOT_PIPE_READ,
	SLOT_PIPE_WRITE,
	SLOT_SOCKET,
	SLOT_NETNS,		/* the program's network namespace */
	SLOT_NETNS2,		/* another one */
	SLOT_NONE,		/* -1 */
	SLOTS
};

#define SLOTS_OWN	(SLOT_LAST - SLOT_FIRST + 1)

static inline unsigned int op_code(const struct op *op)
{
	return op->code % OP_COUNT;
}

static inline unsigned int op_thread(const struct op *op)
{
	return op->thread % NR_THREADS;
}

/* Ways records can be wrong: op.shape, low half. */
enum wrong {
	WRONG_NOTHING, WRONG_SIZE, WRONG_BODY_LEN, WRONG_ATTR_LEN,
	WRONG_PRIORITY, WRONG_FLAGS, WRONG_ATTR_TYPE, WRONG_ATTR_VALUE_LEN,
	WRONG_ATTR_RESERVED, WRONG_NO_NUL, WRONG_TWO_KEYS, WRONG_LENGTH,
	WRONG_IGNORED, WRONG_BYTES, WRONG_MIXED, WRONG_COUNT
};

static inline unsigned int op_wrong(const struct op *op)
{
	return op->shape % 16 % WRONG_COUNT;
}

/* op.shape >> 4 & 3 */
enum { ATTRS_NONE, ATTRS_KEY, ATTRS_HEADER, ATTRS_MANY };

static inline unsigned int op_attrs(const struct op *op)
{
	return op->shape >> 4 & 3;
}

/* How many records: a byte reaches beyond what moves in one go. */
static inline unsigned int op_records(const struct op *op)
{
	return op->n < 250 ? op->n : (op->n - 249) * 256u;
}

extern const char *const op_names[OP_COUNT];
void op_print(unsigned int nr, const struct op *op);

size_t mutate(struct op *ops, size_t n, size_t max, unsigned int seed);

#endif
