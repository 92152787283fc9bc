// SPDX-License-Identifier: GPL-2.0-only
/* XFER: send a batch, then receive one. */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "ctl.h"
#include "handle.h"
#include "object.h"
#include "wait.h"

/* Where the results lie, in every version of the structure so far. */
#define RESULTS_AT offsetof(struct kmq_xfer_args, sent)
#define RESULTS_SIZE (KMQ_XFER_ARGS_SIZE_VER0 - RESULTS_AT)

/* More than one record, or the queue is full. */
static noinline int send_batch(struct kmq_handle *h, struct kmq_xfer_args *args,
			       struct kmq_user_buf *from, struct kmq_run *run)
{
	u32 error_at = 0;
	struct kmq_send s __kmq_uninit;
	int err;

	if (args->flags & KMQ_XFER_ATOMIC && args->send_len > KMQ_XFER_MAX)
		return -EMSGSIZE;
	kmq_send_init(&s, &h->port);
	s.atomic = args->flags & KMQ_XFER_ATOMIC;
	err = kmq_send_from(h, KMQ_BY_CALLER, from, args->send_len,
			    args->deadline, run, &s, &error_at);
	args->sent = s.count - s.left;
	args->sent_bytes = s.bytes - s.left_bytes;
	args->last_seq = s.last_seq;
	if (unlikely(err == -EINVAL || err == -EMSGSIZE))
		/* one that fits the rules may still be too large for now */
		args->error_at = error_at ? error_at : args->sent_bytes;
	if (unlikely(s.runs))
		kmq_send_free(&s);
	return err;
}

static __always_inline int send_part(struct kmq_handle *h,
				     struct kmq_xfer_args *args)
{
	struct kmq_user_buf from = { .ptr = u64_to_user_ptr(args->send) };
	struct kmq_pushed pushed __kmq_uninit;
	struct kmq_run *run;

	if (!(h->flags & KMQ_OPEN_SEND))
		return -EBADF;
	kmq_handle_used(h, KMQ_SENDS);

	run = kmq_copy_single(h, KMQ_BY_CALLER, &from, args->send_len,
			      &args->error_at);
	if (IS_ERR(run))
		return PTR_ERR(run);
	if (unlikely(!run) || unlikely(args->flags & KMQ_XFER_ATOMIC) ||
	    unlikely(!kmq_queue_push(&h->obj->queue, &h->port, run, &pushed)))
		return send_batch(h, args, &from, run);
	args->sent = 1;
	args->sent_bytes = args->send_len;
	args->last_seq = pushed.seq;
	kmq_trace_send(h->obj, 1);
	kmq_finish_push(h->obj, 1, &pushed);
	return 0;
}

/* KMQ_XFER_BODY: header and body of one message. */
static noinline int receive_body(struct kmq_handle *h,
				 struct kmq_xfer_args *args)
{
	struct kmq_user_buf to = { .ptr = u64_to_user_ptr(args->recv) };
	const u32 header = sizeof(struct kmq_record);
	struct kmq_take t;
	ssize_t n;
	int err;

	kmq_take_init(&t, &h->port, min(args->recv_len, KMQ_XFER_MAX) - header,
		      1, true);
	err = kmq_fetch(h, &t, args->deadline, 0);
	if (err == -EMSGSIZE)
		args->needed = header + t.needed;
	if (err || !t.count)
		return err;

	n = kmq_copy_bare(&to, list_first_entry(&t.nodes, struct kmq_node,
						link));
	if (n < 0) {
		kmq_putback(h, &t.nodes);
		return n;
	}
	kmq_nodes_free(&t.nodes);
	args->received = 1;
	args->received_bytes = n;
	return 0;
}

static __always_inline int receive_part(struct kmq_handle *h, struct kmq_xfer_args *args)
{
	struct kmq_user_buf to = { .ptr = u64_to_user_ptr(args->recv) };
	struct kmq_take t __kmq_uninit;
	int err;

	if (!(h->flags & KMQ_OPEN_RECV))
		return -EBADF;
	kmq_handle_used(h, KMQ_RECEIVES);
	if (args->flags & KMQ_XFER_BODY)
		return receive_body(h, args);

	kmq_take_init(&t, &h->port, min(args->recv_len, KMQ_XFER_MAX),
		      args->max_records ? args->max_records : U32_MAX, false);
	if (args->min_records > 1)
		t.min = args->min_records;
	err = kmq_receive_into(h, &t, &to, args->deadline, args->linger_until,
			       &args->received_bytes, &args->received);
	if (err == -EMSGSIZE)
		args->needed = t.needed;
	return err;
}

