// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes programs out of programs. Most of what is made is sensible, so that it
 * gets somewhere; any of its values may then be anything.
 */
#include <string.h>

#include "memory.h"

#define PICK(array)	((array)[below(sizeof(array) / sizeof((array)[0]))])

static uint64_t state;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint32_t below(uint32_t limit)
{
	return (next() >> 20) % limit;
}

static bool one_in(uint32_t n)
{
	return !below(n);
}

/* How often each operation is chosen. */
static const uint8_t weights[OP_COUNT] = {
	[OP_OPEN] = 20, [OP_XFER] = 30, [OP_READ] = 8, [OP_WRITE] = 8,
	[OP_READV] = 4, [OP_WRITEV] = 4, [OP_ALTER] = 6, [OP_DELETE] = 4,
	[OP_STAT] = 6, [OP_LIST] = 4, [OP_LIMITS] = 3, [OP_ADMIN] = 8,
	[OP_INFO] = 1, [OP_SHUTDOWN] = 2, [OP_JOIN] = 1, [OP_POLL] = 2,
	[OP_EPOLL] = 2, [OP_NEXT] = 2, [OP_FCNTL] = 2, [OP_DUP] = 2,
	[OP_CLOSE] = 4, [OP_IOCTL] = 1, [OP_MMAP] = 1, [OP_FDINFO] = 1,
	[OP_SPLICE] = 1, [OP_SEEK] = 1, [OP_NETNS] = 1, [OP_BECOME] = 3,
	[OP_REOPEN] = 1, [OP_FAIL] = 6, [OP_YIELD] = 1,
};

static const uint32_t lens[] = {
	0, 1, 2, 7, 8, 9, 15, 16, 56, 63, 64, 65, 72, 100, 127, 128, 129, 136,
	255, 256, 1000, 4000, 4032, 4095, 4096, 4097, 16256, 16320, 16383,
	16384, 16385, 16448, 20000, 32768, 65536, 262144,
};

static const uint32_t rare_lens[] = {
	(1 << 20) - 1, 1 << 20, (1 << 20) + 1, (1 << 20) + 64, (4 << 20) - 64,
	4 << 20, (4 << 20) + 64, 0x7fffffff, 0x80000000, 0xffffffc0,
	0xfffffff8, 0xffffffff,
};

static uint32_t any_len(void)
{
	if (one_in(40))
		return PICK(rare_lens);
	return one_in(3) ? below(400) : PICK(lens);
}

static uint64_t any_value(void)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 5, 8, 16, 64, 100, 255, 256, 257, 1000, 1024,
		4096, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffc0,
		0xfffffffffffffff8, 0xffffffffffffffff,
	};

	switch (below(4)) {
	case 0:
		return below(20);
	case 1:
		return next();
	default:
		return PICK(values);
	}
}

static uint32_t any_skew(void)
{
	static const int32_t skews[] = {
		1, -1, 2, 7, 8, -8, 16, -16, 64, -64, 255, 256, 4096, 8192,
		8193, 32767, 32768, 65535, 65536,
	};

	return one_in(6) ? any_value() : (uint32_t)PICK(skews);
}

static uint8_t any_place(void)
{
	return one_in(5) ? 8 + below(8) : 0;
}

static uint16_t any_priority(void)
{
	static const uint16_t priorities[] = {
		0, 0, 0, 1, 2, 127, 128, 129, 1000, 32766, 32767, 32768, 65535,
	};

	return PICK(priorities);
}

static uint8_t any_count(void)
{
	static const uint8_t counts[] = {
		0, 1, 1, 1, 2, 3, 4, 8, 16, 32, 64, 249, 250, 251, 253, 254,
	};

	return one_in(3) ? PICK(counts) : 1 + below(4);
}

/* A handle that an operation before this one has opened, if there is one. */
static uint8_t any_handle(const struct op *ops, size_t before)
{
	size_t tries;

	for (tries = 0; before && tries < 8; tries++) {
		const struct op *op = &ops[below(before)];

		if (op_code(op) == OP_OPEN || op_code(op) == OP_DUP)
			return SLOT_FIRST + op->fd2 % SLOTS_OWN;
	}
	return SLOT_FIRST + below(SLOTS_OWN);
}

