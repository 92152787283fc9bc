// SPDX-License-Identifier: GPL-2.0-only
/* Operations in readable form. */
#include <stdio.h>

#include "memory.h"

const char *const op_names[OP_COUNT] = {
	[OP_OPEN] = "OPEN", [OP_XFER] = "XFER", [OP_READ] = "read",
	[OP_WRITE] = "write", [OP_READV] = "readv", [OP_WRITEV] = "writev",
	[OP_ALTER] = "ALTER", [OP_DELETE] = "DELETE", [OP_STAT] = "STAT",
	[OP_LIST] = "LIST", [OP_LIMITS] = "LIMITS", [OP_ADMIN] = "ADMIN",
	[OP_INFO] = "INFO", [OP_SHUTDOWN] = "SHUTDOWN", [OP_JOIN] = "JOIN",
	[OP_POLL] = "poll", [OP_EPOLL] = "epoll", [OP_NEXT] = "FIONREAD",
	[OP_FCNTL] = "fcntl", [OP_DUP] = "dup", [OP_CLOSE] = "close",
	[OP_IOCTL] = "ioctl", [OP_MMAP] = "mmap", [OP_FDINFO] = "fdinfo",
	[OP_SPLICE] = "splice", [OP_SEEK] = "seek", [OP_NETNS] = "netns",
	[OP_BECOME] = "become", [OP_REOPEN] = "reopen", [OP_FAIL] = "fail",
	[OP_YIELD] = "yield",
};

static const char *const wrongs[WRONG_COUNT] = {
	[WRONG_SIZE] = "size", [WRONG_BODY_LEN] = "body_len",
	[WRONG_ATTR_LEN] = "attr_len", [WRONG_PRIORITY] = "priority",
	[WRONG_FLAGS] = "flags", [WRONG_ATTR_TYPE] = "attribute type",
	[WRONG_ATTR_VALUE_LEN] = "attribute len",
	[WRONG_ATTR_RESERVED] = "attribute reserved",
	[WRONG_NO_NUL] = "header without NUL", [WRONG_TWO_KEYS] = "two keys",
	[WRONG_LENGTH] = "length of the buffer",
	[WRONG_IGNORED] = "what is ignored", [WRONG_BYTES] = "any bytes",
	[WRONG_MIXED] = "sizes and priorities mixed",
};

static const char *const places[PLACES] = {
	[PLACE_END] = "at the end of memory",
	[PLACE_HALF] = "half behind the end of memory",
	[PLACE_NULL] = "NULL", [PLACE_NOTHING] = "unmapped",
	[PLACE_KERNEL] = "kernel address", [PLACE_NOWHERE] = "no address",
	[PLACE_READ_ONLY] = "read-only", [PLACE_SHARED] = "shared",
};

static const char *const attr_kinds[] = { "", " key", " header", " many" };
static const char *const hits[] = { "first", "middle", "last", "all" };

static void print_slot(const char *what, unsigned int slot)
{
	static const char *const names[SLOTS] = {
		[SLOT_CTL] = "ctl", [SLOT_CTL2] = "ctl2",
		[SLOT_PIPE_READ] = "pipe", [SLOT_PIPE_WRITE] = "pipe-end",
		[SLOT_SOCKET] = "socket", [SLOT_NETNS] = "netns",
		[SLOT_NETNS2] = "netns2", [SLOT_NONE] = "-1",
	};

	slot %= SLOTS;
	if (names[slot])
		printf(" %s=%s", what, names[slot]);
	else
		printf(" %s=h%u", what, slot - SLOT_FIRST);
}

static void print_records(const struct op *op, uint32_t skew)
{
	printf(" send=%u x %u priority=%u%s%s", op_records(op), op->len,
	       op->priority, op_attrs(op) ? " with" : "",
	       attr_kinds[op_attrs(op)]);
	if (op_wrong(op))
		printf(" wrong(%s, by %#x, %s)", wrongs[op_wrong(op)], skew,
		       hits[op->shape >> 6]);
}

static void print_places(const struct op *op)
{
	unsigned int data = place_of(op->at), args = place_of(op->at >> 4);

	if (data != PLACE_PLAIN)
		printf(" data(%s)", places[data]);
	if (args != PLACE_PLAIN)
		printf(" args(%s)", places[args]);
	if (op->size % 16 >= 8)
		printf(" size(%#x)", memory_size(op->size, 0));
}

void op_print(unsigned int nr, const struct op *op)
{
	unsigned int code = op_code(op);

	printf("%3u  t%u %-8s", nr, op_thread(op), op_names[code]);
	print_slot("fd", op->fd);
	switch (code) {
	case OP_OPEN:
	case OP_DUP:
	case OP_CLOSE:
		printf(" slot=h%u", op->fd2 % SLOTS_OWN);
		break;
	case OP_JOIN:
	case OP_POLL:
	case OP_SPLICE:
		print_slot("fd2", op->fd2);
		break;
	default:
		break;
	}
	if (code == OP_XFER) {
		print_records(op, op->skew);
		if (op->mask & 1)
			print_slot("send_fd", op->fd2);
		printf(" recv=%u max=%u min=%u deadline=%u linger=%u",
		       op->recv, op->max, op->min, op->deadline % 8,
		       op->linger % 8);
	} else if ((code == OP_WRITE || code == OP_WRITEV) && op->mask & 1) {
		print_records(op, op->skew);
	} else {
		printf(" name=%u len=%u recv=%u n=%u value=%#llx",
		       op->name % 16, op->len, op->recv, op->n,
		       (unsigned long long)op->value);
	}
	printf(" flags=%#x mask=%#x", op->flags, op->mask);
	print_places(op);
	putchar('\n');
}
