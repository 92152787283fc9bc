// SPDX-License-Identifier: GPL-2.0-only
/* Operations that move messages, and what must be true of the result. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "run.h"

#define NSEC		1000000000ull
#define CANARY		0xa5
#define CANARY_BYTES	64

static uint64_t deadline(uint8_t choice)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * NSEC + ts.tv_nsec;
	switch (choice % 8) {
	case 1:
		return now + 500000;
	case 2:
		return now + 2000000;
	case 3:
		return now - 1;
	case 4:
		return 1;
	case 5:
		return KMQ_FOREVER;
	case 6:
		return KMQ_FOREVER - 1;
	case 7:
		return 1ull << 63;
	default:
		return 0;
	}
}

static struct placed place(struct thread *t, const struct op *op, bool sends,
			   size_t len)
{
	struct memory *m = &memory[t->nr];

	return memory_place(sends ? &m->send : &m->recv,
			    sends ? &memory[0].send : &memory[0].recv,
			    op->at, len);
}

/* Records as the operation wants them: *len is what to say of their length. */
static struct placed put_records(struct thread *t, const struct op *op,
				 uint32_t skew, size_t *len)
{
	uint8_t *buf = memory[t->nr].send.start;
	struct placed p;

	*len = batch_build(op, skew, buf, BUFFER_BYTES);
	p = place(t, op, true, *len);
	if (p.here && p.here != buf)
		memmove(p.here, buf, p.there);
	return p;
}

/* A buffer to receive into; what lies behind it is known. */
static struct placed put_space(struct thread *t, const struct op *op,
			       size_t len)
{
	struct placed p = place(t, op, false, len);
	size_t behind;

	if (p.here && p.there == len) {
		behind = memory[t->nr].recv.start + BUFFER_BYTES -
			(p.here + len);
		if (place_of(op->at) == PLACE_PLAIN)
			memset(p.here + len, CANARY, behind < CANARY_BYTES ?
			       behind : CANARY_BYTES);
	}
	return p;
}

static void check_space(const struct op *op, const struct placed *p, size_t len)
{
	size_t i;

	if (program.shared || !p->here || p->there != len ||
	    place_of(op->at) != PLACE_PLAIN || len + CANARY_BYTES > BUFFER_BYTES)
		return;
	for (i = 0; i < CANARY_BYTES; i++)
		if (p->here[len + i] != CANARY)
			found("%s wrote %zu bytes behind a buffer of %zu",
			      op_names[op_code(op)], i + 1, len);
}

static void check_records(const struct op *op, const struct placed *p,
			  size_t len, uint32_t count, bool bare)
{
	const char *bad;

	/* what others write to cannot be checked */
	if (program.shared || !p->here || p->there < len)
		return;
	bad = batch_check(p->here, len, count, true, bare);
	if (bad)
		found("%s received %s", op_names[op_code(op)], bad);
}

static void check_xfer(const struct op *op, const struct kmq_xfer_args *x,
		       const struct placed *space)
{
	if (x->received_bytes > x->recv_len || x->sent_bytes > x->send_len ||
	    !x->sent != !x->sent_bytes || !x->received != !x->received_bytes ||
	    !x->sent != !x->last_seq)
		found("XFER: %u sent, %u received, %u of %u and %u of %u bytes, seq %llu",
		      x->sent, x->received, x->sent_bytes, x->send_len,
		      x->received_bytes, x->recv_len, x->last_seq);
	if (x->max_records && x->received > x->max_records)
		found("XFER: received %u, asked for %u", x->received,
		      x->max_records);
	if (x->send_err > 0 || x->recv_err > 0 || x->error_at > x->send_len)
		found("XFER: results %d and %d, error at %u", x->send_err,
		      x->recv_err, x->error_at);
	if (x->flags & KMQ_XFER_ATOMIC && x->sent && x->send_err)
		found("XFER: %u records of an atomic batch", x->sent);
	check_records(op, space, x->received_bytes, x->received,
		      x->flags & KMQ_XFER_BODY);
}

