/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_COPY_H
#define KMQ_COPY_H

#include <linux/types.h>
#include <linux/uio.h>

struct kmq_handle;
struct kmq_node;
struct kmq_run;
struct kmq_send;
struct list_head;

/**
 * DOC: messages across the user boundary
 *
 * The only file that copies message bytes from and to users. In: a sender's
 * bytes become charged runs, each byte fetched once, validated in the kernel's
 * copy. Out: taken nodes become bytes in the reader's buffer; neighbours leave
 * in one copy. No lock is held over any copy, so a fault that takes long delays
 * nobody but the caller.
 */

/**
 * struct kmq_user_buf - a caller's buffer, in one of two forms
 * @ptr: its next byte, where @iter is NULL (read, write, XFER)
 * @iter: the rest of it (readv, writev, io_uring)
 */
struct kmq_user_buf {
	void __user *ptr;
	struct iov_iter *iter;
};

struct kmq_run *kmq_copy_message(struct kmq_handle *h, unsigned int by,
				 struct kmq_user_buf *from, size_t len);
struct kmq_run *kmq_copy_single(struct kmq_handle *h, unsigned int by,
				struct kmq_user_buf *from, size_t len,
				u32 *error_at);
int kmq_copy_records(struct kmq_handle *h, unsigned int by,
		     struct kmq_user_buf *from, size_t len,
		     struct kmq_send *s, u32 *error_at);
ssize_t kmq_copy_bare(struct kmq_user_buf *to, struct kmq_node *node);
ssize_t kmq_copy_body(struct kmq_user_buf *to, struct kmq_node *node);
u32 kmq_copy_short(struct kmq_user_buf *to, struct kmq_node *node);
u32 kmq_copy_out(struct kmq_user_buf *to, struct list_head *nodes,
		 u32 *count);

#endif