static void fresh_open(struct op *op)
{
	static const uint8_t bounds[] = {
		0, 0, KMQ_A_MAX_MESSAGES, KMQ_A_MAX_BYTES,
		KMQ_A_MAX_MESSAGES | KMQ_A_OVERFLOW,
		KMQ_A_MAX_BYTES | KMQ_A_OVERFLOW, KMQ_A_MODE,
		KMQ_A_MAX_MESSAGE_SIZE, 0xff,
	};

	op->flags = below(16) | (one_in(4) ? 0 : KMQ_OPEN_CREATE);
	/* to wait takes time */
	if (one_in(2))
		op->flags |= KMQ_OPEN_NONBLOCK;
	if (!one_in(3))
		op->flags |= KMQ_OPEN_SEND | KMQ_OPEN_RECV;
	if (one_in(6))
		op->flags |= 1u << below(10);
	op->fd2 = below(SLOTS_OWN);
	op->name = below(one_in(8) ? 16 : 3);
	op->mask = PICK(bounds);
	op->value = one_in(8) ? any_value() : 1 + below(8);
	op->len = one_in(3) ? 64 + below(1000) : 1 << (16 + below(6));
	op->recv = one_in(3) ? any_len() : 64;
	op->n = below(3) | (one_in(4) ? below(256) : 0);
	op->priority = one_in(2) ? 0666 : next();
}

static void fresh_xfer(struct op *op)
{
	static const uint32_t flags[] = {
		0, 0, 0, KMQ_XFER_ATOMIC, KMQ_XFER_ATOMIC,
		KMQ_XFER_RECV_ANYWAY, KMQ_XFER_BODY, 7, 8,
	};

	op->flags = PICK(flags);
	op->n = one_in(3) ? 0 : any_count();
	op->len = op->n > 64 ? below(64) : any_len();
	op->priority = any_priority();
	op->shape = one_in(2) ? 0 : next();
	op->recv = op->n && !one_in(3) ? 0 : one_in(2) ? 65536 : any_len();
	op->max = one_in(2) ? 0 : below(8);
	op->min = one_in(4) ? below(8) : 0;
	op->deadline = one_in(4) ? below(8) : 0;
	op->linger = one_in(4) ? below(8) : 0;
	op->skew = any_skew();
	op->mask = one_in(8) ? 1u << below(8) : 0;
	op->fd2 = SLOT_FIRST + below(SLOTS_OWN);
}

static void fresh_other(struct op *op)
{
	op->flags = one_in(2) ? below(16) : one_in(2) ? 1u << below(32) : 0;
	op->name = below(one_in(6) ? 16 : 3);
	op->shape = one_in(3) ? next() : 0;
	op->len = any_len();
	op->recv = any_len();
	op->n = one_in(2) ? below(8) : any_count();
	op->mask = one_in(2) ? 1u << below(8) : next();
	op->priority = any_priority();
	op->value = any_value();
	op->fd2 = below(16);
	switch (op_code(op)) {
	case OP_ALTER:
		op->mask &= ~KMQ_A_KIND;
		op->value = 1 + below(20);
		break;
	case OP_LIST:
		op->len = one_in(3) ? any_len() : 1 + below(16);
		op->recv = one_in(3) ? any_len() & ~7u : 400;
		op->value = one_in(3) ? any_value() : 0;
		op->flags = 0;
		break;
	case OP_LIMITS:
		op->flags = one_in(2);
		op->mask = op->flags ? below(8) : 0;
		op->n = below(4);
		break;
	case OP_ADMIN:
		op->n = below(7);
		op->mask = op->n < 4 ? 1 : 0;
		op->flags = op->n == KMQ_ADMIN_RESET && one_in(2);
		break;
	case OP_STAT:
		op->mask = below(4);
		break;
	case OP_READ:
	case OP_READV:
		op->recv = one_in(2) ? 65536 : any_len();
		break;
	case OP_FAIL:
		op->n = below(one_in(4) ? 30 : 8);
		break;
	default:
		break;
	}
}