long op_xfer(struct thread *t, const struct op *op)
{
	struct kmq_xfer_args x = {
		.size = memory_size(op->size, sizeof(x)), .flags = op->flags,
		.max_records = op->max, .min_records = op->min,
		.deadline = deadline(op->deadline),
		.linger_until = deadline(op->linger), .send_fd = -1,
	};
	struct placed p, send = { 0 }, space = { 0 };
	size_t len, size = x.size < 4096 ? x.size : sizeof(x);
	long ret;

	if (op->n) {
		send = put_records(t, op, op->skew, &len);
		x.send = send.user;
		x.send_len = len;
	}
	if (op->recv) {
		space = put_space(t, op, op->recv);
		x.recv = space.user;
		x.recv_len = op->recv;
	}
	if (op->mask & 1)
		x.send_fd = slot_fd(op->fd2);
	if (op->mask & 2)
		x.send_fd = op->skew;
	if (op->mask & 4)
		x.settle_count = op->priority;
	if (op->mask & 8)
		x.settle = op->skew;
	if (op->mask & 16)
		x.max_records = op->skew;
	if (op->mask & 32)
		x.min_records = op->skew;
	memset(&x.sent, CANARY, sizeof(x) - offsetof(typeof(x), sent));

	p = memory_place(&memory[t->nr].args, &memory[0].args, op->at >> 4,
			 size);
	if (p.here) {
		memset(p.here, op->size % 16 == 9, p.there);
		memcpy(p.here, &x, p.there < sizeof(x) ? p.there : sizeof(x));
	}
	ret = CALL(ioctl(slot_fd(op->fd), KMQ_IOC_XFER, (uintptr_t)p.user));
	if (op->recv)
		check_space(op, &space, op->recv);
	if (!ret && !program.shared && p.here && p.there >= sizeof(x) &&
	    place_of(op->at >> 4) != PLACE_READ_ONLY) {
		memcpy(&x, p.here, sizeof(x));
		check_xfer(op, &x, &space);
	}
	return ret;
}

/* Pieces of unequal length; some are empty. */
static int split(const struct op *op, uint64_t at, size_t len,
		 struct iovec *iov, int max)
{
	size_t part = 1 + op->priority;
	int n = 0;

	while (len && n < max - 1) {
		size_t some = n % 5 == 3 ? 0 : part < len ? part : len;

		iov[n].iov_base = (void *)(uintptr_t)at;
		iov[n].iov_len = some;
		at += some;
		len -= some;
		part += part / 2;
		n++;
	}
	iov[n].iov_base = (void *)(uintptr_t)at;
	iov[n].iov_len = len;
	return n + 1;
}

/* read, write, readv, writev */
long op_transfer(struct thread *t, const struct op *op)
{
	unsigned int code = op_code(op);
	bool sends = code == OP_WRITE || code == OP_WRITEV;
	int fd = slot_fd(op->fd);
	struct iovec iov[16];
	struct placed p;
	size_t len = op->recv;
	long ret;
	int n;

	if (sends && op->mask & 1) {
		p = put_records(t, op, op->skew, &len);
	} else if (sends) {
		len = op->len;
		p = place(t, op, true, len);
	} else {
		p = put_space(t, op, len);
	}
	n = split(op, p.user, len, iov, 1 + op->n % 16);
	switch (code) {
	case OP_READ:
		ret = CALL(read(fd, (void *)(uintptr_t)p.user, len));
		break;
	case OP_WRITE:
		ret = CALL(write(fd, (void *)(uintptr_t)p.user, len));
		break;
	case OP_READV:
		ret = CALL(readv(fd, iov, n));
		break;
	default:
		ret = CALL(writev(fd, iov, n));
	}
	if (ret >= 0 && (size_t)ret > len)
		found("%s of %zu bytes returned %ld", op_names[code], len, ret);
	if (!sends)
		check_space(op, &p, len);
	return ret;
}
