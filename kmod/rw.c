// SPDX-License-Identifier: GPL-2.0-only
/* read(2), write(2) and their vector and io_uring forms on a handle. */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include "copy.h"
#include "handle.h"
#include "object.h"
#include "trace.h"
#include "wait.h"

/* A run was pushed: what kmq_finish() does after a send. */
static void pushed(struct kmq_object *obj, u32 n)
{
	trace_kmq_send(obj->id, n, READ_ONCE(obj->queue.count));
	if (unlikely(wq_has_sleeper(&obj->readers)))
		kmq_wake_readers(obj, n);
}

/* A message was popped: what kmq_finish() does after a receive. */
static void popped(struct kmq_object *obj, bool more)
{
	trace_kmq_receive(obj->id, 1, READ_ONCE(obj->queue.count));
	if (unlikely(wq_has_sleeper(&obj->writers)))
		kmq_wake_writers(obj, 1);
	/* whoever was passed over for this message has the next one */
	if (more && unlikely(wq_has_sleeper(&obj->readers)))
		kmq_wake_readers(obj, 1);
}

/* The queue is full, or somebody waits in it. */
static noinline ssize_t submit_run(struct kmq_handle *h, struct kmq_run *run,
				   size_t len, u64 deadline)
{
	struct kmq_send s;
	int err;

	kmq_send_init(&s, &h->port);
	kmq_send_add(&s, run);
	err = kmq_submit(h, &s, deadline);
	if (s.left)
		kmq_send_free(&s);
	return err ? err : len;
}

static __always_inline ssize_t send_plain(struct kmq_handle *h,
					  struct kmq_user_buf *from,
					  size_t len, u64 deadline)
{
	struct kmq_run *run;

	if (unlikely(!len))
		return -EINVAL;
	if (len > READ_ONCE(h->obj->queue.cfg.max_message_size))
		return -EMSGSIZE;

	run = kmq_copy_message(h, KMQ_BY_OPENER, from, len);
	if (IS_ERR(run))
		return PTR_ERR(run);
	if (unlikely(!kmq_queue_push(&h->obj->queue, &h->port, run)))
		return submit_run(h, run, len, deadline);
	pushed(h->obj, 1);
	return len;
}

static ssize_t send_records(struct kmq_handle *h, struct kmq_user_buf *from,
			    size_t len, u64 deadline)
{
	struct kmq_send s;
	u32 error_at, sent;
	int err;

	kmq_send_init(&s, &h->port);
	err = kmq_copy_records(h, KMQ_BY_OPENER, from, len, &s, &error_at);
	if (likely(!err && s.count))
		err = kmq_submit(h, &s, deadline);
	else
		s.bytes = s.left_bytes;
	/* what was accepted counts, whatever ended the rest */
	sent = s.bytes - s.left_bytes;
	kmq_send_free(&s);
	return sent ? sent : err;
}

static __always_inline ssize_t send(struct file *file, struct kmq_user_buf *from, size_t len,
		    bool nowait)
{
	struct kmq_handle *h = file->private_data;
	u64 deadline = nowait ? 0 : KMQ_FOREVER;

	if (unlikely(!(h->flags & KMQ_OPEN_SEND)))
		return -EBADF;
	kmq_handle_used(h);
	if (h->flags & KMQ_OPEN_RECORDS)
		return send_records(h, from, len, deadline);
	return send_plain(h, from, len, deadline);
}

/* It is not as simple as kmq_queue_pop() would have it. */
static noinline struct kmq_node *fetch_one(struct kmq_handle *h, u32 room,
					   u64 deadline)
{
	struct kmq_take t;
	int err;

	kmq_take_init(&t, &h->port, room, 1, true);
	err = kmq_fetch(h, &t, deadline, 0);
	if (err)
		return ERR_PTR(err);
	return list_first_entry_or_null(&t.nodes, struct kmq_node, link);
}

static noinline void putback_one(struct kmq_handle *h, struct kmq_node *node)
{
	LIST_HEAD(nodes);

	/* the node was in no list, or in one that is gone */
	list_add(&node->link, &nodes);
	kmq_putback(h, &nodes);
}

static __always_inline ssize_t receive_plain(struct kmq_handle *h,
					     struct kmq_user_buf *to,
					     size_t len, u64 deadline)
{
	u32 room = min_t(size_t, len, U32_MAX);
	struct kmq_node *node;
	bool more;
	ssize_t n;

	node = kmq_queue_pop(&h->obj->queue, &h->port, room, &more);
	if (likely(node)) {
		popped(h->obj, more);
	} else {
		node = fetch_one(h, room, deadline);
		if (IS_ERR_OR_NULL(node))
			return PTR_ERR(node);
	}

	n = kmq_copy_body(to, node);
	if (unlikely(n < 0)) {
		putback_one(h, node);
		return n;
	}
	kmq_run_put(kmq_node_run(node), 1);
	/* 0 would mean the end of the stream */
	return n ? n : -ENODATA;
}

