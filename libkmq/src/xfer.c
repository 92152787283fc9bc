// SPDX-License-Identifier: LGPL-2.1-or-later
/* Batches: send a buffer, fill a buffer, both in one call. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "internal.h"

static void send_part(struct kmq_xfer_args *x, const struct kmq_buf *buf)
{
	/* The address of nothing would be refused. */
	x->send_len = (uint32_t)kmq__buf_prefix(buf, KMQ_XFER_MAX);
	if (x->send_len)
		x->send = kmq__address(buf->data + buf->head);
}

static void recv_part(struct kmq_xfer_args *x, const struct kmq_buf *buf)
{
	x->recv = kmq__address(buf->data);
	x->recv_len = buf->size < KMQ_XFER_MAX ? (uint32_t)buf->size :
						 KMQ_XFER_MAX;
}

static void recv_result(const struct kmq_xfer_args *x, struct kmq_buf *buf)
{
	buf->head = 0;
	buf->tail = x->received_bytes;
	buf->count = x->received;
}

/* The receive met a message larger than the buffer: room for it, if that is
 * all that stands in the way.
 */
static int recv_grow(const struct kmq_xfer_args *x, struct kmq_buf *buf)
{
	if (x->recv_err != -EMSGSIZE || x->needed <= buf->size)
		return -EMSGSIZE;
	return kmq__buf_grow(buf, x->needed);
}

int kmq__send_all(int fd, struct kmq_buf *buf, unsigned int flags,
		  uint64_t deadline, size_t *sent)
{
	int ret;

	*sent = 0;
	if ((flags & KMQ_XFER_ATOMIC) && kmq_buf_bytes(buf) > KMQ_XFER_MAX)
		return -EMSGSIZE;
	while (buf->head < buf->tail) {
		struct kmq_xfer_args x = {
			.size = sizeof(x),
			.flags = flags,
			.deadline = deadline,
			.send_fd = -1,
		};

		send_part(&x, buf);
		ret = kmq__ioctl(fd, KMQ_IOC_XFER, &x);
		if (ret < 0)
			return ret;
		*sent += x.sent;
		kmq__buf_drop(buf, x.sent, x.sent_bytes);
		if (x.send_err)
			return x.send_err;
		if (!x.sent)
			return -EPROTO;
	}
	return 0;
}

int kmq_send_buf(int fd, struct kmq_buf *buf, unsigned int flags, int ms)
{
	__u64 deadline;
	size_t sent;
	int ret;

	ret = kmq__deadline(ms, &deadline);
	if (ret < 0)
		return ret;
	ret = kmq__send_all(fd, buf, flags, deadline, &sent);
	return sent ? (int)sent : ret;
}

int kmq_recv_buf(int fd, struct kmq_buf *buf, unsigned int max, int ms)
{
	__u64 deadline;
	int ret;

	ret = kmq__deadline(ms, &deadline);
	if (ret < 0)
		return ret;
	kmq_buf_reset(buf);
	for (;;) {
		struct kmq_xfer_args x = {
			.size = sizeof(x),
			.deadline = deadline,
			.max_records = max,
			.send_fd = -1,
		};

		recv_part(&x, buf);
		ret = kmq__ioctl(fd, KMQ_IOC_XFER, &x);
		if (ret == -EMSGSIZE) {
			ret = recv_grow(&x, buf);
			if (!ret)
				continue;
		}
		if (ret < 0)
			return ret;
		recv_result(&x, buf);
		return (int)x.received;
	}
}

static int set_opts(const struct kmq_xfer_opts *opts, bool receive,
		    struct kmq_xfer_args *x)
{
	if (!opts)
		return 0;
	x->flags = opts->flags;
	/* A kmq_buf holds whole records. */
	if (opts->flags & KMQ_XFER_BODY || opts->linger_ms < -1)
		return -EINVAL;
	if (!receive)
		return 0;
	x->max_records = opts->max_records;
	/* To insist for 0 ms is not to insist; the ABI has no word for it. */
	if (opts->linger_ms == 0)
		return 0;
	x->min_records = opts->min_records;
	if (opts->linger_ms > 0)
		return kmq__deadline(opts->linger_ms, &x->linger_until);
	return 0;
}

/* Add what one system call did to what the whole call has done. */
static void xfer_result(const struct kmq_xfer_args *x, int ret,
			struct kmq_xfer_result *res)
{
	if (x->sent) {
		res->sent = x->sent;
		res->last_seq = x->last_seq;
	}
	if (x->send_len) {
		res->send_err = x->send_err;
		res->error_at = x->error_at;
	}
	res->received = x->received;
	res->recv_err = x->recv_err;
	res->needed = x->needed;
	/* Refused as a whole: then the first part named has the error. */
	if (ret < 0 && !x->send_err && !x->recv_err) {
		if (x->send_len)
			res->send_err = ret;
		else
			res->recv_err = ret;
	}
}

int kmq_xfer(int fd, struct kmq_buf *out, int infd, struct kmq_buf *in,
	     const struct kmq_xfer_opts *opts, int ms,
	     struct kmq_xfer_result *res)
{
	struct kmq_xfer_args first = { .size = sizeof(first) }, x;
	struct kmq_xfer_result own;
	int on, ret;

	if (!res)
		res = &own;
	memset(res, 0, sizeof(*res));
	if ((out && out == in) || infd < -1)
		return -EINVAL;
	ret = kmq__deadline(ms, &first.deadline);
	if (ret < 0)
		return ret;
	ret = set_opts(opts, in, &first);
	if (ret < 0)
		return ret;

	/* The call is made on the receiving handle and names the sending one. */
	on = in && infd >= 0 ? infd : fd;
	if (out)
		send_part(&first, out);
	first.send_fd = first.send_len && on != fd ? fd : -1;
	if (out && (first.flags & KMQ_XFER_ATOMIC) &&
	    first.send_len < kmq_buf_bytes(out))
		return -EMSGSIZE;
	if (in)
		kmq_buf_reset(in);

	for (x = first;; x = first) {
		if (in)
			recv_part(&x, in);
		ret = kmq__ioctl(on, KMQ_IOC_XFER, &x);
		xfer_result(&x, ret, res);
		if (out && x.sent)
			kmq__buf_drop(out, x.sent, x.sent_bytes);
		if (in && (ret == 0 || x.received))
			recv_result(&x, in);
		/* A send that stopped early keeps the receive from going on. */
		if (!in || x.recv_err != -EMSGSIZE ||
		    (x.send_err && !(first.flags & KMQ_XFER_RECV_ANYWAY)))
			break;
		ret = recv_grow(&x, in);
		if (ret < 0) {
			res->recv_err = ret;
			break;
		}
		/* What the send half did stands: only the receive goes on. */
		first.send = 0;
		first.send_len = 0;
		first.send_fd = -1;
		first.flags &= ~KMQ_XFER_ATOMIC;
	}
	return res->sent || res->received ? 0 : ret;
}
