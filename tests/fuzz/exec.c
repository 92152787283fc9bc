// SPDX-License-Identifier: GPL-2.0-only
/* Executes one operation: requests on a control fd, and on handles but XFER. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "run.h"

#define NAMES		16

union args {
	uint32_t size;
	struct kmq_info_args info;
	struct kmq_open_args open;
	struct kmq_alter_args alter;
	struct kmq_delete_args delete;
	struct kmq_stat_args stat;
	struct kmq_list_args list;
	struct kmq_limits_args limits;
	struct kmq_admin_args admin;
	uint8_t bytes[ARGS_BYTES];
};

int slot_fd(unsigned int slot)
{
	return atomic_load(&slots[slot % SLOTS]);
}

/* Only the program's own slots; what was there is closed. */
void slot_put(unsigned int slot, int fd)
{
	int old;

	slot = SLOT_FIRST + slot % SLOTS_OWN;
	old = atomic_exchange(&slots[slot], fd);
	if (old >= 0)
		close(old);
}

static uint64_t put_name(struct thread *t, const struct op *op, uint32_t *len)
{
	struct piece *piece = &memory[t->nr].name;
	char text[260];
	struct placed p;

	memset(text, 'n', sizeof(text));
	switch (op->name % NAMES) {
	case 8:
		*len = KMQ_NAME_MAX;
		break;
	case 9:
		*len = KMQ_NAME_MAX + 1;
		break;
	case 10:
		*len = 0;
		break;
	case 11:
		strcpy(text, ".bad");
		*len = 4;
		break;
	case 12:
		strcpy(text, "kmq.reserved");
		*len = 12;
		break;
	case 13:
		*len = 4;
		return 0;
	case 14:
		strcpy(text, "q");
		*len = 4;	/* with a NUL in it */
		break;
	case 15:
		*len = op->len;
		break;
	default:
		text[0] = 'q';
		text[1] = '0' + op->name % 4;
		*len = 2;
	}
	/* the last byte of a name is the last one that can be read */
	p = memory_place(piece, piece, PLACE_END, *len);
	memcpy(p.here, text, p.there < sizeof(text) ? p.there : sizeof(text));
	return p.user;
}

static uint64_t put_attributes(struct thread *t, const struct op *op)
{
	struct piece *piece = &memory[t->nr].attrs;
	struct kmq_attrs attrs = {
		.size = memory_size(op->shape, sizeof(attrs)),
		.mask = op->mask | (op->value >> 60 == 15 ? op->value : 0),
		.kind = op->n & 0x80 ? op->n : KMQ_KIND_QUEUE,
		.mode = op->priority & 0x8000 ? op->priority :
			op->priority & 0777,
		.uid = op->n >> 4 & 3 ? 999 + (op->n >> 4 & 3) : 0,
		.gid = op->n >> 4 & 3 ? 999 + (op->n >> 4 & 3) : 0,
		.overflow = op->n & 3,
		.max_message_size = op->recv,
		.max_messages = op->value,
		.max_bytes = op->len,
	};
	struct placed p;

	if (op->mask & KMQ_A_MAX_MESSAGES && op->value >> 32)
		attrs.max_bytes = op->value;
	if (!op->mask && !(op->shape >> 4))
		return 0;
	p = memory_place(piece, piece, op->at & 15, sizeof(attrs) + 16);
	if (p.here) {
		memset(p.here, 0, p.there);
		memcpy(p.here, &attrs, p.there < sizeof(attrs) ? p.there :
		       sizeof(attrs));
		if (op->shape % 16 == 9 && p.there > sizeof(attrs))
			p.here[sizeof(attrs)] = 1;
	}
	return p.user;
}

/*
 * The request, with its structure where the operation wants it. On return
 * *args is what the kernel left, if it can be seen.
 */
static long request(struct thread *t, const struct op *op, unsigned long nr,
		    union args *args, size_t size)
{
	struct piece *piece = &memory[t->nr].args;
	struct placed p;
	long ret;

	args->size = memory_size(op->size, size);
	if (op->size % 16 == 9)
		args->bytes[size] = 1;
	if (op->code >= 128)	/* as a caller of another time numbers it */
		nr = _IOC(_IOC_DIR(nr), _IOC_TYPE(nr), _IOC_NR(nr),
			  args->size & _IOC_SIZEMASK);
	p = memory_place(piece, &memory[0].args, op->at >> 4, size + 16);
	if (p.here)
		memcpy(p.here, args, p.there);
	ret = CALL(ioctl(slot_fd(op->fd), nr, (uintptr_t)p.user));
	if (p.here)
		memcpy(args, p.here, p.there);
	return ret;
}

