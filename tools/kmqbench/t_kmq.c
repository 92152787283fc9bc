// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: kmq, one message a call, packed records, and XFER */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "kmqdev.h"

#define HEAD	sizeof(struct kmq_record)

struct kmq_priv {
	int ctl;
	size_t record;		/* bytes of a record in a lane */
	struct kmq_xfer_args xfer;
};

static void write_headers(const struct lane *l, unsigned int slots,
			  unsigned int size)
{
	unsigned int i;

	for (i = 0; i < slots; i++) {
		struct kmq_record *r = (void *)((char *)lane_body(l, i) - HEAD);

		memset(r, 0, sizeof(*r));
		r->size = l->stride;
		r->body_len = size;
	}
}

static int open_handles(struct channel *c, struct kmq_priv *p, uint32_t mode)
{
	char name[32];
	struct kmqdev_queue q = {
		.name = name,
		.max_message_size = c->size,
		.max_messages = c->room,
		/* max_messages is what bounds it */
		.max_bytes = 4 * (c->room + 1) * p->record,
	};
	uint32_t create = KMQ_OPEN_CREATE | KMQ_OPEN_EXCL | mode;
	static unsigned int serial;

	snprintf(name, sizeof(name), "kmqbench-%d-%u", getpid(), serial++);
	if (c->apart) {
		c->tx = kmqdev_open(p->ctl, &q, create | KMQ_OPEN_SEND);
		if (c->tx < 0)
			return -1;
		c->rx = kmqdev_open(p->ctl, &q, KMQ_OPEN_RECV | mode);
	} else {
		c->tx = kmqdev_open(p->ctl, &q, create | KMQ_OPEN_SEND |
				    KMQ_OPEN_RECV);
		if (c->tx < 0)
			return -1;
		c->rx = c->tx;
	}
	if (kmqdev_delete(p->ctl, name, KMQ_DELETE_UNLINK) < 0)
		return -1;
	return c->rx < 0 ? -1 : 0;
}

static int kmq_channel_open(struct channel *c, uint32_t mode, bool records)
{
	size_t tail = records ? -(size_t)c->size & (KMQ_RECORD_ALIGN - 1) : 0;
	size_t head = records ? HEAD : 0;
	struct kmq_priv *p = calloc(1, sizeof(*p));

	if (!p)
		return run_failed("no memory");
	c->priv = p;
	p->record = HEAD + c->size + (-(size_t)c->size & 7);
	p->ctl = kmqdev_control();
	if (p->ctl < 0)
		return -1;
	/* A lone message takes up to four times its record (own chunk, run) */
	if (kmqdev_limits_raise(p->ctl, KMQ_R_BYTES,
				4 * c->room * p->record + (64u << 20)) < 0 ||
	    open_handles(c, p, mode) < 0 ||
	    lane_alloc(&c->out, c->batch, head, c->size, tail) < 0 ||
	    lane_alloc(&c->in, c->batch, head, c->size, tail) < 0)
		return -1;
	if (records)
		write_headers(&c->out, c->batch, c->size);

	p->xfer = (struct kmq_xfer_args){
		.size = sizeof(p->xfer),
		.deadline = KMQ_FOREVER,
		.send_fd = -1,
	};
	return 0;
}

static void kmq_channel_close(struct channel *c)
{
	struct kmq_priv *p = c->priv;

	if (c->rx >= 0 && c->rx != c->tx)
		close(c->rx);
	if (c->tx >= 0)
		close(c->tx);
	if (!p)
		return;
	if (p->ctl >= 0) {
		kmqdev_limits_restore(p->ctl);
		close(p->ctl);
	}
	free(p);
}

static int plain_open(struct channel *c)
{
	return kmq_channel_open(c, 0, false);
}

static int records_open(struct channel *c)
{
	return kmq_channel_open(c, KMQ_OPEN_RECORDS, true);
}

static int xfer_open(struct channel *c)
{
	return kmq_channel_open(c, 0, true);
}

static int plain_send(struct channel *c, unsigned int n)
{
	ssize_t done = write(c->tx, c->out.body, c->size);

	(void)n;
	if (done != (ssize_t)c->size)
		return run_failed("write: %s", strerror(errno));
	return 0;
}

static int plain_recv(struct channel *c, unsigned int max)
{
	ssize_t n = read(c->rx, c->in.body, c->size);

	(void)max;
	if (n < 0)
		return run_failed("read: %s", strerror(errno));
	if (n != (ssize_t)c->size)
		return run_failed("read: %zd bytes, not %u", n, c->size);
	return 1;
}

static int records_send(struct channel *c, unsigned int n)
{
	return write_whole(c->tx, c->out.memory, n * c->out.stride);
}

/* How many records @len bytes are; all are of one size here */
static int whole_records(const struct channel *c, size_t len)
{
	if (!len || len % c->in.stride)
		return run_failed("%zu bytes came, not whole records of %zu",
				  len, c->in.stride);
	return len / c->in.stride;
}

static int records_recv(struct channel *c, unsigned int max)
{
	ssize_t n = read(c->rx, c->in.memory, max * c->in.stride);

	if (n < 0)
		return run_failed("read: %s", strerror(errno));
	return whole_records(c, n);
}