static int check(const struct kmq_xfer_args *args)
{
	if (args->flags & ~KMQ_XFER_FLAGS || args->settle_count ||
	    args->settle || args->send_fd < -1)
		return -EINVAL;
	if (args->max_records && args->min_records > args->max_records)
		return -EINVAL;
	if (args->flags & KMQ_XFER_BODY &&
	    (args->recv_len < sizeof(struct kmq_record) ||
	     args->max_records > 1 || args->min_records > 1))
		return -EINVAL;
	return args->send_len || args->recv_len ? 0 : -EINVAL;
}

/*
 * What comes before the results, nine words, each fetched once; cheaper than
 * the checks of copy_from_user().
 */
static __always_inline bool get_parameters(u64 *args, const u64 __user *from)
{
	BUILD_BUG_ON(RESULTS_AT != 9 * sizeof(u64));
	if (!user_read_access_begin(from, RESULTS_AT))
		return false;
	unsafe_get_user(args[0], from, fault);
	unsafe_get_user(args[1], from + 1, fault);
	unsafe_get_user(args[2], from + 2, fault);
	unsafe_get_user(args[3], from + 3, fault);
	unsafe_get_user(args[4], from + 4, fault);
	unsafe_get_user(args[5], from + 5, fault);
	unsafe_get_user(args[6], from + 6, fault);
	unsafe_get_user(args[7], from + 7, fault);
	unsafe_get_user(args[8], from + 8, fault);
	user_read_access_end();
	return true;
fault:
	user_read_access_end();
	return false;
}

/* Five words; cheaper than the checks of copy_to_user(). */
static __always_inline bool put_results(u64 __user *to, const u64 *results)
{
	BUILD_BUG_ON(RESULTS_SIZE != 5 * sizeof(u64));
	BUILD_BUG_ON(RESULTS_AT % sizeof(u64));
	if (!user_write_access_begin(to, RESULTS_SIZE))
		return false;
	unsafe_put_user(results[0], to, fault);
	unsafe_put_user(results[1], to + 1, fault);
	unsafe_put_user(results[2], to + 2, fault);
	unsafe_put_user(results[3], to + 3, fault);
	unsafe_put_user(results[4], to + 4, fault);
	user_write_access_end();
	return true;
fault:
	user_write_access_end();
	return false;
}

/* Restarting is for calls that did nothing; this one may have. */
static int shown(int err)
{
	return err == -ERESTARTSYS ? -EINTR : err;
}

/**
 * kmq_xfer() - the XFER request
 * @file: the handle to receive on, and to send on if no other is named
 * @arg: the caller's struct kmq_xfer_args
 *
 * The results are written once before anything happens: what cannot be told
 * afterwards is not done.
 *
 * Context: process context, may sleep.
 * Return: 0 when anything was sent or received, or at the end of the stream;
 * else the error of the part that ended it.
 */
long kmq_xfer(struct file *file, void __user *arg)
{
	struct kmq_handle *h = file->private_data, *to = h;
	struct kmq_xfer_args args __kmq_uninit;
	char *results = (char *)&args + RESULTS_AT;
	struct file *send_file = NULL;
	int send_err = 0, recv_err = 0;
	int err;

	if (!get_parameters((u64 *)&args, arg) || args.size != sizeof(args)) {
		/* another size, or a bad address */
		err = kmq_args_read(arg, &args, sizeof(args),
				    KMQ_XFER_ARGS_SIZE_VER0);
		if (err)
			return err;
	}
	err = check(&args);
	if (err)
		return err;
	memset(results, 0, RESULTS_SIZE);
	if (!put_results(arg + RESULTS_AT, (u64 *)results))
		return -EFAULT;

	if (args.send_fd >= 0) {
		send_file = fget(args.send_fd);
		to = send_file ? kmq_handle_of(send_file) : NULL;
		if (unlikely(!to))
			send_err = send_file ? -ENOTTY : -EBADF;
	}

	if (args.send_len && likely(to))
		send_err = send_part(to, &args);
	if (args.recv_len && (!send_err || args.flags & KMQ_XFER_RECV_ANYWAY))
		recv_err = receive_part(h, &args);
	if (send_file)
		fput(send_file);

	if (args.sent || args.received)
		err = 0;
	else
		err = send_err ? send_err : recv_err;
	args.send_err = shown(send_err);
	args.recv_err = shown(recv_err);
	/* the page was there a moment ago: nothing better can be done */
	if (!put_results(arg + RESULTS_AT, (u64 *)results) && !err)
		err = args.received ? 0 : -EFAULT;
	return err;
}