static long op_open(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_open_args *a = &args.open;
	long ret;

	a->flags = op->flags;
	a->name = put_name(t, op, &a->name_len);
	a->attrs = put_attributes(t, op);
	a->owner = op->flags & KMQ_OPEN_OWNER ? op->n >> 4 & 3 : 0;
	if (op->size >> 4 == 1)
		a->id = op->value;
	if (op->size >> 4 == 2)
		a->reserved = 1;
	ret = request(t, op, KMQ_IOC_OPEN, &args, sizeof(*a));
	if (ret >= 0)
		slot_put(op->fd2, ret);
	return ret;
}

static long op_alter(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_alter_args *a = &args.alter;

	if (op->size >> 4 == 1)
		a->flags = op->flags;
	if (op->size >> 4 == 2)
		a->id = op->value;
	a->name = put_name(t, op, &a->name_len);
	a->attrs = put_attributes(t, op);
	return request(t, op, KMQ_IOC_ALTER, &args, sizeof(*a));
}

static long op_delete(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_delete_args *a = &args.delete;

	a->flags = op->flags;
	a->name = put_name(t, op, &a->name_len);
	if (op->size >> 4 == 1)
		a->id = op->value;
	if (op->size >> 4 == 2)
		a->reserved = op->len;
	return request(t, op, KMQ_IOC_DELETE, &args, sizeof(*a));
}

static void check_stat(const struct kmq_stat_args *st,
		       const struct kmq_attrs *at)
{
	const __u64 gone = st->received + st->dropped_full +
		st->dropped_purged;

	if (!st->ready != !st->bytes || !st->ready != !st->memory ||
	    st->bytes < st->ready * sizeof(struct kmq_record))
		found("STAT: %llu messages in %llu bytes, %llu of memory",
		      st->ready, st->bytes, st->memory);
	if (st->sent != gone + st->ready)
		found("STAT: %llu sent, %llu gone, %llu there", st->sent, gone,
		      st->ready);
	if (st->next_seq != st->sent + 1)
		found("STAT: next is %llu after %llu", st->next_seq, st->sent);
	if (!st->head_time != !st->ready)
		found("STAT: head_time %llu with %llu messages", st->head_time,
		      st->ready);
	if (at->mask == KMQ_A_ALL && program.bounded &&
	    (st->ready > at->max_messages || st->bytes > at->max_bytes))
		found("STAT: %llu messages, %llu bytes exceed the bounds",
		      st->ready, st->bytes);
}

static long op_stat(struct thread *t, const struct op *op)
{
	struct piece *piece = &memory[t->nr].attrs;
	union args args = { 0 };
	struct kmq_stat_args *a = &args.stat;
	struct kmq_attrs at = { .size = memory_size(op->shape, sizeof(at)) };
	struct placed p = { 0 };
	long ret;

	if (op->size >> 4 == 1)
		a->flags = op->flags;
	if (op->size >> 4 == 2)
		a->id = op->value;
	if (op->mask & 1)
		a->name = put_name(t, op, &a->name_len);
	if (op->mask & 2) {
		p = memory_place(piece, piece, op->at & 15, sizeof(at));
		if (p.here)
			memcpy(p.here, &at, p.there);
		a->attrs = p.user;
	}
	ret = request(t, op, KMQ_IOC_STAT, &args, sizeof(*a));
	if (p.here && p.there == sizeof(at))
		memcpy(&at, p.here, p.there);
	else
		at.mask = 0;
	/* other structures are cut, lie elsewhere or are overwritten */
	if (!ret && !program.shared && op->size % 16 < 8 &&
	    place_of(op->at >> 4) == PLACE_PLAIN)
		check_stat(a, &at);
	return ret;
}

