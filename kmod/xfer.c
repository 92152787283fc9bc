// SPDX-License-Identifier: GPL-2.0-only
/* XFER: send a batch, then receive one. */
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "copy.h"
#include "ctl.h"
#include "handle.h"
#include "object.h"
#include "wait.h"

#define RESULTS_AT offsetof(struct kmq_xfer_args, sent)

static int send_part(struct kmq_handle *h, struct kmq_xfer_args *args)
{
	struct kmq_user_buf from = { .ptr = u64_to_user_ptr(args->send) };
	u32 error_at = 0;
	struct kmq_send s;
	int err;

	if (!(h->flags & KMQ_OPEN_SEND))
		return -EBADF;
	kmq_handle_used(h);

	kmq_send_init(&s, &h->port);
	s.atomic = args->flags & KMQ_XFER_ATOMIC;
	err = kmq_copy_records(h, KMQ_BY_CALLER, &from, args->send_len, &s,
			       &error_at);
	if (unlikely(err)) {
		if (err == -EINVAL || err == -EMSGSIZE)
			args->error_at = error_at;
		goto out;
	}
	if (s.atomic && s.count > KMQ_ATOMIC_MAX) {
		err = -EMSGSIZE;
		goto out;
	}

	err = kmq_submit(h, &s, args->deadline);
	args->sent = s.count - s.left;
	args->sent_bytes = s.bytes - s.left_bytes;
	args->last_seq = s.last_seq;
	if (err == -EMSGSIZE)
		args->error_at = args->sent_bytes;
out:
	kmq_send_free(&s);
	return err;
}

static int receive_part(struct kmq_handle *h, struct kmq_xfer_args *args)
{
	struct kmq_user_buf to = { .ptr = u64_to_user_ptr(args->recv) };
	struct kmq_take t;
	int err;

	if (!(h->flags & KMQ_OPEN_RECV))
		return -EBADF;
	kmq_handle_used(h);

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
	return args->send_len || args->recv_len ? 0 : -EINVAL;
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
	struct kmq_xfer_args args;
	struct file *send_file = NULL;
	int send_err = 0, recv_err = 0;
	int err;

	err = kmq_args_read(arg, &args, sizeof(args),
			    KMQ_XFER_ARGS_SIZE_VER0);
	if (err)
		return err;
	err = check(&args);
	if (err)
		return err;
	memset((char *)&args + RESULTS_AT, 0, sizeof(args) - RESULTS_AT);
	err = kmq_args_write(arg, &args, sizeof(args), RESULTS_AT);
	if (err)
		return err;

	if (args.send_fd >= 0) {
		send_file = fget(args.send_fd);
		if (!send_file)
			return -EBADF;
		to = kmq_handle_of(send_file);
		if (!to) {
			fput(send_file);
			return -ENOTTY;
		}
	}

	if (args.send_len)
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
	if (kmq_args_write(arg, &args, sizeof(args), RESULTS_AT) && !err)
		err = args.received ? 0 : -EFAULT;
	return err;
}