static int xfer_call(int fd, struct kmq_xfer_args *x)
{
	if (ioctl(fd, KMQ_IOC_XFER, x) < 0)
		return run_failed("XFER: %s", strerror(errno));
	if (x->send_err || x->recv_err)
		return run_failed("XFER: send %s, receive %s",
				  strerror(-x->send_err),
				  strerror(-x->recv_err));
	return 0;
}

static int xfer_send(struct channel *c, unsigned int n)
{
	struct kmq_priv *p = c->priv;
	struct kmq_xfer_args *x = &p->xfer;

	x->send = (uintptr_t)c->out.memory;
	x->send_len = n * c->out.stride;
	x->send_fd = -1;
	x->recv = 0;
	x->recv_len = 0;
	if (xfer_call(c->tx, x) < 0)
		return -1;
	if (x->sent != n)
		return run_failed("XFER: %u of %u records sent", x->sent, n);
	return 0;
}

static int xfer_recv(struct channel *c, unsigned int max)
{
	struct kmq_priv *p = c->priv;
	struct kmq_xfer_args *x = &p->xfer;

	x->recv = (uintptr_t)c->in.memory;
	x->recv_len = max * c->in.stride;
	x->send = 0;
	x->send_len = 0;
	x->send_fd = -1;
	if (xfer_call(c->rx, x) < 0)
		return -1;
	return whole_records(c, x->received_bytes);
}

static int xfer_exchange(struct channel *out, struct channel *in,
			 unsigned int n, unsigned int max)
{
	struct kmq_priv *p = in->priv;
	struct kmq_xfer_args *x = &p->xfer;

	x->send = (uintptr_t)out->out.memory;
	x->send_len = n * out->out.stride;
	x->send_fd = out == in ? -1 : out->tx;
	x->recv = (uintptr_t)in->in.memory;
	x->recv_len = max * in->in.stride;
	if (xfer_call(in->rx, x) < 0)
		return -1;
	if (x->sent != n)
		return run_failed("XFER: %u of %u records sent", x->sent, n);
	return whole_records(in, x->received_bytes);
}

static int64_t kmq_left(struct channel *c)
{
	struct kmq_stat_args st;

	if (kmqdev_stat(c->rx, &st) < 0)
		return -1;
	if (st.sent != st.received + st.ready || st.dropped_full ||
	    st.dropped_purged)
		return run_failed("the queue counts %llu sent, %llu received, %llu queued",
				  (unsigned long long)st.sent,
				  (unsigned long long)st.received,
				  (unsigned long long)st.ready);
	return st.ready;
}

static int64_t kmq_memory(struct channel *c)
{
	struct kmq_stat_args st;

	if (kmqdev_stat(c->rx, &st) < 0)
		return -1;
	return st.memory;
}

static int names_ctl = -1;

static struct kmqdev_queue name_queue(const struct bench_name *n)
{
	return (struct kmqdev_queue){
		.name = n->text + 1,	/* without the slash of mq_open */
		.max_message_size = 64,
		.max_messages = 10,
		.max_bytes = 4096,
	};
}

static int kmq_names_begin(uint64_t count)
{
	names_ctl = kmqdev_control();
	if (names_ctl < 0)
		return -1;
	return kmqdev_limits_raise(names_ctl, KMQ_R_OBJECTS, count + 16);
}

static void kmq_names_end(void)
{
	if (names_ctl < 0)
		return;
	kmqdev_limits_restore(names_ctl);
	close(names_ctl);
	names_ctl = -1;
}

static int kmq_name_create(const struct bench_name *n)
{
	struct kmqdev_queue q = name_queue(n);
	int fd = kmqdev_open(names_ctl, &q, KMQ_OPEN_CREATE | KMQ_OPEN_EXCL |
			     KMQ_OPEN_SEND | KMQ_OPEN_RECV);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int kmq_name_visit(const struct bench_name *n)
{
	struct kmqdev_queue q = name_queue(n);
	int fd = kmqdev_open(names_ctl, &q, KMQ_OPEN_SEND | KMQ_OPEN_RECV);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int kmq_name_remove(const struct bench_name *n)
{
	return kmqdev_delete(names_ctl, n->text + 1, 0);
}

static const struct name_ops kmq_names = {
	.begin = kmq_names_begin,
	.end = kmq_names_end,
	.create = kmq_name_create,
	.visit = kmq_name_visit,
	.remove = kmq_name_remove,
};

const struct transport transport_kmq = {
	.name = "kmq",
	.about = "kmq, plain read and write, one message a call",
	.single = true,
	.keeps_depth = true,
	.open = plain_open,
	.close = kmq_channel_close,
	.send = plain_send,
	.recv = plain_recv,
	.left = kmq_left,
	.memory = kmq_memory,
	.names = &kmq_names,
};

const struct transport transport_kmq_records = {
	.name = "kmq-records",
	.about = "kmq, record mode: packed records through read and write",
	.single = true,
	.batches = true,
	.keeps_depth = true,
	.open = records_open,
	.close = kmq_channel_close,
	.send = records_send,
	.recv = records_recv,
	.left = kmq_left,
	.memory = kmq_memory,
};

const struct transport transport_kmq_xfer = {
	.name = "kmq-xfer",
	.about = "kmq, XFER: send and receive in one call",
	.single = true,
	.batches = true,
	.keeps_depth = true,
	.open = xfer_open,
	.close = kmq_channel_close,
	.send = xfer_send,
	.recv = xfer_recv,
	.exchange = xfer_exchange,
	.left = kmq_left,
	.memory = kmq_memory,
};