static long op_list(struct thread *t, const struct op *op)
{
	struct piece *piece = &memory[t->nr].recv;
	union args args = { 0 };
	struct kmq_list_args *a = &args.list;
	size_t bytes;

	if (op->size >> 4 == 1)
		a->flags = op->flags;
	a->what = 1 + op->n % 3;
	a->row_size = op->recv;
	a->count = op->len;
	a->cursor = op->value;
	if (op->mask & 1)
		a->name = put_name(t, op, &a->name_len);
	bytes = (size_t)a->count * a->row_size;
	if (bytes > BUFFER_BYTES)
		bytes = BUFFER_BYTES;
	a->rows = memory_place(piece, &memory[0].recv, op->at, bytes).user;
	return request(t, op, KMQ_IOC_LIST, &args, sizeof(*a));
}

static long op_limits(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_limits_args *a = &args.limits;
	unsigned int i;
	long ret;

	a->flags = op->flags;
	a->scope = op->n;
	a->uid = op->fd2 % 4 ? 999 + op->fd2 % 4 : 0;
	a->set_mask = op->mask;
	if (op->size >> 4 == 1)
		a->reserved = op->len;
	for (i = 0; i < KMQ_R_COUNT; i++)
		a->r[i].limit = op->value;
	ret = request(t, op, KMQ_IOC_LIMITS, &args, sizeof(*a));
	/* it may have been set even when that could not be told */
	if (op->flags & KMQ_LIMITS_SET)
		atomic_store(&program.limits_changed, true);
	return ret;
}

static long op_admin(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_admin_args *a = &args.admin;

	a->op = op->n;
	a->flags = op->flags;
	if (op->mask & 1)
		a->name = put_name(t, op, &a->name_len);
	if (op->mask & 2)
		a->id = op->value;
	if (op->mask & 4)
		a->arg = op->value;
	if (a->op == KMQ_ADMIN_JOIN)
		atomic_store(&program.ctl_changed, true);
	return request(t, op, KMQ_IOC_ADMIN, &args, sizeof(*a));
}

static long op_shutdown(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_admin_args *a = &args.admin;

	a->op = KMQ_ADMIN_SHUTDOWN;
	a->arg = op->mask & 4 ? op->value : op->mask & 3;
	if (op->size >> 4 == 1)
		a->id = op->value;
	if (op->size >> 4 == 2)
		a->flags = op->flags;
	return request(t, op, KMQ_IOC_ADMIN, &args, sizeof(*a));
}

static long op_join(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	struct kmq_admin_args *a = &args.admin;

	a->op = KMQ_ADMIN_JOIN;
	a->arg = op->mask & 4 ? op->value : (uint32_t)slot_fd(op->fd2);
	atomic_store(&program.ctl_changed, true);
	return request(t, op, KMQ_IOC_ADMIN, &args, sizeof(*a));
}

static long op_info(struct thread *t, const struct op *op)
{
	union args args = { 0 };

	if (op->size >> 4 == 1)
		args.info.flags = op->flags;
	return request(t, op, KMQ_IOC_INFO, &args, sizeof(args.info));
}

/* Any number there is, with a structure of noughts. */
static long op_ioctl(struct thread *t, const struct op *op)
{
	union args args = { 0 };
	unsigned int nr = op->flags;

	if (op->mask & 1)
		nr = _IOC(_IOC_READ | _IOC_WRITE, KMQ_IOC_MAGIC, op->n & 0x3f,
			  op->len & _IOC_SIZEMASK);
	if (_IOC_TYPE(nr) != KMQ_IOC_MAGIC)
		return -EINVAL;
	atomic_store(&program.ctl_changed, true);
	return request(t, op, nr, &args, op->recv % 512 + 4);
}

long op_execute(struct thread *t, const struct op *op)
{
	switch (op_code(op)) {
	case OP_INFO:
		return op_info(t, op);
	case OP_OPEN:
		return op_open(t, op);
	case OP_ALTER:
		return op_alter(t, op);
	case OP_DELETE:
		return op_delete(t, op);
	case OP_STAT:
		return op_stat(t, op);
	case OP_LIST:
		return op_list(t, op);
	case OP_LIMITS:
		return op_limits(t, op);
	case OP_ADMIN:
		return op_admin(t, op);
	case OP_SHUTDOWN:
		return op_shutdown(t, op);
	case OP_JOIN:
		return op_join(t, op);
	case OP_IOCTL:
		return op_ioctl(t, op);
	case OP_XFER:
		return op_xfer(t, op);
	case OP_READ:
	case OP_WRITE:
	case OP_READV:
	case OP_WRITEV:
		return op_transfer(t, op);
	default:
		return op_other(t, op);
	}
}