static bool on_ctl(unsigned int code)
{
	switch (code) {
	case OP_OPEN:
	case OP_ALTER:
	case OP_DELETE:
	case OP_LIST:
	case OP_LIMITS:
	case OP_ADMIN:
	case OP_INFO:
	case OP_JOIN:
		return true;
	case OP_STAT:
	case OP_IOCTL:
		return one_in(2);
	default:
		return false;
	}
}

static void fresh(struct op *op, const struct op *ops, size_t before)
{
	unsigned int code, sum = 0, at;

	for (code = 0; code < OP_COUNT; code++)
		sum += weights[code];
	at = below(sum);
	for (code = 0; at >= weights[code]; code++)
		at -= weights[code];

	memset(op, 0, sizeof(*op));
	/* one without a handle to work on is wasted */
	op->code = before || one_in(10) ? code : OP_OPEN;
	code = op->code;
	if (one_in(12))
		op->thread = below(NR_THREADS);
	op->at = any_place() | any_place() << 4;
	if (one_in(8))
		op->size = next();
	if (code == OP_OPEN)
		fresh_open(op);
	else if (code == OP_XFER)
		fresh_xfer(op);
	else
		fresh_other(op);
	if (one_in(16))
		op->fd = below(SLOTS);
	else if (on_ctl(code))
		op->fd = one_in(5) ? SLOT_CTL2 : SLOT_CTL;
	else
		op->fd = any_handle(ops, before);
}

/* One field of an operation that is otherwise left alone. */
static void mutate_field(struct op *op, const struct op *ops, size_t before)
{
	uint8_t *bytes = (uint8_t *)op;

	switch (below(14)) {
	case 0:
		op->fd = any_handle(ops, before);
		break;
	case 1:
		op->name = below(16);
		break;
	case 2:
		op->at = any_place() | any_place() << 4;
		break;
	case 3:
		op->size = one_in(2) ? 0 : next();
		break;
	case 4:
		op->shape = next();
		break;
	case 5:
		op->flags ^= 1u << below(one_in(4) ? 32 : 10);
		break;
	case 6:
		op->len = any_len();
		break;
	case 7:
		op->recv = any_len();
		break;
	case 8:
		op->priority = any_priority();
		break;
	case 9:
		op->n = any_count();
		break;
	case 10:
		op->mask ^= 1u << below(8);
		break;
	case 11:
		op->value = any_value();
		break;
	case 12:
		op->skew = any_skew();
		break;
	default:
		bytes[below(sizeof(*op))] ^= 1u << below(8);
		break;
	}
}

static size_t insert(struct op *ops, size_t n, size_t at)
{
	memmove(&ops[at + 1], &ops[at], (n - at) * sizeof(*ops));
	return n + 1;
}

static size_t delete(struct op *ops, size_t n, size_t at)
{
	memmove(&ops[at], &ops[at + 1], (n - at - 1) * sizeof(*ops));
	return n - 1;
}

size_t mutate(struct op *ops, size_t n, size_t max, unsigned int seed)
{
	unsigned int steps;
	struct op op;
	size_t at;

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	next();
	next();
	for (steps = 1 + below(4); steps; steps--) {
		unsigned int how = below(20);

		at = n ? below(n) : 0;
		if (!n || (how < 6 && n < max)) {
			/* more often at the end: there it finds the most */
			at = one_in(2) ? n : at;
			n = insert(ops, n, at);
			fresh(&ops[at], ops, at);
		} else if (how < 9 && n > 1) {
			n = delete(ops, n, at);
		} else if (how < 10 && n < max) {
			op = ops[at];
			at = below(n + 1);
			n = insert(ops, n, at);
			ops[at] = op;
		} else if (how < 11) {
			size_t other = below(n);

			op = ops[at];
			ops[at] = ops[other];
			ops[other] = op;
		} else if (how < 12) {
			ops[at].thread = below(NR_THREADS);
		} else {
			mutate_field(&ops[at], ops, at);
		}
	}
	return n;
}
