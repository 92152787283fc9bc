// SPDX-License-Identifier: GPL-2.0-only
/* read(2), write(2) and their vector and io_uring forms on a handle. */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/uio.h>

#include "copy.h"
#include "handle.h"
#include "object.h"
#include "wait.h"

/* The queue is full, or somebody waits in it. */
static noinline ssize_t submit_run(struct kmq_handle *h, struct kmq_run *run,
				   size_t len, u64 deadline)
{
	struct kmq_send s __kmq_uninit;
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
	struct kmq_pushed pushed __kmq_uninit;
	struct kmq_run *run;

	if (unlikely(!len))
		return -EINVAL;
	if (len > READ_ONCE(h->obj->queue.cfg.max_message_size))
		return -EMSGSIZE;

	run = kmq_copy_message(h, KMQ_BY_OPENER, from, len);
	if (IS_ERR(run))
		return PTR_ERR(run);
	if (unlikely(!kmq_queue_push(&h->obj->queue, &h->port, run, &pushed)))
		return submit_run(h, run, len, deadline);
	kmq_trace_send(h->obj, 1);
	kmq_finish_push(h->obj, 1, &pushed);
	return len;
}

static ssize_t send_records(struct kmq_handle *h, struct kmq_user_buf *from,
			    size_t len, u64 deadline)
{
	struct kmq_run *run;
	u32 error_at, sent;
	struct kmq_send s __kmq_uninit;
	int err;

	run = kmq_copy_single(h, KMQ_BY_OPENER, from, len, &error_at);
	if (IS_ERR(run))
		return PTR_ERR(run);
	kmq_send_init(&s, &h->port);
	err = kmq_send_from(h, KMQ_BY_OPENER, from, len, deadline, run, &s,
			    &error_at);
	/* what was accepted counts, whatever ended the rest */
	sent = s.bytes - s.left_bytes;
	if (unlikely(s.runs))
		kmq_send_free(&s);
	/* the types differ: an unsigned result must not swallow a negative */
	if (sent)
		return sent;
	return err;
}

static __always_inline ssize_t send(struct file *file,
				    struct kmq_user_buf *from, size_t len,
				    bool nowait)
{
	struct kmq_handle *h = file->private_data;
	u64 deadline = nowait ? 0 : KMQ_FOREVER;

	if (unlikely(!(h->flags & KMQ_OPEN_SEND)))
		return -EBADF;
	kmq_handle_used(h, KMQ_SENDS);
	if (h->flags & KMQ_OPEN_RECORDS)
		return send_records(h, from, len, deadline);
	return send_plain(h, from, len, deadline);
}

static __always_inline ssize_t receive_plain(struct kmq_handle *h,
					     struct kmq_user_buf *to,
					     size_t len, u64 deadline)
{
	struct kmq_node *node;
	struct kmq_take t __kmq_uninit;
	ssize_t n;
	int err;

	kmq_take_init(&t, &h->port, min_t(size_t, len, U32_MAX), 1, true);
	err = kmq_fetch(h, &t, deadline, 0);
	if (unlikely(err))
		return err;
	if (unlikely(!t.count))
		return 0;

	node = list_first_entry(&t.nodes, struct kmq_node, link);
	n = kmq_copy_body(to, node);
	if (unlikely(n < 0)) {
		kmq_putback(h, &t.nodes);
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
	struct kmq_take t __kmq_uninit;
	int err;

	kmq_take_init(&t, &h->port, room, U32_MAX, false);
	err = kmq_receive_into(h, &t, to, deadline, 0, &bytes, &count);
	if (bytes)
		return bytes;
	return err;
}

static __always_inline ssize_t receive(struct file *file,
				       struct kmq_user_buf *to, size_t len,
				       bool nowait)
{
	struct kmq_handle *h = file->private_data;
	u64 deadline = nowait ? 0 : KMQ_FOREVER;

	if (unlikely(!(h->flags & KMQ_OPEN_RECV)))
		return -EBADF;
	kmq_handle_used(h, KMQ_RECEIVES);
	if (h->flags & KMQ_OPEN_RECORDS)
		return receive_records(h, to, len, deadline);
	return receive_plain(h, to, len, deadline);
}

/**
 * kmq_send_from() - send the packed records in a buffer
 * @h: the handle
 * @by: KMQ_BY_OPENER or KMQ_BY_CALLER
 * @from: the buffer
 * @len: its bytes
 * @deadline: as for kmq_submit()
 * @run: what kmq_copy_single() made of it, or NULL
 * @s: initialised; tells what was accepted, and is to be freed
 * @error_at: set on -EINVAL and -EMSGSIZE to the offset of what is wrong
 *
 * Context: process context, may sleep.
 * Return: 0, or what ended it: nothing was sent if s->left is s->count.
 */
int kmq_send_from(struct kmq_handle *h, unsigned int by,
		  struct kmq_user_buf *from, size_t len, u64 deadline,
		  struct kmq_run *run, struct kmq_send *s, u32 *error_at)
{
	struct kmq_queue *q = &h->obj->queue;
	struct kmq_pushed pushed __kmq_uninit;
	int err;

	*error_at = 0;
	if (run) {
		kmq_send_add(s, run);
	} else {
		err = kmq_copy_records(h, by, from, len, s, error_at);
		if (unlikely(err || !s->count))
			goto nothing;
		if (unlikely(s->atomic && s->count > KMQ_ATOMIC_MAX)) {
			err = -EMSGSIZE;
			goto nothing;
		}
		run = s->runs;
	}
	if (unlikely(run->next || s->atomic ||
		     !kmq_queue_push(q, &h->port, run, &pushed)))
		return kmq_submit(h, s, deadline);

	s->runs = NULL;
	s->left = 0;
	s->left_bytes = 0;
	s->last_seq = pushed.seq;
	kmq_trace_send(h->obj, s->count);
	kmq_finish_push(h->obj, s->count, &pushed);
	return 0;

nothing:
	kmq_send_free(s);
	s->count = 0;
	s->bytes = 0;
	return err;
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