static ssize_t receive_records(struct kmq_handle *h, struct kmq_user_buf *to,
			       size_t len, u64 deadline)
{
	u32 room = min_t(size_t, len, KMQ_XFER_MAX), bytes = 0, count = 0;
	struct kmq_take t;
	int err;

	kmq_take_init(&t, &h->port, room, U32_MAX, false);
	err = kmq_receive_into(h, &t, to, deadline, 0, &bytes, &count);
	return bytes ? bytes : err;
}

static __always_inline ssize_t receive(struct file *file, struct kmq_user_buf *to, size_t len,
		       bool nowait)
{
	struct kmq_handle *h = file->private_data;
	u64 deadline = nowait ? 0 : KMQ_FOREVER;

	if (unlikely(!(h->flags & KMQ_OPEN_RECV)))
		return -EBADF;
	kmq_handle_used(h);
	if (h->flags & KMQ_OPEN_RECORDS)
		return receive_records(h, to, len, deadline);
	return receive_plain(h, to, len, deadline);
}

/**
 * kmq_receive_into() - receive records into a buffer until it is full
 * @h: the handle
 * @t: initialised; max and room say how much
 * @to: the buffer
 * @deadline: as for kmq_fetch(), for the first message only
 * @linger_until: as for kmq_fetch()
 * @bytes: bytes of the records delivered
 * @count: records delivered
 *
 * Context: process context, may sleep.
 * Return: 0, or what ended it: nothing was delivered if @bytes is 0.
 */
int kmq_receive_into(struct kmq_handle *h, struct kmq_take *t,
		     struct kmq_user_buf *to, u64 deadline, u64 linger_until,
		     u32 *bytes, u32 *count)
{
	int err;

	err = kmq_fetch(h, t, deadline, linger_until);
	while (!err && t->count) {
		u32 before = *count;

		*bytes += kmq_copy_out(to, &t->nodes, count);
		if (unlikely(!list_empty(&t->nodes))) {
			kmq_putback(h, &t->nodes);
			return -EFAULT;
		}
		t->max -= *count - before;
		/* a full budget: there may be more that fits */
		if (likely(t->count < KMQ_BUDGET || !t->max ||
			   t->room < sizeof(struct kmq_record)))
			break;
		t->count = 0;
		t->min = 1;
		err = kmq_fetch(h, t, 0, 0);
	}
	return *bytes ? 0 : err;
}

static bool file_nowait(struct file *file)
{
	return file->f_flags & O_NONBLOCK;
}

static bool iocb_nowait(struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT || file_nowait(iocb->ki_filp);
}

/**
 * kmq_write() - write(2): one message, or packed records
 * @file: the handle
 * @buf: the body, or the records
 * @len: its bytes
 * @pos: not used
 *
 * Beside kmq_write_iter() because it is a tenth cheaper.
 *
 * Return: bytes accepted (whole records), or a negative errno.
 */
ssize_t kmq_write(struct file *file, const char __user *buf, size_t len,
		  loff_t *pos)
{
	struct kmq_user_buf from = { .ptr = (char __user *)buf };

	return send(file, &from, len, file_nowait(file));
}

/**
 * kmq_read() - read(2): one body, or packed records
 * @file: the handle
 * @buf: where it goes
 * @len: bytes there
 * @pos: not used
 *
 * Return: bytes delivered, 0 at the end of the stream, or a negative errno.
 */
ssize_t kmq_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct kmq_user_buf to = { .ptr = buf };

	return receive(file, &to, len, file_nowait(file));
}

/**
 * kmq_write_iter() - writev(2), io_uring
 * @iocb: the handle and how to wait
 * @from: the body, or the records
 *
 * Return: as kmq_write().
 */
ssize_t kmq_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct kmq_user_buf buf = { .iter = from };

	return send(iocb->ki_filp, &buf, iov_iter_count(from),
		    iocb_nowait(iocb));
}

/**
 * kmq_read_iter() - readv(2), io_uring
 * @iocb: the handle and how to wait
 * @to: where it goes
 *
 * Return: as kmq_read().
 */
ssize_t kmq_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct kmq_user_buf buf = { .iter = to };

	return receive(iocb->ki_filp, &buf, iov_iter_count(to),
		       iocb_nowait(iocb));
}
